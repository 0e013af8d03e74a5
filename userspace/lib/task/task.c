// SPDX-License-Identifier: MIT
/*
 * Tasks: coroutines that are resumed by the result they wait for.
 *
 * As with everything that waits, the awaited deferred refers to the task and not the
 * other way round: a producer that goes away without a word ends the wait.
 */
#include <untwist/task.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "deferred/deferred-private.h"
#include "task/coroutine.h"

struct utw_task {
	struct utw_coroutine coroutine;
	utw_task_fn fn;
	void *data;
	struct utw_deferred *whole; /* the producer's reference */
	struct utw_deferred *awaited; /* no reference; NULL while it runs */
	struct utw_result result; /* of the last await, or of all when it has ended */
	const char *file; /* of the last await */
	int line;
	bool arrived; /* `result` is that of what is awaited */
	bool suspended;
	bool cancelled; /* while it ran: meant for what it awaits next */
};

static void task_main(void *data)
{
	struct utw_task *task = data;
	struct utw_result result = task->fn(task, task->data);

	if (result.kind == UTW_RESULT_WAIT)
		result = utw_task_await(task, result.deferred);
	else if (result.kind == UTW_RESULT_PASS)
		result = utw_result_value(NULL);
	task->result = result;
}

/* Let it run. Returns the deferred of one that has ended by this, to go on with. */
static struct utw_deferred *task_go(struct utw_task *task)
{
	struct utw_deferred *whole = task->whole;
	struct utw_result result;

	utw_coroutine_resume(&task->coroutine);
	if (!task->coroutine.ended)
		return NULL;
	result = task->result;
	utw_coroutine_release(&task->coroutine);
	free(task);
	return utw_deferred_settle(whole, result);
}

static struct utw_result task_failure(const struct utw_task *task, const struct utw_domain *domain,
				      int code, const char *message)
{
	return utw_result_fail(utw_failure_new_at(task->file, task->line, domain, code, "await",
						  NULL, "%s", message));
}

static enum utw_cancel task_cancel(struct utw_deferred *d, void *data)
{
	struct utw_task *task = data;

	(void)d;
	if (task->awaited)
		utw_deferred_cancel(task->awaited);
	else
		task->cancelled = true;
	return UTW_CANCEL_LATER;
}

static struct utw_deferred *task_take(struct utw_result result, void *data)
{
	struct utw_task *task = data;

	if (result.kind == UTW_RESULT_PASS)
		result = task_failure(task, &utw_domain_reason, UTW_CANCELLED,
				      "what was awaited was released before it fired");
	task->awaited = NULL;
	task->result = result;
	task->arrived = true;
	return task->suspended ? task_go(task) : NULL;
}

/* Give up the reference, which may be the last one, and wait. */
static struct utw_result task_wait(struct utw_task *task, struct utw_deferred *d)
{
	task->arrived = false;
	if (utw_deferred_add_taker(d, task_take, task) < 0) {
		utw_deferred_unref(d);
		return task_failure(task, &utw_domain_errno, ENOMEM, "no memory to wait");
	}
	if (!task->arrived)
		task->awaited = d;
	utw_deferred_unref(d);
	if (!task->arrived) {
		task->suspended = true;
		utw_coroutine_suspend(&task->coroutine);
		task->suspended = false;
	}
	return task->result;
}

/* The task whose end a deferred is, or NULL. */
static const struct utw_task *task_of(const struct utw_deferred *d)
{
	return !d->fired && d->canceller == task_cancel ? d->canceller_data : NULL;
}

/* What `d` waits for itself, or NULL. */
static const struct utw_deferred *next_awaited(const struct utw_deferred *d)
{
	const struct utw_task *task = task_of(d);

	return task ? task->awaited : d->waiting_on;
}

/* Would the task wait for itself in the end? Only looked at where anything waits for it. */
static bool leads_back(const struct utw_task *task, const struct utw_deferred *d)
{
	if (d == task->whole)
		return true;
	if (!task->whole->slots.count)
		return false;
	while (d && d != task->whole)
		d = next_awaited(d);
	return d;
}

