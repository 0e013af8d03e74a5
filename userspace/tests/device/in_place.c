// SPDX-License-Identifier: MIT
/*
 * Payloads that the device moves in place: out of and into the program's own
 * pages, or the arena of its ring. The DMA engine takes a tenth of a second for
 * each piece of up to 4095 bytes, so that there is time to do things meanwhile;
 * where a test needs that something is still in flight, it looks.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edu_device.h"
#include "harness.h"
#include "modules.h"
#include "pages.h"
#include "pattern.h"
#include "requests.h"
#include "rings.h"
#include "user.h"

#define MEMORY UNTWIST_EDU_MEMORY

/* Leaves the test out where the device reaches no memory, or not all of it. */
static int edu_start(bool direct)
{
	char way[16];

	edu_setup("");
	text_read("/sys/class/untwist/edu0/dma", way, sizeof(way));
	if (!strcmp(way, "none") || (direct && strcmp(way, "direct")))
		SKIP("the device reaches %s of this machine's memory",
		     strcmp(way, "none") ? "not all" : "nothing");
	return edu_open(0);
}

static unsigned char *map_pages(size_t pages, int flags, int fd)
{
	void *map = mmap(NULL, pages * page_size(), PROT_READ | PROT_WRITE, flags, fd, 0);

	ASSERT_TRUE(map != MAP_FAILED);
	return map;
}

