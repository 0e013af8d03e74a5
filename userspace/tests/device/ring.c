// SPDX-License-Identifier: MIT
/* Rings: set up, mapped, lied to, and left behind by their device. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/untwist_loop.h>

#include "harness.h"
#include "loop.h"
#include "modules.h"
#include "pages.h"
#include "requests.h"
#include "rings.h"
#include "sleeper.h"

#define PAYLOAD_MAX 4096

static int ring_set_up(int fd, struct untwist_ring_setup setup)
{
	return ioctl(fd, UNTWIST_IOC_RING_SETUP, &setup);
}

static int set_up_small(int fd)
{
	return ring_set_up(fd, (struct untwist_ring_setup){ .sq_entries = 4 });
}

static int open_stream(int flags)
{
	loop_setup();
	return loop_open(LOOP_STREAM, flags);
}

static int poll_now(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLOUT };

	EXPECT_LE(0, poll(&pfd, 1, 0));
	return pfd.revents;
}

/* One request through the ring and back. */
static void expect_it_works(struct ring *ring, __u64 user_data)
{
	struct untwist_cqe cqe;

	ring_put_nops(ring, user_data, 1);
	ASSERT_EQ(1, ring_enter(ring, 1, 1));
	cqe = ring_reap(ring);
	EXPECT_EQ(user_data, cqe.user_data);
	EXPECT_EQ(0, cqe.res);
}

/* Set-up. */

TEST(setup_tells_what_there_is_and_where)
{
	struct untwist_ring_setup s = { .sq_entries = 5, .arena_size = 1 };
	__u64 page = page_size();
	int fd = open_stream(O_RDWR);

	ASSERT_EQ(0, ioctl(fd, UNTWIST_IOC_RING_SETUP, &s));
	EXPECT_EQ(8, s.sq_entries);
	EXPECT_EQ(16, s.cq_entries);
	EXPECT_EQ(1000, s.idle_us);
	EXPECT_EQ(sizeof(struct untwist_sqe), s.sqe_size);
	EXPECT_EQ(sizeof(struct untwist_cqe), s.cqe_size);
	EXPECT_EQ(page, s.arena_size);
	EXPECT_LE(s.header_off + sizeof(struct untwist_ring), s.sq_off);
	EXPECT_LE(s.sq_off + s.sq_entries * s.sqe_size, s.cq_off);
	EXPECT_LE(s.cq_off + s.cq_entries * s.cqe_size, s.arena_off);
	EXPECT_EQ(0, s.arena_off % page);
	EXPECT_EQ(s.arena_off + s.arena_size, s.map_size);
}

TEST(setup_rounds_before_it_compares)
{
	struct untwist_ring_setup s = { .sq_entries = 5, .cq_entries = 6 };
	int fd = open_stream(O_RDWR);

	ASSERT_EQ(0, ioctl(fd, UNTWIST_IOC_RING_SETUP, &s));
	EXPECT_EQ(8, s.sq_entries);
	EXPECT_EQ(8, s.cq_entries);
}

TEST(setup_takes_the_largest)
{
	struct ring ring = ring_open(&(struct untwist_ring_setup){
		.sq_entries = 4096,
		.cq_entries = 4096,
		.idle_us = 1000000,
		.arena_size = 16 << 20,
	});

	EXPECT_EQ(4096, ring.setup.sq_entries);
	ring.arena[ring.setup.arena_size - 1] = 1;
	expect_it_works(&ring, 1);
}

