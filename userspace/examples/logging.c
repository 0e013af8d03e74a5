/* SPDX-License-Identifier: MIT */
/* One log, as text and as JSON, with what was said before it began: cc logging.c $(pkg-config --cflags --libs untwist) */
#include <errno.h>
#include <unistd.h>
#include <untwist/untwist.h>

int main(void)
{
	struct utw_log_output text, json;
	struct utw_failure *failure;
	struct utw_log *log;

	if (utw_log_new(&log, 100) < 0)
		return 1;
	/* Kept, since nobody is listening yet. */
	utw_log_emit(log, UTW_LOG_INFO, "shop", "opening with {n} apples", utw_field_int("n", 3));

	utw_log_text_init(&text, STDOUT_FILENO, UTW_LOG_DEBUG);
	utw_log_json_init(&json, STDOUT_FILENO, UTW_LOG_ERROR);
	utw_log_add_observer(log, &text.observer);
	utw_log_add_observer(log, &json.observer);
	utw_log_set_level(log, "shop.till", UTW_LOG_DEBUG);
	utw_log_begin(log);

	utw_log_emit(log, UTW_LOG_DEBUG, "shop", "not wanted, and never made");
	utw_log_emit(log, UTW_LOG_DEBUG, "shop.till", "{item} for {price}",
		     utw_field_text("item", "apple"), utw_field_double("price", 0.5));

	/* An error that nobody handles ends up here as well. */
	utw_log_unhandled(log);
	failure = utw_failure_from_errno(-ENOENT, "fetch", "the fourth apple");
	utw_deferred_unref(utw_deferred_fail(failure));
	utw_log_unhandled(NULL);
	utw_log_output_release(&text);
	utw_log_output_release(&json);
	utw_log_free(log);
	return 0;
}
