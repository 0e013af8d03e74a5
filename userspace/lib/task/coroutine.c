// SPDX-License-Identifier: MIT
/* Coroutines on ucontext; docs/decisions/coroutines.md says why that. */
#include "task/coroutine.h"

#include <stdint.h>

/* makecontext() hands on integers only; who resumes it for the first time leaves word here. */
static _Thread_local struct utw_coroutine *beginning;

static void coroutine_main(void)
{
	struct utw_coroutine *c = beginning;

	utw_stack_entered(&c->notes);
	c->fn(c->data);
	c->ended = true;
	utw_stack_leaving_for_good(&c->notes);
	setcontext(&c->outside);
}

int utw_coroutine_init(struct utw_coroutine *c, size_t stack_size, void (*fn)(void *data),
		       void *data)
{
	int err = utw_stack_take(&c->stack, stack_size);

	if (err < 0)
		return err;
	utw_stack_notes_init(&c->notes, utw_stack_memory(&c->stack), utw_stack_size(&c->stack));
	c->fn = fn;
	c->data = data;
	c->ended = false;
	getcontext(&c->inside);
	c->inside.uc_stack.ss_sp = c->notes.memory;
	c->inside.uc_stack.ss_size = c->notes.size;
	c->inside.uc_link = NULL;
	makecontext(&c->inside, coroutine_main, 0);
	return 0;
}

void utw_coroutine_release(struct utw_coroutine *c)
{
	utw_stack_notes_release(&c->notes);
	utw_stack_give_back(&c->stack);
}

#ifdef __SANITIZE_ADDRESS__
/*
 * For AddressSanitizer in two steps: its swapcontext() wipes all it knows of the stack
 * that is gone to, which it has been told to keep, and prints a warning about that.
 */
static void context_swap(ucontext_t *from, const ucontext_t *to)
{
	volatile bool back = false;

	getcontext(from);
	if (back)
		return;
	back = true;
	setcontext(to);
}
#else
static inline __attribute__((always_inline)) void context_swap(ucontext_t *from,
							       const ucontext_t *to)
{
	swapcontext(from, to);
}
#endif

void utw_coroutine_resume(struct utw_coroutine *c)
{
	void *frames = NULL;

	beginning = c;
	utw_stack_entering(&c->notes, &frames);
	context_swap(&c->outside, &c->inside);
	utw_stack_left(frames);
}

void utw_coroutine_suspend(struct utw_coroutine *c)
{
	utw_stack_leaving(&c->notes);
	context_swap(&c->inside, &c->outside);
	utw_stack_entered(&c->notes);
}

bool utw_coroutine_inside(const struct utw_coroutine *c)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	uintptr_t start = (uintptr_t)c->notes.memory;

	return here >= start && here - start < c->notes.size;
}
