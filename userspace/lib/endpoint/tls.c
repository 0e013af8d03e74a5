/* SPDX-License-Identifier: MIT */
/* The endpoint type "tls": what "tcp" connects or accepts, and TLS over it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <untwist/deferred.h>
#include <untwist/factory.h>
#include <untwist/failure.h>
#include <untwist/protocol.h>
#include <untwist/tls.h>
#include <untwist/transport.h>

#include "base/clock.h"
#include "endpoint-private.h"

/* Protocols that a text can offer. */
#define ALPN_MAX 16

/* Cut "h2,http/1.1" in place, into a list that NULL ends. False: too many, or one is empty. */
static bool alpn_cut(char *text, const char **list)
{
	size_t count = 0;

	for (;;) {
		char *comma = strchr(text, ',');

		if (comma)
			*comma = '\0';
		if (!*text || count == ALPN_MAX)
			return false;
		list[count++] = text;
		list[count] = NULL;
		if (!comma)
			return true;
		text = comma + 1;
	}
}

static struct utw_failure *alpn_check(const struct utw_endpoint *e)
{
	const char *value = utw_endpoint_value(e, "alpn");
	const char *list[ALPN_MAX + 1];
	struct utw_failure *failure = NULL;
	char *text;

	if (!value)
		return NULL;
	text = strdup(value);
	if (!text)
		return utw_failure_from_errno(-ENOMEM, "endpoint", "%s", utw_endpoint_text(e));
	if (!alpn_cut(text, list))
		failure = utw_endpoint_complain(e, "alpn",
						"alpn is up to %d names with commas between them",
						ALPN_MAX);
	free(text);
	return failure;
}

/* The files are read here and not when the text is: whoever reads it may not have the right to. */
static int tls_context(struct utw_tls_context **ret, const struct utw_endpoint *e,
		       enum utw_tls_role role, unsigned int flags, struct utw_failure **why)
{
	const char *alpn = utw_endpoint_value(e, "alpn");
	const char *list[ALPN_MAX + 1] = { NULL };
	char *text = alpn ? strdup(alpn) : NULL;
	struct utw_tls_options options = {
		.trust = utw_endpoint_value(e, "trust"),
		.certificate = utw_endpoint_value(e, "certificate"),
		.key = utw_endpoint_value(e, "key"),
		.flags = flags,
	};
	int error = -ENOMEM;

	if (text && alpn_cut(text, list))
		options.alpn = list;
	if (text || !alpn)
		error = utw_tls_context_new(ret, role, &options, why);
	free(text);
	return error;
}

static bool tls_unverified(const struct utw_endpoint *e)
{
	const char *verify = utw_endpoint_value(e, "verify");

	return verify && strcmp(verify, "no") == 0;
}

static struct utw_failure *tls_client_check(const struct utw_endpoint *e)
{
	const char *verify = utw_endpoint_value(e, "verify");
	struct utw_failure *failure = utw_endpoint_tcp_client.check(e);

	if (!failure && verify && strcmp(verify, "yes") != 0 && !tls_unverified(e))
		failure = utw_endpoint_complain(e, "verify", "verify is yes or no");
	return failure ? failure : alpn_check(e);
}

/*
 * One attempt. The connection in clear has a protocol only to be handed over;
 * the attempt stays until the deferred has fired and that protocol is out of use.
 */
struct tls_attempt {
	struct utw_factory clear_factory;
	struct utw_protocol clear;
	struct utw_factory *factory;
	struct utw_tls_context *context;
	char *name; /* to be found in the certificate */
	uint64_t timeout;
	bool carried; /* the clear protocol has a transport that will tell it lost */
	bool fired;
};

static void attempt_release(struct tls_attempt *a)
{
	if (a->carried || !a->fired)
		return;
	utw_tls_context_unref(a->context);
	free(a->name);
	free(a);
}

static void clear_lost(struct utw_protocol *p, struct utw_failure *reason)
{
	struct tls_attempt *a = utw_container_of(p, struct tls_attempt, clear);

	(void)reason;
	a->carried = false;
	attempt_release(a);
}

static const struct utw_protocol_ops clear_ops = { .lost = clear_lost };

static struct utw_protocol *clear_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct tls_attempt *a = utw_container_of(f, struct tls_attempt, clear_factory);

	(void)peer;
	utw_protocol_init(&a->clear, &clear_ops);
	a->carried = true;
	return &a->clear;
}

static const struct utw_factory_ops clear_factory_ops = { .build = clear_build };

/* Connected. With the handshake begun the clear protocol hears nothing any more. */
static struct utw_result attempt_connected(void *value, void *data)
{
	struct tls_attempt *a = data;
	struct utw_transport *t = a->clear.transport;
	struct utw_deferred *d;

	(void)value;
	d = utw_tls_start(t, a->context, a->name, a->factory, 0, a->timeout);
	if (t && utw_transport_protocol(t) != &a->clear)
		a->carried = false;
	else
		utw_transport_close(t, UTW_CLOSE_ABORT, 0);
	if (!d)
		return utw_result_fail(utw_failure_from_errno(-ENOMEM, "connect", "%s", a->name));
	return utw_result_wait(d);
}

static struct utw_result attempt_fired(void *value, struct utw_failure *failure, void *data)
{
	struct tls_attempt *a = data;

	(void)value;
	(void)failure;
	a->fired = true;
	utw_factory_stop(a->factory);
	attempt_release(a);
	return utw_result_pass();
}