/* What is refused changes nothing, neither the open nor the argument. */
TEST(setup_refuses_what_cannot_be)
{
	static const struct untwist_ring_setup wrong[] = {
		{ .sq_entries = 1, .flags = UNTWIST_RING_SQPOLL << 1 },
		{ .sq_entries = 0 },
		{ .sq_entries = 4097 },
		{ .sq_entries = ~0u },
		{ .sq_entries = 8, .cq_entries = 4 },
		{ .sq_entries = 8, .cq_entries = 4097 },
		{ .sq_entries = 8, .cq_entries = ~0u },
		{ .sq_entries = 1, .idle_us = 1000001 },
		{ .sq_entries = 1, .arena_size = (16 << 20) + 1 },
		{ .sq_entries = 1, .arena_size = ~0ull },
		{ .sq_entries = 1, .reserved0 = 1 },
		{ .sq_entries = 1, .reserved = { 1, 0 } },
		{ .sq_entries = 1, .reserved = { 0, 1 } },
	};
	int fd = open_stream(O_RDWR);
	unsigned int i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct untwist_ring_setup setup = wrong[i];

		EXPECT_ERRNO(EINVAL, ioctl(fd, UNTWIST_IOC_RING_SETUP, &setup));
		EXPECT_EQ(0, memcmp(&setup, &wrong[i], sizeof(setup)));
	}
	EXPECT_EQ(0, set_up_small(fd));
}

TEST(setup_grows_as_long_as_the_rest_is_zero)
{
	struct {
		struct untwist_ring_setup setup;
		__u64 later;
	} longer = { .setup.sq_entries = 4, .later = 1 };
	size_t size = sizeof(longer);
	int fd = open_stream(O_RDWR);

	EXPECT_ERRNO(E2BIG, ioctl(fd, IOC_SIZED(UNTWIST_IOC_RING_SETUP, size), &longer));
	EXPECT_ERRNO(EINVAL, ioctl(fd, IOC_SIZED(UNTWIST_IOC_RING_SETUP, 72), &longer));
	longer.later = 0;
	EXPECT_EQ(0, ioctl(fd, IOC_SIZED(UNTWIST_IOC_RING_SETUP, size), &longer));
	EXPECT_EQ(0, longer.later);
	EXPECT_EQ(8, longer.setup.cq_entries);
}

TEST(setup_that_could_not_be_answered_is_none)
{
	unsigned char *edge = pages_with_edge();
	int fd = open_stream(O_RDWR);

	EXPECT_ERRNO(EFAULT, ioctl(fd, UNTWIST_IOC_RING_SETUP, edge - 8));
	EXPECT_ERRNO(EFAULT, ioctl(fd, UNTWIST_IOC_RING_SETUP, pages_read_only()));
	EXPECT_ERRNO(ENXIO, ring_enter(&(struct ring){ .fd = fd }, 0, 0));
	EXPECT_EQ(0, set_up_small(fd));
}

TEST(open_has_one_ring_and_begins_it_idle)
{
	struct untwist_sqe forever = request_echo(1, REQUEST_FOREVER, 0);
	int fd = open_stream(O_RDWR);

	ASSERT_EQ(0, requests_plane(fd, UNTWIST_PLANE_COMPLETIONS));
	ASSERT_EQ(1, requests_submit(fd, &forever, 1));
	EXPECT_ERRNO(EBUSY, set_up_small(fd));
	ASSERT_EQ(0, requests_cancel(fd, 1));
	/* Complete is not read. */
	EXPECT_EQ(1, poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, -1));
	EXPECT_ERRNO(EBUSY, set_up_small(fd));
	completion_read(fd);
	EXPECT_EQ(0, set_up_small(fd));
	EXPECT_ERRNO(EBUSY, set_up_small(fd));
}

TEST(ring_takes_an_open_for_reading_and_writing)
{
	EXPECT_ERRNO(EBADF, set_up_small(open_stream(O_RDONLY)));
	EXPECT_ERRNO(EBADF, set_up_small(loop_open(LOOP_STREAM, O_WRONLY)));
}

