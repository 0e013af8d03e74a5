/* SPDX-License-Identifier: MIT */
/*
 * What the reactor asks of the kernel: tell which descriptors are ready. The back
 * end is the file that is linked; events come back with the tag given with them.
 */
#ifndef UTW_REACTOR_POLLER_H
#define UTW_REACTOR_POLLER_H

#include <stdbool.h>
#include <stdint.h>

/* So many events are taken per turn; the kernel hands out the rest in the next. */
#define UTW_POLLER_BATCH 64

struct utw_poller_event {
	uint64_t tag;
	uint32_t events;
};

struct utw_poller {
	int fd;
	bool precise; /* the kernel takes nanoseconds */
};

/* All return 0 or -errno. */
int utw_poller_init(struct utw_poller *p);
void utw_poller_release(struct utw_poller *p);
int utw_poller_add(struct utw_poller *p, int fd, uint32_t events, uint64_t tag);
int utw_poller_modify(struct utw_poller *p, int fd, uint32_t events, uint64_t tag);
int utw_poller_remove(struct utw_poller *p, int fd);

/*
 * Wait at most `timeout` ns, and never return before without an event. Returns the
 * number of events stored, at most UTW_POLLER_BATCH, or -errno (-EINTR included).
 */
int utw_poller_wait(struct utw_poller *p, uint64_t timeout, struct utw_poller_event *events);

#endif