static unsigned char *anonymous(size_t pages)
{
	return map_pages(pages, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void submit(int fd, __u32 opcode, __u64 user_data, const void *payload, __u32 len)
{
	struct untwist_sqe sqe = edu_transfer(opcode, 0, payload, len);

	sqe.user_data = user_data;
	ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
}

static int transfer(int fd, __u32 opcode, __u64 offset, const void *payload, __u32 len)
{
	struct untwist_sqe sqe = edu_transfer(opcode, offset, payload, len);

	ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
	return completion_read(fd).res;
}

static bool completed(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

/* The device's memory holds the pattern from here on. */
static void fill_device(int fd)
{
	static unsigned char bytes[MEMORY];

	pattern_make(bytes, MEMORY, 0);
	ASSERT_EQ(MEMORY, transfer(fd, UNTWIST_EDU_OP_WRITE, 0, bytes, MEMORY));
}

/* What comes back of that, from its first byte on. */
static void expect_from_device(const unsigned char *bytes, size_t len)
{
	for (; len > MEMORY; bytes += MEMORY, len -= MEMORY)
		EXPECT_EQ(MEMORY, pattern_check(bytes, MEMORY, 0));
	EXPECT_EQ(len, pattern_check(bytes, len, 0));
}

/* The kilobytes that the kernel counts as pinned, by a line of /proc. */
static long long proc_kilobytes(const char *path, const char *name)
{
	char line[256];
	long long value = -1;
	FILE *file = fopen(path, "r");

	ASSERT_TRUE(file);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			value = strtoll(line + strlen(name), NULL, 10);
	fclose(file);
	return value;
}

static long long pinned_pages(void)
{
	return proc_kilobytes("/proc/self/status", "VmPin:") * 1024 / (long long)page_size();
}

static long long pinned_by_open(int fd)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return proc_kilobytes(path, "untwist-pinned:");
}

/* No copy. */

static void await_first_byte(const volatile unsigned char *bytes)
{
	while (!*bytes)
		sched_yield();
}

/* Bytes that are there before the request is complete were not copied at its end. */
TEST(bytes_arrive_where_they_belong)
{
	int fd = edu_start(true);
	unsigned char *bytes = anonymous(64);
	unsigned int pieces;
	bool early = false;

	bytes[0] = 1;
	ASSERT_EQ(1, transfer(fd, UNTWIST_EDU_OP_WRITE, 0, bytes, 1));
	for (pieces = 4; !early && pieces <= 64; pieces *= 2) {
		bytes[0] = 0;
		submit(fd, UNTWIST_EDU_OP_READ_LONG, 1, bytes, pieces * MEMORY);
		await_first_byte(bytes);
		early = !completed(fd);
		EXPECT_EQ(pieces * MEMORY, completion_read(fd).res);
	}
	EXPECT_TRUE(early);
}

/* What a program changes before the engine comes to it is what is moved. */
TEST(bytes_are_taken_from_where_they_are)
{
	int fd = edu_start(true);
	unsigned char *busy = anonymous(64), *bytes = anonymous(1);
	unsigned int pieces;
	bool early = false;

	for (pieces = 2; !early && pieces <= 64; pieces *= 2) {
		memset(bytes, 'a', 10);
		submit(fd, UNTWIST_EDU_OP_READ_LONG, 1, busy, pieces * MEMORY);
		submit(fd, UNTWIST_EDU_OP_WRITE, 2, bytes, 10);
		memset(bytes, 'b', 10);
		early = !completed(fd);
		completion_read(fd);
		EXPECT_EQ(10, completion_read(fd).res);
	}
	ASSERT_TRUE(early);
	EXPECT_EQ(10, transfer(fd, UNTWIST_EDU_OP_READ, 0, busy, 10));
	EXPECT_EQ(0, memcmp(busy, "bbbbbbbbbb", 10));
}

/* Lengths and places. */

static void there_and_back(int fd, size_t offset, size_t len)
{
	unsigned char *out = anonymous(6), *in = anonymous(6);
	size_t i;

	pattern_make(out + offset, len, offset);
	memset(in, 0xee, 6 * page_size());
	ASSERT_EQ(len, transfer(fd, UNTWIST_EDU_OP_WRITE_LONG, 0, out + offset, len));
	ASSERT_EQ(len, transfer(fd, UNTWIST_EDU_OP_READ_LONG, 0, in + offset, len));
	/* Each byte of the memory holds the last that was written to it, and comes each time. */
	for (i = 0; i < len; i++) {
		size_t written = i % MEMORY + (len - 1 - i % MEMORY) / MEMORY * MEMORY;

		ASSERT_EQ(out[offset + written], in[offset + i]);
	}
	EXPECT_TRUE(!offset || in[offset - 1] == 0xee);
	EXPECT_EQ(0xee, in[offset + len]);
	munmap(out, 6 * page_size());
	munmap(in, 6 * page_size());
}

TEST(any_length_at_any_place)
{
	size_t page = page_size();
	const size_t cases[][2] = {
		{ 0, 1 },      { page - 1, 2 }, { page - 500, 1000 },
		{ 0, MEMORY }, { 0, page },	{ page - 1, page + 2 },
	};
	int fd = edu_start(false);
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		there_and_back(fd, cases[i][0], cases[i][1]);
}

TEST(length_has_a_limit)
{
	int fd = edu_start(false);
	unsigned char *bytes = anonymous(1);
	struct untwist_sqe sqe = edu_transfer(UNTWIST_EDU_OP_READ_LONG, 0, bytes, (1 << 20) + 1);

	EXPECT_ERRNO(EMSGSIZE, requests_submit(fd, &sqe, 1));
	sqe = edu_transfer(UNTWIST_EDU_OP_READ_LONG, MEMORY, bytes, 1);
	ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
	EXPECT_EQ(-ERANGE, completion_read(fd).res);
}

TEST(memory_must_be_there_and_of_the_right_access)
{
	static const __u64 addresses[] = { ~0ULL,      ~0ULL - 4, 1ULL << 63, 0xffff888000000000,
					   0xc0000000, 0 };
	unsigned char *edge = pages_with_edge();
	struct untwist_sqe sqe;
	int fd = edu_start(false);
	unsigned int i;

	for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		sqe = edu_transfer(UNTWIST_EDU_OP_READ, 0, NULL, 8);
		sqe.addr = addresses[i];
		EXPECT_ERRNO(EFAULT, requests_submit(fd, &sqe, 1));
	}
	sqe = edu_transfer(UNTWIST_EDU_OP_READ, 0, edge - 4, 8);
	EXPECT_ERRNO(EFAULT, requests_submit(fd, &sqe, 1));
	sqe = edu_transfer(UNTWIST_EDU_OP_READ, 0, pages_read_only(), 8);
	EXPECT_ERRNO(EFAULT, requests_submit(fd, &sqe, 1));
	EXPECT_EQ(8, transfer(fd, UNTWIST_EDU_OP_WRITE, 0, pages_read_only(), 8));
	EXPECT_EQ(0, pinned_pages());
	EXPECT_EQ(0, pinned_by_open(fd));
}

/* What is pinned, and for whom. */

TEST(pages_are_pinned_until_the_completion)
{
	int fd = edu_start(false);
	unsigned char *bytes = anonymous(3);

	submit(fd, UNTWIST_EDU_OP_READ_LONG, 1, bytes + page_size() - 1, page_size() + 2);
	EXPECT_EQ(3, pinned_pages());
	EXPECT_EQ(3 * page_size(), pinned_by_open(fd));
	submit(fd, UNTWIST_EDU_OP_WRITE, 2, bytes, 1);
	EXPECT_EQ(4, pinned_pages());
	completion_read(fd);
	completion_read(fd);
	EXPECT_EQ(0, pinned_pages());
	EXPECT_EQ(0, pinned_by_open(fd));
}

TEST(open_may_pin_so_much_and_no_more)
{
	int fd = edu_start(false);
	unsigned char *bytes = anonymous(4);
	struct untwist_sqe sqe = edu_transfer(UNTWIST_EDU_OP_READ_LONG, 0, bytes, 2 * page_size());
	char limit[20];

	snprintf(limit, sizeof(limit), "%zu", 3 * page_size());
	ASSERT_EQ(0, text_write("/sys/class/untwist/edu0/limits/pinned_max", limit));
	ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
	EXPECT_ERRNO(EDQUOT, requests_submit(fd, &sqe, 1));
	submit(fd, UNTWIST_EDU_OP_READ, 1, bytes + 2 * page_size(), 1);
	EXPECT_ERRNO(EDQUOT, requests_submit(fd, &sqe, 1));
	EXPECT_EQ(3, pinned_pages());
	completion_read(fd);
	completion_read(fd);
	EXPECT_EQ(1, requests_submit(fd, &sqe, 1));
}

static void limit_locked_memory(size_t bytes)
{
	const struct rlimit limit = { bytes, bytes };

	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &limit));
}

