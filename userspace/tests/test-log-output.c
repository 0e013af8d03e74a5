// SPDX-License-Identifier: MIT
/* Logs: the text of events, and the lines that are written. */
#include <untwist/log_output.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness-alloc.h"
#include "harness.h"

/* 2026-11-22 20:44:25.123456 UTC */
#define EVENT_TIME                                         \
	{                                                  \
		.tv_sec = 1795380265, .tv_nsec = 123456789 \
	}

static struct utw_event event_of(const char *format, const struct utw_field *fields, size_t count)
{
	return (struct utw_event){
		.level = UTW_LOG_WARN,
		.space = "my.app",
		.format = format,
		.fields = fields,
		.count = count,
		.file = "a.c",
		.line = 7,
		.time = EVENT_TIME,
		.number = 3,
	};
}

static void assert_message(const char *format, const char *expected)
{
	const struct utw_field fields[] = { utw_field_int("n", INT64_MIN),
					    utw_field_uint("u", UINT64_MAX),
					    utw_field_text("t", "{n}"),
					    utw_field_bool("b", false) };
	struct utw_event e = event_of(format, fields, ARRAY_SIZE(fields));
	size_t size, length = strlen(expected);

	for (size = 0; size <= length + 1; size++) {
		char buf[128];

		memset(buf, '#', sizeof(buf));
		assert_int_equal(utw_event_format(&e, buf, size), length);
		assert_int_equal(buf[size], '#');
		if (size) {
			assert_memory_equal(buf, expected, size - 1);
			assert_int_equal(buf[size - 1], '\0');
		}
	}
}

static void format_puts_values_in_place(void **state)
{
	(void)state;
	assert_message("", "");
	assert_message("plain", "plain");
	assert_message("{n}", "-9223372036854775808");
	assert_message("{u}{b}", "18446744073709551615false");
	assert_message("{t}", "{n}");
	assert_message("{{n}}", "{n}");
	assert_message("{unknown} {", "{unknown} {");
	assert_message("} {n", "} {n");
	assert_message("{{{b}}}", "{false}");
}

static void fields_are_found_by_name(void **state)
{
	const struct utw_field fields[] = { utw_field_int("n", 1), utw_field_int("name", 2) };
	struct utw_event e = event_of("", fields, ARRAY_SIZE(fields));

	(void)state;
	assert_ptr_equal(utw_event_field(&e, "name"), &fields[1]);
	assert_null(utw_event_field(&e, "na"));
}

static void text_line_cannot_be_forged(void **state)
{
	const struct utw_field field = utw_field_text("name", "x\n2026-01-01 fake\x1b[2J\x7f");
	struct utw_event e = event_of("hello {name}", &field, 1);
	char line[256];
	int length;

	(void)state;
	length = utw_event_text(&e, line, sizeof(line));
	assert_string_equal(line,
			    "2026-11-22T20:44:25.123456Z warn     my.app: "
			    "hello x\\n2026-01-01 fake\\x1b[2J\\x7f");
	assert_int_equal(length, strlen(line));
}

static void json_line_has_every_part(void **state)
{
	struct utw_failure *cause = utw_failure_new_at("c.c", 1, &utw_domain_errno, ECONNRESET,
						       "read", NULL, "peer \"x\"");
	struct utw_failure *f = utw_failure_new_at("f.c", 2, &utw_domain_reason, UTW_LOST, "serve",
						   cause, "back\\slash");
	const struct utw_field fields[] = {
		utw_field_int("i", -1),	      utw_field_bool("b", true),
		utw_field_double("d", 0.5),   utw_field_double("inf", INFINITY),
		utw_field_text("none", NULL), utw_field_failure("f", f),
	};
	struct utw_event e = event_of("m", fields, ARRAY_SIZE(fields));
	char line[1024];

	(void)state;
	utw_event_json(&e, line, sizeof(line));
	assert_string_equal(line,
			    "{\"time\":\"2026-11-22T20:44:25.123456Z\",\"level\":\"warn\","
			    "\"namespace\":\"my.app\",\"message\":\"m\",\"file\":\"a.c\",\"line\":7,"
			    "\"number\":3,\"fields\":{\"i\":-1,\"b\":true,\"d\":0.5,\"inf\":null,"
			    "\"none\":null,\"f\":{\"domain\":\"reason\",\"code\":2,"
			    "\"text\":\"connection lost\",\"operation\":\"serve\","
			    "\"message\":\"back\\\\slash\",\"file\":\"f.c\",\"line\":2,\"cause\":{"
			    "\"domain\":\"errno\",\"code\":104,\"text\":\"Connection reset by peer\","
			    "\"operation\":\"read\",\"message\":\"peer \\\"x\\\"\",\"file\":\"c.c\","
			    "\"line\":1}}}}");
	utw_failure_unref(f);
}