/* What the certificate must be for: as told, or the host without the brackets of a number. */
static char *attempt_name(const struct utw_endpoint *e)
{
	const char *name = utw_endpoint_value(e, "name");
	const char *host = utw_endpoint_value(e, "host");
	size_t len = strlen(host);

	if (name)
		return strdup(name);
	if (len > 2 && host[0] == '[' && host[len - 1] == ']')
		return strndup(host + 1, len - 2);
	return strdup(host);
}

static struct tls_attempt *attempt_new(const struct utw_endpoint *e, struct utw_factory *f,
				       struct utw_failure **why)
{
	struct tls_attempt *a = calloc(1, sizeof(*a));
	uint64_t seconds = 0;

	if (!a)
		return NULL;
	/* Checked when the endpoint was read. */
	utw_failure_unref(utw_endpoint_number(e, "timeout", UINT64_MAX, &seconds));
	utw_factory_init(&a->clear_factory, &clear_factory_ops);
	a->factory = f;
	a->timeout = seconds * UTW_NSEC_PER_SEC;
	a->name = attempt_name(e);
	a->fired = true; /* so far there is nothing that could */
	if (a->name &&
	    tls_context(&a->context, e, UTW_TLS_CLIENT, tls_unverified(e) ? UTW_TLS_UNVERIFIED : 0,
			why) == 0)
		return a;
	attempt_release(a);
	return NULL;
}

static struct utw_deferred *tls_connect(const struct utw_endpoint *e, struct utw_reactor *r,
					struct utw_factory *f)
{
	struct utw_failure *why = NULL;
	struct tls_attempt *a = attempt_new(e, f, &why);
	struct utw_deferred *d;

	if (!a)
		return why ? utw_deferred_fail(why) : NULL;
	d = utw_endpoint_tcp_client.connect(e, r, &a->clear_factory);
	if (!d) {
		attempt_release(a);
		return NULL;
	}
	a->fired = false;
	utw_factory_start(f);
	utw_deferred_add_callback(d, attempt_connected, a);
	utw_deferred_add_both(d, attempt_fired, a);
	return d;
}

/*
 * What a port and the handshakes that it has begun share. The factory in the
 * middle counts them, and tells when the last has gone.
 */
struct tls_server {
	struct utw_tls_factory wrapper;
	struct utw_factory counted;
	struct utw_factory *factory;
	struct utw_tls_context *context;
};

static struct tls_server *server_of(struct utw_factory *f)
{
	return utw_container_of(f, struct tls_server, counted);
}

static void server_start(struct utw_factory *f)
{
	utw_factory_start(server_of(f)->factory);
}

static struct utw_protocol *server_build(struct utw_factory *f, const struct utw_address *peer)
{
	return utw_factory_build(server_of(f)->factory, peer);
}

static void server_free(struct tls_server *s)
{
	utw_tls_context_unref(s->context);
	free(s);
}

static void server_stop(struct utw_factory *f)
{
	struct tls_server *s = server_of(f);
	struct utw_factory *inner = s->factory;

	server_free(s);
	utw_factory_stop(inner);
}

static const struct utw_factory_ops server_ops = { .start = server_start,
						   .build = server_build,
						   .stop = server_stop };

static int tls_listen(struct utw_port **ret, const struct utw_endpoint *e, struct utw_reactor *r,
		      struct utw_factory *f, struct utw_failure **why)
{
	struct tls_server *s = calloc(1, sizeof(*s));
	unsigned int flags = utw_endpoint_value(e, "trust") ? UTW_TLS_NEED_CERTIFICATE : 0;
	int error;

	if (!s)
		return -ENOMEM;
	error = tls_context(&s->context, e, UTW_TLS_SERVER, flags, why);
	if (!error) {
		utw_factory_init(&s->counted, &server_ops);
		s->factory = f;
		utw_tls_factory_init(&s->wrapper, s->context, &s->counted, 0, NULL);
		error = utw_endpoint_tcp_server.listen(ret, e, r, &s->wrapper.factory, why);
	}
	if (error)
		server_free(s);
	return error;
}

static struct utw_failure *tls_server_check(const struct utw_endpoint *e)
{
	struct utw_failure *failure = utw_endpoint_tcp_server.check(e);

	return failure ? failure : alpn_check(e);
}

const struct utw_endpoint_type utw_endpoint_tls_client = {
	.name = "tls",
	.role = UTW_ENDPOINT_CLIENT,
	.keys = (const struct utw_endpoint_key[]){ { .name = "host", .required = true },
						   { .name = "port", .required = true },
						   { .name = "timeout" },
						   { .name = "trust" },
						   { .name = "name" },
						   { .name = "certificate" },
						   { .name = "key" },
						   { .name = "alpn" },
						   { .name = "verify" },
						   { .name = NULL } },
	.check = tls_client_check,
	.connect = tls_connect,
};
const struct utw_endpoint_type utw_endpoint_tls_server = {
	.name = "tls",
	.role = UTW_ENDPOINT_SERVER,
	.keys = (const struct utw_endpoint_key[]){ { .name = "port", .required = true },
						   { .name = "certificate", .required = true },
						   { .name = "key" },
						   { .name = "interface" },
						   { .name = "trust" },
						   { .name = "alpn" },
						   { .name = NULL } },
	.check = tls_server_check,
	.listen = tls_listen,
};