/* One page less than two payloads: somebody without capabilities gets one at a time. */
static void transfer_two_as_user(int fd, unsigned char *bytes)
{
	struct untwist_sqe sqe = edu_transfer(UNTWIST_EDU_OP_READ_LONG, 0, bytes, 2 * page_size());

	ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
	EXPECT_ERRNO(EDQUOT, requests_submit(fd, &sqe, 1));
	EXPECT_EQ(2, pinned_pages());
	completion_read(fd);
	ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
	EXPECT_EQ(2 * page_size(), completion_read(fd).res);
}

TEST(users_limit_of_locked_memory_holds)
{
	int fd = edu_start(false);
	unsigned char *bytes = anonymous(2);

	limit_locked_memory(3 * page_size());
	if (become_user(1000)) {
		transfer_two_as_user(fd, bytes);
		_exit(0);
	}
	/* Who may lock memory is not held by it. */
	limit_locked_memory(0);
	EXPECT_EQ(1, transfer(fd, UNTWIST_EDU_OP_READ, 0, bytes, 1));
}

/* What programs do meanwhile. */

TEST(memory_may_be_unmapped_meanwhile)
{
	int fd = edu_start(false);
	unsigned char *bytes = anonymous(3), *others;

	fill_device(fd);
	submit(fd, UNTWIST_EDU_OP_READ_LONG, 1, bytes, 2 * MEMORY);
	ASSERT_EQ(0, munmap(bytes, 3 * page_size()));
	others = mmap(bytes, 3 * page_size(), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	ASSERT_TRUE(others == bytes);
	others[0] = 0;
	EXPECT_EQ(2 * MEMORY, completion_read(fd).res);
	EXPECT_EQ(0, others[0]);
	EXPECT_EQ(0, others[1]);
	EXPECT_EQ(0, pinned_pages());
}

/* The pages stay this program's, and the child gets its own. */
TEST(fork_meanwhile_leaves_the_pages_to_the_parent)
{
	int fd = edu_start(false);
	unsigned char *bytes = anonymous(3);
	int ends[2], status;
	pid_t child;
	char go;

	fill_device(fd);
	ASSERT_EQ(0, pipe(ends));
	bytes[2 * MEMORY] = 'p';
	submit(fd, UNTWIST_EDU_OP_READ_LONG, 1, bytes, 2 * MEMORY);
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		ASSERT_EQ(1, read(ends[0], &go, 1));
		_exit(bytes[2 * MEMORY] != 'p' || bytes[2 * MEMORY - 1]);
	}
	bytes[2 * MEMORY] = 'q';
	EXPECT_EQ(2 * MEMORY, completion_read(fd).res);
	expect_from_device(bytes, 2 * MEMORY);
	ASSERT_EQ(1, write(ends[1], "", 1));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

static void submit_and_die(int fd, unsigned char *bytes)
{
	submit(fd, UNTWIST_EDU_OP_READ_LONG, 7, bytes, 3 * MEMORY);
	raise(SIGKILL);
}

/* The open outlives its program here, so the completion does, too. */
TEST(program_may_die_meanwhile)
{
	int fd = edu_start(false);
	unsigned char *bytes = anonymous(3);
	pid_t child = fork();
	int status;

	ASSERT_LE(0, child);
	if (!child)
		submit_and_die(fd, bytes);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(SIGKILL, status);
	EXPECT_EQ(3 * MEMORY, completion_read(fd).res);
	EXPECT_EQ(0, bytes[0]);
	EXPECT_EQ(0, pinned_by_open(fd));
}

TEST(cancel_ends_a_long_transfer_in_the_middle)
{
	int fd = edu_start(false);
	unsigned char *bytes = anonymous(256);
	unsigned char one = 1;

	ASSERT_EQ(1, transfer(fd, UNTWIST_EDU_OP_WRITE, 0, &one, 1));
	submit(fd, UNTWIST_EDU_OP_READ_LONG, 1, bytes, 256 * MEMORY);
	submit(fd, UNTWIST_EDU_OP_READ, 2, &one, 1);
	await_first_byte(bytes);
	ASSERT_EQ(0, requests_cancel(fd, 1));
	EXPECT_EQ(-ECANCELED, completion_read(fd).res);
	/* What has been moved is there, the rest never comes. */
	EXPECT_EQ(1, bytes[0]);
	EXPECT_EQ(0, bytes[255 * MEMORY]);
	EXPECT_EQ(1, completion_read(fd).res);
	EXPECT_EQ(0, pinned_pages());
}

TEST(unbind_ends_a_long_transfer_in_the_middle)
{
	int fd = edu_start(false);
	unsigned char *bytes = anonymous(256);
	struct untwist_cqe cqe;

	submit(fd, UNTWIST_EDU_OP_READ_LONG, 1, bytes, 128 * MEMORY);
	submit(fd, UNTWIST_EDU_OP_READ_LONG, 2, bytes + 128 * page_size(), 128 * MEMORY);
	edu_unbind();
	EXPECT_EQ(0, pinned_pages());
	EXPECT_EQ(-ENODEV, completion_read(fd).res);
	EXPECT_EQ(-ENODEV, completion_read(fd).res);
	EXPECT_ERRNO(ENODEV, read(fd, &cqe, sizeof(cqe)));
	edu_bind();
}

/* A chain holds the pages of all its requests, and lets go of those that never run. */
TEST(chain_pins_for_all_of_it)
{
	int fd = edu_start(false);
	unsigned char *bytes = anonymous(2);
	struct untwist_sqe sqes[] = {
		edu_transfer(UNTWIST_EDU_OP_WRITE, 0, bytes, 100),
		edu_transfer(UNTWIST_EDU_OP_READ, 0, bytes + page_size(), 100),
	};

	pattern_make(bytes, 100, 5);
	sqes[0].flags = UNTWIST_SQE_LINK;
	ASSERT_EQ(2, requests_submit(fd, sqes, 2));
	EXPECT_EQ(100, completion_read(fd).res);
	EXPECT_EQ(100, completion_read(fd).res);
	EXPECT_EQ(100, pattern_check(bytes + page_size(), 100, 5));

	sqes[0].arg[0] = MEMORY;
	ASSERT_EQ(2, requests_submit(fd, sqes, 2));
	EXPECT_EQ(-ERANGE, completion_read(fd).res);
	EXPECT_EQ(-ECANCELED, completion_read(fd).res);
	EXPECT_EQ(0, pinned_pages());
}

/* Other kinds of memory. */

TEST(shared_file_is_read_into)
{
	int fd = edu_start(false);
	int file = memfd_create("in_place", MFD_CLOEXEC);
	unsigned char *bytes, in[MEMORY];

	ASSERT_LE(0, file);
	ASSERT_EQ(0, ftruncate(file, 2 * page_size()));
	bytes = map_pages(2, MAP_SHARED, file);
	fill_device(fd);
	ASSERT_EQ(MEMORY, transfer(fd, UNTWIST_EDU_OP_READ, 0, bytes + 1, MEMORY));
	ASSERT_EQ(MEMORY, pread(file, in, MEMORY, 1));
	expect_from_device(in, MEMORY);
}

/* Pages that were never touched; and of a file, so that they are the kernel's own. */
TEST(private_file_is_written_from)
{
	int fd = edu_start(false);
	int file = open("/proc/self/exe", O_RDONLY);
	unsigned char *bytes, out[64], in[64];

	ASSERT_LE(0, file);
	bytes = map_pages(1, MAP_PRIVATE, file);
	ASSERT_EQ(64, transfer(fd, UNTWIST_EDU_OP_WRITE, 0, bytes, 64));
	ASSERT_EQ(64, transfer(fd, UNTWIST_EDU_OP_READ, 0, in, 64));
	ASSERT_EQ(64, pread(file, out, 64, 0));
	EXPECT_EQ(0, memcmp(out, in, 64));
	ASSERT_EQ(64, transfer(fd, UNTWIST_EDU_OP_WRITE, 0, anonymous(1), 64));
	ASSERT_EQ(64, transfer(fd, UNTWIST_EDU_OP_READ, 0, in, 64));
	EXPECT_EQ(0, in[0]);
}

TEST(huge_page_is_read_into)
{
	int fd = edu_start(false);
	unsigned char *bytes;

	text_write("/proc/sys/vm/nr_hugepages", "1");
	bytes = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1,
		     0);
	if (bytes == MAP_FAILED)
		SKIP("no huge page to be had: %s", strerror(errno));
	fill_device(fd);
	ASSERT_EQ(2 * MEMORY,
		  transfer(fd, UNTWIST_EDU_OP_READ_LONG, 0, bytes + page_size() - 1, 2 * MEMORY));
	expect_from_device(bytes + page_size() - 1, 2 * MEMORY);
	ASSERT_EQ(0, text_write("/proc/sys/vm/nr_hugepages", "0"));
}

