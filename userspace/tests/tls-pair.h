/* SPDX-License-Identifier: MIT */
/* A TLS client and server over a pair in memory, and what became of their handshakes. */
#ifndef UTW_TESTS_TLS_PAIR_H
#define UTW_TESTS_TLS_PAIR_H

#include <untwist/deferred.h>
#include <untwist/factory.h>
#include <untwist/tls.h>

#include "recorder.h"

/* One of the two sides. */
struct tls_side {
	struct recorder clear; /* speaks first, and on the transport below */
	struct recorder sealed; /* speaks under TLS */
	struct utw_factory factory;
	bool refuse; /* the factory builds nothing */
	struct utw_tls_context *context;
	struct utw_deferred *deferred;
	bool fired;
	struct utw_protocol *got;
	struct utw_failure *failure;
	unsigned int stops; /* of the factory */
};

struct tls_pair {
	struct utw_reactor *reactor;
	struct tls_side client;
	struct tls_side server;
};

/* Two clear transports; contexts are made of the options. */
void tls_pair_open(struct tls_pair *p, const struct utw_tls_options *client,
		   const struct utw_tls_options *server);
/* The same with contexts that are there; taken. */
void tls_pair_open_with(struct tls_pair *p, struct utw_tls_context *client,
			struct utw_tls_context *server);
/* Begin on one side; on both, and turn until both have fired. */
void tls_side_start(struct tls_side *s, const char *host, uint64_t timeout);
void tls_pair_shake(struct tls_pair *p, const char *host);
void tls_pair_close(struct tls_pair *p);

/* It failed, with this code of this domain. */
void assert_failed(const struct tls_side *s, const struct utw_domain *domain, int code);

#endif
