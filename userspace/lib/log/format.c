// SPDX-License-Identifier: MIT
/* The text of an event. */
#include <inttypes.h>
#include <string.h>

#include <untwist/log.h>

#include "log/printer.h"

static const struct utw_field *field_named(const struct utw_event *e, const char *name,
					   size_t length)
{
	size_t i;

	for (i = 0; i < e->count; i++)
		if (strlen(e->fields[i].name) == length &&
		    memcmp(e->fields[i].name, name, length) == 0)
			return &e->fields[i];
	return NULL;
}

const struct utw_field *utw_event_field(const struct utw_event *e, const char *name)
{
	return field_named(e, name, strlen(name));
}

/* The story goes right where it belongs, whatever its length. */
static void failure_print(struct utw_printer *p, const struct utw_failure *f)
{
	size_t used = p->length < p->size ? p->length : p->size;

	p->length += (size_t)utw_failure_format(f, p->size ? p->buf + used : NULL, p->size - used);
}

static void field_print(struct utw_printer *p, const struct utw_field *field)
{
	switch (field->kind) {
	case UTW_FIELD_INT:
		utw_printf(p, "%" PRId64, field->integer);
		return;
	case UTW_FIELD_UINT:
		utw_printf(p, "%" PRIu64, field->natural);
		return;
	case UTW_FIELD_DOUBLE:
		utw_printf(p, "%g", field->real);
		return;
	case UTW_FIELD_BOOL:
		utw_print(p, field->truth ? "true" : "false");
		return;
	case UTW_FIELD_TEXT:
		utw_print(p, field->text ? field->text : "(none)");
		return;
	case UTW_FIELD_FAILURE:
		failure_print(p, field->failure);
		return;
	}
}

/* What stands in braces at `at`; returns where to go on. */
static const char *braces_print(struct utw_printer *p, const struct utw_event *e, const char *at)
{
	const char *end = strchr(at, '}');
	const struct utw_field *field = end ? field_named(e, at + 1, (size_t)(end - at - 1)) : NULL;

	if (!field) {
		utw_print_bytes(p, at, 1);
		return at + 1;
	}
	field_print(p, field);
	return end + 1;
}

int utw_event_format(const struct utw_event *e, char *buf, size_t size)
{
	const char *at = e->format;
	struct utw_printer p;

	utw_printer_init(&p, buf, size);
	while (*at) {
		size_t plain = strcspn(at, "{}");

		utw_print_bytes(&p, at, plain);
		at += plain;
		if (at[0] && at[0] == at[1]) {
			utw_print_bytes(&p, at, 1);
			at += 2;
		} else if (at[0] == '{') {
			at = braces_print(&p, e, at);
		} else if (at[0]) {
			utw_print_bytes(&p, at++, 1);
		}
	}
	return utw_printer_length(&p);
}
