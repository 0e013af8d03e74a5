/* SPDX-License-Identifier: MIT */
/* Recordings: a real connection is written down, and played back on the clock. */
#include <untwist/testing/recording.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "guests.h"
#include "harness-clock.h"
#include "harness.h"

struct tape {
	FILE *file;
	char *text;
	size_t len;
};

static void tape_open(struct tape *t)
{
	t->file = open_memstream(&t->text, &t->len);
	assert_non_null(t->file);
}

static void tape_close(struct tape *t)
{
	fclose(t->file);
	free(t->text);
}

static void connection_is_written_down(void **state)
{
	struct utw_recorder r;
	struct guests g;
	struct tape t;

	(void)state;
	clock_freeze(100 * SECONDS);
	tape_open(&t);
	guests_open(&g);
	utw_recorder_init(&r, &g.factory, t.file);
	assert_true(guests_come(&g, &r.traffic.policy.factory, NULL));
	assert_true(guests_come(&g, &r.traffic.policy.factory, NULL));
	clock_advance(1500);
	guests_send(&g, 0, "hello\n", 6);
	guests_send(&g, 1, "not recorded", 12);
	clock_advance(200);
	utw_transport_write(g.recorders[0].protocol.transport, "ok\n", 3);
	turn_all(g.reactor);
	clock_advance(300);
	guests_close(&g);
	assert_int_equal(r.error, 0);
	assert_non_null(strstr(t.text, "\n1500 < 68656c6c6f0a\n1700 > 6f6b0a\n"));
	assert_non_null(strstr(t.text, "\n2000 x\n"));
	assert_null(strstr(t.text, "6e6f74"));
	tape_close(&t);
}

struct show {
	struct utw_reactor *reactor;
	struct recorder protocol;
	struct utw_player player;
	FILE *file;
};

static void show_open(struct show *s, const char *text, enum utw_double_kind kind)
{
	memset(s, 0, sizeof(*s));
	clock_freeze(100 * SECONDS);
	assert_int_equal(utw_reactor_new(&s->reactor), 0);
	recorder_init(&s->protocol, true);
	s->file = fmemopen((char *)text, strlen(text), "r");
	assert_non_null(s->file);
	assert_int_equal(utw_player_open(&s->player, s->reactor, kind, s->file,
					 &s->protocol.protocol),
			 0);
	turn_all(s->reactor);
}

static void show_close(struct show *s)
{
	utw_transport_close(s->protocol.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(s->reactor);
	utw_player_release(&s->player);
	recorder_release(&s->protocol);
	fclose(s->file);
	utw_reactor_free(s->reactor);
}

static const char recording[] = "# tcp\n"
				"1000 < 6162\n"
				"1500 > 6f6b\n"
				"\n"
				"2000 < 63\n"
				"2000 < 64\n"
				"3000 x\n";

static void recording_is_played_on_the_clock(void **state)
{
	struct show s;

	(void)state;
	show_open(&s, recording, UTW_DOUBLE_STREAM);
	clock_advance(999);
	turn_all(s.reactor);
	assert_int_equal(s.protocol.data_len, 0);
	clock_advance(1);
	turn_all(s.reactor);
	assert_int_equal(s.protocol.data_len, 2);
	clock_advance(1000);
	turn_all(s.reactor);
	assert_memory_equal(s.protocol.data, "abcd", 4);
	assert_story(&s.protocol, "MD");
	clock_advance(1000);
	turn_all(s.reactor);
	assert_story(&s.protocol, "MDE");
	assert_true(s.player.done);
	assert_int_equal(s.player.error, 0);
	show_close(&s);
}

static void recording_is_played_in_a_hurry_and_as_records(void **state)
{
	struct show s;

	(void)state;
	show_open(&s, recording, UTW_DOUBLE_RECORD);
	utw_player_hurry(&s.player);
	turn_all(s.reactor);
	assert_int_equal(s.protocol.pieces, 3);
	assert_memory_equal(s.protocol.data, "abcd", 4);
	assert_true(s.player.done);
	show_close(&s);
}

static void broken_recording_says_where(void **state)
{
	static const char *const broken[] = { "10 < 61\nx < 62\n", "10 < 61\n11 ? 62\n",
					      "10 < 61\n11 < 6\n", "10 < 61\n11 < zz\n",
					      "10 < 61\n11" };
	struct show s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		show_open(&s, broken[i], UTW_DOUBLE_STREAM);
		utw_player_hurry(&s.player);
		turn_all(s.reactor);
		assert_int_equal(s.protocol.data_len, 1);
		assert_true(s.player.done);
		assert_int_equal(s.player.error, -EBADMSG);
		assert_int_equal(s.player.line, 2);
		show_close(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(connection_is_written_down),
		TEST(recording_is_played_on_the_clock),
		TEST(recording_is_played_in_a_hurry_and_as_records),
		TEST(broken_recording_says_where),
	};

	return cmocka_run_group_tests_name("recording", tests, NULL, NULL);
}
