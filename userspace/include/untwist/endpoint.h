/* SPDX-License-Identifier: MIT */
/*
 * Endpoint: where to connect to or to listen, read from a text.
 *
 * A text is a type and its arguments, joined by colons:
 *
 *	tcp:localhost:4000		tcp:[::1]:4000:timeout=5	(to connect to)
 *	tcp:4000			tcp:0:interface=localhost	(to listen at)
 *	tls:example.org:443		tls:4433:certificate=/etc/name.pem
 *	unix:/run/name.sock		unix:@abstract:mode=660		(mode to listen)
 *	device:/dev/untwist/loop0	serial:/dev/ttyS0:9600:parity=even
 *	udp:[::1]:5000			udp:5000:idle=10
 *	process:/usr/bin/ssh:host:cat	process:cat:folder=/tmp
 *	fd:3		stdio:		systemd:0	systemd:name=web
 *
 * An argument is KEY=VALUE or, in the order that the type gives, a VALUE alone.
 * A backslash takes the meaning off the character behind it: a colon, a
 * backslash, or the = of a value alone. An = inside of KEY=VALUE needs none,
 * nor do colons between the brackets of a value that begins with one.
 *
 * What is wrong with a text is a failure (errno domain, EINVAL) that names the
 * column.
 *
 * Types, and what they take (* must be there; order as for values alone):
 *	tcp to connect: host* (a number, "localhost", or a name: that needs
 *		utw_endpoint_set_resolver()), port*, timeout (seconds)
 *	tcp to listen: port* (0: any), interface
 *	tls to connect: as tcp (timeout: the handshake has as long again), trust
 *		(file with the certificates to trust; the system's), name (to be
 *		found in the peer's certificate; the host), certificate and key
 *		(files with ours, if we need one), alpn (protocols to agree on, best
 *		first, as "h2,http/1.1"), verify (yes, no)
 *	tls to listen: port*, certificate* (file), key (file; the same one),
 *		interface, trust (file: clients must have a certificate signed by one
 *		of these), alpn
 *	unix to connect: path* (or @ and an abstract name), timeout (seconds)
 *	unix to listen: path*, mode (octal; what the umask leaves)
 *	udp to connect: host* (a number or "localhost"), port*. Each write is a
 *		datagram, and each that comes a record; none is waited for
 *	udp to listen: port* (0: any), interface, peers (1000: as many at a time),
 *		idle (60: seconds). Who sends something is a connection, which ends
 *		with UTW_TIMEOUT when nothing more came for so long; those that are too
 *		many, and what comes faster than it is read, are dropped
 *	serial: path*, baud (115200), data (8), parity (none, odd, even, mark,
 *		space), stop (1), flow (none, rtscts, xonxoff)
 *	device: path*. Each connection is an open file of its own
 *	process: path* (looked for in PATH without a slash), arg (as often as there
 *		are arguments), folder. The program's standard input and output are
 *		the connection; it shares our standard error. When the connection ends
 *		it sees the end of its input, and is not killed
 *	fd to connect: number*, of a pipe, socket, terminal, which is taken over
 *	fd to listen: number*, of a socket that listens, which is taken over
 *	stdio: descriptors 0 and 1
 *	systemd to listen: index or name, of a socket handed over by systemd
 * Those of one descriptor make one connection, whichever way they are used.
 */
#ifndef UNTWIST_ENDPOINT_H
#define UNTWIST_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_deferred;
struct utw_endpoint;
struct utw_factory;
struct utw_failure;
struct utw_port;
struct utw_reactor;
struct utw_resolver;

enum utw_endpoint_role {
	UTW_ENDPOINT_CLIENT, /* to connect to */
	UTW_ENDPOINT_SERVER, /* to listen at */
};

/**
 * struct utw_endpoint_key - an argument that a type takes
 * @name: its key; lower case
 * @required: it must be there
 * @repeated: it may be there often; it has all values alone that reach it
 */
struct utw_endpoint_key {
	const char *name;
	bool required;
	bool repeated;
};

/**
 * struct utw_endpoint_type - a kind of endpoint, in one role
 * @name: the word before the first colon
 * @role: what it is for
 * @keys: its arguments in order, ended by a name of NULL
 * @check: look at the values; says what is wrong with utw_endpoint_complain().
 *	NULL: any will do
 * @connect: of a client, as utw_endpoint_connect()
 * @listen: of a server, as utw_endpoint_listen(); *why is NULL and may be left
 *	so: what is there becomes the cause of the failure
 */
struct utw_endpoint_type {
	const char *name;
	enum utw_endpoint_role role;
	const struct utw_endpoint_key *keys;
	struct utw_failure *(*check)(const struct utw_endpoint *e);
	struct utw_deferred *(*connect)(const struct utw_endpoint *e, struct utw_reactor *r,
					struct utw_factory *f);
	int (*listen)(struct utw_port **ret, const struct utw_endpoint *e, struct utw_reactor *r,
		      struct utw_factory *f, struct utw_failure **why);
};

/**
 * utw_endpoint_parse() - read an endpoint
 * @ret: receives the endpoint, owned by the caller
 * @role: what it is for
 * @text: as told at the top; copied
 * @more: types of the program's own, ended by NULL, which come before those of
 *	the library; NULL for none
 * @why: receives the failure, owned by the caller; may be NULL
 *
 * May be called from any thread.
 *
 * Return: 0, -EINVAL for a text that is wrong, -ENOMEM.
 */
