/* SPDX-License-Identifier: MIT */
/*
 * A watch: calls back when a file descriptor is ready.
 *
 * Stop a watch before closing its descriptor. Events are tagged with the watch
 * and its generation, so one that was stopped, or stopped and started anew on a
 * re-used number, never sees what was meant for its former self.
 *
 * Thread rule: only from the reactor's own thread.
 */
#ifndef UNTWIST_WATCH_H
#define UNTWIST_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_reactor;
struct utw_watch;

/*
 * events: EPOLL* bits, of those asked for plus EPOLLERR and EPOLLHUP, which are
 * always reported. The callback may stop, change or free any watch.
 */
typedef void (*utw_watch_fn)(struct utw_watch *w, uint32_t events);

/* The members are private. */
struct utw_watch {
	utw_watch_fn fn;
	struct utw_reactor *reactor;
	const char *place;
	uint32_t slot;
	uint32_t events;
	int fd;
	uint32_t reserved;
};

/* Prepare the caller's storage; needs no release once inactive. */
UTW_API void utw_watch_init(struct utw_watch *w, utw_watch_fn fn);

/*
 * Watch `fd`, which stays the caller's, for `events`: any of EPOLLIN, EPOLLOUT,
 * EPOLLPRI, EPOLLRDHUP with the modes EPOLLET, EPOLLONESHOT, EPOLLEXCLUSIVE.
 * After a one-shot event the watch stays active but silent until set_events.
 * Errors: -EBUSY already active; -EEXIST another watch of this reactor has the
 * descriptor; -EBADF; -EINVAL modes that do not go together (EPOLLEXCLUSIVE goes
 * with EPOLLIN, EPOLLOUT, EPOLLET only); -ENOMEM, -ENOSPC. On error the watch stays
 * inactive.
 *
 * What never blocks (a regular file, /dev/null) is always ready, as for poll(2).
 */
#define utw_watch_start(w, r, fd, events) utw_watch_start_at(w, r, fd, events, UTW_PLACE)

/* The same for a `place` that the caller tells: a string that stays, or NULL. */
UTW_API int utw_watch_start_at(struct utw_watch *w, struct utw_reactor *r, int fd, uint32_t events,
			       const char *place);

/*
 * Watch for something else; 0 leaves only errors and hang-ups. With EPOLLET and
 * EPOLLONESHOT it re-arms, too. Costs nothing when nothing changes.
 * Errors: -EINVAL inactive, or exclusive; what the kernel says of the descriptor.
 */
UTW_API int utw_watch_set_events(struct utw_watch *w, uint32_t events);

/* Stop watching; no call follows, not even for what is already pending. No-op when inactive. */
UTW_API void utw_watch_stop(struct utw_watch *w);

UTW_API bool utw_watch_active(const struct utw_watch *w);

/* The descriptor being watched; -1 when inactive. */
UTW_API int utw_watch_fd(const struct utw_watch *w);

#ifdef __cplusplus
}
#endif

#endif
