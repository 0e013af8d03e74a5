/* SPDX-License-Identifier: MIT */
/* Datagram ports: what only some of them can do: multicast, overflow, long ones, waiting for room. */
#include <untwist/datagram.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <untwist/reactor.h>
#include <untwist/udp.h>
#include <untwist/unix.h>

#include "datagram-recorder.h"
#include "harness.h"
#include "harness-alloc.h"
#include "recorder.h"
#include "transport/datagram-private.h"

static struct utw_reactor *reactor;
static struct datagram_recorder near, far;

static struct utw_address address(const char *text)
{
	struct utw_address a;

	assert_int_equal(utw_address_parse(&a, text), 0);
	return a;
}

static int udp_open(struct datagram_recorder *r, const char *text, unsigned int flags)
{
	struct utw_address at = address(text);

	datagram_recorder_init(r);
	return utw_udp_open(&r->port, reactor, &at, flags, &r->receiver);
}

static void begin(const char *near_at, const char *far_at)
{
	assert_int_equal(utw_reactor_new(&reactor), 0);
	assert_int_equal(udp_open(&near, near_at, 0), 0);
	assert_int_equal(udp_open(&far, far_at, 0), 0);
}

static void end(void)
{
	datagram_recorder_close(&near);
	datagram_recorder_close(&far);
	turn_all(reactor);
	utw_reactor_free(reactor);
}

static void open_refuses_what_makes_no_sense(void **state)
{
	struct utw_address other = address("unix:@x");
	struct utw_address at;
	struct utw_datagram *d;
	struct datagram_recorder third;

	(void)state;
	begin("127.0.0.1:0", "127.0.0.1:0");
	at = *utw_datagram_host(near.port);
	datagram_recorder_init(&third);
	assert_int_equal(utw_udp_open(&d, reactor, &other, 0, &third.receiver), -EINVAL);
	assert_int_equal(utw_unix_datagram_open(&d, reactor, &at, 0, &third.receiver), -EINVAL);
	assert_int_equal(utw_udp_open(&d, reactor, &at, 1 << 30, &third.receiver), -EINVAL);
	assert_int_equal(utw_udp_open(&d, reactor, &at, 0, &third.receiver), -EADDRINUSE);
	at = address("127.0.0.1:0");
	assert_int_equal(utw_udp_open(&d, reactor, &at, 0, &near.receiver), -EBUSY);
	third.receiver.ops = &(struct utw_datagram_ops){ .received = NULL };
	assert_int_equal(utw_udp_open(&d, reactor, &at, 0, &third.receiver), -EINVAL);
	end();
}

static void open_without_memory_leaves_nothing(void **state)
{
	int error = -ENOMEM;

	(void)state;
	assert_int_equal(utw_reactor_new(&reactor), 0);
	for (unsigned int nth = 1; error == -ENOMEM; nth++) {
		assert_true(nth < 10);
		alloc_fail_at(nth);
		error = udp_open(&near, "127.0.0.1:0", 0);
		alloc_fail_at(0);
		assert_true(!error == !!near.receiver.port);
	}
	assert_int_equal(error, 0);
	datagram_recorder_close(&near);
	utw_reactor_free(reactor);
}

/* The kernel gives the report to the next call; that one is to another peer, and is sent. */
static void send_is_not_blamed_for_another(void **state)
{
	struct utw_address gone;

	(void)state;
	begin("127.0.0.1:0", "127.0.0.1:0");
	gone = *utw_datagram_host(far.port);
	datagram_recorder_close(&far);
	assert_int_equal(utw_datagram_send(near.port, "x", 1, &gone), 0);
	assert_int_equal(udp_open(&far, "127.0.0.2:0", 0), 0);
	assert_int_equal(utw_datagram_send(near.port, "x", 1, utw_datagram_host(far.port)), 0);
	turn_until(reactor, far.count && near.errors);
	assert_true(utw_address_equal(&near.error_to, &gone));
	end();
}

