/* SPDX-License-Identifier: MIT */
/*
 * TLS over any stream transport: sockets, pipes, serial ports, memory.
 *
 * A handshake turns a clear transport into the carrier of another one, which
 * obeys the whole contract of transport.h. A protocol therefore needs to know
 * nothing of TLS: it is told made when the handshake has succeeded, and one
 * whose peer could not be trusted is never built.
 *
 * The end is told apart from a cut: only a peer that says that it sends no more
 * causes eof; a connection that just ends is UTW_LOST, cause ECONNRESET, since
 * anybody on the way could have cut it. Broken data is UTW_LOST, cause EPROTO.
 *
 * Peers are verified by default: clients check the server's certificate against
 * the trusted ones and against the name that they meant to reach. Versions below
 * 1.2 and renegotiation are refused.
 *
 * In a library that was built without TLS the functions that make something
 * fail with -EOPNOTSUPP.
 */
#ifndef UNTWIST_TLS_H
#define UNTWIST_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <untwist/api.h>
#include <untwist/factory.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_deferred;
struct utw_domain;
struct utw_failure;
struct utw_tls_context;
struct utw_tls_factory;
struct utw_transport;

/** Codes are enum utw_tls_error. */
UTW_API extern const struct utw_domain utw_domain_tls;

enum utw_tls_error {
	UTW_TLS_SETUP = 1, /* a certificate, key or list could not be used */
	UTW_TLS_PROTOCOL, /* the two sides do not agree, or one does not speak TLS */
	UTW_TLS_CERTIFICATE, /* the peer's certificate is missing, or not to be trusted */
	UTW_TLS_CLOSED, /* the peer went away during the handshake */
	UTW_TLS_CLEAR_DATA, /* the peer has sent more before the handshake than it may */
};

/** How long a handshake may take when told 0, and the last words, in nanoseconds. */
#define UTW_TLS_HANDSHAKE_TIMEOUT UINT64_C(30000000000)
#define UTW_TLS_CLOSE_TIMEOUT	  UINT64_C(10000000000)

/** Sessions that a client's context remembers, one for each name. */
#define UTW_TLS_SESSIONS 64

enum utw_tls_role {
	UTW_TLS_CLIENT,
	UTW_TLS_SERVER,
};

enum utw_tls_flags {
	UTW_TLS_UNVERIFIED = 1 << 0, /* client: trust whoever answers */
	UTW_TLS_ASK_CERTIFICATE = 1
		<< 1, /* server: verify the client's certificate if it has one */
	UTW_TLS_NEED_CERTIFICATE = 1 << 2, /* server: and refuse one that has none */
	UTW_TLS_1_3_ONLY = 1 << 3,
	UTW_TLS_NO_RESUMPTION = 1 << 4, /* every handshake is a full one */
};

/**
 * struct utw_tls_options - what a context is made of; zeroes are the default
 * @trust: file with the certificates to trust, PEM; NULL: those of the system
 * @certificate: file with our certificate and those between it and its root,
 *	PEM; a server needs one
 * @key: file with its private key, PEM; NULL: in the same file
 * @alpn: protocols to agree on, best first, ended by NULL; NULL: none. A server
 *	refuses a client that offers only others
 * @key_log: file to which the secrets of each connection are appended, for
 *	programs that look into captured traffic; NULL: none
 * @flags: of enum utw_tls_flags
 */
struct utw_tls_options {
	const char *trust;
	const char *certificate;
	const char *key;
	const char *const *alpn;
	const char *key_log;
	unsigned int flags;
};

/**
 * utw_tls_context_new() - prepare what many connections share
 * @ret: receives the context with one reference, the caller's
 * @role: which side they are
 * @options: copied; NULL: the default
 * @why: receives the story of an error, the caller's to unref; NULL: not wanted
 *
 * Reads the files, and so may wait for a disk.
 *
 * Return: 0; -EINVAL for files or a list that cannot be used, -ENOENT, -EACCES
 * and others of open(), -EOPNOTSUPP, -ENOMEM.
 */
UTW_API int utw_tls_context_new(struct utw_tls_context **ret, enum utw_tls_role role,
				const struct utw_tls_options *options, struct utw_failure **why);

