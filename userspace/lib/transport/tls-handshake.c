/* SPDX-License-Identifier: MIT */
/* The TLS handshake: from a clear transport to a protocol that speaks under TLS. */
#include <untwist/tls.h>

#include <errno.h>
#include <stdlib.h>

#include <openssl/err.h>

#include <untwist/call.h>
#include <untwist/deferred.h>

#include "tls-private.h"

/* What is wanted of a handshake: a deferred to fire, or a factory that may want to know. */
struct utw_tls_handshake {
	struct utw_tls_layer *layer;
	struct utw_factory *factory;
	struct utw_deferred *deferred;
	struct utw_tls_factory *wrapper;
	struct utw_timer timeout;
};

/* Of one that has been taken. */
static void handshake_free(struct utw_tls_handshake *h)
{
	utw_deferred_unref(h->deferred);
	free(h);
}

/* From here on the layer has no handshake; what comes of it is told by the caller. */
static struct utw_tls_handshake *handshake_take(struct utw_tls_layer *l)
{
	struct utw_tls_handshake *h = l->handshake;

	l->handshake = NULL;
	utw_timer_cancel(&h->timeout);
	if (h->deferred)
		utw_deferred_set_canceller(h->deferred, NULL, NULL);
	return h;
}

/* `failure` is taken. The alert that tells the peer why goes out before the end. */
static void handshake_fail(struct utw_tls_layer *l, struct utw_failure *failure)
{
	struct utw_tls_handshake *h = handshake_take(l);

	utw_tls_layer_flush(l);
	utw_tls_layer_close(l, false);
	if (h->wrapper && h->wrapper->failed)
		h->wrapper->failed(h->wrapper, failure);
	utw_factory_stop(h->factory);
	if (h->deferred)
		utw_deferred_errback(h->deferred, failure);
	else
		utw_failure_unref(failure);
	handshake_free(h);
}

static void handshake_succeed(struct utw_tls_layer *l)
{
	const struct utw_transport *lower = l->protocol.transport;
	struct utw_protocol *p =
		utw_factory_build(l->handshake->factory, utw_transport_peer(lower));
	struct utw_tls_handshake *h;
	int error = p ? utw_tls_upper_new(l, p) : -ECONNABORTED;

	if (error) {
		handshake_fail(l,
			       utw_failure_from_errno(error, "tls", "%s",
						      utw_transport_name(lower)));
		return;
	}
	h = handshake_take(l);
	utw_transport_launch_now(&l->upper->transport);
	utw_factory_stop(h->factory);
	if (h->deferred)
		utw_deferred_callback(h->deferred, p);
	handshake_free(h);
}

static struct utw_failure *handshake_failure(struct utw_tls_layer *l)
{
	const char *name = utw_transport_name(l->protocol.transport);
	long verdict = SSL_get_verify_result(l->ssl);

	if (verdict != X509_V_OK) {
		ERR_clear_error();
		return utw_failure_new(&utw_domain_tls, UTW_TLS_CERTIFICATE, "handshake", NULL,
				       "%s%s%s: %s", name ? name : "", l->host ? " as " : "",
				       l->host ? l->host : "",
				       X509_verify_cert_error_string(verdict));
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
		return utw_tls_failure(UTW_TLS_CERTIFICATE, "handshake", name ? name : "");
	return utw_tls_failure(UTW_TLS_PROTOCOL, "handshake", name ? name : "");
}

void utw_tls_handshake_step(struct utw_tls_layer *l)
{
	int done;

	ERR_clear_error();
	done = SSL_do_handshake(l->ssl);
	if (done == 1) {
		utw_tls_layer_flush(l);
		handshake_succeed(l);
	} else if (SSL_get_error(l->ssl, done) == SSL_ERROR_WANT_READ) {
		utw_tls_layer_flush(l);
	} else {
		handshake_fail(l, handshake_failure(l));
	}
}

void utw_tls_handshake_closed(struct utw_tls_layer *l)
{
	handshake_fail(l,
		       utw_tls_failure(UTW_TLS_CLOSED, "handshake",
				       l->host ? l->host : "the peer"));
}

static void handshake_late(struct utw_timer *t)
{
	struct utw_tls_layer *l = utw_container_of(t, struct utw_tls_handshake, timeout)->layer;

	handshake_fail(l,
		       utw_failure_new(&utw_domain_reason, UTW_TIMEOUT, "handshake", NULL, "%s",
				       utw_transport_name(l->protocol.transport)));
}

static enum utw_cancel handshake_cancel(struct utw_deferred *d, void *data)
{
	struct utw_tls_layer *l = data;
	struct utw_tls_handshake *h = handshake_take(l);

