/* SPDX-License-Identifier: MIT */
/* The contract of datagram ports, over every kind: UDP of both families, UNIX by path and by name. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <untwist/reactor.h>
#include <untwist/transport.h>
#include <untwist/udp.h>
#include <untwist/unix.h>

#include "datagram-recorder.h"
#include "harness.h"
#include "recorder.h"

#define MANY 50

struct port_kind {
	const char *name;
	const char *address; /* a port number or a name is added where it ends in "%" */
};

static const struct port_kind kinds[] = {
	{ "udp over IPv4", "127.0.0.1:0" },
	{ "udp over IPv6", "[::1]:0" },
	{ "unix path", "unix:%" },
	{ "unix abstract", "unix:@%" },
};

/* Two ports that speak with each other. */
static struct {
	const struct port_kind *kind;
	struct utw_reactor *reactor;
	struct datagram_recorder near;
	struct datagram_recorder far;
	const struct utw_address *far_at;
} ports;

static void port_open(struct datagram_recorder *r, const char *name)
{
	struct utw_address at;
	char text[UTW_ADDRESS_TEXT];
	int len = (int)strcspn(ports.kind->address, "%");

	datagram_recorder_init(r);
	if (!ports.kind->address[len])
		snprintf(text, sizeof(text), "%s", ports.kind->address);
	else
		snprintf(text, sizeof(text), "%.*suntwist-test-%d-%s", len, ports.kind->address,
			 (int)getpid(), name);
	assert_int_equal(utw_address_parse(&at, text), 0);
	if (at.storage.ss_family == AF_UNIX)
		assert_int_equal(utw_unix_datagram_open(&r->port, ports.reactor, &at, 0,
							&r->receiver),
				 0);
	else
		assert_int_equal(utw_udp_open(&r->port, ports.reactor, &at, 0, &r->receiver), 0);
	assert_ptr_equal(r->receiver.port, r->port);
}

static int ports_setup(void **state)
{
	ports.kind = *state;
	harness_setup(state);
	assert_int_equal(utw_reactor_new(&ports.reactor), 0);
	port_open(&ports.near, "near");
	port_open(&ports.far, "far");
	ports.far_at = utw_datagram_host(ports.far.port);
	return 0;
}

static int ports_teardown(void **state)
{
	if (ports.near.port)
		datagram_recorder_close(&ports.near);
	if (ports.far.port)
		datagram_recorder_close(&ports.far);
	turn_all(ports.reactor);
	utw_reactor_free(ports.reactor);
	return harness_teardown(state);
}

static int send_text(const char *text)
{
	return utw_datagram_send(ports.near.port, text, strlen(text), ports.far_at);
}

static void boundaries_and_sender_are_kept(void **state)
{
	(void)state;
	assert_int_equal(send_text("one"), 0);
	assert_int_equal(send_text(""), 0);
	assert_int_equal(send_text("three"), 0);
	assert_int_equal(ports.far.count, 0);
	turn_until(ports.reactor, ports.far.count == 3);
	assert_string_equal(ports.far.got[0].start, "one");
	assert_int_equal(ports.far.got[1].len, 0);
	assert_string_equal(ports.far.got[2].start, "three");
	assert_int_equal(ports.far.got[2].full_len, 5);
	assert_true(utw_address_equal(&ports.far.from, utw_datagram_host(ports.near.port)));
	assert_int_equal(utw_datagram_send(ports.far.port, "answer", 6, &ports.far.from), 0);
	turn_until(ports.reactor, ports.near.count == 1);
	assert_int_equal(utw_datagram_counts(ports.near.port)->sent, 3);
	assert_int_equal(utw_datagram_counts(ports.near.port)->sent_bytes, 8);
	assert_int_equal(utw_datagram_counts(ports.far.port)->received, 3);
	assert_int_equal(utw_datagram_counts(ports.far.port)->received_bytes, 8);
}

