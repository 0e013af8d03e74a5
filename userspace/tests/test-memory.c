/* SPDX-License-Identifier: MIT */
/* Transports in memory: their room, and how the other side sees an abort. */
#include <untwist/memory.h>

#include <errno.h>
#include <string.h>

#include "harness.h"
#include "harness-alloc.h"
#include "recorder.h"

static struct utw_reactor *reactor;
static struct recorder near, far;

static int open_pair(enum utw_memory_kind kind)
{
	struct utw_protocol *protocols[] = { &near.protocol, &far.protocol };

	return utw_memory_transport_pair(NULL, reactor, kind, protocols);
}

static void begin(enum utw_memory_kind kind)
{
	recorder_init(&near, true);
	recorder_init(&far, true);
	assert_int_equal(utw_reactor_new(&reactor), 0);
	assert_int_equal(open_pair(kind), 0);
}

static void end(void)
{
	utw_transport_close(near.protocol.transport, UTW_CLOSE_ABORT, 0);
	utw_transport_close(far.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(reactor);
	recorder_release(&near);
	recorder_release(&far);
	utw_reactor_free(reactor);
}

static void direction_has_room_for_so_much(void **state)
{
	static const char data[UTW_MEMORY_ROOM + 100];

	(void)state;
	begin(UTW_MEMORY_STREAM);
	turn_until(reactor, far.story_len);
	utw_transport_pause(far.protocol.transport);
	utw_transport_write(near.protocol.transport, data, sizeof(data));
	turn_all(reactor);
	assert_int_equal(utw_transport_queued(near.protocol.transport), 100);
	utw_transport_resume(far.protocol.transport);
	turn_until(reactor, far.data_len == sizeof(data));
	assert_int_equal(utw_transport_queued(near.protocol.transport), 0);
	end();
}

static void long_record_goes_whole(void **state)
{
	static const char data[3 * UTW_MEMORY_ROOM];

	(void)state;
	begin(UTW_MEMORY_RECORD);
	utw_transport_write(near.protocol.transport, data, sizeof(data));
	utw_transport_write(near.protocol.transport, "next", 4);
	turn_until(reactor, far.pieces == 2);
	assert_int_equal(far.data_len, sizeof(data) + 4);
	assert_int_equal(far.last_full_len, 4);
	end();
}

static void abort_is_a_reset(void **state)
{
	(void)state;
	begin(UTW_MEMORY_STREAM);
	utw_transport_write(near.protocol.transport, "last", 4);
	turn_until(reactor,
		   near.story_len && far.story_len &&
			   !utw_transport_queued(near.protocol.transport));
	utw_transport_close(near.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_until(reactor, recorder_lost(&far));
	assert_lost(&far, UTW_LOST);
	assert_true(utw_failure_has(far.reason, &utw_domain_errno, ECONNRESET));
	assert_int_equal(far.data_len, 4);
	end();
}

static void idle_pair_does_not_spin(void **state)
{
	(void)state;
	begin(UTW_MEMORY_STREAM);
	turn_all(reactor);
	assert_int_equal(utw_reactor_run_once(reactor, 0), 0);
	utw_transport_pause(far.protocol.transport);
	utw_transport_write(near.protocol.transport, "x", 1);
	turn_all(reactor);
	assert_int_equal(utw_reactor_run_once(reactor, 0), 0);
	end();
}

static void pair_without_memory_leaves_nothing(void **state)
{
	int error = -ENOMEM;

	(void)state;
	recorder_init(&near, true);
	recorder_init(&far, true);
	assert_int_equal(utw_reactor_new(&reactor), 0);
	for (unsigned int nth = 1; error == -ENOMEM; nth++) {
		assert_true(nth < 10);
		assert_null(near.protocol.transport);
		alloc_fail_at(nth);
		error = open_pair(UTW_MEMORY_STREAM);
		alloc_fail_at(0);
	}
	assert_int_equal(error, 0);
	assert_int_equal(open_pair(UTW_MEMORY_STREAM), -EBUSY);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(direction_has_room_for_so_much),
		TEST(long_record_goes_whole),
		TEST(abort_is_a_reset),
		TEST(idle_pair_does_not_spin),
		TEST(pair_without_memory_leaves_nothing),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
