/* SPDX-License-Identifier: MIT */
/*
 * What the reactor asks of the kernel: tell which descriptors are ready. Events
 * come back with the tag given with them.
 *
 * A back end is a table of functions, poller-<name>.c. All of them mean the same:
 * level, edge and one-shot are those of epoll, and after `remove` nothing is told
 * of the descriptor any more and nothing keeps its file open.
 */
#ifndef UTW_REACTOR_POLLER_H
#define UTW_REACTOR_POLLER_H

#include <stdbool.h>
#include <stdint.h>

#include <untwist/reactor.h>

#include "base/clock.h"

/* So many events are taken per turn; the kernel hands out the rest in the next. */
#define UTW_POLLER_BATCH 256

struct utw_poller;

struct utw_poller_event {
	uint64_t tag;
	uint32_t events;
};

/* All that can fail return 0 or -errno. */
struct utw_poller_ops {
	const char *name;
	int (*open)(struct utw_poller *p);
	void (*close)(struct utw_poller *p);
	int (*add)(struct utw_poller *p, int fd, uint32_t events, uint64_t tag);
	int (*modify)(struct utw_poller *p, int fd, uint32_t events, uint64_t tag);
	int (*remove)(struct utw_poller *p, int fd);
	/*
	 * Wait at most `timeout` ns; it may be less. Returns the number of events
	 * stored, at most UTW_POLLER_BATCH, or -errno (-EINTR included).
	 */
	int (*wait)(struct utw_poller *p, uint64_t timeout, struct utw_poller_event *events);
	/* Let the kernel know what it was not told yet. NULL where it always is. */
	int (*flush)(struct utw_poller *p);
	/*
	 * A descriptor, the poller's own, that is readable when a wait would find
	 * something, and perhaps in vain. Returns it or -errno.
	 */
	int (*get_fd)(struct utw_poller *p);
	/* The time. NULL where it is the world's. */
	uint64_t (*now)(const struct utw_poller *p);
};

struct utw_poller {
	const struct utw_poller_ops *ops;
	void *state; /* the back end's own */
	const char *reason; /* why it is not the back end that was asked for, or NULL */
};

extern const struct utw_poller_ops utw_poller_epoll;
extern const struct utw_poller_ops utw_poller_fake;
/* NULL when built without liburing. */
extern const struct utw_poller_ops *const utw_poller_uring;

/*
 * Open the back end that is asked for. UTW_BACKEND_DEFAULT is what UNTWIST_REACTOR
 * says, or else epoll; io_uring falls back to it. Errors: -EINVAL it is unknown.
 */
int utw_poller_open(struct utw_poller *p, enum utw_backend backend);

static inline void utw_poller_close(struct utw_poller *p)
{
	p->ops->close(p);
}

static inline int utw_poller_add(struct utw_poller *p, int fd, uint32_t events, uint64_t tag)
{
	return p->ops->add(p, fd, events, tag);
}

static inline int utw_poller_modify(struct utw_poller *p, int fd, uint32_t events, uint64_t tag)
{
	return p->ops->modify(p, fd, events, tag);
}

static inline int utw_poller_remove(struct utw_poller *p, int fd)
{
	return p->ops->remove(p, fd);
}

static inline int utw_poller_wait(struct utw_poller *p, uint64_t timeout,
				  struct utw_poller_event *events)
{
	return p->ops->wait(p, timeout, events);
}

static inline int utw_poller_flush(struct utw_poller *p)
{
	return p->ops->flush ? p->ops->flush(p) : 0;
}

static inline int utw_poller_get_fd(struct utw_poller *p)
{
	return p->ops->get_fd(p);
}

static inline uint64_t utw_poller_now(const struct utw_poller *p)
{
	return p->ops->now ? p->ops->now(p) : utw_clock_now();
}

#endif
