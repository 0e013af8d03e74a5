// SPDX-License-Identifier: MIT
/* Plan: see plan.h. */
#include "plan.h"

#include <errno.h>
#include <execinfo.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

void inject_abort(void);
int inject_vsnprintf(char *buf, size_t size, const char *format, va_list args);

static struct inject_plan *followed;

void inject_follow(struct inject_plan *plan)
{
	void *stack[1];

	/* Its first call loads a library, which allocates. */
	backtrace(stack, 1);
	followed = plan;
}

static bool its_turn(const char *call, int error)
{
	struct inject_plan *plan = followed;

	if (atomic_fetch_add(&plan->calls, 1) + 1 != plan->nth)
		return false;
	plan->failed = call;
	plan->depth = backtrace(plan->stack, INJECT_STACK);
	errno = error;
	return true;
}

bool inject_memory(const char *call)
{
	return followed && followed->kind == INJECT_MEMORY && its_turn(call, ENOMEM);
}

bool inject_call(const char *call, int error, enum inject_manner manner)
{
	if (!followed)
		return false;
	if (followed->kind == INJECT_ERRNO && error)
		return its_turn(call, error);
	if (followed->kind == INJECT_INTERRUPT && manner == INJECT_MAY_WAIT)
		return its_turn(call, EINTR);
	return false;
}

void inject_note_end(void)
{
	if (followed)
		followed->end_depth = backtrace(followed->end, INJECT_STACK);
}

/* A test that fails aborts as well, and must not be taken for this. */
void inject_abort(void)
{
	if (followed)
		followed->breach = true;
	inject_note_end();
	abort();
}

/* What makes a failure, and a line of a log. */
int inject_vsnprintf(char *buf, size_t size, const char *format, va_list args)
{
	if (followed && followed->failed)
		followed->told = true;
	return vsnprintf(buf, size, format, args);
}
