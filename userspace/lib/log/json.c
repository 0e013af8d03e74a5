// SPDX-License-Identifier: MIT
/* Events as objects of JSON, one a line. */
#include <untwist/log_output.h>

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "log/line.h"
#include "log/printer.h"

/* The length of the UTF-8 character at `text`, or 0 when it is none. */
static size_t utf8_length(const unsigned char *text)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = text[0] < 0x80 ? 1
		: text[0] < 0xc0       ? 0
		: text[0] < 0xe0       ? 2
		: text[0] < 0xf0       ? 3
		: text[0] < 0xf8       ? 4
				       : 0;
	uint32_t code = length > 1 ? text[0] & (0xffU >> (length + 1)) : text[0];
	size_t i;

	for (i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (length &&
	    (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)))
		return 0;
	return length;
}

static void print_character(struct utw_printer *p, const char *text, size_t length)
{
	unsigned char byte = (unsigned char)*text;

	if (length == 0)
		utw_print(p, "\\ufffd");
	else if (byte == '"' || byte == '\\')
		utw_printf(p, "\\%c", byte);
	else if (byte == '\n')
		utw_print(p, "\\n");
	else if (byte < ' ' || byte == 0x7f)
		utw_printf(p, "\\u%04x", byte);
	else
		utw_print_bytes(p, text, length);
}

static void print_string(struct utw_printer *p, const char *text)
{
	if (!text) {
		utw_print(p, "null");
		return;
	}
	utw_print(p, "\"");
	while (*text) {
		size_t length = utf8_length((const unsigned char *)text);

		print_character(p, text, length);
		text += length ? length : 1;
	}
	utw_print(p, "\"");
}

/* A member, after the comma that most need. */
static void print_name(struct utw_printer *p, const char *comma, const char *name)
{
	utw_print(p, comma);
	print_string(p, name);
	utw_print(p, ":");
}

static void print_text_member(struct utw_printer *p, const char *name, const char *text)
{
	print_name(p, ",", name);
	print_string(p, text);
}

/* A failure with its causes inside, in a loop: there may be many. */
static void print_failure(struct utw_printer *p, const struct utw_failure *f)
{
	size_t depth = 0;

	for (; f; f = utw_failure_cause(f), depth++) {
		const struct utw_domain *domain = utw_failure_domain(f);
		const char *file;
		int line;

		if (depth)
			utw_print(p, ",\"cause\":");
		file = utw_failure_place(f, &line);
		utw_print(p, "{\"domain\":");
		print_string(p, domain->name);
		utw_printf(p, ",\"code\":%d", utw_failure_code(f));
		print_text_member(p, "text", domain->describe(utw_failure_code(f)));
		print_text_member(p, "operation", utw_failure_operation(f));
		print_text_member(p, "message", utw_failure_message(f));
		print_text_member(p, "file", file);
		utw_printf(p, ",\"line\":%d", line);
	}
	while (depth--)
		utw_print(p, "}");
}

static void print_value(struct utw_printer *p, const struct utw_field *field)
{
	switch (field->kind) {
	case UTW_FIELD_INT:
		utw_printf(p, "%" PRId64, field->integer);
		return;
	case UTW_FIELD_UINT:
		utw_printf(p, "%" PRIu64, field->natural);
		return;
	case UTW_FIELD_DOUBLE:
		if (isfinite(field->real))
			utw_printf(p, "%.17g", field->real);
		else
			utw_print(p, "null");
		return;
	case UTW_FIELD_BOOL:
		utw_print(p, field->truth ? "true" : "false");
		return;
	case UTW_FIELD_TEXT:
		print_string(p, field->text);
		return;
	case UTW_FIELD_FAILURE:
		print_failure(p, field->failure);
		return;
	}
}

static void print_message(struct utw_printer *p, const struct utw_event *e)
{
	char small[512];
	char *message = utw_event_message(e, small, sizeof(small));

	print_text_member(p, "message", message);
	if (message != small)
		free(message);
}

int utw_event_json(const struct utw_event *e, char *buf, size_t size)
{
	struct utw_printer p;
	size_t i;

	utw_printer_init(&p, buf, size);
	utw_print(&p, "{\"time\":\"");
	utw_print_time(&p, &e->time);
	utw_printf(&p, "\",\"level\":\"%s\"", utw_log_level_name(e->level));
	print_text_member(&p, "namespace", e->space);
	print_message(&p, e);
	print_text_member(&p, "file", e->file);
	utw_printf(&p, ",\"line\":%d,\"number\":%" PRIu64 ",\"fields\":{", e->line, e->number);
	for (i = 0; i < e->count; i++) {
		print_name(&p, i ? "," : "", e->fields[i].name);
		print_value(&p, &e->fields[i]);
	}
	utw_print(&p, "}}");
	return utw_printer_length(&p);
}
