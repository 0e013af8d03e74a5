/* SPDX-License-Identifier: MIT */
/* Writing text piece by piece into a buffer that may be too small, as snprintf counts. */
#ifndef UTW_LOG_PRINTER_H
#define UTW_LOG_PRINTER_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <untwist/api.h>

struct utw_printer {
	char *buf;
	size_t size;
	size_t length; /* of the full text */
};

static inline void utw_printer_init(struct utw_printer *p, char *buf, size_t size)
{
	p->buf = buf;
	p->size = size;
	p->length = 0;
	if (size)
		buf[0] = '\0';
}

static inline void utw_print_bytes(struct utw_printer *p, const char *bytes, size_t count)
{
	if (p->length + 1 < p->size) {
		size_t room = p->size - 1 - p->length;
		size_t fits = count < room ? count : room;

		memcpy(p->buf + p->length, bytes, fits);
		p->buf[p->length + fits] = '\0';
	}
	p->length += count;
}

static inline void utw_print(struct utw_printer *p, const char *text)
{
	utw_print_bytes(p, text, strlen(text));
}

/* For short things: what goes beyond 127 bytes is cut. */
static inline UTW_PRINTF(2, 3) void utw_printf(struct utw_printer *p, const char *fmt, ...)
{
	char text[128];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	utw_print(p, text);
}

static inline int utw_printer_length(const struct utw_printer *p)
{
	return p->length > INT32_MAX ? INT32_MAX : (int)p->length;
}

#endif