	(void)d;
	utw_tls_layer_close(l, true);
	utw_factory_stop(h->factory);
	handshake_free(h);
	return UTW_CANCEL_NOW;
}

/* A failure of the timer is one of memory: then it would have no end. */
void utw_tls_handshake_begin(struct utw_tls_layer *l, uint64_t timeout)
{
	int error = utw_timer_start(&l->handshake->timeout,
				    utw_transport_reactor(l->protocol.transport), timeout);

	if (error)
		handshake_fail(l,
			       utw_failure_from_errno(error, "handshake", "%s",
						      utw_transport_name(l->protocol.transport)));
}

static int handshake_new(struct utw_tls_layer *l, struct utw_factory *f, uint64_t timeout)
{
	struct utw_tls_handshake *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->layer = l;
	h->factory = f;
	utw_timer_init(&h->timeout, handshake_late);
	l->handshake = h;
	l->timeout = timeout ? timeout : UTW_TLS_HANDSHAKE_TIMEOUT;
	return 0;
}

static int start_layer(struct utw_tls_layer **ret, struct utw_transport *t,
		       struct utw_tls_context *c, const char *host, struct utw_factory *f,
		       uint64_t timeout)
{
	struct utw_tls_layer *l;
	int error;

	if (utw_transport_is_record(t))
		return -EINVAL;
	if (!t || utw_transport_closing(t))
		return -EPIPE;
	if (utw_annex(t)->producer)
		return -EBUSY;
	error = utw_tls_layer_new(&l, c, host);
	if (error)
		return error;
	error = handshake_new(l, f, timeout);
	if (!error) {
		error = utw_transport_set_protocol(t, &l->protocol);
		if (error)
			handshake_free(handshake_take(l));
	}
	if (error)
		utw_tls_layer_unref(l);
	else
		*ret = l;
	return error;
}

/* What the peer sent in clear is not to be mistaken for what it will send under TLS. */
struct utw_deferred *utw_tls_start(struct utw_transport *t, struct utw_tls_context *c,
				   const char *host, struct utw_factory *f, size_t buffered,
				   uint64_t timeout)
{
	const char *name = t ? utw_transport_name(t) : "lost";
	struct utw_tls_layer *l;
	struct utw_deferred *d;
	int error;

	if (buffered) {
		utw_transport_close(t, UTW_CLOSE_ABORT, 0);
		return utw_deferred_fail(utw_failure_new(&utw_domain_tls, UTW_TLS_CLEAR_DATA,
							 "handshake", NULL, "%s: %zu bytes", name,
							 buffered));
	}
	d = utw_deferred_new();
	if (!d)
		return NULL;
	error = start_layer(&l, t, c, host, f, timeout);
	if (error) {
		utw_deferred_unref(d);
		return utw_deferred_fail(utw_failure_from_errno(error, "handshake", "%s", name));
	}
	utw_factory_start(f);
	l->handshake->deferred = utw_deferred_ref(d);
	utw_deferred_set_canceller(d, handshake_cancel, l);
	return d;
}

static struct utw_tls_factory *wrapper_of(struct utw_factory *f)
{
	return utw_container_of(f, struct utw_tls_factory, factory);
}

static void wrapper_start(struct utw_factory *f)
{
	utw_factory_start(wrapper_of(f)->inner);
}

static void wrapper_stop(struct utw_factory *f)
{
	utw_factory_stop(wrapper_of(f)->inner);
}

static void wrapper_trouble(struct utw_factory *f, const struct utw_failure *why)
{
	utw_factory_trouble(wrapper_of(f)->inner, why);
}

static struct utw_protocol *wrapper_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct utw_tls_factory *w = wrapper_of(f);
	struct utw_tls_layer *l;

	(void)peer;
	if (utw_tls_layer_new(&l, w->context, NULL))
		return NULL;
	if (handshake_new(l, w->inner, w->timeout)) {
		utw_tls_layer_unref(l);
		return NULL;
	}
	l->handshake->wrapper = w;
	utw_factory_start(w->inner);
	return &l->protocol;
}

static const struct utw_factory_ops wrapper_ops = {
	.start = wrapper_start,
	.build = wrapper_build,
	.stop = wrapper_stop,
	.trouble = wrapper_trouble,
};

void utw_tls_factory_init(struct utw_tls_factory *f, struct utw_tls_context *c,
			  struct utw_factory *inner, uint64_t timeout,
			  void (*failed)(struct utw_tls_factory *f, struct utw_failure *reason))
{
	utw_factory_init(&f->factory, &wrapper_ops);
	f->context = c;
	f->inner = inner;
	f->timeout = timeout;
	f->failed = failed;
}
