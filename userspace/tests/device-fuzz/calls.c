// SPDX-License-Identifier: MIT
/* The system calls that a node may see. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "calls.h"
#include "entries.h"
#include "life.h"
#include "rings.h"
#include "window.h"

static long call_open(struct fuzzer *fuzzer)
{
	static const char *const nodes[] = {
		"/dev/untwist/loop0", "/dev/untwist/loop1", "/dev/untwist/loop0",
		"/dev/untwist/loop1", "/dev/untwist/loop2", "/dev/untwist/tick0",
		"/dev/untwist/edu0",  "/dev/untwist/edu0",
	};
	static const int modes[] = { O_RDWR, O_RDWR, O_RDWR, O_RDONLY, O_WRONLY, O_RDWR | O_APPEND };
	int flags = modes[dice_below(&fuzzer->dice, 6)];
	int fd;

	if (!dice_one_in(&fuzzer->dice, 4))
		flags |= O_NONBLOCK;
	if (dice_one_in(&fuzzer->dice, 2))
		flags |= O_CLOEXEC;
	fd = open(nodes[dice_below(&fuzzer->dice, 8)], flags);
	if (fd >= 0)
		life_keep(fuzzer, fuzzer->life->files, LIFE_FILES, fd);
	return fd;
}

static long call_close(struct fuzzer *fuzzer)
{
	life_keep(fuzzer, fuzzer->life->files, LIFE_FILES, -1);
	return 0;
}

static long call_dup(struct fuzzer *fuzzer)
{
	int fd = fcntl(life_file(fuzzer), F_DUPFD_CLOEXEC, 0);

	if (fd >= 0)
		life_keep(fuzzer, fuzzer->life->files, LIFE_FILES, fd);
	return fd;
}

/* What reads and writes are made with; the lengths add up to a few pages at most. */
static int any_vector(struct fuzzer *fuzzer, struct iovec *iov)
{
	int n = 1 + dice_below(&fuzzer->dice, 4);
	int i;

	for (i = 0; i < n; i++) {
		iov[i].iov_len = dice_length(&fuzzer->dice, 9000);
		iov[i].iov_base = ground_any(&fuzzer->dice, iov[i].iov_len);
	}
	return n;
}

static long call_read(struct fuzzer *fuzzer)
{
	uint32_t len = dice_length(&fuzzer->dice, 66000);

	return read(life_file(fuzzer), ground_any(&fuzzer->dice, len), len);
}

static long call_readv(struct fuzzer *fuzzer)
{
	struct iovec iov[4];
	int n = any_vector(fuzzer, iov);
	int flags = dice_one_in(&fuzzer->dice, 2) ? RWF_NOWAIT : 0;

	return preadv2(life_file(fuzzer), iov, n, -1, flags);
}

static long call_write(struct fuzzer *fuzzer)
{
	uint32_t len = dice_length(&fuzzer->dice, 66000);

	return write(life_file(fuzzer), ground_any(&fuzzer->dice, len), len);
}

static long call_writev(struct fuzzer *fuzzer)
{
	struct iovec iov[4];
	int n = any_vector(fuzzer, iov);
	int flags = dice_one_in(&fuzzer->dice, 2) ? RWF_NOWAIT : 0;

	return pwritev2(life_file(fuzzer), iov, n, -1, flags);
}

static long call_submit(struct fuzzer *fuzzer)
{
	struct untwist_sqe sqes[24];
	struct untwist_submit submit = {
		.entries = (uintptr_t)sqes,
		.count = 1 + dice_below(&fuzzer->dice, 24),
		.entry_size = sizeof(sqes[0]),
	};
	unsigned int i;

	for (i = 0; i < submit.count; i++)
		sqes[i] = any_sqe(&fuzzer->dice);
	if (dice_one_in(&fuzzer->dice, 16))
		dice_mutate(&fuzzer->dice, &submit, sizeof(submit));
	return ioctl(life_file(fuzzer), any_size(&fuzzer->dice, UNTWIST_IOC_SUBMIT), &submit);
}

static long call_cancel(struct fuzzer *fuzzer)
{
	struct untwist_cancel cancel = { .user_data = any_user_data(&fuzzer->dice) };

	if (dice_one_in(&fuzzer->dice, 16))
		dice_mutate(&fuzzer->dice, &cancel, sizeof(cancel));
	return ioctl(life_file(fuzzer), any_size(&fuzzer->dice, UNTWIST_IOC_CANCEL), &cancel);
}

