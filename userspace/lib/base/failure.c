// SPDX-License-Identifier: MIT
/* Failures: one allocation each, the operation and the message at its end. */
#include <untwist/failure.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct utw_failure {
	atomic_uint refs;
	int code;
	const struct utw_domain *domain;
	struct utw_failure *cause;
	const char *file;
	int line;
	const char *message;
	const char *operation;
	char text[];
};

/* strerror() may not be shared by threads; the GNU variant's table is constant for known codes. */
static const char *errno_describe(int code)
{
	const char *text = strerrordesc_np(code);

	return text ? text : "unknown error";
}

static const char *reason_describe(int code)
{
	switch ((enum utw_reason)code) {
	case UTW_DONE:
		return "closed cleanly";
	case UTW_LOST:
		return "connection lost";
	case UTW_ABORTED:
		return "aborted";
	case UTW_GONE:
		return "device gone";
	case UTW_TIMEOUT:
		return "timed out";
	case UTW_CANCELLED:
		return "cancelled";
	case UTW_ALREADY_FIRED:
		return "already fired";
	case UTW_LIMIT:
		return "limit exceeded";
	case UTW_REFUSED:
		return "refused";
	}
	return "unknown reason";
}

const struct utw_domain utw_domain_errno = { .name = "errno", .describe = errno_describe };
const struct utw_domain utw_domain_reason = { .name = "reason", .describe = reason_describe };

/* Never counted, so it can be handed out when there is no memory to count in. */
static struct utw_failure out_of_memory = {
	.code = ENOMEM,
	.domain = &utw_domain_errno,
	.file = __FILE__,
	.line = __LINE__,
	.operation = "failure",
	.message = "no memory to say what failed",
};

static struct utw_failure *failure_build(const char *file, int line,
					 const struct utw_domain *domain, int code,
					 const char *operation, struct utw_failure *cause,
					 const char *fmt, va_list args)
{
	size_t operation_size = strlen(operation) + 1;
	struct utw_failure *f;
	va_list again;
	int length;

	va_copy(again, args);
	length = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (length < 0)
		length = 0;

	f = malloc(sizeof(*f) + operation_size + (size_t)length + 1);
	if (!f) {
		utw_failure_unref(cause);
		return &out_of_memory;
	}
	atomic_init(&f->refs, 1);
	f->code = code;
	f->domain = domain;
	f->cause = cause;
	f->file = file;
	f->line = line;
	f->operation = f->text;
	f->message = f->text + operation_size;
	memcpy(f->text, operation, operation_size);
	vsnprintf(f->text + operation_size, (size_t)length + 1, fmt, args);
	return f;
}

struct utw_failure *utw_failure_new_at(const char *file, int line, const struct utw_domain *domain,
				       int code, const char *operation, struct utw_failure *cause,
				       const char *fmt, ...)
{
	struct utw_failure *f;
	va_list args;

	va_start(args, fmt);
	f = failure_build(file, line, domain, code, operation, cause, fmt, args);
	va_end(args);
	return f;
}

struct utw_failure *utw_failure_from_errno_at(const char *file, int line, int error,
					      const char *operation, const char *fmt, ...)
{
	struct utw_failure *f;
	va_list args;

	va_start(args, fmt);
	f = failure_build(file, line, &utw_domain_errno, error < 0 ? -error : error, operation,
			  NULL, fmt, args);
	va_end(args);
	return f;
}

struct utw_failure *utw_failure_ref(const struct utw_failure *f)
{
	/* What is const to all is the story told; the count is the library's. */
	struct utw_failure *counted = (struct utw_failure *)f;

	if (counted && counted != &out_of_memory)
		atomic_fetch_add_explicit(&counted->refs, 1, memory_order_relaxed);
	return counted;
}

/* Down the chain of causes in a loop, so that a long one needs no stack. */
void utw_failure_unref(struct utw_failure *f)
{
	while (f && f != &out_of_memory) {
		struct utw_failure *cause = f->cause;

		if (atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) != 1)
			return;
		free(f);
		f = cause;
	}
}

const struct utw_domain *utw_failure_domain(const struct utw_failure *f)
{
	return f->domain;
}

int utw_failure_code(const struct utw_failure *f)
{
	return f->code;
}

const char *utw_failure_operation(const struct utw_failure *f)
{
	return f->operation;
}

const char *utw_failure_message(const struct utw_failure *f)
{
	return f->message;
}

const struct utw_failure *utw_failure_cause(const struct utw_failure *f)
{
	return f->cause;
}

const char *utw_failure_place(const struct utw_failure *f, int *line)
{
	if (line)
		*line = f->line;
	return f->file;
}

bool utw_failure_is(const struct utw_failure *f, const struct utw_domain *domain, int code)
{
	return f->domain == domain && f->code == code;
}

bool utw_failure_has(const struct utw_failure *f, const struct utw_domain *domain, int code)
{
	for (; f; f = f->cause)
		if (utw_failure_is(f, domain, code))
			return true;
	return false;
}

/* One link of the chain; returns its full length, however little of it fitted. */
static size_t failure_format_one(const struct utw_failure *f, char *buf, size_t size)
{
	const char *colon = f->message[0] ? ": " : "";
	int length = snprintf(buf, size, "%s%s%s (%s)", f->operation, colon, f->message,
			      f->domain->describe(f->code));

	return length < 0 ? 0 : (size_t)length;
}

int utw_failure_format(const struct utw_failure *f, char *buf, size_t size)
{
	static const char link[] = ", caused by ";
	size_t length = 0;

	if (size)
		buf[0] = '\0';
	for (; f; f = f->cause) {
		size_t used = length < size ? length : size;

		length += failure_format_one(f, used < size ? buf + used : NULL, size - used);
		if (!f->cause)
			break;
		used = length < size ? length : size;
		snprintf(used < size ? buf + used : NULL, size - used, "%s", link);
		length += sizeof(link) - 1;
	}
	return length > INT32_MAX ? INT32_MAX : (int)length;
}