/* Sends as many as there are, and lets the other side take them when there is no room. */
static void send_all(struct utw_datagram_message *messages, unsigned int count)
{
	unsigned int done = 0;

	while (done < count) {
		int put = utw_datagram_send_many(ports.near.port, messages + done, count - done);

		assert_true(put >= 0);
		for (int i = 0; i < put; i++)
			assert_int_equal(messages[done + (unsigned int)i].status, 0);
		done += (unsigned int)put;
		if (done < count)
			assert_int_equal(messages[done].status, -EAGAIN);
		turn_all(ports.reactor);
	}
}

static void many_go_together_and_in_order(void **state)
{
	struct utw_datagram_message messages[MANY];
	char text[MANY][4];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(text[i], sizeof(text[i]), "%d", i);
		messages[i] =
			(struct utw_datagram_message){ text[i], strlen(text[i]), ports.far_at, 1 };
	}
	send_all(messages, MANY);
	turn_until(ports.reactor, ports.far.count == MANY);
	for (int i = 0; i < MANY; i++)
		assert_string_equal(ports.far.got[i].start, text[i]);
}

static void one_that_fails_holds_up_no_other(void **state)
{
	char *huge = calloc(1, 1 << 20);
	struct utw_datagram_message messages[] = {
		{ "a", 1, ports.far_at, 1 }, { huge, 1 << 20, ports.far_at, 1 },
		{ "b", 1, ports.far_at, 1 }, { "c", 1, NULL, 1 },
		{ "d", 1, ports.far_at, 1 },
	};

	(void)state;
	assert_int_equal(utw_datagram_send_many(ports.near.port, messages, ARRAY_SIZE(messages)),
			 3);
	assert_int_equal(messages[0].status, 0);
	assert_int_equal(messages[1].status, -EMSGSIZE);
	assert_int_equal(messages[2].status, 0);
	assert_int_equal(messages[3].status, -EDESTADDRREQ);
	assert_int_equal(messages[4].status, 0);
	turn_until(ports.reactor, ports.far.count == 3);
	assert_int_equal(utw_datagram_counts(ports.near.port)->unsent, 2);
	free(huge);
}

static void pause_yourself(struct datagram_recorder *r)
{
	utw_datagram_pause(r->port);
}

/* Several have been taken from the kernel when the first one pauses: none of them is lost. */
static void pause_stops_at_once_and_loses_nothing(void **state)
{
	(void)state;
	ports.far.on_received = pause_yourself;
	for (int i = 0; i < 5; i++)
		assert_int_equal(send_text("x"), 0);
	for (unsigned int i = 1; i <= 5; i++) {
		turn_until(ports.reactor, ports.far.count == i);
		turn_all(ports.reactor);
		assert_int_equal(ports.far.count, i);
		utw_datagram_resume(ports.far.port);
		assert_int_equal(ports.far.count, i);
	}
	assert_int_equal(send_text("y"), 0);
	turn_until(ports.reactor, ports.far.count == 6);
}

static void paused_before_anything_comes(void **state)
{
	(void)state;
	utw_datagram_pause(ports.far.port);
	assert_int_equal(send_text("x"), 0);
	turn_all(ports.reactor);
	assert_int_equal(ports.far.count, 0);
	utw_datagram_resume(ports.far.port);
	turn_until(ports.reactor, ports.far.count == 1);
}

static void close_in_received_delivers_no_more(void **state)
{
	(void)state;
	ports.far.on_received = datagram_recorder_close;
	for (int i = 0; i < 5; i++)
		assert_int_equal(send_text("x"), 0);
	turn_until(ports.reactor, ports.far.count);
	turn_all(ports.reactor);
	assert_int_equal(ports.far.count, 1);
}

/* No more than a turn's share, plus what came with the last system call. */
static void one_port_does_not_starve_the_others(void **state)
{
	unsigned int before;

	(void)state;
	if (ports.far_at->storage.ss_family == AF_UNIX)
		return; /* its kernel queue is too short for it */
	for (int i = 0; i < 3 * UTW_TURN_RECORDS; i++)
		assert_int_equal(send_text("x"), 0);
	do {
		before = ports.far.count;
		turn_once(ports.reactor, "datagrams", __FILE__, __LINE__);
		assert_true(ports.far.count - before <= UTW_TURN_RECORDS);
	} while (ports.far.count < 3 * UTW_TURN_RECORDS);
}

