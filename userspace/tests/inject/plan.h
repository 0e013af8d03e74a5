/* SPDX-License-Identifier: MIT */
/*
 * Plan: which call of the library is to fail. The library of this build has its
 * allocations and system calls renamed (symbols.txt) to stand-ins, which ask here
 * before they do as they were asked. What a test itself calls is left alone.
 */
#ifndef UTW_TESTS_INJECT_PLAN_H
#define UTW_TESTS_INJECT_PLAN_H

#include <stdatomic.h>
#include <stdbool.h>

enum inject_kind {
	INJECT_NOTHING,
	INJECT_MEMORY, /* an allocation: there is no memory */
	INJECT_ERRNO, /* a system call: an error that it may have */
	INJECT_INTERRUPT, /* a system call that may be interrupted: EINTR, which nobody may notice */
};

#define INJECT_STACK 32

/* Shared with the processes that a test forks: what the child does may fail as well. */
struct inject_plan {
	enum inject_kind kind;
	unsigned int nth; /* the call that fails, counted from 1; 0: only count */
	atomic_uint calls; /* of that kind, so far */
	const char *failed; /* the function that has, once it has */
	void *stack[INJECT_STACK]; /* who called it, innermost first */
	int depth; /* of the stack */
	bool told; /* the library has put a failure into words since */
	bool breach; /* the library gave up by abort() */
	void *end[INJECT_STACK]; /* who did what ends the process */
	int end_depth;
};

/* Have the calls from now on go by this plan, which outlives them. NULL: none fails. */
void inject_follow(struct inject_plan *plan);

/* Note where the process is being ended. */
void inject_note_end(void);

/* May this allocation happen? If not, errno is ENOMEM. For the stand-ins. */
bool inject_memory(const char *call);

enum inject_manner {
	INJECT_AT_ONCE, /* is never interrupted */
	INJECT_MAY_WAIT, /* may end with EINTR */
};

/*
 * Must this call fail? If so, errno is `error`, or EINTR. With an error of 0 it is
 * never refused for good. For the stand-ins.
 */
bool inject_call(const char *call, int error, enum inject_manner manner);

#endif
