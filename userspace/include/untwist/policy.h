/* SPDX-License-Identifier: MIT */
/*
 * Policies: factories around a factory, which decide how long, how fast and how
 * many its connections may be, or look on.
 *
 * Set one up around a factory of yours and hand its policy.factory to a
 * listener, an endpoint or another policy. All storage is the caller's: a
 * policy, and the factory inside it, stay until the factory has been told stop
 * and the last of its connections is lost.
 */
#ifndef UNTWIST_POLICY_H
#define UNTWIST_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include <untwist/address.h>
#include <untwist/api.h>
#include <untwist/factory.h>
#include <untwist/timer.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct utw_policy - what all policies begin with
 * @factory: what to hand on
 *
 * All other members, of this and of the policies, are the library's, unless
 * they are told here.
 */
struct utw_policy {
	struct utw_factory factory;
	struct utw_factory *inner;
};

/**
 * struct utw_timeout_policy - ends connections on which nothing moves
 * @policy: has the factory
 */
struct utw_timeout_policy {
	struct utw_policy policy;
	uint64_t period;
};

/**
 * utw_timeout_policy_init() - limit how long a connection may be silent
 * @p: storage of the caller
 * @inner: makes the protocols
 * @period: nanoseconds without a byte in either direction, after which the
 *	connection is aborted; its protocol hears UTW_TIMEOUT
 */
UTW_API void utw_timeout_policy_init(struct utw_timeout_policy *p, struct utw_factory *inner,
				     uint64_t period);

/**
 * struct utw_pace_policy - ends connections whose peer is too slow
 * @policy: has the factory
 */
struct utw_pace_policy {
	struct utw_policy policy;
	uint64_t period;
	uint64_t in;
	uint64_t out;
};

/**
 * utw_pace_policy_init() - ask of peers to be quick
 * @p: storage of the caller
 * @inner: makes the protocols
 * @period: nanoseconds, counted from the begin of each connection
 * @in: bytes that must come in each period, 0 for no such demand. Not after the
 *	peer's end, nor while the protocol reads slower than that itself
 * @out: bytes that must be taken in each period in which there are some to take
 *	all the time, 0 for no such demand
 *
 * A peer that sends or takes a byte now and then keeps a connection, which is no
 * silence to the timeout policy. Here it is aborted; its protocol hears
 * UTW_TIMEOUT. Demand what the slowest of the honest ones can do. A record counts
 * with all its bytes.
 */
UTW_API void utw_pace_policy_init(struct utw_pace_policy *p, struct utw_factory *inner,
				  uint64_t period, uint64_t in, uint64_t out);

/* How much may be moved: grows with time, up to a burst. The members are private. */
struct utw_throttle_bucket {
	uint64_t rate;
	int64_t level;
	uint64_t last;
};

/**
 * struct utw_throttle_policy - limits the bytes per second of all its connections together
 * @policy: has the factory
 */
struct utw_throttle_policy {
	struct utw_policy policy;
	struct utw_throttle_bucket in;
	struct utw_throttle_bucket out;
	struct utw_link layers;
	struct utw_timer timer;
};

/**
 * utw_throttle_policy_init() - limit how fast connections may be
 * @p: storage of the caller; all its connections must have one reactor
 * @inner: makes the protocols
 * @in: bytes per second to be read, 0 for no limit
 * @out: bytes per second to be written, 0 for no limit
 *
 * A tenth of a second's worth may come at once. What is too much waits: in the
 * kernel and in the peer when it comes in, in the transport's queue (with its
 * marks) when it goes out. A record counts when it has passed.
 */
UTW_API void utw_throttle_policy_init(struct utw_throttle_policy *p, struct utw_factory *inner,
				      uint64_t in, uint64_t out);

/* The members are private. */
struct utw_limit_peer;

/** Lists of peers. */
#define UTW_LIMIT_BUCKETS 64

/**
 * struct utw_limit_policy - limits how many connections there are
 * @policy: has the factory
 * @total: how many there are now
 * @refused: how many there were too many
 */
struct utw_limit_policy {
	struct utw_policy policy;
	struct utw_factory *overflow;
	size_t max;
	size_t max_by_peer;
	size_t total;
	uint64_t refused;
	struct utw_limit_peer *peers[UTW_LIMIT_BUCKETS];
};

/**
 * utw_limit_policy_init() - limit how many connections there may be
 * @p: storage of the caller
 * @inner: makes the protocols
 * @max: how many in all, 0 for no limit
 * @max_by_peer: how many from one IP address, whatever the port; 0 for no
 *	limit. Peers without an IP address count in @max only
 */
UTW_API void utw_limit_policy_init(struct utw_limit_policy *p, struct utw_factory *inner,
				   size_t max, size_t max_by_peer);

/**
 * utw_limit_policy_set_overflow() - who speaks to those that are too many
 * @p: the policy
 * @overflow: makes their protocols, started and stopped with @p; they count as
 *	well. NULL: they are refused, as at first
 */
UTW_API void utw_limit_policy_set_overflow(struct utw_limit_policy *p,
					   struct utw_factory *overflow);

/** What a traffic log is told of. */
enum utw_traffic_event {
	UTW_TRAFFIC_MADE,
	UTW_TRAFFIC_READ,
	UTW_TRAFFIC_WRITTEN,
	UTW_TRAFFIC_LOST, /* @bytes is the story of the failure */
};

/**
 * struct utw_traffic - what has happened
 * @event: what
 * @connection: its number, counted from 1 by the policy
 * @name: of its transport
 * @time: utw_reactor_now()
 * @bytes: what was moved, borrowed
 * @len: how many bytes
 */
struct utw_traffic {
	enum utw_traffic_event event;
	uint64_t connection;
	const char *name;
	uint64_t time;
	const void *bytes;
	size_t len;
};

/** Called from the reactor's turn; must not touch the connection. */
typedef void (*utw_traffic_fn)(const struct utw_traffic *traffic, void *data);

/**
 * struct utw_traffic_policy - shows what goes over connections
 * @policy: has the factory
 */
struct utw_traffic_policy {
	struct utw_policy policy;
	utw_traffic_fn fn;
	void *data;
	uint64_t connections;
};

/**
 * utw_traffic_policy_init() - look on
 * @p: storage of the caller
 * @inner: makes the protocols
 * @fn: told of all traffic
 * @data: given to @fn
 */
UTW_API void utw_traffic_policy_init(struct utw_traffic_policy *p, struct utw_factory *inner,
				     utw_traffic_fn fn, void *data);

#ifdef __cplusplus
}
#endif

#endif