/* The arena of a ring. */

static int arena_transfer(struct ring *ring, __u32 opcode, __u64 offset, __u32 len)
{
	struct untwist_sqe sqe = edu_transfer(opcode, 0, NULL, len);

	sqe.flags = UNTWIST_SQE_ARENA;
	sqe.addr = offset;
	ring_put(ring, &sqe, 1);
	ASSERT_EQ(1, ring_enter(ring, 1, 1));
	return ring_reap(ring).res;
}

TEST(arena_is_used_in_place)
{
	const struct untwist_ring_setup wanted = { .sq_entries = 4, .arena_size = 65536 };
	struct ring ring = ring_of(edu_start(false), &wanted);

	pattern_make(ring.arena + 5, MEMORY, 0);
	ASSERT_EQ(MEMORY, arena_transfer(&ring, UNTWIST_EDU_OP_WRITE, 5, MEMORY));
	ASSERT_EQ(2 * MEMORY, arena_transfer(&ring, UNTWIST_EDU_OP_READ_LONG, 20000, 2 * MEMORY));
	expect_from_device(ring.arena + 20000, 2 * MEMORY);
	EXPECT_EQ(0, ring.arena[19999]);
	EXPECT_EQ(0, ring.arena[20000 + 2 * MEMORY]);
	EXPECT_EQ(-EFAULT, arena_transfer(&ring, UNTWIST_EDU_OP_READ, 65536 - 10, 11));
	EXPECT_EQ(0, pinned_pages());
}

