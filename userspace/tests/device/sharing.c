// SPDX-License-Identifier: MIT
/* Several processes on one node, and several on one open file. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "loop.h"
#include "pattern.h"
#include "requests.h"
#include "sleeper.h"

#define TRANSFER (1u << 20)

static pid_t child_start(void)
{
	pid_t child = fork();

	ASSERT_LE(0, child);
	return child;
}

static void expect_child_done(pid_t child)
{
	int status;

	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

static void echo_some(int fd, unsigned long position)
{
	unsigned char out[1000], in[1000];
	int i;

	for (i = 0; i < 200; i++) {
		pattern_make(out, sizeof(out), position + i);
		ASSERT_EQ(sizeof(out), write(fd, out, sizeof(out)));
		ASSERT_EQ(sizeof(in), read(fd, in, sizeof(in)));
		ASSERT_EQ(sizeof(in), pattern_check(in, sizeof(in), position + i));
	}
}

TEST(processes_on_one_node_do_not_mix)
{
	pid_t child;

	loop_setup();
	child = child_start();
	if (!child) {
		echo_some(loop_open(LOOP_STREAM, O_RDWR), 1000000);
		_exit(0);
	}
	echo_some(loop_open(LOOP_STREAM, O_RDWR), 0);
	expect_child_done(child);
}

static void write_all(int fd)
{
	static unsigned char block[7001];
	size_t done;

	for (done = 0; done < TRANSFER; done += sizeof(block)) {
		pattern_make(block, sizeof(block), done);
		ASSERT_EQ(sizeof(block), write(fd, block, sizeof(block)));
	}
}

TEST(child_writes_what_the_parent_reads)
{
	static unsigned char block[9001];
	size_t done = 0;
	pid_t child;
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	child = child_start();
	if (!child) {
		write_all(fd);
		_exit(0);
	}
	while (done < TRANSFER) {
		ssize_t n = read(fd, block, sizeof(block));

		ASSERT_LE(1, n);
		ASSERT_EQ(n, pattern_check(block, n, done));
		done += n;
	}
	expect_child_done(child);
}

#define RECORDS 2000

/* Marks what it got; says how often something came that was there already. */
static int take_records(int fd, unsigned char *seen)
{
	unsigned int number;
	int doubles = 0;

	while (read(fd, &number, sizeof(number)) == sizeof(number) && number < RECORDS)
		doubles += __atomic_exchange_n(&seen[number], 1, __ATOMIC_RELAXED);
	return doubles;
}

TEST(two_readers_of_one_file_share_the_records)
{
	unsigned int number, end = RECORDS;
	unsigned char *seen;
	unsigned int missing = 0;
	pid_t child;
	int fd;

	loop_setup();
	seen = mmap(NULL, RECORDS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(seen != MAP_FAILED);
	fd = loop_open(LOOP_RECORD, O_RDWR);
	child = child_start();
	if (!child)
		_exit(take_records(fd, seen));
	number = 0;
	if (!child_start()) {
		for (; number < RECORDS; number++)
			ASSERT_EQ(sizeof(number), write(fd, &number, sizeof(number)));
		/* One end for each reader. */
		ASSERT_EQ(sizeof(end), write(fd, &end, sizeof(end)));
		ASSERT_EQ(sizeof(end), write(fd, &end, sizeof(end)));
		_exit(0);
	}
	EXPECT_EQ(0, take_records(fd, seen));
	expect_child_done(child);
	for (number = 0; number < RECORDS; number++)
		missing += !seen[number];
	EXPECT_EQ(0, missing);
}

TEST(duplicate_is_the_same_channel)
{
	char byte = 0;
	int fd, copy;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	copy = dup(fd);
	ASSERT_LE(0, copy);
	ASSERT_EQ(1, write(fd, "x", 1));
	ASSERT_EQ(0, close(fd));
	EXPECT_EQ(1, read(copy, &byte, 1));
	EXPECT_EQ('x', byte);
}

/* A cancel belongs to the last close. */
TEST(close_in_a_child_leaves_the_parents_request_alone)
{
	struct untwist_sqe sqe = request_echo(7, 20000000, 42);
	struct untwist_cqe cqe;
	pid_t child;
	int fd;

	loop_setup();
	fd = requests_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
	child = child_start();
	if (!child) {
		close(fd);
		_exit(0);
	}
	expect_child_done(child);
	cqe = completion_read(fd);
	EXPECT_EQ(0, cqe.res);
	EXPECT_EQ(42, cqe.value[0]);
}

/* Whoever reads the completion, the bytes go where they were submitted from. */
TEST(child_reads_the_completion_and_the_parent_has_the_payload)
{
	static char payload[64];
	pid_t child;
	int fd;

	loop_setup();
	fd = requests_open(LOOP_STREAM, O_RDWR);
	strcpy(payload, "bytes");
	request_payload_and_wipe(fd, payload, sizeof(payload));
	child = child_start();
	if (!child) {
		EXPECT_EQ(sizeof(payload), completion_read(fd).res);
		_exit(0);
	}
	expect_child_done(child);
	EXPECT_STREQ("bytes", payload);
}

TEST(killed_reader_leaves_the_file_to_the_others)
{
	char byte = 0;
	pid_t child;
	int fd, status;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	child = child_start();
	if (!child) {
		ssize_t n = read(fd, &byte, 1);

		_exit(n == 1 ? 1 : 2);
	}
	ASSERT_TRUE(process_sleeps(child));
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	ASSERT_EQ(1, write(fd, "x", 1));
	EXPECT_EQ(1, read(fd, &byte, 1));
}

/* The end of a process takes its requests back, and does not wait a minute for them. */
TEST(killed_process_does_not_wait_for_its_requests)
{
	struct untwist_sqe forever = request_echo(1, REQUEST_FOREVER, 0);
	pid_t child;
	int status;

	loop_setup();
	child = child_start();
	if (!child) {
		ASSERT_EQ(1, requests_submit(requests_open(LOOP_STREAM, O_RDWR), &forever, 1));
		pause();
	}
	ASSERT_TRUE(process_sleeps(child));
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
}

TEST(exec_ends_what_is_not_handed_on)
{
	struct untwist_sqe forever = request_echo(1, REQUEST_FOREVER, 0);
	pid_t child;

	loop_setup();
	child = child_start();
	if (!child) {
		ASSERT_EQ(1, requests_submit(requests_open(LOOP_STREAM, O_RDWR), &forever, 1));
		execlp("true", "true", NULL);
		_exit(127);
	}
	expect_child_done(child);
}

static void send_fd(int over, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	struct iovec byte = { "x", 1 };
	struct msghdr message = { .msg_iov = &byte,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	ASSERT_EQ(1, sendmsg(over, &message, 0));
}

/* An fd in a queue is held by nobody who could be told of anything. */
TEST(file_on_its_way_between_processes_survives_unplug)
{
	int pair[2], fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	send_fd(pair[0], fd);
	ASSERT_EQ(0, close(fd));
	loop_unplug();
	ASSERT_EQ(0, close(pair[0]));
	ASSERT_EQ(0, close(pair[1]));
	loop_plug();
}
