// SPDX-License-Identifier: MIT
/*
 * Requests on a node: each batch is filled in and submitted by one call, or
 * none with the poller, and each completion is looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/untwist.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "request.h"

#define ENTRIES	 128u
#define NEVER_US 1000000u

struct plane {
	int fd;
	unsigned int opcode;
	unsigned int calls;
	struct untwist_ring *head;
	struct untwist_sqe *sqes;
	struct untwist_cqe *cqes;
	unsigned int cq_mask;
};

static const char *plane_begin(struct work *work)
{
	struct plane *plane = calloc(1, sizeof(*plane));

	must(plane, "memory");
	plane->fd = open(work->data, O_RDWR | O_NONBLOCK);
	must(plane->fd >= 0, work->data);
	plane->opcode = (unsigned int)work->argument;
	work->data = plane;
	return NULL;
}

static void ring_map(struct plane *plane, unsigned int flags)
{
	struct untwist_ring_setup setup = {
		.sq_entries = ENTRIES,
		.flags = flags,
		.idle_us = flags ? NEVER_US : 0,
	};
	char *map;

	must(!ioctl(plane->fd, UNTWIST_IOC_RING_SETUP, &setup), "UNTWIST_IOC_RING_SETUP");
	map = mmap(NULL, setup.map_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		   plane->fd, 0);
	must(map != MAP_FAILED, "mmap of the ring");
	plane->head = (void *)(map + setup.header_off);
	plane->sqes = (void *)(map + setup.sq_off);
	plane->cqes = (void *)(map + setup.cq_off);
	plane->cq_mask = setup.cq_entries - 1;
}

const char *ring_begin(struct work *work)
{
	plane_begin(work);
	ring_map(work->data, 0);
	return NULL;
}

const char *ring_poller_begin(struct work *work)
{
	plane_begin(work);
	ring_map(work->data, UNTWIST_RING_SQPOLL);
	return NULL;
}

static void ring_put(struct plane *plane, unsigned int count)
{
	unsigned int tail = plane->head->sq_tail;
	unsigned int i;

	for (i = 0; i < count; i++)
		plane->sqes[(tail + i) & (ENTRIES - 1)] = (struct untwist_sqe){
			.user_data = i,
			.opcode = plane->opcode,
		};
	__atomic_store_n(&plane->head->sq_tail, tail + count, __ATOMIC_RELEASE);
}

/* Returns how many there were; they follow on those that were reaped of this batch. */
static unsigned int ring_reap(struct plane *plane, unsigned int before)
{
	unsigned int head = plane->head->cq_head;
	unsigned int tail = __atomic_load_n(&plane->head->cq_tail, __ATOMIC_ACQUIRE);
	unsigned int i;

	for (i = before; head != tail; head++, i++) {
		const struct untwist_cqe *cqe = &plane->cqes[head & plane->cq_mask];

		must(!cqe->res && cqe->user_data == i, "a completion of the ring");
	}
	__atomic_store_n(&plane->head->cq_head, head, __ATOMIC_RELEASE);
	return i - before;
}

void ring_run(struct work *work, unsigned int count)
{
	struct untwist_ring_enter enter = {
		.to_submit = work->depth,
		.min_complete = work->depth,
	};
	struct plane *plane = work->data;
	unsigned int done;

	for (done = 0; done < count; done += work->depth) {
		ring_put(plane, work->depth);
		must(ioctl(plane->fd, UNTWIST_IOC_RING_ENTER, &enter) == (int)work->depth,
		     "UNTWIST_IOC_RING_ENTER");
		must(ring_reap(plane, 0) == work->depth, "completions of the ring");
	}
}

static void ring_wake(struct plane *plane)
{
	struct untwist_ring_enter enter = { .flags = UNTWIST_ENTER_WAKE };

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!(plane->head->kernel_flags & UNTWIST_RING_NEED_WAKEUP))
		return;
	plane->calls++;
	must(!ioctl(plane->fd, UNTWIST_IOC_RING_ENTER, &enter), "UNTWIST_ENTER_WAKE");
}

void ring_poller_run(struct work *work, unsigned int count)
{
	struct plane *plane = work->data;
	unsigned int done;

	for (done = 0; done < count; done += work->depth) {
		unsigned int reaped = 0;

		ring_put(plane, work->depth);
		ring_wake(plane);
		while (reaped < work->depth)
			reaped += ring_reap(plane, reaped);
	}
}

unsigned int ring_calls(const struct work *work)
{
	const struct plane *plane = work->data;

	return plane->calls;
}

const char *ioctl_begin(struct work *work)
{
	__u32 completions = UNTWIST_PLANE_COMPLETIONS;
	struct plane *plane;

	plane_begin(work);
	plane = work->data;
	must(!ioctl(plane->fd, UNTWIST_IOC_SET_PLANE, &completions), "UNTWIST_IOC_SET_PLANE");
	plane->sqes = calloc(ENTRIES, sizeof(*plane->sqes));
	plane->cqes = calloc(ENTRIES, sizeof(*plane->cqes));
	must(plane->sqes && plane->cqes, "memory");
	return NULL;
}

void ioctl_run(struct work *work, unsigned int count)
{
	struct plane *plane = work->data;
	unsigned int depth = work->depth;
	struct untwist_submit submit = {
		.entries = (unsigned long)plane->sqes,
		.count = depth,
		.entry_size = sizeof(*plane->sqes),
	};
	ssize_t size = (ssize_t)(depth * sizeof(*plane->cqes));
	unsigned int done, i;

	for (done = 0; done < count; done += depth) {
		for (i = 0; i < depth; i++)
			plane->sqes[i] = (struct untwist_sqe){
				.user_data = i,
				.opcode = plane->opcode,
			};
		must(ioctl(plane->fd, UNTWIST_IOC_SUBMIT, &submit) == (int)depth,
		     "UNTWIST_IOC_SUBMIT");
		must(read(plane->fd, plane->cqes, (size_t)size) == size, "read of completions");
		for (i = 0; i < depth; i++)
			must(!plane->cqes[i].res && plane->cqes[i].user_data == i, "a completion");
	}
}
