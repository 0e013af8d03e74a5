// SPDX-License-Identifier: MIT
/* io_uring, by its system calls alone. */
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "entries.h"
#include "life.h"
#include "uring.h"
#include "window.h"

#define ENTRIES 16

static __u32 *index_at(const struct uring *uring, __u32 offset)
{
	return (__u32 *)(uring->rings + offset);
}

static size_t sqe_size(const struct uring *uring)
{
	return uring->params.flags & IORING_SETUP_SQE128 ? 128 : 64;
}

static void uring_close(struct uring *uring)
{
	if (uring->rings)
		munmap(uring->rings, uring->rings_size);
	if (uring->sqes)
		munmap(uring->sqes, uring->sqes_size);
	close(uring->fd);
	memset(uring, 0, sizeof(*uring));
}

static long uring_open(struct uring *uring, struct dice *dice)
{
	static const __u32 flags[] = {
		0,
		IORING_SETUP_COOP_TASKRUN,
		IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
		IORING_SETUP_SQPOLL,
	};
	size_t cqe_size;

	memset(uring, 0, sizeof(*uring));
	uring->params.flags = flags[dice_below(dice, sizeof(flags) / sizeof(flags[0]))];
	uring->params.flags |= dice_one_in(dice, 2) ? IORING_SETUP_SQE128 : 0;
	uring->params.flags |= dice_one_in(dice, 2) ? IORING_SETUP_CQE32 : 0;
	uring->fd = syscall(SYS_io_uring_setup, ENTRIES, &uring->params);
	if (uring->fd < 0) {
		uring->fd = 0;
		return -1;
	}
	cqe_size = uring->params.flags & IORING_SETUP_CQE32 ? 32 : 16;
	uring->rings_size = uring->params.cq_off.cqes + uring->params.cq_entries * cqe_size;
	if (uring->rings_size < uring->params.sq_off.array + ENTRIES * sizeof(__u32))
		uring->rings_size = uring->params.sq_off.array + ENTRIES * sizeof(__u32);
	uring->sqes_size = ENTRIES * sqe_size(uring);
	uring->rings = window_outside(uring->rings_size, uring->fd, IORING_OFF_SQ_RING);
	uring->sqes = window_outside(uring->sqes_size, uring->fd, IORING_OFF_SQES);
	if (uring->rings && uring->sqes)
		return 0;
	uring_close(uring);
	return -1;
}

/* A request of Untwist's, within the entry or where that says. */
static void fill_command(struct fuzzer *fuzzer, struct io_uring_sqe *sqe)
{
	struct untwist_sqe request = any_sqe(&fuzzer->dice);

	sqe->opcode = IORING_OP_URING_CMD;
	sqe->cmd_op = any_size(&fuzzer->dice, UNTWIST_URING_SUBMIT);
	request.flags &= UNTWIST_SQE_ARENA;
	if (fuzzer->uring.params.flags & IORING_SETUP_SQE128) {
		memcpy(sqe->cmd, &request, sizeof(request));
	} else {
		unsigned char *at = ground() + dice_below(&fuzzer->dice, GROUND_SIZE - 64);
		struct untwist_uring_cmd where = { .sqe = (uintptr_t)at };

		memcpy(at, &request, sizeof(request));
		memcpy(sqe->cmd, &where, sizeof(where));
	}
}

static void fill_entry(struct fuzzer *fuzzer, struct io_uring_sqe *sqe)
{
	struct dice *dice = &fuzzer->dice;

	memset(sqe, 0, sqe_size(&fuzzer->uring));
	sqe->fd = life_file(fuzzer);
	sqe->user_data = any_user_data(dice);
	sqe->len = dice_length(dice, 8192);
	sqe->addr = (uintptr_t)ground_any(dice, sqe->len);
	switch (dice_below(dice, 8)) {
	case 0:
		sqe->opcode = IORING_OP_READ;
		break;
	case 1:
		sqe->opcode = IORING_OP_WRITE;
		break;
	case 2:
		sqe->opcode = IORING_OP_POLL_ADD;
		sqe->len = dice_one_in(dice, 4) ? IORING_POLL_ADD_MULTI : 0;
		sqe->addr = 0;
		sqe->poll32_events = POLLIN | POLLOUT | POLLPRI;
		break;
	case 3:
		sqe->opcode = IORING_OP_ASYNC_CANCEL;
		sqe->len = 0;
		sqe->addr = any_user_data(dice);
		break;
	default:
		fill_command(fuzzer, sqe);
	}
	if (dice_one_in(dice, 8))
		sqe->flags |= dice_one_in(dice, 2) ? IOSQE_IO_LINK : IOSQE_ASYNC;
	if (dice_one_in(dice, 32))
		dice_mutate(dice, sqe, sqe_size(&fuzzer->uring));
}

static long uring_submit(struct fuzzer *fuzzer)
{
	struct uring *uring = &fuzzer->uring;
	__u32 *tail = index_at(uring, uring->params.sq_off.tail);
	__u32 *head = index_at(uring, uring->params.sq_off.head);
	__u32 *array = index_at(uring, uring->params.sq_off.array);
	__u32 count = 1 + dice_below(&fuzzer->dice, ENTRIES);
	unsigned int flags = IORING_ENTER_GETEVENTS;
	__u32 i;

	for (i = 0; i < count; i++) {
		__u32 at = *tail & (ENTRIES - 1);

		if (*tail - __atomic_load_n(head, __ATOMIC_ACQUIRE) >= ENTRIES)
			break;
		fill_entry(fuzzer, (void *)(uring->sqes + at * sqe_size(uring)));
		array[at] = at;
		__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	}
	if (uring->params.flags & IORING_SETUP_SQPOLL)
		flags |= IORING_ENTER_SQ_WAKEUP;
	return syscall(SYS_io_uring_enter, uring->fd, i, dice_one_in(&fuzzer->dice, 4), flags, NULL,
		       0);
}

static void uring_reap(struct uring *uring)
{
	__u32 *head = index_at(uring, uring->params.cq_off.head);
	__u32 *tail = index_at(uring, uring->params.cq_off.tail);

	__atomic_store_n(head, __atomic_load_n(tail, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
}

long uring_use(struct fuzzer *fuzzer)
{
	struct uring *uring = &fuzzer->uring;

	if (!uring->fd)
		return uring_open(uring, &fuzzer->dice);
	uring_reap(uring);
	if (dice_one_in(&fuzzer->dice, 24)) {
		uring_close(uring);
		return 0;
	}
	return uring_submit(fuzzer);
}
