/* SPDX-License-Identifier: MIT */
/* Lines and raw bytes: told the same however they are cut, within the limit. */
#include <stdlib.h>

#include <untwist/line.h>

#include "base/contract.h"
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct reader {
	struct utw_line line;
	struct wire_note note;
};

static struct reader *reader_of(struct utw_line *l)
{
	return utw_container_of(l, struct reader, line);
}

/* A line that begins with '#' is followed by as many raw bytes as its next byte says. */
static void reader_line(struct utw_line *l, const char *line, size_t len)
{
	UTW_CONTRACT(len <= l->max);
	wire_tell(&reader_of(l)->note, 'L', line, len);
	if (len >= 2 && line[0] == '#')
		utw_line_set_raw(l, (uint8_t)line[1]);
}

/* Cut anywhere: each byte is an event. */
static void reader_raw(struct utw_line *l, const void *data, size_t len)
{
	const char *bytes = data;

	for (size_t i = 0; i < len; i++)
		wire_tell(&reader_of(l)->note, 'R', bytes + i, 1);
}

/* How much of it has come depends on the cuts, that it comes does not. */
static void reader_too_long(struct utw_line *l, const char *data, size_t len)
{
	(void)data;
	UTW_CONTRACT(len > l->max);
	wire_tell(&reader_of(l)->note, 'T', NULL, 0);
}

static void reader_lost(struct utw_line *l, struct utw_failure *reason)
{
	(void)l;
	(void)reason;
}

static const struct utw_line_ops ops = {
	.line = reader_line, .raw = reader_raw, .too_long = reader_too_long, .lost = reader_lost
};

static struct wire_note run(const uint8_t *settings, const uint8_t *data, size_t len, uint32_t cut)
{
	static const char *const delimiters[] = { "\n", "\r\n", "\r\n.\r\n", "aab" };
	static const size_t lengths[] = { 1, 2, 5, 3 };
	struct reader reader = { .note = { .hash = 1 } };

	utw_line_init(&reader.line, &ops);
	utw_line_set_max(&reader.line, settings[1] % 32);
	utw_line_set_delimiter(&reader.line, delimiters[settings[0] % 4], lengths[settings[0] % 4]);
	wire_take(&reader.line.protocol);
	wire_feed(&reader.line.protocol, data, len, cut);
	wire_drop(&reader.line.protocol);
	return reader.note;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct wire_note whole, cut;

	if (len < 4)
		return 0;
	whole = run(data, data + 4, len - 4, 0);
	cut = run(data, data + 4, len - 4, 1 + data[2] + 256u * data[3]);
	wire_compare(&whole, &cut);
	return 0;
}
