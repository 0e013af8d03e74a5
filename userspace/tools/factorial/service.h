/* SPDX-License-Identifier: MIT */
/* Service: sessions of the unit for clients over TCP. */
#ifndef FACTORIAL_SERVICE_H
#define FACTORIAL_SERVICE_H

#include <untwist/untwist.h>

struct unit;

struct service {
	struct utw_factory factory;
	struct unit *unit;
	struct utw_tcp_listener *listener;
};

/* Listen at `at`, a HOST:PORT that was parsed. Returns 0 or -errno. */
int service_open(struct service *s, struct unit *u, const struct utw_address *at);

/* Listen no more; sessions live on. A no-op when it does not listen. */
void service_close(struct service *s);

#endif
