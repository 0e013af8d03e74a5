/* SPDX-License-Identifier: MIT */
/*
 * Sessions: complaints, which need no device, and answers, of a fake one. The order
 * of both, the end, and readers who go away.
 */
#include "factorial/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <untwist/testing/fake_device.h>

#include "factorial/console.h"
#include "factorial/unit.h"
#include "harness.h"
#include "recorder.h"

/* More than a pipe and the high mark hold. */
#define LINES 5000

static struct unit unit;

/* Standard streams are put aside while the console has these. */
struct streams {
	int in; /* the far sides */
	int out;
	int err;
	int kept[3];
};

static int put_in_place(int target, bool input, int *kept)
{
	int fd[2];

	*kept = fcntl(target, F_DUPFD_CLOEXEC, 10);
	assert_true(*kept >= 0);
	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	assert_int_equal(dup2(fd[input ? 0 : 1], target), target);
	close(fd[input ? 0 : 1]);
	return fd[input ? 1 : 0];
}

static int begin(struct streams *s)
{
	int error;

	memset(&unit, 0, sizeof(unit));
	assert_int_equal(utw_reactor_new(&unit.reactor), 0);
	s->in = put_in_place(STDIN_FILENO, true, &s->kept[0]);
	s->out = put_in_place(STDOUT_FILENO, false, &s->kept[1]);
	s->err = put_in_place(STDERR_FILENO, false, &s->kept[2]);
	error = console_open(&unit);
	for (int fd = 0; fd < 3; fd++) {
		assert_int_equal(dup2(s->kept[fd], fd), fd);
		close(s->kept[fd]);
	}
	return error;
}

static void finish(struct streams *s)
{
	assert_int_equal(unit.streams, 0);
	assert_null(unit.sessions);
	if (s->out >= 0)
		close(s->out);
	if (s->err >= 0)
		close(s->err);
	utw_reactor_free(unit.reactor);
}

/* Turn until the session has ended, while the complaints are read; returns them. */
static char *complaints_until_end(struct streams *s)
{
	char *text = calloc(1, LINES * 64);
	size_t len = 0;

	assert_int_equal(fcntl(s->err, F_SETFL, O_NONBLOCK), 0);
	while (unit.streams) {
		ssize_t got;

		turn_once(unit.reactor, "the end of the session", __FILE__, __LINE__);
		while ((got = read(s->err, text + len, LINES * 64 - len - 1)) > 0)
			len += (size_t)got;
	}
	return text;
}

static void complaints_name_their_lines(void **state)
{
	struct streams s;
	char *text;

	(void)state;
	assert_int_equal(begin(&s), 0);
	assert_int_equal(write(s.in, "abc\n13\n\nlast", 12), 12);
	close(s.in);
	text = complaints_until_end(&s);
	assert_string_equal(text,
			    "line 1: \"abc\" is not a number\n"
			    "line 2: 13 is out of range (0 to 12)\n"
			    "line 3: \"\" is not a number\n"
			    "line 4: \"last\" is not a number\n");
	assert_int_equal(unit.requests, 0);
	free(text);
	finish(&s);
}

static void line_too_long_is_one_complaint(void **state)
{
	struct streams s;
	char line[3 * SESSION_LINE_MAX];
	char *text;

	(void)state;
	assert_int_equal(begin(&s), 0);
	memset(line, '1', sizeof(line));
	assert_int_equal(write(s.in, line, sizeof(line)), sizeof(line));
	assert_int_equal(write(s.in, "\nx\n", 3), 3);
	close(s.in);
	text = complaints_until_end(&s);
	assert_string_equal(text,
			    "line 1: longer than 1024 bytes\n"
			    "line 2: \"x\" is not a number\n");
	free(text);
	finish(&s);
}

/* Write the lines from a place of our own, as far as the session takes them. */
static void feed(struct streams *s)
{
	size_t left = LINES;

	assert_int_equal(fcntl(s->in, F_SETFL, O_NONBLOCK), 0);
	while (left) {
		size_t before = left;

		while (left && write(s->in, "x\n", 2) == 2)
			left--;
		while (utw_reactor_run_once(unit.reactor, 0) > 0)
			;
		/* Neither they nor we can go on: the reader is too slow. */
		if (left == before)
			break;
	}
	close(s->in);
}

static void slow_reader_gets_every_complaint(void **state)
{
	struct streams s;
	char *text, *last;

	(void)state;
	assert_int_equal(begin(&s), 0);
	feed(&s);
	assert_true(unit.streams > 0);
	text = complaints_until_end(&s);
	last = strstr(text, "line 5000: ");
	assert_non_null(last);
	free(text);
	finish(&s);
}

/* Who complains to nobody goes on all the same. */
static void reader_who_goes_away_does_not_hang_it(void **state)
{
	struct streams s;

	(void)state;
	assert_int_equal(begin(&s), 0);
	feed(&s);
	assert_true(unit.streams > 0);
	close(s.err);
	s.err = -1;
	turn_until(unit.reactor, !unit.streams);
	finish(&s);
}

/* The last question is answered first, and the second fails. */
static void answers_come_in_the_order_of_the_questions(void **state)
{
	struct utw_fake_device fake;
	struct streams s;
	char text[64] = "";
	char *complaints;

	(void)state;
	assert_int_equal(begin(&s), 0);
	assert_int_equal(utw_fake_device_open(&fake, &unit.device, unit.reactor), 0);
	assert_int_equal(write(s.in, "3\n4\n5\n", 6), 6);
	close(s.in);
	turn_until(unit.reactor, fake.submitted == 3);
	utw_fake_request_complete(utw_fake_device_first(&fake)->next->next, 0, 120, 0);
	utw_fake_request_complete(utw_fake_device_first(&fake)->next, -EIO, 0, 0);
	turn_until(unit.reactor, unit.callbacks == 2);
	assert_int_equal(fcntl(s.out, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(read(s.out, text, sizeof(text)), -1);
	utw_fake_request_complete(utw_fake_device_first(&fake), 0, 6, 0);
	complaints = complaints_until_end(&s);
	assert_true(read(s.out, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "3! = 6\n5! = 120\n");
	assert_non_null(strstr(complaints, "line 2: "));
	assert_non_null(strstr(complaints, strerror(EIO)));
	assert_int_equal(unit.failed, 1);
	free(complaints);
	unit_close(&unit);
	utw_fake_device_release(&fake);
	finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(complaints_name_their_lines),
		TEST(line_too_long_is_one_complaint),
		TEST(slow_reader_gets_every_complaint),
		TEST(reader_who_goes_away_does_not_hang_it),
		TEST(answers_come_in_the_order_of_the_questions),
	};

	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
