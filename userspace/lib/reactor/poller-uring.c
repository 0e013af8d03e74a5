// SPDX-License-Identifier: MIT
/*
 * The back end over io_uring.
 *
 * What is wanted of a descriptor is kept in a table, by its number, and the kernel
 * is told of all changes at once by the call that waits. So a watch that changes
 * its mind costs nothing, and one that has just fired goes without a system call.
 *
 * Edge-triggered watches are multishot polls: armed once, they tell again by
 * themselves. A poll of io_uring has no level; level-triggered watches are armed
 * anew, in the call that waits, each time they have told: the kernel looks at the
 * descriptor then. What was armed before tells what was true when it was woken,
 * and a callback may have changed that since. Who watches a level may block on the
 * strength of it, so such news is looked into - by one call for all of a batch,
 * and only if anything at all may have come in while callbacks ran.
 *
 * A poll holds its file open. Stopping must not leave the peer of a closed socket
 * without its end, so a poll that is still armed is removed at once.
 *
 * Each arming has a number of its own, which a completion brings back: what comes
 * from one that is over is dropped.
 *
 * The ring belongs to the thread that made it, which makes it twice as fast. When
 * the reactor is taken to another thread, the ring is made again there.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include <liburing.h>

#include "reactor/poller.h"

#define SUBMISSIONS 256
#define COMPLETIONS 4096
#define SMALLEST    64 /* descriptors in the table */

/* Waits are cut to this; the reactor simply waits again. */
#define LONGEST_WAIT (UINT64_C(1) << 30) /* seconds */

/* The completion that nobody waits for: of a removal that came too late. */
#define NOBODY UINT64_MAX

#define MODES ((uint32_t)EPOLLET | (uint32_t)EPOLLONESHOT)

/*
 * The kernel delivers some twenty completions in one go (before Linux 6.14: all). Who
 * got fewer than this got all there were.
 */
#define ONE_GO 16

#define NOT_LISTED  0
#define END_OF_LIST UINT32_MAX

struct interest {
	uint64_t tag;
	uint32_t wanted; /* events and modes */
	uint32_t told; /* those that the armed poll is for */
	uint32_t arming; /* the number of the last poll */
	uint32_t wait; /* the number of the wait that it was armed in */
	uint32_t next; /* number of the next changed one, plus one */
	bool used;
	bool armed;
	bool again; /* to be armed anew even if nothing changes */
};

struct ring {
	struct io_uring uring;
	unsigned int owner; /* the thread that made it */
	bool nested; /* its descriptor has been asked for */
	struct interest *interests; /* by descriptor */
	uint32_t count;
	uint32_t changed; /* head of the list of those that the kernel must be told of */
	uint32_t waits; /* the number of this wait */
	bool more; /* the kernel may hold some back from the last one */
};

/* Events on their way to the reactor. */
struct harvest {
	struct utw_poller_event *events;
	unsigned int count;
	bool fresh; /* no callback has run since what they tell was true */
	struct pollfd doubts[UTW_POLLER_BATCH]; /* to be looked into ... */
	unsigned int doubted[UTW_POLLER_BATCH]; /* ... and which event each is about */
	unsigned int doubt_count;
};

static unsigned int this_thread(void)
{
	static atomic_uint threads;
	static _Thread_local unsigned int number;

	if (!number)
		number = atomic_fetch_add(&threads, 1) + 1;
	return number;
}

/*
 * To leave completions until they are asked for is what makes a ring fast. But then
 * it does not wake who polls its descriptor, so one that is nested does without.
 */
static int uring_open(struct io_uring *uring, bool nested)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER,
		.cq_entries = COMPLETIONS,
	};

	if (!nested)
		params.flags |= IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
	return io_uring_queue_init_params(SUBMISSIONS, uring, &params);
}

static const char *reason_of(int error)
{
	switch (error) {
	case -ENOSYS:
		return "io_uring: not in this kernel";
	case -EINVAL:
		return "io_uring: needs Linux 6.1";
	case -EPERM:
	case -EACCES:
		return "io_uring: forbidden here";
	default:
		return "io_uring: cannot be set up";
	}
}

static int ring_open(struct utw_poller *p)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	int error;

	if (!ring)
		return -ENOMEM;
	error = uring_open(&ring->uring, false);
	if (error < 0) {
		free(ring);
		p->reason = reason_of(error);
		return error;
	}
	ring->owner = this_thread();
	ring->changed = END_OF_LIST;
	p->state = ring;
	return 0;
}

