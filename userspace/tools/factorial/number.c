/* SPDX-License-Identifier: MIT */
/* Number: see number.h. */
#include "number.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

/* So much of a strange line is shown. */
#define SHOWN 32

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Copy the line so that any terminal can show it. */
static void show(const char *line, size_t len, char *to)
{
	size_t shown = len < SHOWN ? len : SHOWN;

	for (size_t i = 0; i < shown; i++) {
		unsigned char c = (unsigned char)line[i];

		if (c < ' ' || c >= 0x7f)
			to += sprintf(to, "\\x%02x", c);
		else
			*to++ = (char)c;
	}
	sprintf(to, "%s", len > SHOWN ? "..." : "");
}

static bool digits_only(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return len > 0;
}

int number_read(const char *line, size_t len, int max, char complaint[NUMBER_COMPLAINT])
{
	char shown[4 * SHOWN + 4];
	size_t sign;
	int value = 0;

	while (len && blank(line[len - 1]))
		len--;
	while (len && blank(line[0])) {
		line++;
		len--;
	}
	show(line, len, shown);
	sign = len && (line[0] == '-' || line[0] == '+');
	if (!digits_only(line + sign, len - sign)) {
		snprintf(complaint, NUMBER_COMPLAINT, "\"%s\" is not a number", shown);
		return -EINVAL;
	}
	for (size_t i = sign; i < len && value <= max; i++)
		value = value * 10 + (line[i] - '0');
	if (value > max || (value && line[0] == '-')) {
		snprintf(complaint, NUMBER_COMPLAINT, "%s is out of range (0 to %d)", shown, max);
		return -ERANGE;
	}
	return value;
}
