// SPDX-License-Identifier: MIT
/*
 * io_uring as its bare system calls make it: each batch is filled in, submitted
 * and waited for by one call, and each completion is looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/untwist.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"
#include "uring.h"

#define ENTRIES 256u

struct uring {
	int fd;
	unsigned int *sq_tail;
	unsigned int *sq_array;
	unsigned int *cq_head;
	unsigned int *cq_tail;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	unsigned int sqe_step;
	unsigned int cq_mask;
	unsigned char opcode;
	int node;
	struct untwist_sqe request;
};

static void *map(int fd, size_t size, off_t offset)
{
	void *memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);

	must(memory != MAP_FAILED, "mmap of io_uring");
	return memory;
}

static const char *uring_begin(struct work *work, unsigned int flags, struct uring **ret)
{
	struct io_uring_params params = { .flags = flags };
	struct uring *uring = calloc(1, sizeof(*uring));
	char *sq, *cq;

	must(uring, "memory");
	uring->fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &params);
	if (uring->fd < 0) {
		free(uring);
		return "this kernel has no io_uring";
	}
	uring->sqe_step = flags & IORING_SETUP_SQE128 ? 2 : 1;
	sq = map(uring->fd, params.sq_off.array + ENTRIES * sizeof(unsigned int),
		 IORING_OFF_SQ_RING);
	cq = map(uring->fd, params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe),
		 IORING_OFF_CQ_RING);
	uring->sqes = map(uring->fd, sizeof(struct io_uring_sqe) * ENTRIES * uring->sqe_step,
			  IORING_OFF_SQES);
	uring->sq_tail = (void *)(sq + params.sq_off.tail);
	uring->sq_array = (void *)(sq + params.sq_off.array);
	uring->cq_head = (void *)(cq + params.cq_off.head);
	uring->cq_tail = (void *)(cq + params.cq_off.tail);
	uring->cqes = (void *)(cq + params.cq_off.cqes);
	uring->cq_mask = params.cq_entries - 1;
	work->data = uring;
	*ret = uring;
	return NULL;
}

const char *uring_nop_begin(struct work *work)
{
	struct uring *uring;
	const char *missing = uring_begin(work, 0, &uring);

	if (!missing)
		uring->opcode = IORING_OP_NOP;
	return missing;
}

static const char *command_begin(struct work *work, unsigned int flags)
{
	const char *path = work->data;
	struct uring *uring;
	const char *missing;
	int node = open(path, O_RDWR);

	if (node < 0) {
		must(errno == ENOENT, path);
		return "there is no such device";
	}
	missing = uring_begin(work, flags, &uring);
	if (missing) {
		close(node);
		return missing;
	}
	uring->opcode = IORING_OP_URING_CMD;
	uring->node = node;
	return NULL;
}

const char *uring_command_begin(struct work *work)
{
	return command_begin(work, IORING_SETUP_SQE128);
}

const char *uring_pointer_begin(struct work *work)
{
	return command_begin(work, 0);
}

static void fill(struct uring *uring, unsigned int tail, unsigned int user_data)
{
	unsigned int index = tail & (ENTRIES - 1);
	struct io_uring_sqe *sqe = &uring->sqes[index * uring->sqe_step];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = uring->opcode;
	sqe->user_data = user_data;
	uring->sq_array[index] = index;
	if (uring->opcode == IORING_OP_NOP)
		return;
	sqe->fd = uring->node;
	sqe->cmd_op = UNTWIST_URING_SUBMIT;
	if (uring->sqe_step == 2) {
		memcpy(sqe->cmd, &uring->request, sizeof(uring->request));
	} else {
		struct untwist_uring_cmd where = { .sqe = (unsigned long)&uring->request };

		memcpy(sqe->cmd, &where, sizeof(where));
	}
}

static void reap(struct uring *uring, unsigned int count)
{
	unsigned int head = *uring->cq_head;
	unsigned int tail = __atomic_load_n(uring->cq_tail, __ATOMIC_ACQUIRE);
	unsigned int i;

	must(tail - head == count, "completions of io_uring");
	for (i = 0; i < count; i++, head++) {
		const struct io_uring_cqe *cqe = &uring->cqes[head & uring->cq_mask];

		must(!cqe->res && cqe->user_data == i, "a completion of io_uring");
	}
	__atomic_store_n(uring->cq_head, head, __ATOMIC_RELEASE);
}

void uring_run(struct work *work, unsigned int count)
{
	struct uring *uring = work->data;
	unsigned int depth = work->depth;
	unsigned int done, i;

	for (done = 0; done < count; done += depth) {
		unsigned int tail = *uring->sq_tail;

		for (i = 0; i < depth; i++)
			fill(uring, tail + i, i);
		__atomic_store_n(uring->sq_tail, tail + depth, __ATOMIC_RELEASE);
		must(syscall(SYS_io_uring_enter, uring->fd, depth, depth, IORING_ENTER_GETEVENTS,
			     NULL, 0) == (long)depth,
		     "io_uring_enter");
		reap(uring, depth);
	}
}