static void ring_mark(struct ring *ring, struct interest *interest)
{
	if (interest->next != NOT_LISTED)
		return;
	interest->next = ring->changed;
	ring->changed = (uint32_t)(interest - ring->interests) + 1;
}

/* A free submission; NULL when the kernel takes none. */
/* What is queued goes to the kernel, whatever signal comes. */
static int ring_submit(struct ring *ring)
{
	int count;

	do {
		count = io_uring_submit_and_get_events(&ring->uring);
	} while (count == -EINTR);
	return count;
}

static struct io_uring_sqe *ring_entry(struct ring *ring)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);

	if (sqe)
		return sqe;
	while (io_uring_submit(&ring->uring) == -EINTR)
		;
	return io_uring_get_sqe(&ring->uring);
}

static uint64_t poll_name(const struct ring *ring, const struct interest *interest)
{
	return (uint64_t)interest->arming << 32 | (uint64_t)(interest - ring->interests);
}

/* Returns false when there is no room for it. */
static bool ring_disarm(struct ring *ring, struct interest *interest)
{
	struct io_uring_sqe *sqe = ring_entry(ring);

	if (!sqe)
		return false;
	io_uring_prep_poll_remove(sqe, poll_name(ring, interest));
	io_uring_sqe_set_flags(sqe, IOSQE_CQE_SKIP_SUCCESS);
	io_uring_sqe_set_data64(sqe, NOBODY);
	interest->armed = false;
	return true;
}

/*
 * Close the ring, and with it the polls that are armed. Only the thread that made
 * it can let go of their files at once; for another one this takes a moment.
 */
static void ring_shut(struct ring *ring)
{
	uint32_t i;

	if (ring->owner == this_thread()) {
		for (i = 0; i < ring->count; i++)
			if (ring->interests[i].armed)
				ring_disarm(ring, &ring->interests[i]);
		ring_submit(ring);
	}
	io_uring_queue_exit(&ring->uring);
}

/* Another ring, in this thread, in which nothing is armed yet. */
static int ring_reopen(struct ring *ring)
{
	struct io_uring fresh;
	uint32_t i;
	int error = uring_open(&fresh, ring->nested);

	if (error < 0)
		return error;
	for (i = 0; i < ring->count; i++)
		if (ring->interests[i].armed)
			ring_mark(ring, &ring->interests[i]);
	ring_shut(ring);
	for (i = 0; i < ring->count; i++)
		ring->interests[i].armed = false;
	ring->uring = fresh;
	ring->owner = this_thread();
	ring->more = false;
	return 0;
}

static int ring_claim(struct ring *ring)
{
	return ring->owner == this_thread() ? 0 : ring_reopen(ring);
}

static bool ring_arm(struct ring *ring, struct interest *interest)
{
	struct io_uring_sqe *sqe = ring_entry(ring);
	int fd = (int)(interest - ring->interests);

	if (!sqe)
		return false;
	if ((interest->wanted & MODES) == (uint32_t)EPOLLET)
		io_uring_prep_poll_multishot(sqe, fd, interest->wanted & ~MODES);
	else
		io_uring_prep_poll_add(sqe, fd, interest->wanted & ~MODES);
	interest->arming++;
	interest->wait = ring->waits;
	interest->told = interest->wanted;
	interest->armed = true;
	interest->again = false;
	io_uring_sqe_set_data64(sqe, poll_name(ring, interest));
	return true;
}

static bool ring_tell(struct ring *ring, struct interest *interest)
{
	if (!interest->used)
		return true;
	if (interest->armed && interest->told == interest->wanted && !interest->again)
		return true;
	if (interest->armed && !ring_disarm(ring, interest))
		return false;
	return ring_arm(ring, interest);
}

/* What finds no room stays in the list, for the next time. */
static void ring_tell_changes(struct ring *ring)
{
	while (ring->changed != END_OF_LIST) {
		struct interest *interest = &ring->interests[ring->changed - 1];

		if (!ring_tell(ring, interest))
			return;
		ring->changed = interest->next;
		interest->next = NOT_LISTED;
	}
}

static int ring_flush(struct utw_poller *p)
{
	struct ring *ring = p->state;
	int count = ring_claim(ring);

	if (count < 0)
		return count;
	ring_tell_changes(ring);
	if (!io_uring_sq_ready(&ring->uring))
		return 0;
	count = ring_submit(ring);
	return count < 0 ? count : 0;
}

static int table_grow(struct ring *ring, uint32_t needed)
{
	uint32_t count = ring->count ? ring->count : SMALLEST;
	struct interest *interests;
	uint32_t i;

	while (count <= needed)
		count *= 2;
	interests = reallocarray(ring->interests, count, sizeof(*interests));
	if (!interests)
		return -ENOMEM;
	for (i = ring->count; i < count; i++)
		interests[i] = (struct interest){ .next = NOT_LISTED };
	ring->interests = interests;
	ring->count = count;
	return 0;
}

static int ring_add(struct utw_poller *p, int fd, uint32_t events, uint64_t tag)
{
	struct ring *ring = p->state;
	struct interest *interest;

	if (fcntl(fd, F_GETFD) < 0)
		return -errno;
	if ((uint32_t)fd >= ring->count && table_grow(ring, (uint32_t)fd) < 0)
		return -ENOMEM;
	interest = &ring->interests[fd];
	if (interest->used)
		return -EEXIST;
	interest->used = true;
	interest->wanted = events;
	interest->tag = tag;
	ring_mark(ring, interest);
	return 0;
}

/* NULL when we know nothing of the descriptor. */
static struct interest *ring_find(struct ring *ring, int fd)
{
	if (fd < 0 || (uint32_t)fd >= ring->count || !ring->interests[fd].used)
		return NULL;
	return &ring->interests[fd];
}

static int ring_modify(struct utw_poller *p, int fd, uint32_t events, uint64_t tag)
{
	struct ring *ring = p->state;
	struct interest *interest = ring_find(ring, fd);

	if (!interest)
		return -ENOENT;
	interest->wanted = events;
	interest->tag = tag;
	interest->again = events & MODES;
	ring_mark(ring, interest);
	return 0;
}

static int ring_remove(struct utw_poller *p, int fd)
{
	struct ring *ring = p->state;
	struct interest *interest = ring_find(ring, fd);

	if (!interest)
		return -ENOENT;
	interest->used = false;
	/* Claimed by another thread, the ring has dropped its polls already. */
	if (ring_claim(ring) == 0 && interest->armed && ring_disarm(ring, interest))
		ring_submit(ring);
	interest->armed = false;
	interest->arming++;
	return 0;
}

static void ring_close(struct utw_poller *p)
{
	struct ring *ring = p->state;

	ring_shut(ring);
	free(ring->interests);
	free(ring);
}

static int ring_wait(struct ring *ring, uint64_t timeout)
{
	struct __kernel_timespec wait = { .tv_sec = LONGEST_WAIT };
	struct io_uring_cqe *cqe;

	if (timeout == 0)
		return io_uring_submit_and_get_events(&ring->uring);
	if (timeout == UTW_FOREVER)
		return io_uring_submit_and_wait(&ring->uring, 1);
	if (timeout / UTW_NSEC_PER_SEC < LONGEST_WAIT) {
		wait.tv_sec = (long long)(timeout / UTW_NSEC_PER_SEC);
		wait.tv_nsec = (long long)(timeout % UTW_NSEC_PER_SEC);
	}
	return io_uring_submit_and_wait_timeout(&ring->uring, &cqe, 1, &wait, NULL);
}

static bool is_level(const struct interest *interest)
{
	return !(interest->wanted & MODES);
}

/* What a failed poll means: 0 for nothing, or the events to tell of. */
static uint32_t ring_failed(struct ring *ring, struct interest *interest, int error)
{
	switch (error) {
	case -ECANCELED:
	case -EBADF: /* closed too early: epoll forgets such a one in silence, too */
	case -EINVAL: /* a regular file, of which nothing is wanted that it ever tells */
		return 0;
	case -ENOMEM:
	case -EAGAIN:
		ring_mark(ring, interest);
		return 0;
	default:
		return EPOLLERR | EPOLLHUP;
	}
}

/* Whose completion it is; NULL when it is nobody's any more. */
static struct interest *ring_find_poll(struct ring *ring, const struct io_uring_cqe *cqe)
{
	uint32_t fd = (uint32_t)cqe->user_data;
	struct interest *interest;

	if (cqe->user_data == NOBODY || fd >= ring->count)
		return NULL;
	interest = &ring->interests[fd];
	return interest->used && poll_name(ring, interest) == cqe->user_data ? interest : NULL;
}

/* The events a completion stands for, or 0. What it leaves unarmed is armed by the next wait. */
static uint32_t ring_read(struct ring *ring, struct interest *interest,
			  const struct io_uring_cqe *cqe)
{
	if (!(cqe->flags & IORING_CQE_F_MORE))
		interest->armed = false;
	if (cqe->res < 0)
		return ring_failed(ring, interest, cqe->res);
	if (!interest->armed && !(interest->wanted & (uint32_t)EPOLLONESHOT))
		ring_mark(ring, interest);
	return (uint32_t)cqe->res;
}

