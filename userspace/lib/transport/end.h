/* SPDX-License-Identifier: MIT */
/*
 * End: one descriptor of a transport, and how its readiness is learnt.
 *
 * What epoll refuses (regular files, /dev/null) never blocks; such an end is
 * ready in every turn in which it is wanted.
 *
 * A virtual end has no descriptor: its carrier says what it is ready for, and it
 * tells that as a poller would, in every turn for as long as it is so.
 */
#ifndef UTW_TRANSPORT_END_H
#define UTW_TRANSPORT_END_H

#include <stdbool.h>
#include <stdint.h>

#include <untwist/call.h>
#include <untwist/watch.h>

struct utw_end;

/* What an end needs that no poller watches. */
struct utw_end_unpolled {
	struct utw_end *end;
	struct utw_reactor *reactor;
	bool virtual;
	bool silent;
	uint32_t wanted;
	uint32_t state; /* of a virtual end: EPOLL* bits */
	struct utw_call always;
};

/* Every connection has one, so it is kept small. */
struct utw_end {
	struct utw_watch watch; /* its descriptor is the end's, also while it is not active */
	struct utw_end_unpolled *unpolled; /* NULL: a poller watches it */
};

/* `ready` gets the watch of the end. */
void utw_end_init(struct utw_end *end, utw_watch_fn ready);

/*
 * Take `fd` over and begin to watch it, for hang-ups only. On error (of
 * utw_watch_start(), or -ENOMEM) the descriptor is still the caller's.
 */
int utw_end_open(struct utw_end *end, struct utw_reactor *r, int fd);

/* Begin a virtual end, ready for nothing, in the caller's storage. */
void utw_end_open_virtual(struct utw_end *end, struct utw_reactor *r, struct utw_end_unpolled *u);

/* A virtual end is ready for `state` from now on. No-op for one that was closed. */
void utw_end_set_state(struct utw_end *end, uint32_t state);

/* Wait for `events`, and for hang-ups in any case. */
int utw_end_want(struct utw_end *end, struct utw_reactor *r, uint32_t events);

/* Wait for nothing, not even for hang-ups, which would be told again and again. */
void utw_end_silence(struct utw_end *end);

/* Give the descriptor back to the caller, who closes it or not. -1: none. */
int utw_end_take(struct utw_end *end);

void utw_end_close(struct utw_end *end);

/* Its descriptor; -1: it does not exist, or is virtual. */
static inline int utw_end_fd(const struct utw_end *end)
{
	return end->watch.fd;
}

/* Is it polled for these events, and no others, already? */
static inline bool utw_end_wants(const struct utw_end *end, uint32_t events)
{
	return utw_watch_active(&end->watch) && end->watch.events == events;
}

static inline bool utw_end_exists(const struct utw_end *end)
{
	return utw_end_fd(end) >= 0 || end->unpolled;
}

#endif
