/* SPDX-License-Identifier: MIT */
/* Notes of what ran, in order: a letter each, and the check that compares them. */
#ifndef UTW_TESTS_NOTES_H
#define UTW_TESTS_NOTES_H

#include <stddef.h>

#include "harness.h"

struct notes {
	char text[256];
	size_t length;
};

static inline void note(struct notes *notes, char letter)
{
	assert_true(notes->length + 1 < sizeof(notes->text));
	notes->text[notes->length++] = letter;
	notes->text[notes->length] = '\0';
}

/* What was noted since the last look is exactly `expected`. */
#define assert_noted(notes, expected)                         \
	do {                                                  \
		assert_string_equal((notes)->text, expected); \
		(notes)->length = 0;                          \
		(notes)->text[0] = '\0';                      \
	} while (0)

#endif
