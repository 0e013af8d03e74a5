/* SPDX-License-Identifier: MIT */
/* Lines: cases 37 to 44 of the semantics, and what is said in line.h. */
#include <untwist/line.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/fd.h>
#include <untwist/protocol.h>
#include <untwist/transport.h>

#include "harness.h"
#include "recorder.h"

/* A line protocol that notes what it is told: "L:text;" "R:text;" "T:text;" "E;" "X;". */
struct note {
	struct utw_line line;
	char text[65536 + 256];
	size_t len;
	unsigned int lines;
	uint64_t offset; /* of the last line */
	char why[256];
	void (*on_line)(struct note *n, const char *line, size_t len);
	void (*on_raw)(struct note *n, const char *data, size_t len);
};

struct wire {
	struct utw_reactor *reactor;
	struct note note;
	int fd; /* the other side */
};

static struct note *note_of(struct utw_line *l)
{
	return utw_container_of(l, struct note, line);
}

static void note_add(struct note *n, char event, const char *text, size_t len)
{
	assert_true(n->len + len + 4 < sizeof(n->text));
	n->text[n->len++] = event;
	n->text[n->len++] = ':';
	memcpy(n->text + n->len, text, len);
	n->len += len;
	n->text[n->len++] = ';';
}

static void note_line(struct utw_line *l, const char *line, size_t len)
{
	struct note *n = note_of(l);

	n->lines++;
	n->offset = utw_line_offset(l);
	note_add(n, 'L', line, len);
	if (n->on_line)
		n->on_line(n, line, len);
}

static void note_raw(struct utw_line *l, const void *data, size_t len)
{
	note_add(note_of(l), 'R', data, len);
	if (note_of(l)->on_raw)
		note_of(l)->on_raw(note_of(l), data, len);
}

static void note_too_long(struct utw_line *l, const char *data, size_t len)
{
	note_add(note_of(l), 'T', data, len);
}

static void note_eof(struct utw_line *l)
{
	const char *held;
	size_t len = utw_line_held(l, &held);

	note_add(note_of(l), 'E', held, len);
	utw_transport_close(l->protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
}

static void note_lost(struct utw_line *l, struct utw_failure *reason)
{
	utw_failure_format(reason, note_of(l)->why, sizeof(note_of(l)->why));
	note_add(note_of(l), 'X', "", 0);
}

static const struct utw_line_ops plain_ops = {
	.line = note_line, .raw = note_raw, .eof = note_eof, .lost = note_lost
};
static const struct utw_line_ops limit_ops = {
	.line = note_line, .too_long = note_too_long, .eof = note_eof, .lost = note_lost
};

static void wire_open(struct wire *w, const struct utw_line_ops *ops)
{
	int fd[2];

	memset(w, 0, sizeof(*w));
	utw_line_init(&w->note.line, ops);
	assert_int_equal(utw_reactor_new(&w->reactor), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	w->fd = fd[0];
	assert_int_equal(utw_fd_transport_new(NULL, w->reactor, fd[1], fd[1],
					      &w->note.line.protocol),
			 0);
	turn_all(w->reactor);
}

static void wire_close(struct wire *w)
{
	utw_transport_close(w->note.line.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(w->reactor);
	utw_reactor_free(w->reactor);
	close(w->fd);
}

static void feed(struct wire *w, const char *data, size_t len)
{
	assert_int_equal(write(w->fd, data, len), len);
	turn_all(w->reactor);
}

static void feed_text(struct wire *w, const char *text)
{
	feed(w, text, strlen(text));
}

static void assert_notes(struct wire *w, const char *expected)
{
	w->note.text[w->note.len] = '\0';
	assert_string_equal(w->note.text, expected);
}

static void line_case_37_delimiter_cut_by_chunks(void **state)
{
	struct wire w;
	const char *held;

	(void)state;
	wire_open(&w, &plain_ops);
	feed_text(&w, "a\r");
	feed_text(&w, "\nb\r\n\r\nc");
	assert_notes(&w, "L:a;L:b;L:;");
	assert_int_equal(utw_line_held(&w.note.line, &held), 1);
	assert_memory_equal(held, "c", 1);
	wire_close(&w);
}

static void line_case_38_limit_counts_without_delimiter(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, &limit_ops);
	utw_line_set_max(&w.note.line, 6);
	feed_text(&w, "xxxxxx\r");
	assert_notes(&w, "");
	feed_text(&w, "\n");
	assert_notes(&w, "L:xxxxxx;");
	wire_close(&w);
}

static void line_case_38_undelimited_gives_all_that_came(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, &limit_ops);
	utw_line_set_max(&w.note.line, 6);
	feed_text(&w, "12345678");
	assert_notes(&w, "T:12345678;");
	wire_close(&w);
}

/* Better than waiting for a delimiter's length: seven bytes can be no line of six any more. */
static void line_case_38_fires_as_soon_as_certain(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, &limit_ops);
	utw_line_set_max(&w.note.line, 6);
	feed_text(&w, "123456");
	feed_text(&w, "\r");
	assert_notes(&w, "");
	feed_text(&w, "\r");
	assert_notes(&w, "T:123456\r\r;");
	wire_close(&w);
}