/* A thread of the kernel submits, which has no memory of the program's. */
TEST(poller_takes_the_arena_and_no_addresses)
{
	const struct untwist_ring_setup wanted = { .flags = UNTWIST_RING_SQPOLL,
						   .sq_entries = 4,
						   .arena_size = 65536 };
	struct ring ring = ring_of(edu_start(false), &wanted);
	struct untwist_sqe sqe = edu_transfer(UNTWIST_EDU_OP_READ, 0, &ring, 8);

	EXPECT_EQ(8, arena_transfer(&ring, UNTWIST_EDU_OP_READ, 0, 8));
	ring_put(&ring, &sqe, 1);
	ASSERT_EQ(1, ring_enter(&ring, 1, 1));
	EXPECT_EQ(-EFAULT, ring_reap(&ring).res);
}

/* The pages are there until the device is done with them, mapped or not. */
TEST(ring_may_be_unmapped_and_closed_meanwhile)
{
	const struct untwist_ring_setup wanted = { .sq_entries = 4, .arena_size = 65536 };
	struct ring ring = ring_of(edu_start(false), &wanted);
	struct untwist_sqe sqe = edu_transfer(UNTWIST_EDU_OP_READ_LONG, 0, NULL, 65536);

	sqe.flags = UNTWIST_SQE_ARENA;
	ring_put(&ring, &sqe, 1);
	ASSERT_EQ(1, ring_enter(&ring, 1, 0));
	ASSERT_EQ(0, munmap(ring.map, ring.setup.map_size));
	ASSERT_EQ(0, close(ring.fd));
	/* The engine is free again for others. */
	EXPECT_EQ(1, transfer(edu_open(0), UNTWIST_EDU_OP_READ, 0, anonymous(1), 1));
}