UTW_API int utw_endpoint_parse(struct utw_endpoint **ret, enum utw_endpoint_role role,
			       const char *text, const struct utw_endpoint_type *const *more,
			       struct utw_failure **why);

/**
 * utw_endpoint_free() - forget an endpoint
 * @e: the endpoint or NULL. What was made with it lives on
 */
UTW_API void utw_endpoint_free(struct utw_endpoint *e);

/**
 * utw_endpoint_text() - the text of an endpoint
 * @e: the endpoint
 *
 * Return: what it was read from; lives as long as @e.
 */
UTW_API const char *utw_endpoint_text(const struct utw_endpoint *e);

/**
 * utw_endpoint_value() - an argument
 * @e: the endpoint
 * @key: its name
 *
 * Return: the value, without quotes; NULL when it was not given.
 */
UTW_API const char *utw_endpoint_value(const struct utw_endpoint *e, const char *key);

/**
 * utw_endpoint_value_at() - an argument that may be there often
 * @e: the endpoint
 * @key: its name
 * @nth: which, from 0
 *
 * Return: the value, without quotes; NULL when there are not so many.
 */
UTW_API const char *utw_endpoint_value_at(const struct utw_endpoint *e, const char *key,
					  size_t nth);

/**
 * utw_endpoint_set_resolver() - say who finds hosts by their names
 * @e: the endpoint
 * @resolver: asked whenever a connection is made to a host that is a name; stays
 *	as long as @e and its attempts. NULL: nobody, as at first; such attempts
 *	fail then (EDESTADDRREQ)
 */
UTW_API void utw_endpoint_set_resolver(struct utw_endpoint *e, struct utw_resolver *resolver);

/**
 * utw_endpoint_resolver() - who finds hosts by their names
 * @e: the endpoint
 *
 * Return: as set, borrowed; for @connect.
 */
UTW_API struct utw_resolver *utw_endpoint_resolver(const struct utw_endpoint *e);

/**
 * utw_endpoint_number() - an argument that is a number
 * @e: the endpoint
 * @key: its name
 * @max: the largest that will do
 * @ret: receives the number; untouched when it was not given, or is none
 *
 * Return: NULL, or the failure that says so; for @check.
 */
UTW_API struct utw_failure *utw_endpoint_number(const struct utw_endpoint *e, const char *key,
						uint64_t max, uint64_t *ret);

/**
 * utw_endpoint_complain() - say what is wrong with an argument
 * @e: the endpoint
 * @key: its name; NULL: the whole
 * @fmt: what, as for printf()
 *
 * Return: a failure that points at it, for @check.
 */
UTW_API struct utw_failure *utw_endpoint_complain(const struct utw_endpoint *e, const char *key,
						  const char *fmt, ...) UTW_PRINTF(3, 4)
	__attribute__((nonnull(3)));

/**
 * utw_endpoint_quote() - make a value that means just a text
 * @text: any text
 * @buf: receives it with its backslashes, always terminated
 * @size: bytes at @buf; twice the length and one are always enough
 *
 * Return: the length of the whole, as snprintf() does.
 */
UTW_API size_t utw_endpoint_quote(const char *text, char *buf, size_t size);

/**
 * utw_endpoint_connect() - make a connection
 * @e: an endpoint to connect to
 * @r: the reactor
 * @f: makes the protocol; started now, stopped when the attempt has ended. It
 *	stays until then
 *
 * The deferred fires, never inside this call, with the struct utw_protocol *
 * (borrowed: it owns itself), after the protocol was told made; or fails with
 * what befell the attempt. A cancel ends the attempt, leaving nothing behind.
 *
 * Return: the deferred, one reference of which is the caller's; NULL without
 * memory.
 */
UTW_API struct utw_deferred *utw_endpoint_connect(const struct utw_endpoint *e,
						  struct utw_reactor *r, struct utw_factory *f);

/**
 * utw_endpoint_listen() - take connections
 * @ret: receives the port, owned by the caller
 * @e: an endpoint to listen at
 * @r: the reactor
 * @f: makes the protocols; started now, stopped with the port
 * @why: receives the failure, owned by the caller; may be NULL
 *
 * Return: 0, or -errno as the type says.
 */
UTW_API int utw_endpoint_listen(struct utw_port **ret, const struct utw_endpoint *e,
				struct utw_reactor *r, struct utw_factory *f,
				struct utw_failure **why);

/**
 * struct utw_port_ops - what a type gives for a place that listens
 * @close: listen no more, and free it; connections live on
 * @name: where it listens, as "127.0.0.1:4000"
 */
struct utw_port_ops {
	void (*close)(struct utw_port *p);
	const char *(*name)(const struct utw_port *p);
};

/**
 * struct utw_port - to be embedded by what a type makes
 * @ops: its operations
 */
struct utw_port {
	const struct utw_port_ops *ops;
};

/**
 * utw_port_close() - listen no more
 * @p: the port or NULL; gone when this returns
 *
 * Legal from any callback. Connections live on.
 */
UTW_API void utw_port_close(struct utw_port *p);

/**
 * utw_port_name() - where it listens
 * @p: the port
 *
 * Return: a text that lives as long as the port.
 */
UTW_API const char *utw_port_name(const struct utw_port *p);

#ifdef __cplusplus
}
#endif

#endif
