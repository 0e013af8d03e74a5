/* SPDX-License-Identifier: MIT */
/*
 * Observers that write a log to a descriptor, one line an event:
 *
 *	text  2026-11-22T20:44:25.123456Z warn  myapp.net: 10.0.0.1 sent 3 bytes too many
 *	JSON  {"time":"2026-11-22T20:44:25.123456Z","level":"warn","namespace":"myapp.net",
 *	       "message":"...","file":"net.c","line":31,"number":7,
 *	       "fields":{"peer":"10.0.0.1","bytes":3}}
 *
 * Nothing that is logged can forge a line or a field: control characters are escaped, and
 * in JSON what is not UTF-8 is replaced by U+FFFD. Never raises SIGPIPE.
 */
#ifndef UNTWIST_LOG_OUTPUT_H
#define UNTWIST_LOG_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include <untwist/api.h>
#include <untwist/log.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Embedded by its owner; add &output.observer to a log. The other members are private. */
struct utw_log_output {
	struct utw_observer observer;
	int fd;
	uint32_t reserved;
	char *rest; /* of a line that was not taken in one piece */
	size_t rest_length;
	size_t rest_done;
};

/*
 * Prepare the caller's storage. `fd` stays the caller's. The observer fails with what
 * writing reports, and the event is lost: -EAGAIN when a non-blocking descriptor takes
 * nothing. Of a line that it takes in part the rest is kept, and comes before the next.
 */
UTW_API void utw_log_text_init(struct utw_log_output *output, int fd, enum utw_log_level level);
UTW_API void utw_log_json_init(struct utw_log_output *output, int fd, enum utw_log_level level);

/* Remove the observer, try to write what was kept, and forget it. It may be initialized anew. */
UTW_API void utw_log_output_release(struct utw_log_output *output);

/* The lines themselves, without a newline at the end, for observers that do more with them. */
UTW_API int utw_event_text(const struct utw_event *e, char *buf, size_t size);
UTW_API int utw_event_json(const struct utw_event *e, char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif
