// SPDX-License-Identifier: MIT
/*
 * io_uring as one writes it by hand: multishot polls to be told of readiness; for an
 * echo nothing but completions, received into buffers that the kernel picks.
 */
#include "subject.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <liburing.h>

#define SUBMISSIONS 4096
#define COMPLETIONS 65536
#define BUFFERS	    4096
#define BUFFER_SIZE 256
#define MOST_FDS    32768

enum purpose {
	POLLED,
	ACCEPTED,
	RECEIVED,
	SENT,
};

static struct io_uring ring;
static struct io_uring_buf_ring *pool;
static char *buffers;
static char (*answers)[BUFFER_SIZE]; /* by descriptor: what is on its way out */

static void uring_open(int side)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
			IORING_SETUP_CQSIZE,
		.cq_entries = COMPLETIONS,
	};

	(void)side;
	errno = -io_uring_queue_init_params(SUBMISSIONS, &ring, &params);
	die_if(errno, "io_uring");
	io_uring_register_ring_fd(&ring);
}

static struct io_uring_sqe *entry(void)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	while (!sqe) {
		io_uring_submit(&ring);
		sqe = io_uring_get_sqe(&ring);
	}
	return sqe;
}

/* After it was prepared, which may clear the name. */
static void name(struct io_uring_sqe *sqe, enum purpose purpose, unsigned int number)
{
	sqe->user_data = (uint64_t)purpose << 32 | number;
}

static const int *watched;

static void arm_poll(unsigned int number)
{
	struct io_uring_sqe *sqe = entry();

	io_uring_prep_poll_multishot(sqe, watched[number], POLLIN);
	name(sqe, POLLED, number);
}

static void uring_watch(const int *fds, unsigned int count)
{
	unsigned int i;

	watched = fds;
	for (i = 0; i < count; i++)
		arm_poll(i);
	io_uring_submit(&ring);
}

static bool polled(const struct io_uring_cqe *cqe)
{
	unsigned int number = (uint32_t)cqe->user_data;

	if (!(cqe->flags & IORING_CQE_F_MORE))
		arm_poll(number);
	return chain_step(number);
}

static void uring_run(int side)
{
	bool over = false;

	(void)side;
	while (!over) {
		struct io_uring_cqe *cqe;
		unsigned int head, seen = 0;

		io_uring_submit_and_wait(&ring, 1);
		io_uring_for_each_cqe(&ring, head, cqe)
		{
			over |= polled(cqe);
			seen++;
		}
		io_uring_cq_advance(&ring, seen);
	}
}

static void give_back(unsigned int buffer)
{
	io_uring_buf_ring_add(pool, buffers + (size_t)buffer * BUFFER_SIZE, BUFFER_SIZE,
			      (unsigned short)buffer, io_uring_buf_ring_mask(BUFFERS), 0);
	io_uring_buf_ring_advance(pool, 1);
}

static void pool_open(void)
{
	struct io_uring_buf_reg reg = { .ring_entries = BUFFERS };
	unsigned int i;

	pool = mmap(NULL, BUFFERS * sizeof(struct io_uring_buf), PROT_READ | PROT_WRITE,
		    MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
	die_if(pool == MAP_FAILED, "mmap");
	reg.ring_addr = (uint64_t)(uintptr_t)pool;
	errno = -io_uring_register_buf_ring(&ring, &reg, 0);
	die_if(errno, "io_uring_register_buf_ring");
	io_uring_buf_ring_init(pool);
	buffers = allocate(BUFFERS, BUFFER_SIZE);
	answers = allocate(MOST_FDS, BUFFER_SIZE);
	for (i = 0; i < BUFFERS; i++)
		give_back(i);
}

static void arm_accept(int listener)
{
	struct io_uring_sqe *sqe = entry();

	io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, SOCK_CLOEXEC);
	name(sqe, ACCEPTED, (unsigned int)listener);
}

static void arm_receive(int fd)
{
	struct io_uring_sqe *sqe = entry();

	io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	name(sqe, RECEIVED, (unsigned int)fd);
}

static void answer(int fd, const char *data, size_t len)
{
	struct io_uring_sqe *sqe = entry();

	memcpy(answers[fd], data, len);
	io_uring_prep_send(sqe, fd, answers[fd], len, MSG_NOSIGNAL | MSG_WAITALL);
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
	name(sqe, SENT, (unsigned int)fd);
}

static void accepted(const struct io_uring_cqe *cqe)
{
	if (cqe->res >= 0)
		arm_receive(cqe->res);
	if (!(cqe->flags & IORING_CQE_F_MORE))
		arm_accept((int)(uint32_t)cqe->user_data);
}

static void received(const struct io_uring_cqe *cqe)
{
	unsigned int buffer = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
	int fd = (int)(uint32_t)cqe->user_data;

	if (cqe->res <= 0 && cqe->res != -ENOBUFS) {
		close(fd);
		return;
	}
	if (cqe->res > 0) {
		answer(fd, buffers + (size_t)buffer * BUFFER_SIZE, (size_t)cqe->res);
		give_back(buffer);
	}
	if (!(cqe->flags & IORING_CQE_F_MORE))
		arm_receive(fd);
}

static void uring_echo(int listener)
{
	pool_open();
	arm_accept(listener);
	io_uring_submit(&ring);
	echo_served();
	for (;;) {
		struct io_uring_cqe *cqe;
		unsigned int head, seen = 0;

		io_uring_submit_and_wait(&ring, 1);
		io_uring_for_each_cqe(&ring, head, cqe)
		{
			if (cqe->user_data >> 32 == RECEIVED)
				received(cqe);
			else if (cqe->user_data >> 32 == ACCEPTED)
				accepted(cqe);
			seen++;
		}
		io_uring_cq_advance(&ring, seen);
	}
}

const struct subject subjects[] = {
	{
		.name = "uring",
		.open = uring_open,
		.run = uring_run,
		.watch = uring_watch,
		.echo = uring_echo,
	},
	{ 0 },
};
