/* SPDX-License-Identifier: MIT */
/*
 * What the tools that watch memory and threads must be told when code moves to another
 * stack. Without them all of this compiles to nothing.
 *
 * The functions are forced inline: ThreadSanitizer keeps a stack of calls for each
 * fiber, so the call that switches must not be one that returns on the other side.
 */
#ifndef UTW_TASK_STACK_SWITCH_H
#define UTW_TASK_STACK_SWITCH_H

#include <stddef.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif
#ifdef UTW_HAVE_VALGRIND
#include <valgrind/valgrind.h>
#endif

#define UTW_INLINE static inline __attribute__((always_inline))

/* One for each stack that code moves to. */
struct utw_stack_notes {
	void *memory;
	size_t size;
	void *frames; /* AddressSanitizer's store of locals that outlive their function */
	const void *caller_memory; /* of the stack to return to */
	size_t caller_size;
	void *fiber; /* ThreadSanitizer's */
	void *caller_fiber;
	unsigned int registered; /* valgrind's number */
};

UTW_INLINE void utw_stack_notes_init(struct utw_stack_notes *n, void *memory, size_t size)
{
	*n = (struct utw_stack_notes){ .memory = memory, .size = size };
#ifdef __SANITIZE_THREAD__
	n->fiber = __tsan_create_fiber(0);
#endif
#ifdef UTW_HAVE_VALGRIND
	n->registered = VALGRIND_STACK_REGISTER(memory, (char *)memory + size);
#endif
}

/* Before the memory goes: whoever has it next must not find it marked. */
UTW_INLINE void utw_stack_notes_release(struct utw_stack_notes *n)
{
#ifdef __SANITIZE_ADDRESS__
	__asan_unpoison_memory_region(n->memory, n->size);
#endif
#ifdef __SANITIZE_THREAD__
	__tsan_destroy_fiber(n->fiber);
#endif
#ifdef UTW_HAVE_VALGRIND
	VALGRIND_STACK_DEREGISTER(n->registered);
#endif
	(void)n;
}

/* Right before the switch to that stack; `frames` is a local of the one who switches. */
UTW_INLINE void utw_stack_entering(struct utw_stack_notes *n, void **frames)
{
	(void)n;
	(void)frames;
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_start_switch_fiber(frames, n->memory, n->size);
#endif
#ifdef __SANITIZE_THREAD__
	n->caller_fiber = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(n->fiber, 0);
#endif
}

/* The first thing on that stack after each such switch. */
UTW_INLINE void utw_stack_entered(struct utw_stack_notes *n)
{
	(void)n;
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_finish_switch_fiber(n->frames, &n->caller_memory, &n->caller_size);
#endif
}

/* Right before the switch back. */
UTW_INLINE void utw_stack_leaving(struct utw_stack_notes *n)
{
	(void)n;
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_start_switch_fiber(&n->frames, n->caller_memory, n->caller_size);
#endif
#ifdef __SANITIZE_THREAD__
	__tsan_switch_to_fiber(n->caller_fiber, 0);
#endif
}

/* The same for good: nothing will run on that stack any more. */
UTW_INLINE void utw_stack_leaving_for_good(struct utw_stack_notes *n)
{
	(void)n;
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_start_switch_fiber(NULL, n->caller_memory, n->caller_size);
#endif
#ifdef __SANITIZE_THREAD__
	__tsan_switch_to_fiber(n->caller_fiber, 0);
#endif
}

/* The first thing after the switch back. */
UTW_INLINE void utw_stack_left(void *frames)
{
	(void)frames;
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_finish_switch_fiber(frames, NULL, NULL);
#endif
}

#endif
