/* SPDX-License-Identifier: MIT */
/* Meeting: an endpoint that listens, one that connects, and what came of it. */
#ifndef UTW_TESTS_MEETING_H
#define UTW_TESTS_MEETING_H

#include <stdbool.h>

#include <untwist/deferred.h>
#include <untwist/endpoint.h>
#include <untwist/failure.h>

#include "guests.h"

/* A reactor, guests for each side, and what became of an attempt to connect. */
struct meeting {
	struct guests near;
	struct guests far;
	struct utw_port *port;
	struct utw_protocol *protocol;
	struct utw_failure *failure;
	struct utw_resolver *resolver; /* of who connects; NULL: none */
	bool fired;
};

void meeting_open(struct meeting *m);
/* Ends all connections; every factory is out of use then. */
void meeting_close(struct meeting *m);

/* Listen with the far side; as utw_endpoint_listen(), the failure goes to the meeting. */
int meeting_listen(struct meeting *m, const char *text);
/* Connect with the near side; never fires inside. The deferred is the caller's. */
struct utw_deferred *meeting_connect(struct meeting *m, const char *text);

#endif
