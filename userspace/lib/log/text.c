// SPDX-License-Identifier: MIT
/* Events as lines of text. */
#include <untwist/log_output.h>

#include <stdlib.h>

#include "log/line.h"
#include "log/printer.h"

void utw_print_time(struct utw_printer *p, const struct timespec *time)
{
	struct tm parts;

	gmtime_r(&time->tv_sec, &parts);
	utw_printf(p, "%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ", parts.tm_year + 1900,
		   parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
		   time->tv_nsec / 1000);
}

/* What could end the line, or move the cursor of whoever reads it. */
static void print_escaped(struct utw_printer *p, const char *text)
{
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte == '\n')
			utw_print(p, "\\n");
		else if (byte < ' ' || byte == 0x7f)
			utw_printf(p, "\\x%02x", byte);
		else
			utw_print_bytes(p, text, 1);
	}
}

char *utw_event_message(const struct utw_event *e, char *small, size_t size)
{
	int length = utw_event_format(e, small, size);
	char *large;

	if ((size_t)length < size)
		return small;
	large = malloc((size_t)length + 1);
	if (!large)
		return small;
	utw_event_format(e, large, (size_t)length + 1);
	return large;
}

int utw_event_text(const struct utw_event *e, char *buf, size_t size)
{
	char small[512];
	char *message = utw_event_message(e, small, sizeof(small));
	struct utw_printer p;

	utw_printer_init(&p, buf, size);
	utw_print_time(&p, &e->time);
	utw_printf(&p, " %-8s ", utw_log_level_name(e->level));
	print_escaped(&p, e->space);
	utw_print(&p, ": ");
	print_escaped(&p, message);
	if (message != small)
		free(message);
	return utw_printer_length(&p);
}
