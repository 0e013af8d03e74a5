/* SPDX-License-Identifier: MIT */
/*
 * How transports end when the two directions do not end together: what is told
 * first, what is still sent, and what the reason says of it.
 */
#include <untwist/fd.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "recorder.h"

#define LOTS (1024 * 1024)

struct ending {
	struct utw_reactor *reactor;
	struct recorder recorder;
	int in[2]; /* the transport has in[0] */
	int out[2]; /* and out[1] */
};

static void begin(struct ending *e, bool eof)
{
	memset(e, 0, sizeof(*e));
	recorder_init(&e->recorder, eof);
	assert_int_equal(utw_reactor_new(&e->reactor), 0);
}

static void adopt(struct ending *e, int in, int out)
{
	assert_int_equal(utw_fd_transport_new(NULL, e->reactor, in, out, &e->recorder.protocol), 0);
}

static void begin_pipes(struct ending *e)
{
	begin(e, true);
	assert_int_equal(pipe2(e->in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(e->out, O_CLOEXEC), 0);
	adopt(e, e->in[0], e->out[1]);
}

/* The transport has out[1], the test out[0]. */
static void begin_socket(struct ending *e, bool eof)
{
	begin(e, eof);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, e->out), 0);
	adopt(e, e->out[1], e->out[1]);
}