static void line_case_40_default_limit(void **state)
{
	struct wire w;
	char data[UTW_LINE_MAX + 3];

	(void)state;
	memset(data, 'y', sizeof(data));
	wire_open(&w, &plain_ops);
	memcpy(data + UTW_LINE_MAX, "\r\n", 2);
	feed(&w, data, UTW_LINE_MAX + 2);
	assert_int_equal(w.note.lines, 1);
	memcpy(data + UTW_LINE_MAX, "y\r\n", 3);
	feed(&w, data, UTW_LINE_MAX + 3);
	assert_int_equal(w.note.lines, 1);
	assert_memory_equal(w.note.text + w.note.len - 3, "X:;", 3);
	wire_close(&w);
}

static void limit_is_named_with_the_offset(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, &plain_ops);
	utw_line_set_max(&w.note.line, 4);
	feed_text(&w, "a\r\nbcd\r\nab");
	assert_int_equal(w.note.offset, 3);
	feed_text(&w, "cde");
	assert_notes(&w, "L:a;L:bcd;X:;");
	assert_non_null(strstr(w.note.why, "line: 5 bytes and no end yet, at offset 8 of"));
	assert_non_null(strstr(w.note.why, "the limit is 4"));
	wire_close(&w);
}

static void raw_as_asked(struct note *n, const char *line, size_t len)
{
	unsigned int bytes;

	(void)len;
	if (sscanf(line, "len %u", &bytes) == 1)
		utw_line_set_raw(&n->line, bytes);
}

static void line_case_41_raw_in_the_middle_of_a_chunk(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, &plain_ops);
	w.note.on_line = raw_as_asked;
	feed_text(&w, "len 5\r\n12345abc\r\nlen 2\r\nx");
	feed_text(&w, "yz\r\n");
	assert_notes(&w, "L:len 5;R:12345;L:abc;L:len 2;R:x;R:y;L:z;");
	wire_close(&w);
}

static void raw_from_here(struct note *n, const char *line, size_t len)
{
	(void)line;
	if (len == 3)
		utw_line_set_raw(&n->line, UTW_LINE_RAW_ALL);
}

static void lines_after_dot(struct note *n, const char *data, size_t len)
{
	const char *dot = memchr(data, '.', len);

	if (dot)
		assert_int_equal(utw_line_set_lines(&n->line, len - (size_t)(dot + 1 - data)), 0);
}

static void line_case_41_lines_from_the_middle_of_raw(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, &plain_ops);
	w.note.on_line = raw_from_here;
	w.note.on_raw = lines_after_dot;
	feed_text(&w, "raw\r\nab");
	feed_text(&w, "c.next\r\n");
	assert_notes(&w, "L:raw;R:ab;R:c.next\r\n;L:next;");
	assert_int_equal(utw_line_set_lines(&w.note.line, 1), -22);
	wire_close(&w);
}

/* One rule for both of Twisted's receivers: a delimiter that has begun is waited for. */
static void line_case_44_one_limit_rule(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, &plain_ops);
	utw_line_set_max(&w.note.line, 4);
	feed_text(&w, "abcd\r\nabcd\r");
	assert_notes(&w, "L:abcd;");
	feed_text(&w, "\nabcde");
	assert_notes(&w, "L:abcd;L:abcd;X:;");
	wire_close(&w);
}

static void too_long_line_is_skipped_to_its_end(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, &limit_ops);
	utw_line_set_max(&w.note.line, 4);
	feed_text(&w, "ok\r\n123456");
	feed_text(&w, "789\r");
	feed_text(&w, "\nfine\r\n12345\r\nend\r\n");
	assert_notes(&w, "L:ok;T:123456;L:fine;T:12345;L:end;");
	wire_close(&w);
}

static void pause_after_line(struct note *n, const char *line, size_t len)
{
	(void)line;
	(void)len;
	utw_line_pause(&n->line);
}