static void connected_port_speaks_with_one(void **state)
{
	struct datagram_recorder other;

	(void)state;
	port_open(&other, "other");
	assert_int_equal(utw_datagram_send(ports.near.port, "x", 1, NULL), -EDESTADDRREQ);
	assert_int_equal(utw_datagram_connect(ports.near.port, ports.far_at), 0);
	assert_int_equal(utw_datagram_send(ports.near.port, "x", 1, NULL), 0);
	turn_until(ports.reactor, ports.far.count == 1);
	utw_datagram_send(other.port, "not heard", 9, utw_datagram_host(ports.near.port));
	assert_int_equal(utw_datagram_send(ports.far.port, "heard", 5, &ports.far.from), 0);
	turn_until(ports.reactor, ports.near.count == 1);
	assert_string_equal(ports.near.got[0].start, "heard");
	assert_int_equal(utw_datagram_connect(ports.near.port, NULL), 0);
	assert_int_equal(utw_datagram_send(ports.near.port, "x", 1, NULL), -EDESTADDRREQ);
	datagram_recorder_close(&other);
}

/* Known at once between UNIX ports, and told by the network a moment later with UDP. */
static void nobody_there_is_told_and_ends_nothing(void **state)
{
	struct utw_address gone = *ports.far_at;
	int status;

	(void)state;
	datagram_recorder_close(&ports.far);
	status = utw_datagram_send(ports.near.port, "x", 1, &gone);
	if (gone.storage.ss_family != AF_UNIX) {
		assert_int_equal(status, 0);
		turn_until(ports.reactor, ports.near.errors);
		assert_int_equal(ports.near.error_code, ECONNREFUSED);
		assert_true(utw_address_equal(&ports.near.error_to, &gone));
		assert_int_equal(utw_datagram_counts(ports.near.port)->errors, 1);
	} else {
		assert_true(status == -ECONNREFUSED || status == -ENOENT);
	}
	port_open(&ports.far, "far");
	assert_int_equal(utw_datagram_send(ports.near.port, "x", 1,
					   utw_datagram_host(ports.far.port)),
			 0);
	turn_until(ports.reactor, ports.far.count == 1);
	assert_true(ports.near.errors <= 1);
}

static void send_after_close_is_refused(void **state)
{
	struct utw_datagram_message m = { "x", 1, ports.far_at, 1 };

	(void)state;
	datagram_recorder_close(&ports.near);
	assert_int_equal(utw_datagram_send(NULL, "x", 1, ports.far_at), -EPIPE);
	assert_int_equal(utw_datagram_send_many(NULL, &m, 1), -EPIPE);
	assert_int_equal(utw_datagram_connect(NULL, ports.far_at), -EPIPE);
	utw_datagram_pause(NULL);
	utw_datagram_resume(NULL);
	utw_datagram_close(NULL);
}

#define PORTS(function, kind)                                                    \
	{                                                                        \
#function, function, ports_setup, ports_teardown, (void *)(kind) \
	}

static int run_over(const struct port_kind *kind)
{
	const struct CMUnitTest tests[] = {
		PORTS(boundaries_and_sender_are_kept, kind),
		PORTS(many_go_together_and_in_order, kind),
		PORTS(one_that_fails_holds_up_no_other, kind),
		PORTS(pause_stops_at_once_and_loses_nothing, kind),
		PORTS(paused_before_anything_comes, kind),
		PORTS(close_in_received_delivers_no_more, kind),
		PORTS(one_port_does_not_starve_the_others, kind),
		PORTS(connected_port_speaks_with_one, kind),
		PORTS(nobody_there_is_told_and_ends_nothing, kind),
		PORTS(send_after_close_is_refused, kind),
	};

	return cmocka_run_group_tests_name(kind->name, tests, NULL, NULL);
}

int main(void)
{
	int failed = 0;

	/* Relative paths of sockets go where they disturb nobody. */
	if (chdir("/tmp"))
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		failed += run_over(&kinds[i]);
	return failed ? 1 : 0;
}