static const char *await_refusal(const struct utw_task *task, const struct utw_deferred *d,
				 int *error)
{
	if (!d) {
		*error = ENOMEM;
		return "no memory for what was to be awaited";
	}
	if (!utw_coroutine_inside(&task->coroutine)) {
		*error = EPERM;
		return "not called from inside the task";
	}
	if (leads_back(task, d)) {
		*error = EDEADLK;
		return "what was to be awaited waits for this task";
	}
	return NULL;
}

struct utw_result utw_task_await_at(const char *file, int line, struct utw_task *task,
				    struct utw_deferred *d)
{
	struct utw_result result;
	const char *refusal;
	int error;

	refusal = await_refusal(task, d, &error);
	if (refusal) {
		utw_deferred_unref(d);
		return utw_result_fail(
			utw_failure_from_errno_at(file, line, error, "await", "%s", refusal));
	}
	task->file = file;
	task->line = line;
	if (task->cancelled) {
		task->cancelled = false;
		utw_deferred_cancel(d);
	}
	if (utw_deferred_take(d, &result) < 0)
		return task_wait(task, d);
	utw_deferred_unref(d);
	return result;
}

struct utw_failure *utw_task_sleep_at(const char *file, int line, struct utw_task *task,
				      struct utw_reactor *r, uint64_t delay)
{
	struct utw_deferred *later = utw_deferred_later_at(file, line, r, delay);
	struct utw_result result = utw_task_await_at(file, line, task, later);

	return result.kind == UTW_RESULT_FAILURE ? result.failure : NULL;
}

static struct utw_task *task_new(const char *file, int line, utw_task_fn fn, void *data,
				 size_t stack)
{
	struct utw_task *task = calloc(1, sizeof(*task));

	if (!task)
		return NULL;
	task->fn = fn;
	task->data = data;
	task->whole = utw_deferred_new_at(file, line);
	if (!task->whole)
		goto free_task;
	if (utw_coroutine_init(&task->coroutine, stack, task_main, task) < 0)
		goto unref_whole;
	utw_deferred_set_canceller(task->whole, task_cancel, task);
	return task;

unref_whole:
	utw_deferred_unref(task->whole);
free_task:
	free(task);
	return NULL;
}

struct utw_deferred *utw_task_start_at(const char *file, int line, utw_task_fn fn, void *data,
				       size_t stack)
{
	struct utw_task *task = task_new(file, line, fn, data, stack);
	struct utw_deferred *whole, *ended;

	if (!task)
		return NULL;
	whole = utw_deferred_ref(task->whole);
	ended = task_go(task);
	/* Callbacks were added to it by none but the task, if it has found a way. */
	if (ended) {
		utw_chain_run(ended);
		utw_deferred_unref(ended);
	}
	return whole;
}

/* Append a line; returns its full length. */
static size_t line_add(char *buf, size_t size, size_t length, const struct utw_deferred *d,
		       const struct utw_task *task)
{
	const char *newline = length ? "\n" : "";
	char *end = length < size ? buf + length : NULL;
	size_t left = length < size ? size - length : 0;
	int added;

	if (!task)
		added = snprintf(end, left, "%sdeferred made at %s:%d", newline, d->file, d->line);
	else if (!task->awaited)
		added = snprintf(end, left, "%stask made at %s:%d, running", newline, d->file,
				 d->line);
	else
		added = snprintf(end, left, "%stask made at %s:%d, awaits at %s:%d", newline,
				 d->file, d->line, task->file, task->line);
	return added < 0 ? 0 : (size_t)added;
}

int utw_task_backtrace(const struct utw_deferred *d, char *buf, size_t size)
{
	size_t length = 0;

	if (size)
		buf[0] = '\0';
	while (d) {
		length += line_add(buf, size, length, d, task_of(d));
		d = next_awaited(d);
	}
	return length > INT32_MAX ? INT32_MAX : (int)length;
}