TEST(device_without_requests_has_no_ring)
{
	int fd;

	if (!module_is_loaded("untwist_tick"))
		module_load("untwist_tick", "");
	fd = open("/dev/untwist/tick0", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_ERRNO(EOPNOTSUPP, set_up_small(fd));
	EXPECT_ERRNO(EOPNOTSUPP, ioctl(fd, UNTWIST_IOC_RING_EVENTFD, &(__s32){ -1 }));
}

/* The other plane goes on beside it. */
TEST(ring_has_the_completions_and_read_has_the_data)
{
	struct untwist_cqe cqe;
	char byte = 'x';
	struct ring ring = ring_open_entries(4, 0);

	ring_put_nops(&ring, 1, 1);
	ASSERT_EQ(1, ring_enter(&ring, 1, 0));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(ring.fd));
	EXPECT_ERRNO(EINVAL, read(ring.fd, &cqe, sizeof(cqe)));
	ASSERT_EQ(0, requests_plane(ring.fd, UNTWIST_PLANE_DATA));
	EXPECT_EQ(POLLOUT, poll_now(ring.fd));
	EXPECT_EQ(1, write(ring.fd, &byte, 1));
	EXPECT_EQ(1, read(ring.fd, &byte, 1));
	EXPECT_EQ(1, ring_reap(&ring).user_data);
}

TEST(blocked_reader_is_told_of_the_ring)
{
	struct untwist_cqe cqe;
	struct sleeper reader;
	int fd = open_stream(O_RDWR);

	ASSERT_EQ(0, requests_plane(fd, UNTWIST_PLANE_COMPLETIONS));
	sleeper_start(&reader, sleep_in_read, fd, &cqe, sizeof(cqe));
	ASSERT_EQ(0, set_up_small(fd));
	EXPECT_EQ(-EINVAL, sleeper_result(&reader));
}

/* The mapping. */

static void expect_no_map(const struct ring *ring, int error, size_t size, int prot, int flags,
			  off_t offset)
{
	void *map = mmap(NULL, size, prot, flags, ring->fd, offset);

	EXPECT_ERRNO(error, map == MAP_FAILED ? -1 : 0);
}

TEST(mapping_is_whole_and_shared)
{
	struct ring ring = ring_open(&(struct untwist_ring_setup){
		.sq_entries = 64,
		.arena_size = 1,
	});
	size_t size = ring.setup.map_size;
	int rw = PROT_READ | PROT_WRITE;

	expect_no_map(&ring, EINVAL, size - page_size(), rw, MAP_SHARED, 0);
	expect_no_map(&ring, EINVAL, size + page_size(), rw, MAP_SHARED, 0);
	expect_no_map(&ring, EINVAL, size, rw, MAP_SHARED, page_size());
	expect_no_map(&ring, EINVAL, size, rw, MAP_PRIVATE, 0);
	expect_no_map(&ring, EPERM, size, rw | PROT_EXEC, MAP_SHARED, 0);
	expect_it_works(&ring, 1);
}

TEST(nothing_is_mapped_without_a_ring)
{
	struct ring none = { .fd = open_stream(O_RDWR) };

	expect_no_map(&none, ENXIO, page_size(), PROT_READ, MAP_SHARED, 0);
}

TEST(mapping_cannot_be_executed_or_made_longer)
{
	struct ring ring = ring_open_entries(4, 0);
	size_t size = ring.setup.map_size;

	EXPECT_ERRNO(EACCES, mprotect(ring.map, size, PROT_READ | PROT_EXEC));
	EXPECT_ERRNO(EFAULT,
		     mremap(ring.map, size, 2 * size, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0);
	EXPECT_EQ(0, mprotect(ring.map, size, PROT_READ));
	EXPECT_EQ(0, mprotect(ring.map, size, PROT_READ | PROT_WRITE));
	expect_it_works(&ring, 1);
}

TEST(mapping_may_move_and_be_made_again)
{
	struct ring ring = ring_open_entries(4, 0);
	size_t size = ring.setup.map_size;
	void *place = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *moved = mremap(ring.map, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, place);

	ASSERT_EQ((uintptr_t)place, (uintptr_t)moved);
	ring_map(&ring);
	expect_it_works(&ring, 1);
	EXPECT_EQ(1, ((struct untwist_ring *)moved)->sq_tail);
	ASSERT_EQ(0, munmap(moved, size));
	expect_it_works(&ring, 2);
}

TEST(mapping_in_parts_goes_in_parts)
{
	struct ring ring = ring_open(&(struct untwist_ring_setup){
		.sq_entries = 4,
		.arena_size = 3 * page_size(),
	});

	ASSERT_EQ(0, munmap(ring.arena + page_size(), page_size()));
	ring.arena[0] = 1;
	ring.arena[2 * page_size()] = 1;
	expect_it_works(&ring, 1);
}

TEST(child_does_not_inherit_the_mapping)
{
	struct ring ring = ring_open_entries(4, 0);
	pid_t child = fork();
	int status;

	ASSERT_LE(0, child);
	if (!child)
		_exit(ring.head->sq_tail);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGSEGV, WTERMSIG(status));
	expect_it_works(&ring, 1);
}

