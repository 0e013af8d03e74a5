/* SPDX-License-Identifier: MIT */
/* File sender: case 51 of the semantics, and the ways in which it ends early. */
#include <untwist/sender.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/deferred.h>
#include <untwist/fd.h>
#include <untwist/transport.h>

#include "harness-alloc.h"
#include "harness.h"
#include "recorder.h"

ssize_t __real_sendfile64(int out, int in, off_t *offset, size_t count);
ssize_t __wrap_sendfile64(int out, int in, off_t *offset, size_t count);

/* With 64-bit offsets that is what sendfile() is called. Bytes that the kernel sent by itself, and whether it shall. */
static uint64_t sent_by_kernel;
static bool kernel_refuses;

ssize_t __wrap_sendfile64(int out, int in, off_t *offset, size_t count)
{
	ssize_t put;

	if (kernel_refuses) {
		errno = EINVAL;
		return -1;
	}
	put = __real_sendfile64(out, in, offset, count);
	sent_by_kernel += put > 0 ? (uint64_t)put : 0;
	return put;
}

struct sending {
	struct utw_reactor *reactor;
	struct recorder near;
	struct utw_deferred *deferred;
	struct utw_file_sent sent;
	struct utw_failure *failure;
	bool fired;
	int far;
	int file;
};

static struct utw_result fired(void *value, struct utw_failure *failure, void *data)
{
	struct sending *s = data;

	s->fired = true;
	if (value)
		s->sent = *(struct utw_file_sent *)value;
	s->failure = utw_failure_ref(failure);
	return utw_result_value(NULL);
}

