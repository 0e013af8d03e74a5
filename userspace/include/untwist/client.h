/* SPDX-License-Identifier: MIT */
/*
 * Client service: keeps a connection to an endpoint, and makes it again when it
 * is lost, a little later each time that it cannot be had.
 */
#ifndef UNTWIST_CLIENT_H
#define UNTWIST_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <untwist/api.h>
#include <untwist/factory.h>
#include <untwist/service.h>
#include <untwist/timer.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_deferred;
struct utw_endpoint;
struct utw_failure;
struct utw_protocol;
struct utw_reactor;

/**
 * struct utw_backoff - how long to wait before the next attempt
 * @initial: nanoseconds to start from
 * @max: longest wait, without the jitter
 * @factor: of each wait to the one before, at least 1; the first is @initial
 *	times this already
 * @jitter: up to this many nanoseconds are added, by chance
 * @random: a number from 0 to 1; NULL: the kernel's getrandom()
 * @data: given to @random
 */
struct utw_backoff {
	uint64_t initial;
	uint64_t max;
	double factor;
	uint64_t jitter;
	double (*random)(void *data);
	void *data;
};

/** 1 s, growing by half each time, up to a minute and up to a second by chance. */
#define UTW_BACKOFF_DEFAULT                                                                        \
	{                                                                                          \
		UINT64_C(1000000000), UINT64_C(60000000000), 1.5, UINT64_C(1000000000), NULL, NULL \
	}

/**
 * utw_backoff_delay() - how long to wait after so many failures in a row
 * @b: the rule
 * @failures: how many, from 1
 *
 * Return: nanoseconds.
 */
UTW_API uint64_t utw_backoff_delay(const struct utw_backoff *b, uint64_t failures);

enum utw_client_state {
	UTW_CLIENT_STOPPED,
	UTW_CLIENT_CONNECTING,
	UTW_CLIENT_WAITING, /* for the next attempt */
	UTW_CLIENT_CONNECTED,
	UTW_CLIENT_DISCONNECTING, /* stopped, and the connection is on its way out */
};

/* The members are private. */
struct utw_client_layer;
struct utw_client_waiter;

/**
 * struct utw_client - a client service; to be embedded, or used as it is
 * @service: to be added to a parent
 * @state: where it is
 * @failures: attempts in a row that failed
 *
 * All other members are the library's.
 */
struct utw_client {
	struct utw_service service;
	enum utw_client_state state;
	uint64_t failures;
	struct utw_reactor *reactor;
	const struct utw_endpoint *endpoint;
	struct utw_factory *inner;
	struct utw_factory factory;
	struct utw_backoff backoff;
	struct utw_timer timer;
	struct utw_deferred *attempt;
	struct utw_client_layer *layer;
	struct utw_deferred *stopped;
	struct utw_link waiters;
};

/**
 * utw_client_init() - prepare a client service
 * @c: storage of the caller
 * @r: the reactor, whose clock it waits by
 * @e: where to connect to, which outlives it
 * @f: makes the protocol of each connection. Its transport is a layer over that
 *	of the endpoint
 * @backoff: copied; NULL for UTW_BACKOFF_DEFAULT
 *
 * It starts to connect when it is started. Stopping ends an attempt, or closes
 * the connection and waits until it is lost; what waits for a connection is
 * cancelled then.
 */
UTW_API void utw_client_init(struct utw_client *c, struct utw_reactor *r,
			     const struct utw_endpoint *e, struct utw_factory *f,
			     const struct utw_backoff *backoff);

/**
 * utw_client_when_connected() - the protocol, when there is one
 * @c: the client service
 * @failures: give up after so many failed attempts from now on; 0: never
 *
 * The deferred fires with the struct utw_protocol * of the factory (borrowed),
 * perhaps at once; or fails as the last attempt did, or with UTW_CANCELLED when
 * the service is stopped or stops.
 *
 * Return: the deferred, one reference of which is the caller's; NULL without
 * memory.
 */
UTW_API struct utw_deferred *utw_client_when_connected(struct utw_client *c, unsigned int failures);

#ifdef __cplusplus
}
#endif

#endif