/* As long as it is there, so is the open; and the device need not be. */
TEST(mapping_keeps_the_open)
{
	struct untwist_sqe late = request_echo(1, 2000000, 0);
	struct ring ring = ring_open_entries(4, 0);

	ring_put(&ring, &late, 1);
	ASSERT_EQ(1, ring_enter(&ring, 1, 0));
	ASSERT_EQ(0, close(ring.fd));
	while (!ring_ready(&ring))
		sched_yield();
	EXPECT_EQ(0, ring_reap(&ring).res);
	loop_unplug();
	EXPECT_EQ(UNTWIST_RING_DEAD, ring_kernel_flags(&ring));
	ring.head->sq_tail = 7;
	EXPECT_EQ(7, ring.head->sq_tail);
}

/* The arena. */

static struct ring arena_open(void)
{
	return ring_open(&(struct untwist_ring_setup){
		.sq_entries = 4,
		.arena_size = 2 * page_size(),
	});
}

static struct untwist_sqe arena_echo(__u64 offset, __u32 len)
{
	return (struct untwist_sqe){
		.opcode = UNTWIST_LOOP_OP_ECHO,
		.flags = UNTWIST_SQE_ARENA,
		.addr = offset,
		.len = len,
	};
}

static __s32 result_of(struct ring *ring, const struct untwist_sqe *sqe)
{
	ring_put(ring, sqe, 1);
	ASSERT_EQ(1, ring_enter(ring, 1, 1));
	return ring_reap(ring).res;
}

/*
 * The driver has a copy from the moment of the submission: what the program
 * writes there meanwhile is overwritten by what it sent.
 */
TEST(arena_payload_comes_back_to_its_place)
{
	struct untwist_sqe before = request_echo(1, REQUEST_FOREVER, 0);
	struct ring ring = arena_open();
	struct untwist_sqe sqe = arena_echo(page_size() - 3, 6);

	memcpy(ring.arena + page_size() - 4, ".thing.", 8);
	before.flags = UNTWIST_SQE_HARDLINK;
	ring_put(&ring, &before, 1);
	ring_put(&ring, &sqe, 1);
	ASSERT_EQ(2, ring_enter(&ring, 2, 0));
	memset(ring.arena + page_size() - 4, '-', 8);
	ASSERT_EQ(0, requests_cancel(ring.fd, 1));
	ASSERT_EQ(0, ring_enter(&ring, 0, 2));
	EXPECT_EQ(-ECANCELED, ring_reap(&ring).res);
	EXPECT_EQ(6, ring_reap(&ring).res);
	EXPECT_EQ(0, memcmp(ring.arena + page_size() - 4, "-thing.-", 8));
}

