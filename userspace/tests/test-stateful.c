/* SPDX-License-Identifier: MIT */
/* Stateful: each state eats a frame and names the next. */
#include <untwist/stateful.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/fd.h>
#include <untwist/reactor.h>
#include <untwist/transport.h>

#include "harness.h"
#include "recorder.h"

/* "HELO", then a name of a length told by one byte, until the length is 0. */
struct greeter {
	struct utw_stateful stateful;
	struct utw_reactor *reactor;
	char names[256];
	char why[256];
	bool lost;
	int fd;
};

static struct utw_state state_length(struct utw_stateful *s, const void *data, size_t len);

static struct utw_state state_name(struct utw_stateful *s, const void *data, size_t len)
{
	struct greeter *g = utw_container_of(s, struct greeter, stateful);

	strncat(g->names, data, len);
	strcat(g->names, ".");
	return (struct utw_state){ state_length, 1 };
}

static struct utw_state state_length(struct utw_stateful *s, const void *data, size_t len)
{
	unsigned int next = *(const unsigned char *)data;

	(void)s;
	assert_int_equal(len, 1);
	if (!next)
		return (struct utw_state){ NULL, 0 };
	return (struct utw_state){ state_name, next };
}

static struct utw_state state_hello(struct utw_stateful *s, const void *data, size_t len)
{
	(void)s;
	assert_int_equal(len, 4);
	assert_memory_equal(data, "HELO", 4);
	return (struct utw_state){ state_length, 1 };
}

static struct utw_state greeter_begin(struct utw_stateful *s)
{
	(void)s;
	return (struct utw_state){ state_hello, 4 };
}

static struct utw_state begin_without_size(struct utw_stateful *s)
{
	(void)s;
	return (struct utw_state){ state_hello, 0 };
}

static void greeter_lost(struct utw_stateful *s, struct utw_failure *reason)
{
	struct greeter *g = utw_container_of(s, struct greeter, stateful);

	g->lost = true;
	utw_failure_format(reason, g->why, sizeof(g->why));
}

static const struct utw_stateful_ops ops = { .begin = greeter_begin, .lost = greeter_lost };
static const struct utw_stateful_ops ops_without_size = { .begin = begin_without_size,
							  .lost = greeter_lost };

static void greeter_open(struct greeter *g, const struct utw_stateful_ops *with,
			 const struct utw_framing *framing)
{
	int fd[2];

	memset(g, 0, sizeof(*g));
	utw_stateful_init(&g->stateful, with, framing);
	assert_int_equal(utw_reactor_new(&g->reactor), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	g->fd = fd[0];
	assert_int_equal(utw_fd_transport_new(NULL, g->reactor, fd[1], fd[1],
					      &g->stateful.framed.protocol),
			 0);
	turn_all(g->reactor);
}

static void greeter_close(struct greeter *g)
{
	utw_transport_close(g->stateful.framed.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(g->reactor);
	utw_reactor_free(g->reactor);
	close(g->fd);
}

static void feed(struct greeter *g, const char *data, size_t len)
{
	assert_int_equal(write(g->fd, data, len), len);
	turn_all(g->reactor);
}

static void states_eat_what_they_ask_for(void **state)
{
	static const char text[] = "HELO\3bob\5alice\0left";
	struct greeter g;

	(void)state;
	for (size_t cut = 1; cut < sizeof(text) - 1; cut++) {
		greeter_open(&g, &ops, &utw_fixed);
		feed(&g, text, cut);
		if (!g.lost)
			feed(&g, text + cut, sizeof(text) - 1 - cut);
		assert_string_equal(g.names, "bob.alice.");
		assert_true(g.lost);
		assert_non_null(strstr(g.why, "closed by this side"));
		greeter_close(&g);
	}
}

/* With a framing that knows sizes itself, those of the states do not matter. */
static void states_eat_frames(void **state)
{
	struct greeter g;

	(void)state;
	greeter_open(&g, &ops_without_size, &utw_netstring);
	feed(&g, "4:HELO,1:\5,3:eve,", 17);
	assert_string_equal(g.names, "eve.");
	assert_false(g.lost);
	feed(&g, "1:\0,", 4);
	assert_true(g.lost);
	greeter_close(&g);
}

static void state_of_no_bytes_is_a_failure(void **state)
{
	struct greeter g;

	(void)state;
	greeter_open(&g, &ops_without_size, &utw_fixed);
	assert_true(g.lost);
	assert_non_null(strstr(g.why, "a state of 0 bytes"));
	greeter_close(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(states_eat_what_they_ask_for),
		TEST(states_eat_frames),
		TEST(state_of_no_bytes_is_a_failure),
	};

	return cmocka_run_group_tests_name("stateful", tests, NULL, NULL);
}
