/* SPDX-License-Identifier: MIT */
/*
 * TLS from the inside. A layer stands between two transports: it is the protocol
 * of the lower one, where sealed bytes go, and what the carrier of the upper one
 * reads and writes through. It lives until both have let go of it.
 */
#ifndef UTW_TRANSPORT_TLS_PRIVATE_H
#define UTW_TRANSPORT_TLS_PRIVATE_H

#include <stdio.h>

#include <openssl/ssl.h>

#include <untwist/producer.h>
#include <untwist/protocol.h>
#include <untwist/timer.h>
#include <untwist/tls.h>

#include "transport-private.h"

/* Sealed bytes that may wait to be read by the upper side before the lower one is paused. */
#define UTW_TLS_WAITING 65536

struct utw_tls_context {
	SSL_CTX *ssl;
	enum utw_tls_role role;
	unsigned int flags;
	unsigned int refs;
	unsigned char *alpn; /* as on the wire */
	unsigned int alpn_len;
	FILE *key_log;
	struct utw_tls_memory *memory; /* sessions of a client */
};

struct utw_tls_layer {
	struct utw_protocol protocol; /* of the lower transport */
	struct utw_producer producer; /* asked when the lower queue is empty */
	struct utw_tls_context *context;
	SSL *ssl;
	BIO *from_peer;
	BIO *to_peer;
	struct utw_tls_upper *upper; /* NULL: before, and after its end */
	unsigned int refs;
	bool lower_paused;
	bool lower_ended; /* nothing more comes from it */
	bool starved; /* all that came has been tried: wait for more */
	char *host;
	char subject[256]; /* of the peer's certificate */
	char alpn[256];

	/* While it shakes hands. */
	struct utw_tls_handshake *handshake;
	uint64_t timeout;
};

/* The transport above. */
struct utw_tls_upper {
	struct utw_transport transport;
	struct utw_end_unpolled unpolled;
	struct utw_tls_layer *layer;
};

/* tls-context.c */

/* Remembered by name, so that the next handshake is a short one. */
SSL_SESSION *utw_tls_session_find(const struct utw_tls_context *c, const char *host);

/* What OpenSSL has to say, as a failure with this message before it. */
struct utw_failure *utw_tls_failure(int code, const char *operation, const char *what);

/* tls-layer.c */

/* A layer with one reference, which becomes the lower transport's. -errno. */
int utw_tls_layer_new(struct utw_tls_layer **ret, struct utw_tls_context *c, const char *host);
void utw_tls_layer_unref(struct utw_tls_layer *l);

/* Hand on what is sealed. */
void utw_tls_layer_flush(struct utw_tls_layer *l);

/* The upper side has read: let more come if it waits for room. */
void utw_tls_layer_consumed(struct utw_tls_layer *l);

/* End the lower side: after the last words, or rudely. */
void utw_tls_layer_close(struct utw_tls_layer *l, bool abort);

/* tls-handshake.c */

/* The lower transport is there: the time runs from now on. */
void utw_tls_handshake_begin(struct utw_tls_layer *l, uint64_t timeout);

/* One step further, as far as the bytes go that have come. */
void utw_tls_handshake_step(struct utw_tls_layer *l);

/* The lower side has ended before it was done. */
void utw_tls_handshake_closed(struct utw_tls_layer *l);

/* tls-carrier.c */

/* The transport above, for this protocol; not launched. -errno. */
int utw_tls_upper_new(struct utw_tls_layer *l, struct utw_protocol *p);

/* What the upper side is ready for may have changed. */
void utw_tls_upper_update(struct utw_tls_layer *l);

#endif
