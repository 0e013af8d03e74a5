/* SPDX-License-Identifier: MIT */
/* The endpoint type "udp": who is a peer, and until when. */
#include <untwist/endpoint.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/address.h>

#include "harness.h"
#include "meeting.h"

/* A peer that is not ours, with a socket of its own. */
static int stranger(const struct meeting *m)
{
	struct utw_address at;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(utw_address_parse(&at, utw_port_name(m->port)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at.storage, at.length), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
}

static void assert_heard(int fd, const char *text)
{
	char got[16];
	ssize_t len = recv(fd, got, sizeof(got), MSG_DONTWAIT);

	assert_int_equal(len, strlen(text));
	assert_memory_equal(got, text, len);
}

static void udp_meets_udp(void **state)
{
	struct utw_deferred *d;
	struct meeting m;
	char text[64];

	(void)state;
	meeting_open(&m);
	assert_int_equal(meeting_listen(&m, "udp:0:interface=localhost"), 0);
	snprintf(text, sizeof(text), "udp:%s", utw_port_name(m.port));
	d = meeting_connect(&m, text);
	turn_until(m.near.reactor, m.fired);
	assert_null(m.failure);
	assert_true(utw_transport_is_record(m.protocol->transport));
	utw_transport_write(m.protocol->transport, "one", 3);
	utw_transport_write(m.protocol->transport, "three", 5);
	turn_until(m.near.reactor, m.far.count && m.far.recorders[0].data_len == 8);
	assert_int_equal(m.far.recorders[0].pieces, 2);
	utw_transport_write(m.far.recorders[0].protocol.transport, "back", 4);
	turn_until(m.near.reactor, m.near.recorders[0].data_len == 4);
	utw_deferred_unref(d);
	meeting_close(&m);
}

static void each_peer_is_a_connection(void **state)
{
	struct meeting m;
	int fd[2];

	(void)state;
	meeting_open(&m);
	assert_int_equal(meeting_listen(&m, "udp:0:interface=localhost:peers=2"), 0);
	fd[0] = stranger(&m);
	fd[1] = stranger(&m);
	say(fd[0], "a");
	say(fd[1], "b");
	say(fd[0], "c");
	turn_until(m.near.reactor, m.far.count == 2 && m.far.recorders[0].data_len == 2);
	assert_memory_equal(m.far.recorders[0].data, "ac", 2);
	assert_int_equal(m.far.peers[0].storage.ss_family, AF_INET);
	assert_false(utw_address_equal(&m.far.peers[0], &m.far.peers[1]));
	utw_transport_write(m.far.recorders[1].protocol.transport, "to b", 4);
	turn_all(m.near.reactor);
	assert_heard(fd[1], "to b");
	close(fd[0]);
	close(fd[1]);
	meeting_close(&m);
}

/* Its place is free again when one has gone. */
static void too_many_are_dropped(void **state)
{
	struct meeting m;
	int fd[2];

	(void)state;
	meeting_open(&m);
	assert_int_equal(meeting_listen(&m, "udp:0:interface=localhost:peers=1"), 0);
	fd[0] = stranger(&m);
	fd[1] = stranger(&m);
	say(fd[0], "a");
	turn_until(m.near.reactor, m.far.count == 1);
	say(fd[1], "b");
	turn_all(m.near.reactor);
	assert_int_equal(m.far.count, 1);
	utw_transport_close(m.far.recorders[0].protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(m.near.reactor, recorder_lost(&m.far.recorders[0]));
	assert_lost(&m.far.recorders[0], UTW_DONE);
	say(fd[1], "b");
	turn_until(m.near.reactor, m.far.count == 2 && m.far.recorders[1].data_len == 1);
	close(fd[0]);
	close(fd[1]);
	meeting_close(&m);
}

static void silence_ends_a_connection(void **state)
{
	struct meeting m;
	int fd;

	(void)state;
	setenv("UNTWIST_REACTOR", "fake", 1);
	meeting_open(&m);
	unsetenv("UNTWIST_REACTOR");
	assert_int_equal(meeting_listen(&m, "udp:0:interface=localhost:idle=5"), 0);
	fd = stranger(&m);
	say(fd, "a");
	turn_until(m.near.reactor, m.far.count == 1 && m.far.recorders[0].data_len == 1);
	turn_until(m.near.reactor, recorder_lost(&m.far.recorders[0]));
	assert_lost(&m.far.recorders[0], UTW_TIMEOUT);
	say(fd, "b");
	turn_until(m.near.reactor, m.far.count == 2);
	close(fd);
	meeting_close(&m);
}

/* The kernel tells of a port that nobody has any more. */
static void gone_peer_ends_its_connection(void **state)
{
	struct meeting m;
	int fd;

	(void)state;
	meeting_open(&m);
	assert_int_equal(meeting_listen(&m, "udp:0:interface=localhost"), 0);
	fd = stranger(&m);
	say(fd, "a");
	turn_until(m.near.reactor, m.far.count == 1 && m.far.recorders[0].data_len == 1);
	close(fd);
	utw_transport_write(m.far.recorders[0].protocol.transport, "b", 1);
	turn_until(m.near.reactor, recorder_lost(&m.far.recorders[0]));
	assert_lost(&m.far.recorders[0], UTW_LOST);
	assert_true(utw_failure_has(m.far.recorders[0].reason, &utw_domain_errno, ECONNREFUSED));
	meeting_close(&m);
}

static void connections_outlive_the_port(void **state)
{
	struct meeting m;
	int fd[2];

	(void)state;
	meeting_open(&m);
	assert_int_equal(meeting_listen(&m, "udp:0:interface=localhost"), 0);
	fd[0] = stranger(&m);
	fd[1] = stranger(&m);
	say(fd[0], "a");
	turn_until(m.near.reactor, m.far.count == 1);
	utw_port_close(m.port);
	m.port = NULL;
	assert_int_equal(m.far.factory.users, 0);
	say(fd[0], "b");
	say(fd[1], "c");
	turn_until(m.near.reactor, m.far.recorders[0].data_len == 2);
	assert_int_equal(m.far.count, 1);
	close(fd[0]);
	close(fd[1]);
	meeting_close(&m);
}

/* What a reader that pauses leaves is kept up to a limit. */
static void slow_reader_is_bounded(void **state)
{
	struct meeting m;
	char big[1000] = { 0 };
	int fd;

	(void)state;
	meeting_open(&m);
	assert_int_equal(meeting_listen(&m, "udp:0:interface=localhost"), 0);
	fd = stranger(&m);
	say(fd, "a");
	turn_until(m.near.reactor, m.far.count == 1 && m.far.recorders[0].data_len == 1);
	utw_transport_pause(m.far.recorders[0].protocol.transport);
	for (int i = 0; i < 400; i++) {
		assert_int_equal(send(fd, big, sizeof(big), 0), sizeof(big));
		turn_all(m.near.reactor);
	}
	utw_transport_resume(m.far.recorders[0].protocol.transport);
	turn_all(m.near.reactor);
	assert_in_range(m.far.recorders[0].data_len, 200 * 1000, 262144);
	close(fd);
	meeting_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(udp_meets_udp),
		TEST(each_peer_is_a_connection),
		TEST(too_many_are_dropped),
		TEST(silence_ends_a_connection),
		TEST(gone_peer_ends_its_connection),
		TEST(connections_outlive_the_port),
		TEST(slow_reader_is_bounded),
	};

	return cmocka_run_group_tests_name("endpoint-udp", tests, NULL, NULL);
}
