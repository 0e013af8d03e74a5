// SPDX-License-Identifier: MIT
/* Copies of events: one allocation, the fields behind the event, their text behind them. */
#include "log/event.h"

#include <stdlib.h>
#include <string.h>

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static size_t texts_size(const struct utw_event *e)
{
	size_t size = text_size(e->space) + text_size(e->format), i;

	for (i = 0; i < e->count; i++) {
		size += text_size(e->fields[i].name);
		if (e->fields[i].kind == UTW_FIELD_TEXT)
			size += text_size(e->fields[i].text);
	}
	return size;
}

/* Copy to *at and move it on. */
static const char *text_copy(char **at, const char *text)
{
	size_t size = text_size(text);
	char *copy = *at;

	if (!text)
		return NULL;
	memcpy(copy, text, size);
	*at += size;
	return copy;
}

static void field_copy(struct utw_field *to, const struct utw_field *from, char **at)
{
	*to = *from;
	to->name = text_copy(at, from->name);
	if (from->kind == UTW_FIELD_TEXT)
		to->text = text_copy(at, from->text);
	else if (from->kind == UTW_FIELD_FAILURE)
		to->failure = utw_failure_ref(from->failure);
}

struct utw_kept_event *utw_event_keep(const struct utw_event *e)
{
	size_t fields_size = e->count * sizeof(*e->fields), i;
	struct utw_kept_event *kept = malloc(sizeof(*kept) + fields_size + texts_size(e));
	struct utw_field *fields;
	char *at;

	if (!kept)
		return NULL;
	fields = (struct utw_field *)(kept + 1);
	at = (char *)fields + fields_size;
	kept->except = NULL;
	kept->event = *e;
	kept->event.fields = fields;
	kept->event.space = text_copy(&at, e->space);
	kept->event.format = text_copy(&at, e->format);
	for (i = 0; i < e->count; i++)
		field_copy(&fields[i], &e->fields[i], &at);
	return kept;
}

void utw_event_drop(struct utw_kept_event *kept)
{
	size_t i;

	for (i = 0; i < kept->event.count; i++)
		if (kept->event.fields[i].kind == UTW_FIELD_FAILURE)
			utw_failure_unref((struct utw_failure *)kept->event.fields[i].failure);
	free(kept);
}
