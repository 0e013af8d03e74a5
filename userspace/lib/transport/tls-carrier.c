/* SPDX-License-Identifier: MIT */
/* The transport above TLS: what it reads and writes is sealed by the layer under it. */
#include <untwist/tls.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "tls-private.h"

static struct utw_tls_layer *layer_of(const struct utw_transport *t)
{
	return utw_container_of(t, struct utw_tls_upper, transport)->layer;
}

/* Much that waits below would hide from the upper side how slow the peer is. */
static bool lower_takes_more(const struct utw_tls_layer *l)
{
	return utw_transport_queued(l->protocol.transport) <= UTW_HIGH_MARK;
}

void utw_tls_upper_update(struct utw_tls_layer *l)
{
	uint32_t state = 0;
	struct utw_transport *t;

	if (!l->upper)
		return;
	t = &l->upper->transport;
	if (!l->starved)
		state |= EPOLLIN;
	if (lower_takes_more(l))
		state |= EPOLLOUT;
	if (l->lower_ended)
		state |= EPOLLRDHUP;
	if (!l->protocol.transport)
		state |= EPOLLHUP;
	utw_end_set_state(&t->in, state);
	/* A close waits for the lower queue. */
	if (t->closing && !utw_transport_lost(t))
		utw_transport_schedule(t);
}

/* SSL_read() gave nothing: why? */
static ssize_t read_nothing(struct utw_tls_layer *l, int result)
{
	switch (SSL_get_error(l->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		/* No more will come, and the peer has not said so: cut, by whomever. */
		if (l->lower_ended)
			return -ECONNRESET;
		l->starved = true;
		utw_tls_upper_update(l);
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	}
	return -EPROTO;
}

static ssize_t tls_read(struct utw_transport *t, void *data, size_t size)
{
	struct utw_tls_layer *l = layer_of(t);
	ssize_t result;
	size_t got = 0;
	int ok;

	ERR_clear_error();
	ok = SSL_read_ex(l->ssl, data, size, &got);
	result = ok == 1 ? (ssize_t)got : read_nothing(l, ok);
	/* Reading may answer: an alert, a new key. */
	utw_tls_layer_flush(l);
	utw_tls_layer_consumed(l);
	return result;
}

static ssize_t tls_write(struct utw_transport *t, const void *data, size_t len)
{
	struct utw_tls_layer *l = layer_of(t);
	size_t done = 0;

	if (!l->protocol.transport)
		return -EPIPE;
	ERR_clear_error();
	while (done < len && lower_takes_more(l)) {
		size_t put = 0;

		if (SSL_write_ex(l->ssl, (const char *)data + done, len - done, &put) != 1)
			return done ? (ssize_t)done : -EPROTO;
		utw_tls_layer_flush(l);
		done += put;
	}
	utw_tls_upper_update(l);
	return done ? (ssize_t)done : -EAGAIN;
}

static bool tls_busy(struct utw_transport *t)
{
	return utw_transport_queued(layer_of(t)->protocol.transport) > 0;
}

static void tls_shut_write(struct utw_transport *t)
{
	struct utw_tls_layer *l = layer_of(t);

	ERR_clear_error();
	SSL_shutdown(l->ssl);
	ERR_clear_error();
	utw_tls_layer_flush(l);
}

static int tls_hangup(struct utw_transport *t)
{
	return SSL_get_shutdown(layer_of(t)->ssl) & SSL_RECEIVED_SHUTDOWN ? 0 : -ECONNRESET;
}

static void tls_close(struct utw_transport *t, bool abort)
{
	struct utw_tls_layer *l = layer_of(t);

	utw_end_close(&t->in);
	l->upper = NULL;
	utw_tls_layer_close(l, abort);
}

static void tls_free(struct utw_transport *t)
{
	utw_tls_layer_unref(layer_of(t));
	free(utw_container_of(t, struct utw_tls_upper, transport));
}

static const struct utw_carrier_ops tls_ops = {
	.read = tls_read,
	.write = tls_write,
	.busy = tls_busy,
	.shut_write = tls_shut_write,
	.hangup = tls_hangup,
	.close = tls_close,
	.free = tls_free,
};

/* Both ends are those of the transport below. */
static int upper_addresses(const struct utw_transport *lower, struct utw_ends_addresses **ret)
{
	const struct utw_address *peer = utw_transport_peer(lower);

	if (!peer)
		return 0;
	*ret = malloc(sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	(*ret)->peer = *peer;
	(*ret)->host = *utw_transport_host(lower);
	return 0;
}

int utw_tls_upper_new(struct utw_tls_layer *l, struct utw_protocol *p)
{
	struct utw_transport *lower = l->protocol.transport;
	struct utw_tls_upper *u = calloc(1, sizeof(*u));
	struct utw_ends_addresses *ends = NULL;
	char name[UTW_ADDRESS_TEXT + 16];
	int error;

	if (!u)
		return -ENOMEM;
	snprintf(name, sizeof(name), "tls over %s", utw_transport_name(lower));
	error = upper_addresses(lower, &ends);
	if (!error)
		error = utw_transport_init(&u->transport, &tls_ops, lower->reactor, p, name);
	if (error) {
		free(ends);
		free(u);
		return error;
	}
	u->transport.annex->addresses = ends;
	u->layer = l;
	l->refs++;
	l->upper = u;
	utw_end_open_virtual(&u->transport.in, lower->reactor, &u->unpolled);
	utw_tls_upper_update(l);
	return 0;
}

static const char *peer_subject(struct utw_tls_layer *l)
{
	X509 *certificate = SSL_get0_peer_certificate(l->ssl);

	if (!certificate)
		return NULL;
	return X509_NAME_oneline(X509_get_subject_name(certificate), l->subject,
				 sizeof(l->subject));
}

static const char *agreed_alpn(struct utw_tls_layer *l)
{
	const unsigned char *name;
	unsigned int len;

	SSL_get0_alpn_selected(l->ssl, &name, &len);
	if (!len || len >= sizeof(l->alpn))
		return NULL;
	memcpy(l->alpn, name, len);
	l->alpn[len] = '\0';
	return l->alpn;
}

int utw_tls_facts(const struct utw_transport *t, struct utw_tls_facts *ret)
{
	struct utw_tls_layer *l;

	if (utw_transport_lost(t))
		return -EPIPE;
	if (t->carrier != &tls_ops)
		return -EOPNOTSUPP;
	l = layer_of(t);
	ret->version = SSL_get_version(l->ssl);
	ret->cipher = SSL_get_cipher_name(l->ssl);
	ret->alpn = agreed_alpn(l);
	ret->peer = peer_subject(l);
	ret->host = SSL_get_servername(l->ssl, TLSEXT_NAMETYPE_host_name);
	ret->verified = ret->peer && SSL_get_verify_mode(l->ssl) != SSL_VERIFY_NONE &&
		SSL_get_verify_result(l->ssl) == X509_V_OK;
	ret->resumed = SSL_session_reused(l->ssl);
	return 0;
}
