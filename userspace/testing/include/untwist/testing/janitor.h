/* SPDX-License-Identifier: MIT */
/*
 * Janitor: finds what a test has left behind, and names it: open descriptors,
 * children, threads, failures that nobody handled.
 */
#ifndef UNTWIST_TESTING_JANITOR_H
#define UNTWIST_TESTING_JANITOR_H

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Descriptors that it can tell apart. */
#define UTW_JANITOR_FDS 1024

/** Told of each thing that was left: "descriptor 5: socket:[1234]". */
typedef void (*utw_janitor_fn)(const char *what, void *data);

/* One for the process. The members are private. */
struct utw_janitor {
	unsigned char open[UTW_JANITOR_FDS / 8];
	unsigned int threads;
	unsigned int unhandled;
	utw_janitor_fn fn;
	void *data;
};

/**
 * utw_janitor_begin() - look at what is there before the test
 * @j: storage of the caller, which stays until the end
 * @fn: told of what is left; of unhandled failures as soon as they are reported
 * @data: given to @fn
 *
 * From now on utw_deferred_set_unhandled() is the janitor's.
 */
UTW_API void utw_janitor_begin(struct utw_janitor *j, utw_janitor_fn fn, void *data);

/**
 * utw_janitor_end() - look at what the test has left
 * @j: begun before
 *
 * Children that have ended are reaped, and told as well.
 *
 * Return: how many things were left.
 */
UTW_API unsigned int utw_janitor_end(struct utw_janitor *j);

/**
 * utw_janitor_take_unhandled() - failures that the test has expected
 * @j: begun before
 *
 * Return: how many there were since the last call; they count no more.
 */
UTW_API unsigned int utw_janitor_take_unhandled(struct utw_janitor *j);

#ifdef __cplusplus
}
#endif

#endif
