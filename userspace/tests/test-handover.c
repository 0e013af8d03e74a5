/* SPDX-License-Identifier: MIT */
/* Handing a transport to another protocol at awkward moments: nothing is told before made. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/fd.h>
#include <untwist/line.h>

#include "harness.h"
#include "recorder.h"

struct handover {
	struct utw_reactor *reactor;
	struct recorder first;
	struct recorder second;
	int peer;
};

static struct handover h;

static void hand_over(struct recorder *r)
{
	r->on_made = NULL;
	r->on_data = NULL;
	assert_int_equal(utw_transport_set_protocol(r->protocol.transport, &h.second.protocol), 0);
}

static void begin(void)
{
	int fd[2];

	recorder_init(&h.first, true);
	recorder_init(&h.second, true);
	assert_int_equal(utw_reactor_new(&h.reactor), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	assert_int_equal(utw_fd_transport_new(NULL, h.reactor, fd[0], fd[0], &h.first.protocol), 0);
	h.peer = fd[1];
}

static void finish(void)
{
	utw_transport_close(h.second.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(h.reactor);
	recorder_release(&h.first);
	recorder_release(&h.second);
	utw_reactor_free(h.reactor);
}

static void from_made(void **state)
{
	(void)state;
	begin();
	h.first.on_made = hand_over;
	assert_int_equal(write(h.peer, "data", 4), 4);
	close(h.peer);
	turn_until(h.reactor, recorder_lost(&h.second));
	assert_story(&h.first, "M");
	assert_story(&h.second, "MDEL");
	finish();
}

/* The low mark, which the hand-over meets half-way, is told to who is made. */
static void from_made_with_much_to_send(void **state)
{
	char *data = calloc(1, 70000);

	(void)state;
	begin();
	h.first.on_made = hand_over;
	assert_int_equal(utw_transport_write(h.first.protocol.transport, data, 70000),
			 UTW_WRITE_OVER);
	free(data);
	turn_until(h.reactor, strchr(h.second.story, 'S'));
	assert_story(&h.first, "PM");
	assert_story(&h.second, "MS");
	close(h.peer);
	finish();
}

/* Writing has failed; what the peer sent before is still there for the new one. */
static void from_data_after_a_failed_write(void **state)
{
	char *data = calloc(1, 40000);

	(void)state;
	begin();
	h.first.on_data = hand_over;
	assert_int_equal(write(h.peer, data, 40000), 40000);
	free(data);
	close(h.peer);
	utw_transport_write(h.first.protocol.transport, "too late", 8);
	turn_until(h.reactor, recorder_lost(&h.second));
	assert_story(&h.first, "MD");
	assert_story(&h.second, "MDL");
	assert_int_equal(h.first.data_len + h.second.data_len, 40000);
	assert_lost(&h.second, UTW_LOST);
	finish();
}

static void line_hands_over(struct utw_line *l, const char *line, size_t len)
{
	const char *rest;

	(void)line;
	(void)len;
	assert_int_equal(utw_line_held(l, &rest), 4);
	assert_memory_equal(rest, "rest", 4);
	assert_int_equal(utw_transport_set_protocol(l->protocol.transport, &h.second.protocol), 0);
}

static void line_pauses(struct utw_line *l, const char *line, size_t len)
{
	(void)line;
	(void)len;
	utw_line_pause(l);
}

static void line_lost(struct utw_line *l, struct utw_failure *reason)
{
	(void)l;
	(void)reason;
	fail_msg("lost was told to a line that has no transport any more");
}

static void line_begin(struct utw_line *l, const struct utw_line_ops *ops)
{
	begin();
	utw_line_init(l, ops);
	assert_int_equal(utw_transport_set_protocol(h.first.protocol.transport, &l->protocol), 0);
}

static void from_a_line_leaves_nothing_behind(void **state)
{
	static const struct utw_line_ops ops = { .line = line_hands_over, .lost = line_lost };
	struct utw_line l;

	(void)state;
	line_begin(&l, &ops);
	assert_int_equal(write(h.peer, "switch\r\nrest", 12), 12);
	turn_until(h.reactor, h.second.story_len);
	assert_null(l.cutter.held);
	close(h.peer);
	finish();
}

static void from_a_paused_line_releases_what_it_held(void **state)
{
	static const struct utw_line_ops ops = { .line = line_pauses, .lost = line_lost };
	struct utw_line l;
	const char *rest;

	(void)state;
	line_begin(&l, &ops);
	assert_int_equal(write(h.peer, "one\r\ntwo\r\n", 10), 10);
	turn_until(h.reactor, utw_line_held(&l, &rest));
	assert_int_equal(utw_transport_set_protocol(l.protocol.transport, &h.second.protocol), 0);
	utw_line_release(&l);
	assert_int_equal(utw_line_held(&l, &rest), 0);
	utw_transport_resume(h.second.protocol.transport);
	turn_until(h.reactor, h.second.story_len);
	close(h.peer);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(from_made),
		TEST(from_made_with_much_to_send),
		TEST(from_data_after_a_failed_write),
		TEST(from_a_line_leaves_nothing_behind),
		TEST(from_a_paused_line_releases_what_it_held),
	};

	return cmocka_run_group_tests_name("handover", tests, NULL, NULL);
}
