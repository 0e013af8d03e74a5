/* SPDX-License-Identifier: MIT */
/* What the forms of a line have in common. */
#ifndef UTW_LOG_LINE_H
#define UTW_LOG_LINE_H

#include <time.h>

#include <untwist/log.h>

struct utw_printer;

/* text.c: UTC, to the microsecond. */
void utw_print_time(struct utw_printer *p, const struct timespec *time);
/*
 * text.c: the message of an event: in `small`, or if it is longer in memory that the
 * caller frees; without memory it is cut.
 */
char *utw_event_message(const struct utw_event *e, char *small, size_t size);

#endif
