/* SPDX-License-Identifier: MIT */
/* The TLS layer: see tls-private.h. Sealed bytes in, sealed bytes out, and who waits for whom. */
#include "tls-private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <untwist/reactor.h>

static struct utw_tls_layer *layer_of(struct utw_protocol *p)
{
	return utw_container_of(p, struct utw_tls_layer, protocol);
}

void utw_tls_layer_unref(struct utw_tls_layer *l)
{
	if (--l->refs)
		return;
	/* Else OpenSSL would forget the session of whoever did not say goodbye, as many do not. */
	if (l->ssl)
		SSL_set_shutdown(l->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(l->ssl);
	utw_tls_context_unref(l->context);
	free(l->host);
	free(l);
}

void utw_tls_layer_flush(struct utw_tls_layer *l)
{
	char *data;
	long len = BIO_get_mem_data(l->to_peer, &data);

	if (len <= 0)
		return;
	/* Where it fails, the lower side is on its way to being lost, and will say so. */
	utw_transport_write(l->protocol.transport, data, (size_t)len);
	(void)BIO_reset(l->to_peer);
}

/* The layer tells the upper side, and may have its end in what that does. */
static void layer_changed(struct utw_tls_layer *l)
{
	l->starved = false;
	l->refs++;
	if (l->handshake)
		utw_tls_handshake_step(l);
	utw_tls_upper_update(l);
	utw_tls_layer_unref(l);
}

static void layer_made(struct utw_protocol *p)
{
	struct utw_tls_layer *l = layer_of(p);

	utw_transport_register_producer(p->transport, &l->producer, UTW_PRODUCER_PULL);
	if (l->handshake)
		utw_tls_handshake_begin(l, l->timeout);
	if (l->handshake)
		layer_changed(l);
}

static void layer_data(struct utw_protocol *p, const void *data, size_t len)
{
	struct utw_tls_layer *l = layer_of(p);

	/* Only memory can make this fail, and a stream with a gap is no stream. */
	if (BIO_write(l->from_peer, data, (int)len) != (int)len) {
		utw_transport_close(p->transport, UTW_CLOSE_ABORT, 0);
		return;
	}
	if (!l->handshake && BIO_pending(l->from_peer) > UTW_TLS_WAITING && !l->lower_paused) {
		l->lower_paused = true;
		utw_transport_pause(p->transport);
	}
	layer_changed(l);
}

void utw_tls_layer_consumed(struct utw_tls_layer *l)
{
	if (!l->lower_paused || BIO_pending(l->from_peer) > UTW_TLS_WAITING / 2)
		return;
	l->lower_paused = false;
	utw_transport_resume(l->protocol.transport);
}

static void layer_ended(struct utw_tls_layer *l)
{
	l->lower_ended = true;
	l->starved = false;
	l->refs++;
	if (l->handshake && l->protocol.transport)
		utw_tls_handshake_step(l);
	if (l->handshake)
		utw_tls_handshake_closed(l);
	utw_tls_upper_update(l);
	utw_tls_layer_unref(l);
}

static void layer_eof(struct utw_protocol *p)
{
	layer_ended(layer_of(p));
}

static void layer_lost(struct utw_protocol *p, struct utw_failure *reason)
{
	struct utw_tls_layer *l = layer_of(p);

	(void)reason;
	layer_ended(l);
	utw_tls_layer_unref(l);
}

/* While paused: what came before is still to be read, but the upper side is to know. */
static void layer_hangup(struct utw_protocol *p)
{
	struct utw_tls_layer *l = layer_of(p);

	l->lower_paused = false;
	utw_transport_resume(p->transport);
}

static void layer_drained(struct utw_producer *producer)
{
	utw_tls_upper_update(utw_container_of(producer, struct utw_tls_layer, producer));
}

static void layer_stopped(struct utw_producer *producer)
{
	(void)producer;
}

static const struct utw_protocol_ops layer_ops = {
	.made = layer_made,
	.data = layer_data,
	.eof = layer_eof,
	.hangup = layer_hangup,
	.lost = layer_lost,
};

static const struct utw_producer_ops producer_ops = { .resume = layer_drained,
						      .stop = layer_stopped };

/* A number is checked as one, and is not a name to be sent. */
static bool layer_set_host(struct utw_tls_layer *l)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(l->ssl);
	unsigned char number[16];

	if (inet_pton(AF_INET, l->host, number) == 1 || inet_pton(AF_INET6, l->host, number) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(param, l->host) == 1;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(l->ssl, l->host) == 1 &&
		SSL_set_tlsext_host_name(l->ssl, l->host) == 1;
}

static bool layer_set_up(struct utw_tls_layer *l, const char *host)
{
	SSL_SESSION *session;

	l->ssl = SSL_new(l->context->ssl);
	l->from_peer = BIO_new(BIO_s_mem());
	l->to_peer = BIO_new(BIO_s_mem());
	if (!l->ssl || !l->from_peer || !l->to_peer) {
		BIO_free(l->from_peer);
		BIO_free(l->to_peer);
		return false;
	}
	BIO_set_mem_eof_return(l->from_peer, -1);
	SSL_set_bio(l->ssl, l->from_peer, l->to_peer);
	SSL_set_app_data(l->ssl, l);
	if (l->context->role == UTW_TLS_SERVER) {
		SSL_set_accept_state(l->ssl);
		return true;
	}
	SSL_set_connect_state(l->ssl);
	if (!host)
		return true;
	l->host = strdup(host);
	session = utw_tls_session_find(l->context, host);
	if (session)
		SSL_set_session(l->ssl, session);
	return l->host && layer_set_host(l);
}

int utw_tls_layer_new(struct utw_tls_layer **ret, struct utw_tls_context *c, const char *host)
{
	struct utw_tls_layer *l;

	if (c->role == UTW_TLS_CLIENT && !host && !(c->flags & UTW_TLS_UNVERIFIED))
		return -EINVAL;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->refs = 1;
	l->context = utw_tls_context_ref(c);
	utw_protocol_init(&l->protocol, &layer_ops);
	utw_producer_init(&l->producer, &producer_ops);
	ERR_clear_error();
	if (!layer_set_up(l, host)) {
		utw_tls_layer_unref(l);
		return -ENOMEM;
	}
	*ret = l;
	return 0;
}

/* Our last word is said once, and not to a peer that broke the rules. */
void utw_tls_layer_close(struct utw_tls_layer *l, bool abort)
{
	struct utw_transport *lower = l->protocol.transport;

	if (!lower)
		return;
	utw_transport_unregister_producer(lower);
	if (abort) {
		utw_transport_close(lower, UTW_CLOSE_ABORT, 0);
		return;
	}
	ERR_clear_error();
	if (SSL_is_init_finished(l->ssl) && !(SSL_get_shutdown(l->ssl) & SSL_SENT_SHUTDOWN))
		SSL_shutdown(l->ssl);
	ERR_clear_error();
	utw_tls_layer_flush(l);
	utw_transport_close(lower, UTW_CLOSE_FLUSH, UTW_TLS_CLOSE_TIMEOUT);
}
