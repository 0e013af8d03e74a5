/* SPDX-License-Identifier: MIT */
/* From lines to another protocol in the middle of what has come: nothing lost, nothing twice. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/fd.h>
#include <untwist/layer.h>
#include <untwist/line.h>

#include "harness-alloc.h"
#include "harness.h"
#include "recorder.h"

/* Lines until "upgrade", and then the recorder. */
struct scene {
	struct utw_reactor *reactor;
	struct utw_line line;
	struct recorder after;
	unsigned int lines;
	unsigned int switched;
	int error; /* of the switch */
	int peer;
};

static struct scene s;

static void switch_now(void)
{
	const char *rest;
	size_t len = utw_line_held(&s.line, &rest);

	s.switched++;
	s.error = utw_layer_switch(s.line.protocol.transport, &s.after.protocol, rest, len);
}

static void line_line(struct utw_line *l, const char *line, size_t len)
{
	(void)l;
	s.lines++;
	if (len == 7 && memcmp(line, "upgrade", 7) == 0)
		switch_now();
}

static void line_lost(struct utw_line *l, struct utw_failure *reason)
{
	(void)l;
	(void)reason;
}

static const struct utw_line_ops line_ops = { .line = line_line, .lost = line_lost };

static void begin(void)
{
	int fd[2];

	memset(&s, 0, sizeof(s));
	recorder_init(&s.after, true);
	utw_line_init(&s.line, &line_ops);
	utw_line_set_delimiter(&s.line, "\n", 1);
	assert_int_equal(utw_reactor_new(&s.reactor), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	assert_int_equal(utw_fd_transport_new(NULL, s.reactor, fd[0], fd[0], &s.line.protocol), 0);
	s.peer = fd[1];
}

static void end(void)
{
	close(s.peer);
	utw_transport_close(s.after.protocol.transport, UTW_CLOSE_ABORT, 0);
	utw_transport_close(s.line.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(s.reactor);
	recorder_release(&s.after);
	utw_reactor_free(s.reactor);
}

static void come(const char *text)
{
	assert_int_equal(send(s.peer, text, strlen(text), 0), strlen(text));
	turn_all(s.reactor);
}

static void rest_comes_first(void **state)
{
	char got[8];

	(void)state;
	begin();
	come("one\nupgrade\ntwo\nthr");
	assert_int_equal(s.lines, 2);
	assert_int_equal(s.error, 0);
	come("ee\n");
	assert_int_equal(s.lines, 2);
	assert_int_equal(s.after.data_len, 10);
	assert_memory_equal(s.after.data, "two\nthree\n", 10);
	assert_story(&s.after, "MD");
	utw_transport_write(s.after.protocol.transport, "back", 4);
	turn_all(s.reactor);
	assert_int_equal(recv(s.peer, got, sizeof(got), 0), 4);
	shutdown(s.peer, SHUT_WR);
	turn_until(s.reactor, strchr(s.after.story, 'E'));
	utw_transport_close(s.after.protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(s.reactor, recorder_lost(&s.after));
	assert_lost(&s.after, UTW_DONE);
	end();
}

static void without_a_rest_the_transport_is_the_same(void **state)
{
	struct utw_transport *t;

	(void)state;
	begin();
	turn_all(s.reactor);
	t = s.line.protocol.transport;
	come("upgrade\n");
	assert_ptr_equal(s.after.protocol.transport, t);
	come("two");
	assert_int_equal(s.after.data_len, 3);
	end();
}

/* The new one does not want it yet, and the peer has a lot more. */
static void pause_holds_for_the_rest_as_well(void **state)
{
	char *bulk = malloc(300000);
	size_t sent = 0;

	(void)state;
	assert_non_null(bulk);
	memset(bulk, 'x', 300000);
	begin();
	s.after.on_made = NULL;
	come("upgrade\nrest");
	utw_transport_pause(s.after.protocol.transport);
	for (int i = 0; i < 100; i++) {
		ssize_t some = send(s.peer, bulk, 300000 - sent, MSG_DONTWAIT);

		sent += some > 0 ? (size_t)some : 0;
		turn_all(s.reactor);
	}
	/* Neither did it come through, nor was all of it taken into memory. */
	assert_true(s.after.data_len <= 4);
	assert_true(sent >= UTW_LAYER_ROOM);
	utw_transport_resume(s.after.protocol.transport);
	turn_until(s.reactor, s.after.data_len == sent + 4);
	end();
	free(bulk);
}

static void big_rest_pauses_what_is_below(void **state)
{
	static char rest[UTW_LAYER_ROOM * 2];
	struct utw_transport *below;

	(void)state;
	begin();
	turn_all(s.reactor);
	below = s.line.protocol.transport;
	memset(rest, 'r', sizeof(rest));
	assert_int_equal(utw_layer_switch(below, &s.after.protocol, rest, sizeof(rest)), 0);
	assert_int_equal(send(s.peer, "more", 4, 0), 4);
	turn_until(s.reactor, s.after.data_len == sizeof(rest) + 4);
	assert_memory_equal(s.after.data + sizeof(rest), "more", 4);
	end();
}

static void what_cannot_be_changes_nothing(void **state)
{
	struct recorder busy;
	struct utw_protocol deaf = { .ops = NULL };
	int fd[2];

	(void)state;
	begin();
	turn_all(s.reactor);
	recorder_init(&busy, true);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	assert_int_equal(utw_fd_transport_new(NULL, s.reactor, fd[0], fd[0], &busy.protocol), 0);
	assert_int_equal(utw_layer_switch(s.line.protocol.transport, &busy.protocol, "x", 1),
			 -EBUSY);
	assert_int_equal(utw_layer_switch(s.line.protocol.transport, &deaf, "x", 1), -EINVAL);
	assert_int_equal(utw_layer_switch(NULL, &s.after.protocol, "x", 1), -EPIPE);
	for (unsigned int nth = 1; nth <= 2; nth++) {
		alloc_fail_at(nth);
		assert_int_equal(utw_layer_switch(s.line.protocol.transport, &s.after.protocol, "x",
						  1),
				 -ENOMEM);
	}
	alloc_fail_at(0);
	come("still lines\n");
	assert_int_equal(s.lines, 1);
	utw_transport_close(busy.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(s.reactor);
	recorder_release(&busy);
	close(fd[1]);
	end();
}

/* Its end comes behind the rest. */
static void end_of_the_peer_reaches_the_new_one(void **state)
{
	(void)state;
	begin();
	come("upgrade\nrest");
	close(s.peer);
	s.peer = -1;
	turn_until(s.reactor, strchr(s.after.story, 'E') || recorder_lost(&s.after));
	assert_int_equal(s.after.data_len, 4);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rest_comes_first),
		TEST(without_a_rest_the_transport_is_the_same),
		TEST(pause_holds_for_the_rest_as_well),
		TEST(big_rest_pauses_what_is_below),
		TEST(what_cannot_be_changes_nothing),
		TEST(end_of_the_peer_reaches_the_new_one),
	};

	return cmocka_run_group_tests_name("switch", tests, NULL, NULL);
}
