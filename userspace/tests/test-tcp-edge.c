/* SPDX-License-Identifier: MIT */
/*
 * TCP connections are told of each arrival once. These are the cases in which more is
 * there than was taken, and nothing more will arrive to tell of it.
 */
#include <untwist/tcp.h>

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/factory.h>

#include "harness.h"
#include "recorder.h"
#include "transport/transport-private.h"

#define ROOM  (4 << 20) /* of a socket's buffers */
#define BURST (3 * UTW_TURN_BYTES)

struct pair {
	struct utw_reactor *reactor;
	struct utw_factory factory;
	struct recorder recorder;
	struct utw_transport *transport;
	int plain; /* the other side */
};

static struct utw_protocol *pair_build(struct utw_factory *f, const struct utw_address *peer)
{
	(void)peer;
	return &utw_container_of(f, struct pair, factory)->recorder.protocol;
}

static const struct utw_factory_ops pair_factory = { .build = pair_build };

static int plain_connect(const struct utw_tcp_listener *listener)
{
	const struct utw_address *at = utw_tcp_listener_host(listener);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&at->storage, at->length), 0);
	return fd;
}

static void pair_open(struct pair *p)
{
	struct utw_tcp_listener *listener;
	struct utw_address at;

	memset(p, 0, sizeof(*p));
	recorder_init(&p->recorder, true);
	utw_factory_init(&p->factory, &pair_factory);
	assert_int_equal(utw_address_parse(&at, "127.0.0.1:0"), 0);
	assert_int_equal(utw_reactor_new(&p->reactor), 0);
	assert_int_equal(utw_tcp_listen(&listener, p->reactor, &at, &p->factory), 0);
	p->plain = plain_connect(listener);
	turn_until(p->reactor, p->recorder.protocol.transport);
	p->transport = p->recorder.protocol.transport;
	utw_tcp_listener_close(listener);
}

static void pair_close(struct pair *p)
{
	close(p->plain);
	utw_transport_close(p->transport, UTW_CLOSE_ABORT, 0);
	turn_until(p->reactor, recorder_lost(&p->recorder));
	recorder_release(&p->recorder);
	utw_reactor_free(p->reactor);
}

/* Room for more than is moved in a turn takes a privilege. */
static bool give_room(int receives, int sends)
{
	const int room = ROOM;

	return !setsockopt(receives, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) &&
		!setsockopt(sends, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
}

static void send_burst(int fd)
{
	char *data = calloc(1, BURST);

	assert_int_equal(send(fd, data, BURST, MSG_NOSIGNAL), BURST);
	free(data);
}

static void what_a_turn_leaves_is_read_in_the_next(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	if (!give_room(utw_end_fd(&p.transport->in), p.plain)) {
		pair_close(&p);
		skip();
	}
	/* All of it is there before the first byte is read. */
	utw_transport_pause(p.transport);
	send_burst(p.plain);
	for (int there = 0; there < BURST;)
		assert_int_equal(ioctl(utw_end_fd(&p.transport->in), FIONREAD, &there), 0);
	utw_transport_resume(p.transport);
	turn_until(p.reactor, p.recorder.data_len == BURST);
	pair_close(&p);
}

static void what_a_turn_leaves_is_sent_in_the_next(void **state)
{
	char *data = calloc(1, BURST);
	struct pair p;

	(void)state;
	pair_open(&p);
	if (!give_room(p.plain, utw_end_fd(&p.transport->in))) {
		free(data);
		pair_close(&p);
		skip();
	}
	assert_int_equal(utw_transport_write(p.transport, data, BURST), UTW_WRITE_OVER);
	assert_int_equal(utw_transport_write(p.transport, data, BURST), UTW_WRITE_OVER);
	/* The kernel takes all of it, and so never says that it has room again. */
	turn_until(p.reactor, !utw_transport_queued(p.transport));
	free(data);
	pair_close(&p);
}

/* A read ends before it, and the next goes on behind it. */
static void urgent_byte_hides_nothing(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	assert_int_equal(send(p.plain, "ab", 2, 0), 2);
	assert_int_equal(send(p.plain, "!", 1, MSG_OOB), 1);
	assert_int_equal(send(p.plain, "cd", 2, 0), 2);
	turn_until(p.reactor, p.recorder.data_len == 4);
	assert_memory_equal(p.recorder.data, "abcd", 4);
	assert_int_equal(send(p.plain, "ef", 2, 0), 2);
	turn_until(p.reactor, p.recorder.data_len == 6);
	pair_close(&p);
}

/* Both come with one event, of which the read takes the bytes. */
static void end_behind_bytes_is_told(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	assert_int_equal(send(p.plain, "ab", 2, 0), 2);
	shutdown(p.plain, SHUT_WR);
	turn_until(p.reactor, p.recorder.story[p.recorder.story_len - 1] == 'E');
	assert_story(&p.recorder, "MDE");
	pair_close(&p);
}

/* It is told once, while nobody wants to know. */
static void end_while_paused_is_told_again(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	utw_transport_pause(p.transport);
	assert_int_equal(send(p.plain, "ab", 2, 0), 2);
	shutdown(p.plain, SHUT_WR);
	turn_until(p.reactor, p.recorder.story[p.recorder.story_len - 1] == 'H');
	utw_transport_resume(p.transport);
	turn_until(p.reactor, p.recorder.story[p.recorder.story_len - 1] == 'E');
	assert_story(&p.recorder, "MHDE");
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_a_turn_leaves_is_read_in_the_next),
		TEST(what_a_turn_leaves_is_sent_in_the_next),
		TEST(urgent_byte_hides_nothing),
		TEST(end_behind_bytes_is_told),
		TEST(end_while_paused_is_told_again),
	};

	return cmocka_run_group_tests_name("tcp-edge", tests, NULL, NULL);
}