static void pause_stops_inside_a_chunk(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, &plain_ops);
	w.note.on_line = pause_after_line;
	feed_text(&w, "a\r\nb\r\nc");
	assert_notes(&w, "L:a;");
	feed_text(&w, "d\r\n");
	assert_notes(&w, "L:a;");
	utw_line_resume(&w.note.line);
	assert_notes(&w, "L:a;");
	turn_all(w.reactor);
	assert_notes(&w, "L:a;L:b;");
	utw_line_resume(&w.note.line);
	turn_all(w.reactor);
	assert_notes(&w, "L:a;L:b;L:cd;");
	wire_close(&w);
}

static void end_comes_after_held_lines(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, &plain_ops);
	w.note.on_line = pause_after_line;
	feed_text(&w, "a\r\nb\r\nrest");
	shutdown(w.fd, SHUT_WR);
	turn_all(w.reactor);
	assert_notes(&w, "L:a;");
	w.note.on_line = NULL;
	utw_line_resume(&w.note.line);
	turn_all(w.reactor);
	assert_notes(&w, "L:a;L:b;E:rest;X:;");
	wire_close(&w);
}

static void close_after_line(struct note *n, const char *line, size_t len)
{
	(void)line;
	(void)len;
	utw_transport_close(n->line.protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
}

static void close_in_line_delivers_no_more(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, &plain_ops);
	w.note.on_line = close_after_line;
	feed_text(&w, "a\r\nb\r\n");
	assert_notes(&w, "L:a;X:;");
	wire_close(&w);
}

static void send_adds_the_delimiter(void **state)
{
	struct wire w;
	char got[16];

	(void)state;
	wire_open(&w, &plain_ops);
	assert_int_equal(utw_line_set_delimiter(&w.note.line, "", 0), -22);
	assert_int_equal(utw_line_set_delimiter(&w.note.line, "--", 2), 0);
	assert_int_equal(utw_line_send(&w.note.line, "text", 4), 0);
	turn_all(w.reactor);
	assert_int_equal(read(w.fd, got, sizeof(got)), 6);
	assert_memory_equal(got, "text--", 6);
	wire_close(&w);
}

/* The same notes, however the stream is cut. */
static void every_split_gives_the_same_lines(void **state)
{
	static const char text[] = "one\r\n\r\ntwo\rthree\r\n\r\r\n";
	struct wire w;

	(void)state;
	for (size_t cut = 0; cut < sizeof(text); cut++) {
		wire_open(&w, &plain_ops);
		if (cut)
			feed(&w, text, cut);
		if (sizeof(text) - 1 > cut)
			feed(&w, text + cut, sizeof(text) - 1 - cut);
		assert_notes(&w, "L:one;L:;L:two\rthree;L:\r;");
		wire_close(&w);
	}
}

/* Counted, not timed: the bytes that were looked for a delimiter once are not looked at again. */
static void one_byte_feeds_are_linear(void **state)
{
	const struct utw_protocol_ops *ops;
	struct wire w;

	(void)state;
	wire_open(&w, &limit_ops);
	utw_line_set_max(&w.note.line, 60000);
	ops = w.note.line.protocol.ops;
	for (size_t i = 0; i < 60000; i++) {
		ops->data(&w.note.line.protocol, "z", 1);
		assert_int_equal(w.note.line.scanned, i + 1);
	}
	ops->data(&w.note.line.protocol, "\r", 1);
	assert_int_equal(w.note.line.scanned, 60000);
	ops->data(&w.note.line.protocol, "\n", 1);
	assert_int_equal(w.note.lines, 1);
	assert_int_equal(w.note.len, 60003);
	wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(line_case_37_delimiter_cut_by_chunks),
		TEST(line_case_38_limit_counts_without_delimiter),
		TEST(line_case_38_undelimited_gives_all_that_came),
		TEST(line_case_38_fires_as_soon_as_certain),
		TEST(line_case_40_default_limit),
		TEST(limit_is_named_with_the_offset),
		TEST(line_case_41_raw_in_the_middle_of_a_chunk),
		TEST(line_case_41_lines_from_the_middle_of_raw),
		TEST(line_case_44_one_limit_rule),
		TEST(too_long_line_is_skipped_to_its_end),
		TEST(pause_stops_inside_a_chunk),
		TEST(end_comes_after_held_lines),
		TEST(close_in_line_delivers_no_more),
		TEST(send_adds_the_delimiter),
		TEST(every_split_gives_the_same_lines),
		TEST(one_byte_feeds_are_linear),
	};

	return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