static void harvest_doubt(struct harvest *harvest, int fd, uint32_t events)
{
	harvest->doubts[harvest->doubt_count] = (struct pollfd){
		.fd = fd,
		.events = (short)events,
	};
	harvest->doubted[harvest->doubt_count++] = harvest->count;
}

static void harvest_take(struct harvest *harvest, struct ring *ring, const struct io_uring_cqe *cqe)
{
	struct interest *interest = ring_find_poll(ring, cqe);
	uint32_t ready = interest ? ring_read(ring, interest, cqe) : 0;

	if (!ready)
		return;
	if (!harvest->fresh && is_level(interest) && interest->wait != ring->waits)
		harvest_doubt(harvest, (int)(interest - ring->interests), interest->wanted);
	harvest->events[harvest->count].tag = interest->tag;
	harvest->events[harvest->count++].events = ready;
}

/* See what is true now of what is in doubt, and close the gaps that this leaves. */
static void harvest_sift(struct harvest *harvest)
{
	unsigned int i, kept = 0;
	int error;

	if (!harvest->doubt_count)
		return;
	do {
		error = poll(harvest->doubts, harvest->doubt_count, 0);
	} while (error < 0 && errno == EINTR);
	if (error < 0)
		return;
	for (i = 0; i < harvest->doubt_count; i++)
		harvest->events[harvest->doubted[i]].events = (uint16_t)harvest->doubts[i].revents;
	for (i = 0; i < harvest->count; i++)
		if (harvest->events[i].events)
			harvest->events[kept++] = harvest->events[i];
	harvest->count = kept;
}

static void harvest_reap(struct harvest *harvest, struct ring *ring)
{
	struct io_uring_cqe *cqe;
	unsigned int head, seen = 0;

	io_uring_for_each_cqe(&ring->uring, head, cqe)
	{
		if (harvest->count == UTW_POLLER_BATCH)
			break;
		harvest_take(harvest, ring, cqe);
		seen++;
	}
	io_uring_cq_advance(&ring->uring, seen);
	ring->more = seen >= ONE_GO;
	harvest_sift(harvest);
	harvest->doubt_count = 0;
}

/* Has nothing been woken up to now that is yet to be told? */
static bool ring_is_still(const struct ring *ring)
{
	return !ring->more && !io_uring_cq_ready(&ring->uring) &&
		!(IO_URING_READ_ONCE(*ring->uring.sq.kflags) & IORING_SQ_TASKRUN);
}

/* Returns 0, or what waiting said if that brought nothing. */
static int ring_gather(struct ring *ring, uint64_t timeout, struct harvest *harvest)
{
	bool waiting;
	int error = 0;

	ring_tell_changes(ring);
	waiting = io_uring_cq_ready(&ring->uring);
	if (!waiting || io_uring_sq_ready(&ring->uring))
		error = ring_wait(ring, waiting ? 0 : timeout);
	harvest_reap(harvest, ring);
	/* Full for the moment: what could not be submitted stays for the next wait. */
	if (harvest->count || error >= 0 || error == -ETIME || error == -EBUSY || error == -EAGAIN)
		return 0;
	return error;
}

static int ring_get_fd(struct utw_poller *p)
{
	struct ring *ring = p->state;
	int error;

	if (!ring->nested) {
		ring->nested = true;
		error = ring_reopen(ring);
		if (error < 0) {
			ring->nested = false;
			return error;
		}
	}
	return ring->uring.ring_fd;
}

static int ring_take(struct utw_poller *p, uint64_t timeout, struct utw_poller_event *events)
{
	struct ring *ring = p->state;
	struct harvest harvest;
	int error = ring_claim(ring);

	if (error < 0)
		return error;
	harvest.events = events;
	harvest.count = 0;
	harvest.doubt_count = 0;
	harvest.fresh = ring_is_still(ring);
	ring->waits++;
	error = ring_gather(ring, timeout, &harvest);
	/* All of it was out of date, but there is more. */
	while (!error && !harvest.count && ring->more)
		error = ring_gather(ring, 0, &harvest);
	return error ? error : (int)harvest.count;
}

static const struct utw_poller_ops uring_ops = {
	.name = "io_uring",
	.open = ring_open,
	.close = ring_close,
	.add = ring_add,
	.modify = ring_modify,
	.remove = ring_remove,
	.wait = ring_take,
	.flush = ring_flush,
	.get_fd = ring_get_fd,
};

const struct utw_poller_ops *const utw_poller_uring = &uring_ops;
