/* SPDX-License-Identifier: MIT */
/*
 * A task: code that waits for deferreds in a straight line.
 *
 *	static struct utw_result greet(struct utw_task *task, void *data)
 *	{
 *		struct utw_result r = utw_task_await(task, utw_device_submit(data, &hello));
 *
 *		if (r.kind == UTW_RESULT_FAILURE)
 *			return r;
 *		...
 *	}
 *
 *	struct utw_deferred *d = utw_task_start(greet, device);
 *
 * A task has a stack of its own and runs in the thread that started it: it is suspended
 * where it awaits, while the thread does other things. Between two awaits nothing else
 * runs, so tasks need no locks among themselves - and a task that blocks, blocks all.
 *
 * It begins inside utw_task_start(), and goes on inside whatever fires the deferred
 * that it awaits. Callbacks that a task causes by firing something run on its stack.
 *
 * Thread rule: start and await in one thread, that of the deferreds awaited.
 */
#ifndef UNTWIST_TASK_H
#define UNTWIST_TASK_H

#include <stddef.h>
#include <stdint.h>

#include <untwist/api.h>
#include <untwist/deferred.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_reactor;
struct utw_task;

/* Address space for a task's stack, in bytes; memory is taken for what it really uses. */
#define UTW_TASK_STACK ((size_t)256 << 10)

/*
 * What a task does. `task` is good until the function returns. It returns its result as
 * a callback does; UTW_RESULT_WAIT is awaited first.
 */
typedef struct utw_result (*utw_task_fn)(struct utw_task *task, void *data);

/*
 * Run fn until it awaits something that is not there yet, and return a deferred that
 * fires with its result. Letting go of that does not stop the task; cancelling it
 * cancels what the task awaits, or the next thing it will await. The task sees that as
 * the failure of that deferred, may tidy up (and await more for it), and ends when it
 * likes. One cancel reaches it; it ends as UTW_CANCELLED by returning that failure.
 *   stack  at least that many bytes of stack; beyond them lies a segmentation fault
 * NULL when memory is out; then fn was not called.
 */
#define utw_task_start(fn, data)	      utw_task_start_at(UTW_HERE, fn, data, UTW_TASK_STACK)
#define utw_task_start_sized(fn, data, stack) utw_task_start_at(UTW_HERE, fn, data, stack)
UTW_API struct utw_deferred *utw_task_start_at(const char *file, int line, utw_task_fn fn,
					       void *data, size_t stack);

/*
 * Suspend the task until `d`, whose reference is taken, has its result, and return that:
 * a value or a failure, the caller's from now on (see utw_result_drop()). When it is
 * there already nothing is suspended. Failures of its own, of the errno domain: ENOMEM
 * for a `d` of NULL, which is what makers of deferreds return without memory, so that
 * they need no other check; EPERM when not called from inside the task; EDEADLK when `d`
 * is the task's own deferred, or waits for that, directly or through others. A deferred that dies unfired is a failure UTW_CANCELLED.
 */
#define utw_task_await(task, d) utw_task_await_at(UTW_HERE, task, d)
UTW_API struct utw_result utw_task_await_at(const char *file, int line, struct utw_task *task,
					    struct utw_deferred *d);

/*
 * Suspend the task for `delay` ns. Returns NULL, or why it was less: the failure of a
 * cancel, which is the caller's, or ENOMEM.
 */
#define utw_task_sleep(task, r, delay) utw_task_sleep_at(UTW_HERE, task, r, delay)
UTW_API struct utw_failure *utw_task_sleep_at(const char *file, int line, struct utw_task *task,
					      struct utw_reactor *r, uint64_t delay);

/*
 * What a deferred waits for, down through tasks and other deferreds, each with its
 * place: the backtrace of code that is not running. One line each, without a newline at
 * the end:
 *	task made at fetch.c:80, awaits at fetch.c:31
 *	deferred made at dns.c:112
 * Writes at most `size` bytes including the terminating NUL (none when size is 0) and
 * returns the length of the full text, as snprintf does.
 */
UTW_API int utw_task_backtrace(const struct utw_deferred *d, char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif
