/* SPDX-License-Identifier: MIT */
/* Arguments: see arguments.h. */
#include "arguments.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Where the reading is: `from` in the text, `to` in the storage. */
struct scan {
	const char *text;
	const char *from;
	char *to;
};

/*
 * Copy one argument and the NUL behind it, up to a colon or the end. Sets *equals
 * to the first = that stands for itself, as copied, if the argument has one.
 * Returns false at a backslash with nothing behind it.
 */
static bool scan_argument(struct scan *s, char **equals)
{
	bool brackets = *s->from == '[';

	*equals = NULL;
	for (; *s->from && (brackets || *s->from != ':'); s->from++) {
		if (*s->from == '\\') {
			if (!*++s->from)
				return false;
		} else if (*s->from == ']') {
			brackets = false;
		} else if (*s->from == '=' && !*equals) {
			*equals = s->to;
			brackets = s->from[1] == '[';
		}
		*s->to++ = *s->from;
	}
	*s->to++ = '\0';
	return true;
}

static size_t arguments_most(const char *text)
{
	size_t count = 1;

	for (; *text; text++)
		count += *text == ':';
	return count;
}

static int arguments_scan(struct utw_arguments *a, struct scan *s)
{
	for (;;) {
		struct utw_argument *arg = &a->list[a->count++];
		char *equals;

		arg->value = s->to;
		arg->column = (size_t)(s->from - s->text) + 1;
		if (!scan_argument(s, &equals))
			return -EINVAL;
		if (equals) {
			*equals = '\0';
			arg->key = arg->value;
			arg->value = equals + 1;
		}
		if (!*s->from)
			return 0;
		s->from++;
	}
}

int utw_arguments_parse(struct utw_arguments *ret, const char *text, const char **why,
			size_t *column)
{
	struct utw_arguments a = { .count = 0 };
	struct scan s = { .text = text, .from = text };
	int error;

	a.list = calloc(arguments_most(text), sizeof(*a.list));
	a.storage = malloc(strlen(text) + arguments_most(text) + 1);
	s.to = a.storage;
	if (!a.list || !a.storage) {
		utw_arguments_release(&a);
		return -ENOMEM;
	}
	error = arguments_scan(&a, &s);
	if (error) {
		*why = "a backslash with nothing behind it";
		*column = strlen(text);
		utw_arguments_release(&a);
		return error;
	}
	*ret = a;
	return 0;
}

void utw_arguments_release(struct utw_arguments *a)
{
	free(a->list);
	free(a->storage);
	a->list = NULL;
	a->storage = NULL;
	a->count = 0;
}
