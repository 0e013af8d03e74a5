// SPDX-License-Identifier: MIT
/* Failures that nobody handled, as events. */
#include <untwist/deferred.h>
#include <untwist/log.h>

static void unhandled_log(const struct utw_failure *f, const char *file, int line, void *log)
{
	utw_log_emit(log, UTW_LOG_ERROR, "untwist.deferred",
		     "unhandled failure in the deferred made at {file}:{line}: {failure}",
		     utw_field_text("file", file), utw_field_int("line", line),
		     utw_field_failure("failure", f));
}

void utw_log_unhandled(struct utw_log *log)
{
	utw_deferred_set_unhandled(log ? unhandled_log : NULL, log);
}