/**
 * utw_tls_context_ref() - take a reference
 * @c: the context or NULL
 *
 * Return: @c.
 */
UTW_API struct utw_tls_context *utw_tls_context_ref(struct utw_tls_context *c);

/**
 * utw_tls_context_unref() - drop a reference
 * @c: the context or NULL; connections hold references of their own
 */
UTW_API void utw_tls_context_unref(struct utw_tls_context *c);

/**
 * utw_tls_start() - begin TLS on a transport that is in use
 * @t: a stream transport; its protocol is left without one, as by
 *	utw_transport_set_protocol(). What it has written is sent first, in clear
 * @c: the context; a reference is taken
 * @host: client: the name or number of the peer, to be sent to it and to be
 *	found in its certificate; NULL only with UTW_TLS_UNVERIFIED. Server: NULL
 * @f: makes the protocol that speaks under TLS once the handshake has
 *	succeeded; started now, stopped when it has ended. It stays until then
 * @buffered: how many bytes the old protocol has received and not made use of.
 *	They came in clear, from anybody on the way, and must not be taken for
 *	what came under TLS: any but 0 makes this fail
 * @timeout: for the handshake, in nanoseconds; 0: UTW_TLS_HANDSHAKE_TIMEOUT
 *
 * The deferred fires in a later callback with the struct utw_protocol *
 * (borrowed), after that was told made; or fails: utw_domain_tls, UTW_TIMEOUT,
 * UTW_CANCELLED after a cancel, errno domain (ECONNABORTED when the factory
 * refused). A handshake that fails ends @t. What is wrong from the beginning
 * makes it a deferred that has failed already: EPIPE for a transport that is
 * being closed, EBUSY for one with a producer, EINVAL for one that keeps records
 * or a client without @host, and clear data, which aborts @t.
 *
 * Return: the deferred, one reference of which is the caller's; NULL without
 * memory.
 */
UTW_API struct utw_deferred *utw_tls_start(struct utw_transport *t, struct utw_tls_context *c,
					   const char *host, struct utw_factory *f, size_t buffered,
					   uint64_t timeout);

/**
 * struct utw_tls_factory - a factory that puts TLS between a transport and a protocol
 * @factory: give this one to a listener
 *
 * The other members are private.
 */
struct utw_tls_factory {
	struct utw_factory factory;
	struct utw_tls_context *context;
	struct utw_factory *inner;
	uint64_t timeout;
	void (*failed)(struct utw_tls_factory *f, struct utw_failure *reason);
};

/**
 * utw_tls_factory_init() - prepare a factory for the server's side
 * @f: the factory, storage of the caller, which stays until @inner is stopped
 * @c: the context of a server; stays as long
 * @inner: makes the protocols, when their handshakes have succeeded; it is
 *	stopped when @f is and every handshake has ended
 * @timeout: for each handshake, in nanoseconds; 0: UTW_TLS_HANDSHAKE_TIMEOUT
 * @failed: told, from the reactor's turn, of each handshake that failed, with a
 *	reason that is borrowed; NULL: nobody is
 */
UTW_API void utw_tls_factory_init(struct utw_tls_factory *f, struct utw_tls_context *c,
				  struct utw_factory *inner, uint64_t timeout,
				  void (*failed)(struct utw_tls_factory *f,
						 struct utw_failure *reason));

/** What was agreed on with a peer; texts are borrowed from the transport. */
struct utw_tls_facts {
	const char *version; /* as "TLSv1.3" */
	const char *cipher;
	const char *alpn; /* NULL: none */
	const char *peer; /* subject of its certificate; NULL: it has none */
	const char *host; /* the name that the client asked for; NULL: none */
	bool verified; /* the certificate was checked and is good */
	bool resumed; /* the session of an earlier connection goes on */
};

/**
 * utw_tls_facts() - what was agreed on
 * @t: a transport over TLS
 * @ret: receives the facts
 *
 * Return: 0, -EOPNOTSUPP for another kind of transport, -EPIPE.
 */
UTW_API int utw_tls_facts(const struct utw_transport *t, struct utw_tls_facts *ret);

#ifdef __cplusplus
}
#endif

#endif
