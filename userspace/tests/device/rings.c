// SPDX-License-Identifier: MIT
/* The ring of an open. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "harness.h"
#include "loop.h"
#include "rings.h"
#include "sleeper.h"

static __u32 load(const __u32 *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static void store(__u32 *index, __u32 value)
{
	__atomic_store_n(index, value, __ATOMIC_RELEASE);
}

void ring_map(struct ring *ring)
{
	ring->map =
		mmap(NULL, ring->setup.map_size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
	ASSERT_TRUE(ring->map != MAP_FAILED);
	ring->head = (void *)(ring->map + ring->setup.header_off);
	ring->sqes = (void *)(ring->map + ring->setup.sq_off);
	ring->cqes = (void *)(ring->map + ring->setup.cq_off);
	ring->arena = ring->map + ring->setup.arena_off;
}

struct ring ring_of(int fd, const struct untwist_ring_setup *wanted)
{
	struct ring ring = { .fd = fd, .setup = *wanted };

	ASSERT_EQ(0, ioctl(fd, UNTWIST_IOC_RING_SETUP, &ring.setup));
	ring_map(&ring);
	return ring;
}

struct ring ring_open(const struct untwist_ring_setup *wanted)
{
	loop_setup();
	return ring_of(loop_open(LOOP_STREAM, O_RDWR), wanted);
}

struct ring ring_open_entries(__u32 sq_entries, __u32 cq_entries)
{
	return ring_open(&(struct untwist_ring_setup){
		.sq_entries = sq_entries,
		.cq_entries = cq_entries,
	});
}

unsigned int ring_room(const struct ring *ring)
{
	return ring->setup.sq_entries - (ring->head->sq_tail - load(&ring->head->sq_head));
}

void ring_put(struct ring *ring, const struct untwist_sqe *sqes, unsigned int count)
{
	__u32 tail = ring->head->sq_tail;
	unsigned int i;

	ASSERT_LE(tail - load(&ring->head->sq_head) + count, ring->setup.sq_entries);
	for (i = 0; i < count; i++)
		ring->sqes[(tail + i) & (ring->setup.sq_entries - 1)] = sqes[i];
	store(&ring->head->sq_tail, tail + count);
}

void ring_put_nops(struct ring *ring, __u64 first_user_data, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		ring_put(ring, &(struct untwist_sqe){ .user_data = first_user_data + i }, 1);
}

int ring_enter_as(const struct ring *ring, struct untwist_ring_enter enter)
{
	return ioctl(ring->fd, UNTWIST_IOC_RING_ENTER, &enter);
}

int ring_enter(const struct ring *ring, unsigned int to_submit, unsigned int min_complete)
{
	return ring_enter_as(ring,
			     (struct untwist_ring_enter){
				     .to_submit = to_submit,
				     .min_complete = min_complete,
			     });
}

unsigned int ring_ready(const struct ring *ring)
{
	return load(&ring->head->cq_tail) - ring->head->cq_head;
}

struct untwist_cqe ring_reap(struct ring *ring)
{
	__u32 head = ring->head->cq_head;
	struct untwist_cqe cqe;

	ASSERT_LT(0, ring_ready(ring));
	cqe = ring->cqes[head & (ring->setup.cq_entries - 1)];
	store(&ring->head->cq_head, head + 1);
	return cqe;
}

__u32 ring_kernel_flags(const struct ring *ring)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return load(&ring->head->kernel_flags);
}

void ring_user_flags(struct ring *ring, __u32 flags)
{
	store(&ring->head->user_flags, flags);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

long sleep_in_enter(struct sleeper *sleeper)
{
	struct untwist_ring_enter enter = { .min_complete = sleeper->len };

	return ioctl(sleeper->fd, UNTWIST_IOC_RING_ENTER, &enter);
}