static long call_plane(struct fuzzer *fuzzer)
{
	__u32 plane = dice_one_in(&fuzzer->dice, 16) ? dice_number(&fuzzer->dice)
						     : dice_below(&fuzzer->dice, 2);

	return ioctl(life_file(fuzzer), UNTWIST_IOC_SET_PLANE, &plane);
}

static long call_options(struct fuzzer *fuzzer)
{
	struct untwist_options options = any_options(&fuzzer->dice);

	return ioctl(life_file(fuzzer), any_size(&fuzzer->dice, UNTWIST_IOC_SET_OPTIONS), &options);
}

/* What only asks. */
static long call_ask(struct fuzzer *fuzzer)
{
	static const unsigned long cmds[] = {
		UNTWIST_IOC_GET_INFO,
		UNTWIST_IOC_GET_LOST,
		UNTWIST_IOC_GET_OPTIONS,
		UNTWIST_IOC_GET_EVENTS,
		FIONREAD,
	};
	unsigned long cmd = cmds[dice_below(&fuzzer->dice, 5)];

	return ioctl(life_file(fuzzer), any_size(&fuzzer->dice, cmd),
		     ground_any(&fuzzer->dice, 16384));
}

/* Numbers of ours that there may be some day, and numbers of others. */
static long call_ioctl(struct fuzzer *fuzzer)
{
	unsigned long cmd = _IOC(dice_below(&fuzzer->dice, 4), UNTWIST_IOC_MAGIC,
				 dice_below(&fuzzer->dice, 40),
				 dice_length(&fuzzer->dice, 200) & 0x3fff);
	unsigned char *arg = ground_any(&fuzzer->dice, 16384);

	if (dice_one_in(&fuzzer->dice, 8))
		cmd = dice_number(&fuzzer->dice);
	return ioctl(life_file(fuzzer), cmd, arg);
}

static long call_eventfd(struct fuzzer *fuzzer)
{
	__s32 fd = life_other(fuzzer);

	if (dice_one_in(&fuzzer->dice, 2)) {
		fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (fd >= 0)
			life_keep(fuzzer, fuzzer->life->others, LIFE_OTHERS, fd);
	} else if (dice_one_in(&fuzzer->dice, 4)) {
		fd = -1;
	}
	return ioctl(life_file(fuzzer), UNTWIST_IOC_RING_EVENTFD, &fd);
}

static long call_poll(struct fuzzer *fuzzer)
{
	struct pollfd pfds[4];
	int i;

	for (i = 0; i < 4; i++)
		pfds[i] = (struct pollfd){
			.fd = life_file(fuzzer),
			.events = dice_below(&fuzzer->dice, 128),
		};
	return poll(pfds, 1 + dice_below(&fuzzer->dice, 4),
		    dice_one_in(&fuzzer->dice, 16) ? -1 : (int)dice_below(&fuzzer->dice, 3));
}

static long call_epoll(struct fuzzer *fuzzer)
{
	static const int modes[] = { 0, EPOLLET, EPOLLONESHOT, EPOLLEXCLUSIVE };
	struct epoll_event event = {
		.events = (EPOLLIN | EPOLLOUT | EPOLLPRI) & dice_number(&fuzzer->dice),
	};
	int epoll = life_other(fuzzer);
	int op = 1 + dice_below(&fuzzer->dice, 3);

	switch (dice_below(&fuzzer->dice, 6)) {
	case 0:
		epoll = epoll_create1(EPOLL_CLOEXEC);
		if (epoll >= 0)
			life_keep(fuzzer, fuzzer->life->others, LIFE_OTHERS, epoll);
		return epoll;
	case 1:
		return epoll_wait(epoll, &event, 1, dice_below(&fuzzer->dice, 3));
	default:
		event.events |= modes[dice_below(&fuzzer->dice, 4)];
		return epoll_ctl(epoll, op, life_file(fuzzer), &event);
	}
}

/* Signals that come with what happens are ignored: see life.c. */
static long call_fcntl(struct fuzzer *fuzzer)
{
	int fd = life_file(fuzzer);

	switch (dice_below(&fuzzer->dice, 4)) {
	case 0:
		return fcntl(fd, F_SETFL, dice_below(&fuzzer->dice, 4) * O_NONBLOCK);
	case 1:
		return fcntl(fd, F_SETFL, O_ASYNC | (dice_one_in(&fuzzer->dice, 2) * O_NONBLOCK));
	case 2:
		return fcntl(fd, F_SETSIG, dice_one_in(&fuzzer->dice, 2) ? SIGIO : SIGRTMIN);
	default:
		return fcntl(fd, F_SETOWN, getpid());
	}
}