static void sending_open(struct sending *s, const char *text, size_t len)
{
	int fd[2];

	memset(s, 0, sizeof(*s));
	sent_by_kernel = 0;
	kernel_refuses = false;
	recorder_init(&s->near, false);
	assert_int_equal(utw_reactor_new(&s->reactor), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	s->far = fd[0];
	assert_int_equal(utw_fd_transport_new(NULL, s->reactor, fd[1], fd[1], &s->near.protocol),
			 0);
	s->file = memfd_create("text", MFD_CLOEXEC);
	assert_int_equal(write(s->file, text, len), len);
	assert_int_equal(lseek(s->file, 0, SEEK_SET), 0);
	turn_all(s->reactor);
}

static void sending_start(struct sending *s, size_t chunk)
{
	s->deferred = utw_file_send(s->near.protocol.transport, s->file, chunk);
	assert_non_null(s->deferred);
	assert_int_equal(utw_deferred_add_both(s->deferred, fired, s), 0);
}

static void sending_close(struct sending *s)
{
	utw_deferred_unref(s->deferred);
	utw_transport_close(s->near.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(s->reactor);
	utw_reactor_free(s->reactor);
	utw_failure_unref(s->failure);
	recorder_release(&s->near);
	close(s->far);
	close(s->file);
}

static void file_case_51_chunks_and_last_byte(void **state)
{
	struct sending s;
	char got[16];

	(void)state;
	sending_open(&s, "abcdefghijkl", 12);
	sending_start(&s, 4);
	assert_false(s.fired);
	turn_until(s.reactor, s.fired);
	assert_null(s.failure);
	assert_int_equal(s.sent.bytes, 12);
	assert_int_equal(s.sent.last, 'l');
	turn_all(s.reactor);
	assert_int_equal(read(s.far, got, sizeof(got)), 12);
	assert_memory_equal(got, "abcdefghijkl", 12);
	sending_close(&s);
}

/* Three with data, and one that finds the end: seen by where the file stands. */
static void file_case_51_one_chunk_a_turn(void **state)
{
	struct sending s;
	off_t stood = 0;

	(void)state;
	sending_open(&s, "abcdefghijkl", 12);
	sending_start(&s, 4);
	while (!s.fired) {
		off_t stands;

		turn_once(s.reactor, "the end of the file", __FILE__, __LINE__);
		stands = lseek(s.file, 0, SEEK_CUR);
		assert_true(stands - stood <= 4);
		stood = stands;
	}
	assert_int_equal(stood, 12);
	sending_close(&s);
}

static void empty_file_has_no_last_byte(void **state)
{
	struct sending s;

	(void)state;
	sending_open(&s, "", 0);
	sending_start(&s, 0);
	turn_until(s.reactor, s.fired);
	assert_int_equal(s.sent.bytes, 0);
	assert_int_equal(s.sent.last, -1);
	sending_close(&s);
}

static void close_after_the_file(void **state)
{
	struct sending s;
	char got[16];

	(void)state;
	sending_open(&s, "abcdef", 6);
	sending_start(&s, 4);
	utw_transport_close(s.near.protocol.transport, UTW_CLOSE_AFTER_PRODUCER, UTW_FOREVER);
	turn_until(s.reactor, recorder_lost(&s.near));
	assert_true(s.fired);
	assert_int_equal(s.sent.bytes, 6);
	assert_lost(&s.near, UTW_DONE);
	assert_int_equal(read(s.far, got, sizeof(got)), 6);
	assert_int_equal(read(s.far, got, sizeof(got)), 0);
	sending_close(&s);
}

static void lost_transport_fails_it(void **state)
{
	struct sending s;

	(void)state;
	sending_open(&s, "abcdef", 6);
	sending_start(&s, 4);
	utw_transport_close(s.near.protocol.transport, UTW_CLOSE_ABORT, 0);
	assert_false(s.fired);
	turn_until(s.reactor, s.fired);
	assert_true(utw_failure_is(s.failure, &utw_domain_reason, UTW_LOST));
	sending_close(&s);
}

static void unreadable_file_fails_it(void **state)
{
	struct sending s;

	(void)state;
	sending_open(&s, "abcdef", 6);
	close(s.file);
	s.file = open("/dev/null", O_WRONLY | O_CLOEXEC);
	sending_start(&s, 4);
	turn_until(s.reactor, s.fired);
	assert_true(utw_failure_is(s.failure, &utw_domain_errno, EBADF));
	assert_string_equal(utw_failure_operation(s.failure), "read");
	sending_close(&s);
}

static void cancel_lets_go_of_the_transport(void **state)
{
	struct sending s;

	(void)state;
	sending_open(&s, "abcdef", 6);
	sending_start(&s, 4);
	utw_deferred_cancel(s.deferred);
	assert_true(s.fired);
	assert_true(utw_failure_is(s.failure, &utw_domain_reason, UTW_CANCELLED));
	turn_all(s.reactor);
	assert_int_equal(lseek(s.file, 0, SEEK_CUR), 0);
	utw_deferred_unref(s.deferred);
	utw_failure_unref(s.failure);
	s.fired = false;
	sending_start(&s, 4);
	turn_until(s.reactor, s.fired);
	assert_int_equal(s.sent.bytes, 6);
	sending_close(&s);
}

static void second_producer_is_refused(void **state)
{
	struct sending s;
	struct utw_deferred *second;

	(void)state;
	sending_open(&s, "abcdef", 6);
	sending_start(&s, 4);
	second = utw_file_send(s.near.protocol.transport, s.file, 4);
	utw_deferred_add_both(second, fired, &s);
	assert_true(s.fired);
	assert_true(utw_failure_is(s.failure, &utw_domain_errno, EBUSY));
	utw_deferred_unref(second);
	utw_failure_unref(s.failure);
	s.fired = false;
	turn_until(s.reactor, s.fired);
	assert_int_equal(s.sent.bytes, 6);
	sending_close(&s);
}

/* More than any socket takes at once, so that there are waits. */
#define BIG (4 * 1024 * 1024)

static char *big_text(void)
{
	char *text = malloc(BIG);

	assert_non_null(text);
	for (size_t i = 0; i < BIG; i++)
		text[i] = (char)(i * 7 + i / 4096);
	return text;
}

static void assert_sends_all(struct sending *s, const char *text)
{
	char *got = malloc(BIG);
	size_t len = 0;

	assert_non_null(got);
	sending_start(s, 0);
	while (len < BIG || !s->fired) {
		ssize_t some = recv(s->far, got + len, BIG - len, MSG_DONTWAIT);

		len += some > 0 ? (size_t)some : 0;
		utw_reactor_run_once(s->reactor, some > 0 ? 0 : UINT64_C(10000000));
	}
	assert_null(s->failure);
	assert_memory_equal(got, text, BIG);
	assert_int_equal(s->sent.bytes, BIG);
	assert_int_equal(s->sent.last, (unsigned char)text[BIG - 1]);
	free(got);
}

static void kernel_sends_it_by_itself(void **state)
{
	struct sending s;
	char *text = big_text();

	(void)state;
	sending_open(&s, text, BIG);
	assert_sends_all(&s, text);
	/* But for a chunk each time that it has no room. */
	assert_true(sent_by_kernel > BIG / 2);
	sending_close(&s);
	free(text);
}

static void what_the_kernel_refuses_is_copied(void **state)
{
	struct sending s;
	char *text = big_text();

	(void)state;
	sending_open(&s, text, BIG);
	kernel_refuses = true;
	assert_sends_all(&s, text);
	assert_int_equal(sent_by_kernel, 0);
	sending_close(&s);
	free(text);
}

/* What was written before it goes before it. */
static void queue_goes_first(void **state)
{
	struct sending s;
	char got[16];

	(void)state;
	sending_open(&s, "def", 3);
	utw_transport_write(s.near.protocol.transport, "abc", 3);
	sending_start(&s, 0);
	turn_until(s.reactor, s.fired);
	utw_transport_write(s.near.protocol.transport, "ghi", 3);
	turn_all(s.reactor);
	assert_int_equal(read(s.far, got, sizeof(got)), 9);
	assert_memory_equal(got, "abcdefghi", 9);
	assert_int_equal(sent_by_kernel, 3);
	sending_close(&s);
}

/* SIGPIPE would end this program. */
static void peer_that_is_gone_raises_no_signal(void **state)
{
	struct sending s;

	(void)state;
	sending_open(&s, "abcdef", 6);
	shutdown(s.far, SHUT_RD);
	sending_start(&s, 0);
	turn_until(s.reactor, s.fired);
	turn_until(s.reactor, recorder_lost(&s.near));
	assert_int_equal(sent_by_kernel, 0);
	sending_close(&s);
}

static void without_memory_there_is_no_deferred(void **state)
{
	struct sending s;

	(void)state;
	sending_open(&s, "abcdef", 6);
	for (unsigned int nth = 1;; nth++) {
		alloc_fail_at(nth);
		s.deferred = utw_file_send(s.near.protocol.transport, s.file, 4);
		if (!alloc_failed())
			break;
		assert_null(s.deferred);
		assert_true(nth < 10);
	}
	alloc_fail_at(0);
	utw_deferred_cancel(s.deferred);
	utw_deferred_add_both(s.deferred, fired, &s);
	sending_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(file_case_51_chunks_and_last_byte),
		TEST(file_case_51_one_chunk_a_turn),
		TEST(empty_file_has_no_last_byte),
		TEST(close_after_the_file),
		TEST(lost_transport_fails_it),
		TEST(unreadable_file_fails_it),
		TEST(cancel_lets_go_of_the_transport),
		TEST(second_producer_is_refused),
		TEST(kernel_sends_it_by_itself),
		TEST(what_the_kernel_refuses_is_copied),
		TEST(queue_goes_first),
		TEST(peer_that_is_gone_raises_no_signal),
		TEST(without_memory_there_is_no_deferred),
	};

	return cmocka_run_group_tests_name("sender", tests, NULL, NULL);
}
