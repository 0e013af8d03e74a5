/* SPDX-License-Identifier: MIT */
/* Transports over the program's own descriptors: what the contract suite does not reach. */
#include <untwist/fd.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "harness-alloc.h"
#include "recorder.h"
#include "transport/transport-private.h"

#define BURST (8 << 20)

static void new_refuses_what_makes_no_sense(void **state)
{
	struct utw_reactor *r;
	struct recorder rec;
	int fd[2];

	(void)state;
	recorder_init(&rec, true);
	assert_int_equal(utw_reactor_new(&r), 0);
	assert_int_equal(utw_fd_transport_new(NULL, r, -1, -1, &rec.protocol), -EINVAL);
	assert_int_equal(utw_fd_transport_new(NULL, r, 999, -1, &rec.protocol), -EBADF);
	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	rec.protocol.ops = &(struct utw_protocol_ops){ .made = NULL };
	assert_int_equal(utw_fd_transport_new(NULL, r, fd[0], -1, &rec.protocol), -EINVAL);
	recorder_init(&rec, true);
	assert_int_equal(utw_fd_transport_new(NULL, r, fd[0], -1, &rec.protocol), 0);
	assert_int_equal(utw_fd_transport_new(NULL, r, fd[1], -1, &rec.protocol), -EBUSY);
	utw_transport_close(rec.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(r);
	close(fd[1]);
	recorder_release(&rec);
	utw_reactor_free(r);
}

static void new_refuses_records_one_way_only(void **state)
{
	struct utw_reactor *r;
	struct recorder rec;
	int record[2], stream[2];

	(void)state;
	recorder_init(&rec, true);
	assert_int_equal(utw_reactor_new(&r), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, record), 0);
	assert_int_equal(pipe2(stream, O_CLOEXEC), 0);
	assert_int_equal(utw_fd_transport_new(NULL, r, stream[0], record[0], &rec.protocol),
			 -EINVAL);
	assert_int_equal(utw_fd_transport_new(NULL, r, record[0], stream[1], &rec.protocol),
			 -EINVAL);
	assert_null(rec.protocol.transport);
	for (int i = 0; i < 2; i++) {
		close(record[i]);
		close(stream[i]);
	}
	utw_reactor_free(r);
}

static void new_without_memory_leaves_descriptors(void **state)
{
	struct utw_reactor *r;
	struct recorder rec;
	int fd[2];
	int error = -ENOMEM;

	(void)state;
	assert_int_equal(utw_reactor_new(&r), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd), 0);
	for (unsigned int nth = 1; error == -ENOMEM; nth++) {
		assert_true(nth < 20);
		recorder_init(&rec, true);
		alloc_fail_at(nth);
		error = utw_fd_transport_new(NULL, r, fd[0], fd[0], &rec.protocol);
		alloc_fail_at(0);
		assert_true(error == 0 || !rec.protocol.transport);
		assert_true(fcntl(fd[0], F_GETFD) >= 0);
	}
	assert_int_equal(error, 0);
	utw_transport_close(rec.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(r);
	close(fd[1]);
	recorder_release(&rec);
	utw_reactor_free(r);
}

static void write_without_memory_takes_nothing(void **state)
{
	struct utw_reactor *r;
	struct recorder rec;
	int fd[2];

	(void)state;
	recorder_init(&rec, true);
	assert_int_equal(utw_reactor_new(&r), 0);
	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	assert_int_equal(utw_fd_transport_new(NULL, r, -1, fd[1], &rec.protocol), 0);
	alloc_fail_at(1);
	assert_int_equal(utw_transport_write(rec.protocol.transport, "x", 1), -ENOMEM);
	alloc_fail_at(0);
	assert_int_equal(utw_transport_queued(rec.protocol.transport), 0);
	assert_int_equal(utw_transport_write(rec.protocol.transport, "y", 1), 0);
	utw_transport_close(rec.protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(r, recorder_lost(&rec));
	assert_int_equal(read(fd[0], rec.story, 2), 1);
	assert_int_equal(rec.story[0], 'y');
	close(fd[0]);
	recorder_release(&rec);
	utw_reactor_free(r);
}

/* A record longer than the room for it is cut, and the protocol is told. */
static void transport_case_72_long_record_is_flagged(void **state)
{
	struct utw_reactor *r;
	struct recorder rec;
	char *data = calloc(1, 70000);
	int fd[2];

	(void)state;
	recorder_init(&rec, true);
	assert_int_equal(utw_reactor_new(&r), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd), 0);
	assert_int_equal(utw_fd_transport_new(NULL, r, fd[0], fd[0], &rec.protocol), 0);
	assert_int_equal(write(fd[1], data, 70000), 70000);
	free(data);
	turn_until(r, rec.pieces);
	assert_int_equal(rec.data_len, 65536);
	assert_int_equal(rec.last_full_len, 70000);
	utw_transport_close(rec.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(r);
	close(fd[1]);
	recorder_release(&rec);
	utw_reactor_free(r);
}

/* What a peer said before it reset the connection is not thrown away with it. */
static void failed_write_lets_the_last_words_in(void **state)
{
	struct utw_reactor *r;
	struct recorder rec;
	int fd[2];

	(void)state;
	recorder_init(&rec, true);
	assert_int_equal(utw_reactor_new(&r), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	assert_int_equal(utw_fd_transport_new(NULL, r, fd[0], fd[0], &rec.protocol), 0);
	assert_int_equal(write(fd[1], "last words", 10), 10);
	close(fd[1]);
	utw_transport_write(rec.protocol.transport, "too late", 8);
	turn_until(r, recorder_lost(&rec));
	assert_int_equal(rec.data_len, 10);
	assert_lost(&rec, UTW_LOST);
	recorder_release(&rec);
	utw_reactor_free(r);
}

/* The memory of a burst goes with the burst, not with the transport. */
static void drained_queue_gives_its_memory_back(void **state)
{
	struct utw_reactor *r;
	struct recorder rec;
	struct utw_transport *t;
	char *data = calloc(1, BURST);
	size_t left = BURST;
	int fd[2];

	(void)state;
	recorder_init(&rec, true);
	assert_int_equal(utw_reactor_new(&r), 0);
	assert_int_equal(pipe2(fd, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(utw_fd_transport_new(&t, r, -1, fd[1], &rec.protocol), 0);
	assert_int_equal(utw_transport_write(t, data, BURST), UTW_WRITE_OVER);
	assert_true(t->queue->bytes.capacity >= BURST);
	while (left) {
		ssize_t got = read(fd[0], data, BURST);

		if (got > 0)
			left -= (size_t)got;
		else
			turn_all(r);
	}
	turn_all(r);
	assert_int_equal(utw_transport_queued(t), 0);
	assert_null(t->queue);
	free(data);
	utw_transport_close(t, UTW_CLOSE_ABORT, 0);
	turn_all(r);
	close(fd[0]);
	utw_transport_unref(t);
	recorder_release(&rec);
	utw_reactor_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(new_refuses_what_makes_no_sense),
		TEST(new_refuses_records_one_way_only),
		TEST(new_without_memory_leaves_descriptors),
		TEST(write_without_memory_takes_nothing),
		TEST(transport_case_72_long_record_is_flagged),
		TEST(failed_write_lets_the_last_words_in),
		TEST(drained_queue_gives_its_memory_back),
	};

	return cmocka_run_group_tests_name("fd", tests, NULL, NULL);
}