/* Between a node and a pipe of this call's own; it is never waited for its other end. */
static long call_splice(struct fuzzer *fuzzer)
{
	unsigned int flags = dice_one_in(&fuzzer->dice, 4) ? 0 : SPLICE_F_NONBLOCK;
	uint32_t len = dice_length(&fuzzer->dice, 8192);
	int ends[2];
	long ret;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return -1;
	switch (dice_below(&fuzzer->dice, 4)) {
	case 0:
		ret = splice(life_file(fuzzer), NULL, ends[1], NULL, len, flags);
		break;
	case 1:
		ret = sendfile(life_file(fuzzer), life_file(fuzzer), NULL, len);
		break;
	default:
		ret = write(ends[1], ground(), 1 + dice_below(&fuzzer->dice, 9000));
		ret = splice(ends[0], NULL, life_file(fuzzer), NULL, len, flags);
	}
	close(ends[0]);
	close(ends[1]);
	return ret;
}

/* Memory that requests may be using, exchanged for other memory. */
static long call_forget(struct fuzzer *fuzzer)
{
	size_t page = dice_below(&fuzzer->dice, GROUND_SIZE / 4096 - 8);

	return madvise(ground() + page * 4096, (1 + dice_below(&fuzzer->dice, 8)) * 4096,
		       MADV_DONTNEED);
}

static long call_fork(struct fuzzer *fuzzer)
{
	/* Not fork(): other threads may hold what that would want. */
	long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	calls_of_child(fuzzer);
	_exit(0);
}

static long call_fdinfo(struct fuzzer *fuzzer)
{
	char path[40], text[1000];
	long ret;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", life_file(fuzzer));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = read(fd, text, sizeof(text));
	close(fd);
	return ret;
}

/* What other files have, and nodes have not. */
static long call_other(struct fuzzer *fuzzer)
{
	int fd = life_file(fuzzer);
	struct stat stat;

	switch (dice_below(&fuzzer->dice, 6)) {
	case 0:
		return lseek(fd, dice_number(&fuzzer->dice), dice_below(&fuzzer->dice, 5));
	case 1:
		return fsync(fd);
	case 2:
		return ftruncate(fd, dice_number(&fuzzer->dice));
	case 3:
		return fstat(fd, &stat);
	case 4:
		return posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) ? -1 : 0;
	default:
		return pread(fd, ground(), 100, dice_number(&fuzzer->dice));
	}
}

const struct call calls[] = {
	{ "open", call_open, 8 },	 { "close", call_close, 3 },
	{ "dup", call_dup, 1 },		 { "read", call_read, 10 },
	{ "readv", call_readv, 4 },	 { "write", call_write, 10 },
	{ "writev", call_writev, 4 },	 { "submit", call_submit, 14 },
	{ "cancel", call_cancel, 5 },	 { "plane", call_plane, 5 },
	{ "options", call_options, 4 },	 { "ask", call_ask, 4 },
	{ "ioctl", call_ioctl, 4 },	 { "eventfd", call_eventfd, 3 },
	{ "poll", call_poll, 4 },	 { "epoll", call_epoll, 8 },
	{ "fcntl", call_fcntl, 4 },	 { "splice", call_splice, 5 },
	{ "forget", call_forget, 2 },	 { "fork", call_fork, 1 },
	{ "fdinfo", call_fdinfo, 1 },	 { "other", call_other, 1 },
	{ "ring setup", ring_setup, 5 }, { "ring map", ring_map, 2 },
	{ "ring unmap", ring_unmap, 1 }, { "ring protect", ring_protect, 1 },
	{ "ring move", ring_move, 1 },	 { "ring submit", ring_submit, 16 },
	{ "ring reap", ring_reap, 6 },	 { "ring enter", ring_enter, 16 },
	{ "io_uring", uring_use, 14 },
};

unsigned int calls_count(void)
{
	return sizeof(calls) / sizeof(calls[0]);
}

unsigned int calls_choose(struct fuzzer *fuzzer)
{
	unsigned int sum = 0;
	unsigned int i;
	uint32_t at;

	for (i = 0; i < calls_count(); i++)
		sum += calls[i].weight;
	at = dice_below(&fuzzer->dice, sum);
	for (i = 0; at >= calls[i].weight; i++)
		at -= calls[i].weight;
	return i;
}

void calls_of_child(struct fuzzer *fuzzer)
{
	static long (*const short_ones[])(struct fuzzer *) = {
		call_close, call_cancel, call_ask, ring_unmap, ring_reap, call_plane,
	};
	unsigned int times = dice_below(&fuzzer->dice, 6);

	while (times--)
		short_ones[dice_below(&fuzzer->dice, 6)](fuzzer);
}
