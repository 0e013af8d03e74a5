// SPDX-License-Identifier: MIT
/*
 * The ring as a door: see device-door.h, and linux/untwist.h for the protocol.
 *
 * The kernel wakes us for the completion after cq_event and for no other. While
 * there are some to reap that place is behind, and it is silent; when the last
 * one is reaped the place is moved up, and the tail looked at once more.
 */
#include "device-door.h"

#include <errno.h>
#include <sys/mman.h>

#include "device-node.h"

/* Entries of one submission at most. */
#define RING_SQ_MOST	 256
#define RING_ENTRIES_MAX 4096
/* Larger payloads go by their address: they pay for their copy. */
#define RING_PLACE_MOST 4096
#define RING_PLACE_STEP 64

static uint32_t ring_room(const struct utw_ring *ring)
{
	uint32_t taken = __atomic_load_n(&ring->head->sq_head, __ATOMIC_ACQUIRE);

	return ring->sq_entries - (ring->sq_tail - taken);
}

/*
 * Only a call makes the kernel look, so entries that it left are taken back: who
 * waits for room waits with us and can be cancelled here.
 */
static void ring_retract(struct utw_ring *ring)
{
	ring->sq_tail = __atomic_load_n(&ring->head->sq_head, __ATOMIC_ACQUIRE);
	__atomic_store_n(&ring->head->sq_tail, ring->sq_tail, __ATOMIC_RELEASE);
}

/* Who submits reaps when the call returns: no need to be woken for what ends inside it. */
static int ring_submit(struct utw_door *door, const struct untwist_sqe *sqe, uint32_t count)
{
	struct utw_ring *ring = &door->ring;
	struct untwist_ring_enter enter = { .to_submit = 0 };
	uint32_t room = ring_room(ring);
	int taken;

	enter.to_submit = count < room ? count : room;
	for (uint32_t i = 0; i < enter.to_submit; i++)
		ring->sqes[(ring->sq_tail + i) & (ring->sq_entries - 1)] = sqe[i];
	ring->sq_tail += enter.to_submit;
	__atomic_store_n(&ring->head->sq_tail, ring->sq_tail, __ATOMIC_RELEASE);
	__atomic_store_n(&ring->head->cq_event, ring->cq_head - 1, __ATOMIC_RELAXED);
	taken = utw_device_ioctl(door->fd, UNTWIST_IOC_RING_ENTER, &enter);
	if (taken < (int)enter.to_submit)
		ring_retract(ring);
	return taken;
}

static uint32_t ring_take(struct utw_ring *ring, struct untwist_cqe *cqe, uint32_t count)
{
	/* Acquire, for the entries; in sequence, for ring_reap(). */
	uint32_t tail = __atomic_load_n(&ring->head->cq_tail, __ATOMIC_SEQ_CST);
	uint32_t ready = tail - ring->cq_head;

	if (ready < count)
		count = ready;
	for (uint32_t i = 0; i < count; i++)
		cqe[i] = ring->cqes[(ring->cq_head + i) & (ring->cq_entries - 1)];
	ring->cq_head += count;
	__atomic_store_n(&ring->head->cq_head, ring->cq_head, __ATOMIC_RELEASE);
	return count;
}

static int ring_reap(struct utw_door *door, struct untwist_cqe *cqe, uint32_t count)
{
	struct utw_ring *ring = &door->ring;
	uint32_t got = ring_take(ring, cqe, count);
	uint32_t asked = ring->cq_head - 1;

	/*
	 * From each store on the next one wakes us, and what came before is seen by another
	 * look: store and load stay in sequence. A fence would say so, too, but not to TSan.
	 * What that look finds is behind the place that was asked for: ask again.
	 */
	while (got < count && asked != ring->cq_head) {
		asked = ring->cq_head;
		__atomic_store_n(&ring->head->cq_event, asked, __ATOMIC_SEQ_CST);
		got += ring_take(ring, cqe + got, count - got);
	}
	return (int)got;
}

static void ring_close(struct utw_door *door)
{
	munmap(door->ring.map, door->ring.map_size);
}

static const struct utw_door_ops ring_ops = {
	.name = "ring",
	.reap_is_free = true,
	.submit = ring_submit,
	.reap = ring_reap,
	.close = ring_close,
	.cancel = utw_door_cancel,
};

static uint32_t at_most(uint32_t number, uint32_t most)
{
	return number < most ? number : most;
}

static uint32_t ring_place_size(const struct untwist_info *info)
{
	uint32_t size = at_most(info->payload_max, RING_PLACE_MOST);

	return (size + RING_PLACE_STEP - 1) / RING_PLACE_STEP * RING_PLACE_STEP;
}

/* Twice the completions that are due: what multishot requests bring has room, too. */
static void ring_wish(const struct untwist_info *info, struct untwist_ring_setup *setup)
{
	setup->sq_entries = at_most(info->requests_max, RING_SQ_MOST);
	setup->cq_entries = info->requests_max < RING_ENTRIES_MAX / 2 ? 2 * info->requests_max
								      : RING_ENTRIES_MAX;
	setup->arena_size = (uint64_t)ring_place_size(info) * UTW_ARENA_PLACES;
}

/* Entries of another size would be somebody else's. */
static bool ring_speaks_ours(const struct untwist_ring_setup *setup)
{
	return setup->sqe_size == sizeof(struct untwist_sqe) &&
		setup->cqe_size == sizeof(struct untwist_cqe) &&
		setup->map_size == (size_t)setup->map_size;
}

static void ring_lay_out(struct utw_ring *ring, const struct untwist_ring_setup *setup)
{
	char *base = ring->map;

	ring->head = (void *)(base + setup->header_off);
	ring->sqes = (void *)(base + setup->sq_off);
	ring->cqes = (const void *)(base + setup->cq_off);
	ring->sq_entries = setup->sq_entries;
	ring->cq_entries = setup->cq_entries;
	__atomic_store_n(&ring->head->user_flags, UNTWIST_RING_EVENT_IDX, __ATOMIC_RELEASE);
}

int utw_door_ring_init(struct utw_door *door)
{
	struct untwist_ring_setup setup = { .flags = 0 };
	struct utw_ring *ring = &door->ring;
	int error;

	ring_wish(&door->info, &setup);
	error = utw_device_ioctl(door->fd, UNTWIST_IOC_RING_SETUP, &setup);
	if (error)
		return error;
	if (!ring_speaks_ours(&setup))
		return -EPROTONOSUPPORT;
	ring->map_size = (size_t)setup.map_size;
	ring->map = mmap(NULL, ring->map_size, PROT_READ | PROT_WRITE, MAP_SHARED, door->fd, 0);
	if (ring->map == MAP_FAILED)
		return -errno;
	ring_lay_out(ring, &setup);
	utw_arena_init(&door->arena, (char *)ring->map + setup.arena_off,
		       ring_place_size(&door->info));
	door->capacity = at_most(door->info.requests_max, ring->cq_entries);
	door->ops = &ring_ops;
	return 0;
}