static void finish(struct ending *e)
{
	utw_transport_close(e->recorder.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(e->reactor);
	recorder_release(&e->recorder);
	utw_reactor_free(e->reactor);
}

static void write_lots(struct ending *e)
{
	char *data = calloc(1, LOTS);

	assert_int_equal(utw_transport_write(e->recorder.protocol.transport, data, LOTS),
			 UTW_WRITE_OVER);
	free(data);
}

/* Read what the transport sends until it is lost; returns how much that was. */
static size_t read_until_lost(struct ending *e)
{
	size_t sum = 0;
	char data[4096];
	ssize_t got;

	assert_int_equal(fcntl(e->out[0], F_SETFL, O_NONBLOCK), 0);
	do {
		utw_reactor_run_once(e->reactor, 0);
		while ((got = read(e->out[0], data, sizeof(data))) > 0)
			sum += (size_t)got;
	} while (got < 0 && errno == EAGAIN);
	turn_until(e->reactor, recorder_lost(&e->recorder));
	return sum;
}

static void made_comes_before_what_waited_in_a_pipe(void **state)
{
	struct ending e;

	(void)state;
	begin(&e, true);
	assert_int_equal(pipe2(e.in, O_CLOEXEC), 0);
	assert_int_equal(write(e.in[1], "early", 5), 5);
	close(e.in[1]);
	adopt(&e, e.in[0], -1);
	turn_until(e.reactor, recorder_lost(&e.recorder));
	assert_story(&e.recorder, "MDEL");
	assert_int_equal(e.recorder.data_len, 5);
	finish(&e);
}

static void made_comes_before_the_end_of_a_socket(void **state)
{
	struct ending e;

	(void)state;
	begin_socket(&e, true);
	assert_int_equal(write(e.out[0], "early", 5), 5);
	close(e.out[0]);
	turn_until(e.reactor, recorder_lost(&e.recorder));
	assert_story(&e.recorder, "MDEL");
	finish(&e);
}

static void made_comes_before_a_reader_is_missed(void **state)
{
	struct ending e;

	(void)state;
	begin(&e, true);
	assert_int_equal(pipe2(e.out, O_CLOEXEC), 0);
	close(e.out[0]);
	adopt(&e, -1, e.out[1]);
	turn_until(e.reactor, recorder_lost(&e.recorder));
	assert_story(&e.recorder, "ML");
	assert_lost(&e.recorder, UTW_DONE);
	finish(&e);
}

/* The writer of our input has gone long before our reader has read it all. */
static void end_of_the_input_does_not_cut_the_output(void **state)
{
	struct ending e;

	(void)state;
	begin_pipes(&e);
	close(e.in[1]);
	turn_until(e.reactor, strchr(e.recorder.story, 'E'));
	write_lots(&e);
	utw_transport_close(e.recorder.protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	assert_int_equal(read_until_lost(&e), LOTS);
	assert_lost(&e.recorder, UTW_DONE);
	close(e.out[0]);
	finish(&e);
}

static void input_that_ends_during_the_flush_does_not_cut_it(void **state)
{
	struct ending e;

	(void)state;
	begin_pipes(&e);
	write_lots(&e);
	utw_transport_close(e.recorder.protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_all(e.reactor);
	close(e.in[1]);
	assert_int_equal(read_until_lost(&e), LOTS);
	assert_lost(&e.recorder, UTW_DONE);
	close(e.out[0]);
	finish(&e);
}

static void ended_input_keeps_no_turn_awake(void **state)
{
	struct ending e;

	(void)state;
	begin_pipes(&e);
	close(e.in[1]);
	turn_until(e.reactor, strchr(e.recorder.story, 'E'));
	turn_all(e.reactor);
	assert_int_equal(utw_reactor_run_once(e.reactor, 0), 0);
	assert_false(recorder_lost(&e.recorder));
	finish(&e);
	close(e.out[0]);
}

/* Time enough for what the kernel takes at once is always there. */
static void deadline_now_still_sends_what_fits(void **state)
{
	struct ending e;
	char got[8];

	(void)state;
	begin_pipes(&e);
	turn_until(e.reactor, e.recorder.story_len);
	utw_transport_write(e.recorder.protocol.transport, "bye", 3);
	utw_transport_close(e.recorder.protocol.transport, UTW_CLOSE_FLUSH, 0);
	turn_until(e.reactor, recorder_lost(&e.recorder));
	assert_lost(&e.recorder, UTW_DONE);
	assert_int_equal(read(e.out[0], got, sizeof(got)), 3);
	close(e.in[1]);
	close(e.out[0]);
	finish(&e);
}

static void deadline_now_with_more_than_fits_is_a_timeout(void **state)
{
	struct ending e;

	(void)state;
	begin_pipes(&e);
	turn_until(e.reactor, e.recorder.story_len);
	write_lots(&e);
	utw_transport_close(e.recorder.protocol.transport, UTW_CLOSE_FLUSH, 0);
	turn_until(e.reactor, recorder_lost(&e.recorder));
	assert_lost(&e.recorder, UTW_TIMEOUT);
	close(e.in[1]);
	close(e.out[0]);
	finish(&e);
}

/* Without an eof operation the end of the peer ends all; what was not sent by then is lost. */
static void end_of_the_peer_with_bytes_unsent_is_a_loss(void **state)
{
	struct ending e;

	(void)state;
	begin_socket(&e, false);
	write_lots(&e);
	turn_all(e.reactor);
	assert_true(utw_transport_queued(e.recorder.protocol.transport) > 0);
	assert_int_equal(shutdown(e.out[0], SHUT_WR), 0);
	turn_until(e.reactor, recorder_lost(&e.recorder));
	assert_lost(&e.recorder, UTW_LOST);
	assert_true(utw_failure_has(e.recorder.reason, &utw_domain_errno, EPIPE));
	close(e.out[0]);
	finish(&e);
}

static void end_of_the_peer_lets_the_last_write_through(void **state)
{
	struct ending e;
	char got[8];

	(void)state;
	begin_socket(&e, false);
	turn_until(e.reactor, e.recorder.story_len);
	assert_int_equal(shutdown(e.out[0], SHUT_WR), 0);
	utw_transport_write(e.recorder.protocol.transport, "answer", 6);
	turn_until(e.reactor, recorder_lost(&e.recorder));
	assert_lost(&e.recorder, UTW_DONE);
	assert_int_equal(read(e.out[0], got, sizeof(got)), 6);
	close(e.out[0]);
	finish(&e);
}

/* A device that reads 0 bytes has ended; it is not asked again and again. */
static void transport_case_70_read_of_nothing_is_the_end(void **state)
{
	struct ending e;

	(void)state;
	begin(&e, true);
	adopt(&e, open("/dev/null", O_RDONLY | O_CLOEXEC), -1);
	turn_until(e.reactor, recorder_lost(&e.recorder));
	assert_story(&e.recorder, "MEL");
	assert_lost(&e.recorder, UTW_DONE);
	assert_int_equal(utw_reactor_run_once(e.reactor, 0), 0);
	finish(&e);
}

/* A kernel that takes no more is nobody's error: what it did not take waits, and arrives. */
static void transport_case_73_full_kernel_makes_it_wait(void **state)
{
	struct ending e;

	(void)state;
	begin_pipes(&e);
	write_lots(&e);
	turn_all(e.reactor);
	assert_true(utw_transport_queued(e.recorder.protocol.transport) > 0);
	assert_false(recorder_lost(&e.recorder));
	assert_int_equal(utw_transport_write(e.recorder.protocol.transport, "x", 1),
			 UTW_WRITE_OVER);
	utw_transport_close(e.recorder.protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	assert_int_equal(read_until_lost(&e), LOTS + 1);
	close(e.in[1]);
	close(e.out[0]);
	finish(&e);
}

/* Operations return nothing that could fail, so what is left of the case is the stopping. */
static void transport_case_75_close_twice_and_close_of_none(void **state)
{
	struct ending e;

	(void)state;
	begin_pipes(&e);
	utw_transport_close(e.recorder.protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	utw_transport_close(e.recorder.protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(e.reactor, recorder_lost(&e.recorder));
	utw_transport_close(e.recorder.protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	utw_transport_close(NULL, UTW_CLOSE_AFTER_PRODUCER, 0);
	turn_all(e.reactor);
	assert_story(&e.recorder, "ML");
	close(e.in[1]);
	close(e.out[0]);
	finish(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(made_comes_before_what_waited_in_a_pipe),
		TEST(made_comes_before_the_end_of_a_socket),
		TEST(made_comes_before_a_reader_is_missed),
		TEST(end_of_the_input_does_not_cut_the_output),
		TEST(input_that_ends_during_the_flush_does_not_cut_it),
		TEST(ended_input_keeps_no_turn_awake),
		TEST(deadline_now_still_sends_what_fits),
		TEST(deadline_now_with_more_than_fits_is_a_timeout),
		TEST(end_of_the_peer_with_bytes_unsent_is_a_loss),
		TEST(end_of_the_peer_lets_the_last_write_through),
		TEST(transport_case_70_read_of_nothing_is_the_end),
		TEST(transport_case_73_full_kernel_makes_it_wait),
		TEST(transport_case_75_close_twice_and_close_of_none),
	};

	return cmocka_run_group_tests_name("ending", tests, NULL, NULL);
}