static void assert_json_text(const char *text, const char *expected)
{
	struct utw_event e = event_of("", NULL, 0);
	char line[512];

	e.space = text;
	utw_event_json(&e, line, sizeof(line));
	if (!strstr(line, expected))
		fail_msg("no %s in %s", expected, line);
}

static void json_is_valid_utf8_whatever_it_is_given(void **state)
{
	(void)state;
	assert_json_text("tab\tnul\x01", "\"tab\\u0009nul\\u0001\"");
	assert_json_text("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
			 "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
	assert_json_text("a\x80z", "\"a\\ufffdz\""); /* no beginning */
	assert_json_text("a\xc3", "\"a\\ufffd\""); /* no end */
	assert_json_text("\xc0\xaf", "\"\\ufffd\\ufffd\""); /* longer than need be */
	assert_json_text("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""); /* half a pair */
	assert_json_text("\xf5\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""); /* too high */
}

/* A log that writes into a pipe. */
struct piped {
	struct utw_log *log;
	struct utw_log_output output;
	int ends[2];
	char text[8192];
};

static void piped_init(struct piped *x,
		       void (*init)(struct utw_log_output *, int, enum utw_log_level))
{
	assert_int_equal(utw_log_new(&x->log, 0), 0);
	utw_log_begin(x->log);
	assert_int_equal(pipe2(x->ends, O_NONBLOCK), 0);
	init(&x->output, x->ends[1], UTW_LOG_DEBUG);
	utw_log_add_observer(x->log, &x->output.observer);
}

static void piped_release(struct piped *x)
{
	utw_log_output_release(&x->output);
	utw_log_free(x->log);
	close(x->ends[0]);
	close(x->ends[1]);
}

static const char *piped_read(struct piped *x)
{
	ssize_t length = read(x->ends[0], x->text, sizeof(x->text) - 1);

	assert_true(length > 0);
	x->text[length] = '\0';
	return x->text;
}

static void outputs_write_one_line_an_event(void **state)
{
	struct piped x;
	const char *text;

	(void)state;
	piped_init(&x, utw_log_text_init);
	utw_log_emit(x.log, UTW_LOG_ERROR, "my.app", "one");
	text = piped_read(&x);
	assert_string_equal(text + strlen("2026-11-22T20:44:25.123456Z"),
			    " error    my.app: one\n");
	piped_release(&x);

	piped_init(&x, utw_log_json_init);
	utw_log_emit(x.log, UTW_LOG_ERROR, "my.app", "two");
	text = piped_read(&x);
	assert_non_null(strstr(text, "\"message\":\"two\""));
	assert_string_equal(text + strlen(text) - 3, "}}\n");
	piped_release(&x);
}

static void long_lines_are_whole(void **state)
{
	static const unsigned int lengths[] = { 400, 511, 512, 980, 1023, 1024, 4000 };
	struct piped x;
	unsigned int i;

	(void)state;
	piped_init(&x, utw_log_text_init);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		char *word = malloc(lengths[i] + 1);
		const char *text;

		memset(word, 'w', lengths[i]);
		word[lengths[i]] = '\0';
		utw_log_emit(x.log, UTW_LOG_INFO, "my.app", "<{word}>",
			     utw_field_text("word", word));
		text = strchr(piped_read(&x), '<');
		assert_non_null(text);
		assert_int_equal(strlen(text), lengths[i] + strlen("<>\n"));
		assert_string_equal(text + lengths[i] + 1, ">\n");
		free(word);
	}
	piped_release(&x);
}

/* Notes what the log says of the other observer. */
struct confidant {
	struct utw_observer observer;
	int code;
};

static int confidant_event(struct utw_observer *o, const struct utw_event *e)
{
	const struct utw_field *field = utw_event_field(e, "failure");

	if (field)
		utw_container_of(o, struct confidant, observer)->code =
			utw_failure_code(field->failure);
	return 0;
}

static void output_that_cannot_write_is_told_of(void **state)
{
	struct confidant confidant = { .code = 0 };
	struct piped x;
	char junk[4096];

	(void)state;
	piped_init(&x, utw_log_text_init);
	utw_observer_init(&confidant.observer, confidant_event, UTW_LOG_DEBUG);
	utw_log_add_observer(x.log, &confidant.observer);
	memset(junk, '#', sizeof(junk));
	while (write(x.ends[1], junk, sizeof(junk)) > 0)
		;
	utw_log_emit(x.log, UTW_LOG_INFO, "my.app", "full");
	assert_int_equal(confidant.code, EAGAIN);
	/* Without a reader: an error, and no signal that ends the program. */
	close(x.ends[0]);
	utw_log_emit(x.log, UTW_LOG_INFO, "my.app", "gone");
	assert_int_equal(confidant.code, EPIPE);
	utw_log_output_release(&x.output);
	utw_log_free(x.log);
	close(x.ends[1]);
}

/* Read a page, or what there is, to the end of `all`. */
static void collect_page(struct piped *x, char *all, size_t size)
{
	size_t length = strlen(all);
	ssize_t got = read(x->ends[0], all + length, 4096);

	assert_true(got > 0 && length + (size_t)got < size);
	all[length + (size_t)got] = '\0';
}

/* A pipe of two pages takes a line of four piece by piece, and no other in between. */
static void line_taken_in_part_is_ended_before_the_next(void **state)
{
	struct confidant confidant = { .code = 0 };
	char word[14000] = "", all[20480] = "";
	const char *begun;
	struct piped x;
	int i;

	(void)state;
	piped_init(&x, utw_log_text_init);
	utw_observer_init(&confidant.observer, confidant_event, UTW_LOG_DEBUG);
	utw_log_add_observer(x.log, &confidant.observer);
	assert_int_equal(fcntl(x.ends[1], F_SETPIPE_SZ, 2 * 4096), 2 * 4096);
	assert_int_equal(write(x.ends[1], word, 1), 1);
	memset(word, 'w', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	utw_log_emit(x.log, UTW_LOG_INFO, "my.app", "<{word}>", utw_field_text("word", word));
	assert_int_equal(confidant.code, 0);
	assert_int_equal(read(x.ends[0], all, 1), 1);
	all[0] = '\0';
	for (i = 0; i < 3; i++) {
		confidant.code = 0;
		utw_log_emit(x.log, UTW_LOG_INFO, "my.app", "lost");
		assert_int_equal(confidant.code, EAGAIN);
		collect_page(&x, all, sizeof(all));
	}
	utw_log_emit(x.log, UTW_LOG_INFO, "my.app", "next");
	while (!strstr(all, "next\n"))
		collect_page(&x, all, sizeof(all));
	begun = strchr(all, '<');
	assert_non_null(begun);
	assert_int_equal(strspn(begun + 1, "w"), sizeof(word) - 1);
	assert_memory_equal(begun + sizeof(word), ">\n2", 3);
	assert_non_null(strstr(begun, " info     my.app: next\n"));
	assert_null(strstr(all, "lost"));
	piped_release(&x);
}

/* What was kept goes out at the end, if it can, and is forgotten if it cannot. */
static void release_ends_the_line(void **state)
{
	struct piped x;
	char word[6000], junk[4096];
	const char *text;

	(void)state;
	piped_init(&x, utw_log_text_init);
	assert_int_equal(fcntl(x.ends[1], F_SETPIPE_SZ, 4096), 4096);
	memset(word, 'w', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	utw_log_emit(x.log, UTW_LOG_INFO, "my.app", "<{word}>", utw_field_text("word", word));
	assert_int_equal(read(x.ends[0], junk, sizeof(junk)), sizeof(junk));
	utw_log_output_release(&x.output);
	text = piped_read(&x);
	assert_string_equal(text + strlen(text) - 2, ">\n");
	utw_log_text_init(&x.output, x.ends[1], UTW_LOG_DEBUG);
	utw_log_add_observer(x.log, &x.output.observer);
	utw_log_emit(x.log, UTW_LOG_INFO, "my.app", "<{word}>", utw_field_text("word", word));
	piped_release(&x);
}

static void output_without_memory_is_told_of(void **state)
{
	struct confidant confidant = { .code = 0 };
	struct piped x;
	char word[2000];

	(void)state;
	memset(word, 'w', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	piped_init(&x, utw_log_json_init);
	utw_observer_init(&confidant.observer, confidant_event, UTW_LOG_DEBUG);
	utw_log_add_observer(x.log, &confidant.observer);
	/* The message, which is cut; and the line. */
	alloc_fail_at(2);
	utw_log_emit(x.log, UTW_LOG_INFO, "my.app", "{word}", utw_field_text("word", word));
	assert_true(alloc_failed());
	assert_int_equal(confidant.code, ENOMEM);
	piped_release(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(format_puts_values_in_place),
		TEST(fields_are_found_by_name),
		TEST(text_line_cannot_be_forged),
		TEST(json_line_has_every_part),
		TEST(json_is_valid_utf8_whatever_it_is_given),
		TEST(outputs_write_one_line_an_event),
		TEST(long_lines_are_whole),
		TEST(output_that_cannot_write_is_told_of),
		TEST(line_taken_in_part_is_ended_before_the_next),
		TEST(release_ends_the_line),
		TEST(output_without_memory_is_told_of),
	};

	return cmocka_run_group_tests_name("log-output", tests, NULL, NULL);
}