static void overflow_is_counted(void **state)
{
	const struct utw_datagram_counts *counts;
	int small = 1;
	unsigned int sent = 0;

	(void)state;
	begin("127.0.0.1:0", "127.0.0.1:0");
	setsockopt(far.port->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (; sent < 100; sent++)
		assert_int_equal(utw_datagram_send(near.port, "x", 1, utw_datagram_host(far.port)),
				 0);
	turn_until(reactor, far.count);
	turn_all(reactor);
	/* The count comes with a datagram that was let in after the drops. */
	utw_datagram_send(near.port, "x", 1, utw_datagram_host(far.port));
	turn_until(reactor, far.overflowed);
	turn_all(reactor);
	counts = utw_datagram_counts(far.port);
	assert_int_equal(counts->overflowed, far.overflowed);
	assert_int_equal(counts->received + counts->overflowed, sent + 1);
	end();
}

static void group_is_heard_while_joined(const char *any, const char *group_text)
{
	struct utw_address group, to;
	char text[UTW_ADDRESS_TEXT];
	int status;

	begin(any, any);
	group = address(group_text);
	snprintf(text, sizeof(text), "%.*s%u", (int)(strlen(group_text) - 1), group_text,
		 utw_address_port(utw_datagram_host(far.port)));
	to = address(text);
	assert_int_equal(utw_udp_set_multicast(near.port, "lo", 1, true), 0);
	assert_int_equal(utw_udp_join(far.port, &group, "lo"), 0);
	assert_int_equal(utw_udp_join(far.port, &group, "lo"), -EADDRINUSE);
	status = utw_datagram_send(near.port, "all", 3, &to);
	if (status == -ENETUNREACH)
		print_message("%s: membership only, lo has no route to it\n", group_text);
	else
		turn_until(reactor, far.count == 1);
	assert_int_equal(utw_udp_leave(far.port, &group, "lo"), 0);
	assert_int_equal(utw_udp_leave(far.port, &group, "lo"), -EADDRNOTAVAIL);
	assert_int_equal(utw_datagram_send(near.port, "all", 3, &to), status);
	turn_all(reactor);
	assert_int_equal(far.count, !status);
	assert_int_equal(utw_udp_join(far.port, &group, "no-such-thing"), -ENODEV);
	assert_int_equal(utw_udp_join(far.port, utw_datagram_host(near.port), "lo"), -EINVAL);
	assert_int_equal(utw_udp_set_multicast(near.port, NULL, 256, true), -EINVAL);
	assert_int_equal(utw_udp_join(NULL, &group, NULL), -EPIPE);
	end();
}

static void group_of_the_fourth_version(void **state)
{
	(void)state;
	group_is_heard_while_joined("0.0.0.0:0", "239.255.77.1:0");
}

static void group_of_the_sixth_version(void **state)
{
	(void)state;
	group_is_heard_while_joined("[::]:0", "[ff01::7777]:0");
}

static void two_ports_may_share_an_address(void **state)
{
	char text[UTW_ADDRESS_TEXT];

	(void)state;
	assert_int_equal(utw_reactor_new(&reactor), 0);
	assert_int_equal(udp_open(&near, "127.0.0.1:0", UTW_UDP_SHARE_LOAD), 0);
	utw_address_format(utw_datagram_host(near.port), text, sizeof(text));
	assert_int_equal(udp_open(&far, text, UTW_UDP_SHARE_LOAD), 0);
	end();
}

static void unix_open(struct datagram_recorder *r, const char *name)
{
	struct utw_address at;

	datagram_recorder_init(r);
	if (name)
		at = address(name);
	assert_int_equal(utw_unix_datagram_open(&r->port, reactor, name ? &at : NULL, 0600,
						&r->receiver),
			 0);
}

static void long_datagram_is_cut_and_told(void **state)
{
	char *data = calloc(1, 70000);

	(void)state;
	assert_int_equal(utw_reactor_new(&reactor), 0);
	unix_open(&near, NULL);
	unix_open(&far, "unix:@untwist-test-long");
	assert_int_equal(utw_datagram_send(near.port, data, 70000, utw_datagram_host(far.port)), 0);
	turn_until(reactor, far.count);
	assert_int_equal(far.got[0].len, UTW_DATAGRAM_SIZE);
	assert_int_equal(far.got[0].full_len, 70000);
	assert_int_equal(utw_datagram_counts(far.port)->truncated, 1);
	assert_int_equal(far.from.length <= sizeof(sa_family_t), 1);
	free(data);
	end();
}

static void room_is_told_once(void **state)
{
	unsigned int sent = 0;

	(void)state;
	assert_int_equal(utw_reactor_new(&reactor), 0);
	unix_open(&near, NULL);
	unix_open(&far, "unix:@untwist-test-room");
	utw_datagram_pause(far.port);
	assert_int_equal(utw_datagram_connect(near.port, utw_datagram_host(far.port)), 0);
	while (!utw_datagram_send(near.port, "x", 1, NULL))
		sent++;
	turn_all(reactor);
	assert_int_equal(near.writables, 0);
	utw_datagram_resume(far.port);
	turn_until(reactor, near.writables);
	assert_int_equal(utw_datagram_send(near.port, "x", 1, NULL), 0);
	turn_until(reactor, far.count == sent + 1);
	assert_int_equal(near.writables, 1);
	assert_int_equal(utw_udp_join(near.port, utw_datagram_host(far.port), NULL), -EOPNOTSUPP);
	end();
}

static void file_goes_with_the_port(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(utw_reactor_new(&reactor), 0);
	unix_open(&near, NULL);
	unix_open(&far, "unix:/tmp/untwist-test-datagram");
	assert_int_equal(stat("/tmp/untwist-test-datagram", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	end();
	assert_int_equal(stat("/tmp/untwist-test-datagram", &st), -1);
	assert_int_equal(stat("/tmp/untwist-test-datagram.lock", &st), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(open_refuses_what_makes_no_sense),
		TEST(open_without_memory_leaves_nothing),
		TEST(send_is_not_blamed_for_another),
		TEST(overflow_is_counted),
		TEST(group_of_the_fourth_version),
		TEST(group_of_the_sixth_version),
		TEST(two_ports_may_share_an_address),
		TEST(long_datagram_is_cut_and_told),
		TEST(room_is_told_once),
		TEST(file_goes_with_the_port),
	};

	return cmocka_run_group_tests_name("datagram", tests, NULL, NULL);
}