TEST(arena_ends_where_it_ends)
{
	struct ring ring = arena_open();
	__u64 size = ring.setup.arena_size;
	const struct untwist_sqe inside[] = {
		arena_echo(0, 1),
		arena_echo(size - 1, 1),
		arena_echo(size - PAYLOAD_MAX, PAYLOAD_MAX),
	};
	const struct untwist_sqe outside[] = {
		arena_echo(size, 1),
		arena_echo(size - 1, 2),
		arena_echo(~0ull, 1),
		arena_echo(~0ull - 1, 4),
		arena_echo((uintptr_t)ring.arena, 1),
		arena_echo(1ull << 32, 1),
	};
	unsigned int i;

	for (i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		EXPECT_EQ(inside[i].len, result_of(&ring, &inside[i]));
	for (i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		EXPECT_EQ(-EFAULT, result_of(&ring, &outside[i]));
}

TEST(arena_of_no_bytes_holds_none)
{
	struct ring ring = ring_open_entries(4, 0);
	struct untwist_sqe sqe = arena_echo(0, 1);

	EXPECT_EQ(-EFAULT, result_of(&ring, &sqe));
	sqe.len = 0;
	EXPECT_EQ(0, result_of(&ring, &sqe));
}

TEST(arena_serves_the_other_door)
{
	struct ring ring = arena_open();
	struct untwist_sqe sqe = arena_echo(8, 5);

	memcpy(ring.arena + 8, "hello", 5);
	ASSERT_EQ(1, requests_submit(ring.fd, &sqe, 1));
	ASSERT_EQ(0, ring_enter(&ring, 0, 1));
	EXPECT_EQ(5, ring_reap(&ring).res);
	EXPECT_EQ(0, memcmp(ring.arena + 8, "hello", 5));
	sqe.addr = ring.setup.arena_size;
	EXPECT_ERRNO(EFAULT, requests_submit(ring.fd, &sqe, 1));
}

/* Programs that lie: theirs is broken, and nothing else. */

static void expect_broken(struct ring *ring)
{
	EXPECT_TRUE(poll_now(ring->fd) & POLLERR);
	EXPECT_TRUE(ring_kernel_flags(ring) & UNTWIST_RING_BROKEN);
	EXPECT_ERRNO(EBADMSG, ring_enter(ring, 1, 0));
	EXPECT_ERRNO(EBADMSG, ring_enter(ring, 0, 1));
	EXPECT_ERRNO(EBADMSG, ring_enter(ring, 0, 0));
}

/* Two are unread, of four that there may be, when the index is written. */
static void break_it(void (*lie)(struct ring *ring))
{
	struct ring ring = ring_open_entries(4, 0);
	struct ring other = ring_of(loop_open(LOOP_STREAM, O_RDWR),
				    &(struct untwist_ring_setup){ .sq_entries = 4 });

	expect_it_works(&ring, 1);
	ring_put_nops(&ring, 1, 2);
	ASSERT_EQ(2, ring_enter(&ring, 2, 2));
	lie(&ring);
	EXPECT_ERRNO(EBADMSG, ring_enter(&ring, 1, 0));
	expect_broken(&ring);
	/* For good: it cannot be taken back. */
	ring.head->sq_tail = ring.head->sq_head;
	ring.head->cq_head = ring.head->cq_tail;
	expect_broken(&ring);
	expect_it_works(&other, 1);
}

static void lie_tail_too_far(struct ring *ring)
{
	ring->head->sq_tail = ring->head->sq_head + ring->setup.sq_entries + 1;
}

TEST(tail_beyond_the_entries_breaks_the_ring)
{
	break_it(lie_tail_too_far);
}

static void lie_tail_back(struct ring *ring)
{
	ring->head->sq_tail = ring->head->sq_head - 1;
}

TEST(tail_behind_the_head_breaks_the_ring)
{
	break_it(lie_tail_back);
}

static void lie_head_ahead(struct ring *ring)
{
	ring->head->cq_head = ring->head->cq_tail + 1;
}

TEST(head_ahead_of_the_tail_breaks_the_ring)
{
	break_it(lie_head_ahead);
}

static void lie_head_back(struct ring *ring)
{
	/* A look at it, so that the kernel knows of the one that was reaped. */
	poll_now(ring->fd);
	ring->head->cq_head = 0;
}

TEST(head_that_goes_back_breaks_the_ring)
{
	break_it(lie_head_back);
}

/* The kernel's own members are for reading: what a program writes there is not looked at. */
TEST(what_the_kernel_writes_it_never_reads)
{
	struct ring ring = ring_open_entries(4, 0);

	expect_it_works(&ring, 1);
	ring.head->sq_head = 1000;
	ring.head->cq_tail = 2000;
	ring.head->kernel_flags = ~0u;
	memset(ring.head->reserved_kernel, 0xff, sizeof(ring.head->reserved_kernel));
	memset(ring.head->reserved_user, 0xff, sizeof(ring.head->reserved_user));
	ring.sqes[1] = (struct untwist_sqe){ .user_data = 2 };
	__atomic_store_n(&ring.head->sq_tail, 2, __ATOMIC_RELEASE);
	EXPECT_EQ(1, ring_enter(&ring, 1, 1));
	EXPECT_EQ(2, ring.head->sq_head);
	EXPECT_EQ(2, ring.head->cq_tail);
	EXPECT_EQ(2, ring_reap(&ring).user_data);
}

TEST(broken_ring_wakes_who_sleeps)
{
	struct ring ring = ring_open_entries(4, 0);
	struct sleeper sleeper;

	sleeper_start(&sleeper, sleep_in_enter, ring.fd, NULL, 1);
	lie_tail_too_far(&ring);
	EXPECT_ERRNO(EBADMSG, ring_enter(&ring, 1, 0));
	EXPECT_EQ(-EBADMSG, sleeper_result(&sleeper));
}

/* The device goes. */

TEST(ring_of_a_gone_device_says_so_and_stays)
{
	struct untwist_sqe forever = request_echo(5, REQUEST_FOREVER, 0);
	struct ring ring = ring_open_entries(4, 0);
	struct untwist_cqe cqe;

	ring_put(&ring, &forever, 1);
	ASSERT_EQ(1, ring_enter(&ring, 1, 0));
	ring_put_nops(&ring, 6, 1);
	EXPECT_EQ(0, ring_kernel_flags(&ring));
	loop_unplug();
	EXPECT_EQ(UNTWIST_RING_DEAD, ring_kernel_flags(&ring));
	EXPECT_EQ(POLLIN | POLLHUP | POLLERR, poll_now(ring.fd));
	EXPECT_EQ(0, ring_enter(&ring, 0, 1));
	cqe = ring_reap(&ring);
	EXPECT_EQ(5, cqe.user_data);
	EXPECT_EQ(-ENODEV, cqe.res);
	EXPECT_ERRNO(ENODEV, ring_enter(&ring, 1, 0));
	EXPECT_ERRNO(ENODEV, ring_enter(&ring, 0, 1));
	EXPECT_ERRNO(EINVAL, read(ring.fd, &cqe, sizeof(cqe)));
	expect_no_map(&ring, ENODEV, ring.setup.map_size, PROT_READ, MAP_SHARED, 0);
	EXPECT_ERRNO(ENODEV, set_up_small(ring.fd));
	EXPECT_EQ(1, ring.head->sq_head);
	ring.arena = ring.map;
	memset(ring.arena, 0xa5, ring.setup.map_size);
	EXPECT_TRUE(poll_now(ring.fd) & POLLHUP);
}

TEST(who_waits_in_a_ring_goes_home_with_the_device)
{
	struct ring ring = ring_open_entries(4, 0);
	struct sleeper sleepers[3];
	unsigned int i;

	for (i = 0; i < 3; i++)
		sleeper_start(&sleepers[i], sleep_in_enter, ring.fd, NULL, 1);
	loop_unplug();
	for (i = 0; i < 3; i++)
		EXPECT_EQ(-ENODEV, sleeper_result(&sleepers[i]));
}
