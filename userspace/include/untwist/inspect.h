/* SPDX-License-Identifier: MIT */
/*
 * Looking into a reactor: what it waits for, what it has done, and who held it up.
 *
 * Thread rule: only from the reactor's own thread.
 */
#ifndef UNTWIST_INSPECT_H
#define UNTWIST_INSPECT_H

#include <stdint.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_reactor;

/* A callback that took too long: see struct utw_reactor_options. */
struct utw_slow_call {
	const char *kind; /* "watch", "timer", "call", "posted call", "signal" */
	void (*callback)(void); /* the function, for a debugger or dladdr(); of another type */
	const char *place; /* where its source was started, "file:line"; NULL when unknown */
	int fd; /* of a watch; else -1 */
	uint64_t took; /* ns */
};

/* Turns by the time they took: of bucket n, at least 2^n ns and less than twice that. */
#define UTW_TURN_BUCKETS 40

struct utw_reactor_statistics {
	uint64_t turns;
	uint64_t events; /* callbacks of watches */
	uint64_t timers;
	uint64_t posted; /* calls of other threads */
	uint64_t signals;
	uint64_t calls; /* queued ones, for the end of a turn included */
	/* The following only with the option `measure`, and without the time asleep. */
	uint64_t busy; /* ns */
	uint64_t longest; /* ns, of one turn */
	uint64_t buckets[UTW_TURN_BUCKETS]; /* turns; the last one holds all above, too */
};

/* What there was since the reactor was made. In a turn, that one is not counted yet. */
UTW_API void utw_reactor_get_statistics(const struct utw_reactor *r,
					struct utw_reactor_statistics *ret);

/*
 * Tell in lines of text, each without its end, of the reactor, every watch, timer,
 * signal and queued call of it, with the place where it was started where that is
 * known. `line` must not start, stop or change any of them.
 */
UTW_API void utw_reactor_dump(const struct utw_reactor *r,
			      void (*line)(void *data, const char *text), void *data);

#ifdef __cplusplus
}
#endif

#endif
