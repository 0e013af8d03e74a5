/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Untwist: the contract between untwist.ko and programs.
 *
 * A node under /dev/untwist is a pollable character device. Each open of it is
 * a channel of its own, with its own queues. A channel has two planes, and
 * read(), write() and poll() speak of the one that the channel has chosen:
 *
 *   data         read() and write() move bytes (stream devices) or whole
 *                records (record devices);
 *   completions  read() returns struct untwist_cqe entries, one for each
 *                request that was submitted; write() is refused.
 *
 * A device with a data plane opens on it, any other opens on completions.
 *
 * poll() bits, for the chosen plane:
 *   EPOLLIN | EPOLLRDNORM    a read returns something
 *   EPOLLOUT | EPOLLWRNORM   a write (data) or a submission (completions) of
 *                            the usual size is accepted
 *   EPOLLPRI                 (data) received data was lost because the queue
 *                            was full, and UNTWIST_IOC_GET_LOST tells how
 *                            much; or (both planes) something happened, and
 *                            UNTWIST_IOC_GET_EVENTS tells what
 *   EPOLLIN | EPOLLRDHUP     (data) no more data comes: read() returns what is
 *                            left and then 0, for ever, unplugged or not.
 *                            write() goes on working.
 *   EPOLLHUP | EPOLLERR      the device is gone. What had arrived before can
 *                            still be read (EPOLLIN says so), then read()
 *                            fails with ENODEV, as all other calls do at once.
 *                            On the completions plane the end is told after
 *                            the last request in flight has completed.
 *                            FIONREAD, UNTWIST_IOC_GET_LOST and
 *                            UNTWIST_IOC_GET_EVENTS go on working.
 *
 * open() fails with EBUSY if the device has as many opens as it allows, one if
 * it is exclusive; an open that was closed counts until the driver has let go
 * of it. It fails with EDQUOT if the user has as many as the device allows one
 * user, and with EPERM if a capability is missing that the device asks for.
 * EDQUOT, from open() and from what makes queues larger, submits for the first
 * time or sets a ring up, also says that the user's opens would hold more memory
 * than the device allows one user; /proc/PID/fdinfo tells what each holds.
 *
 * How this file grows: the size of a structure is part of its ioctl number and
 * the kernel accepts shorter and longer ones of the same ordinal, as long as
 * the bytes that it does not know are zero (else E2BIG). All reserved members
 * and all unknown flags must be zero (else EINVAL). Nothing is ever re-used.
 */
#ifndef _UAPI_LINUX_UNTWIST_H
#define _UAPI_LINUX_UNTWIST_H

#include <linux/const.h>
#include <linux/ioctl.h>
#include <linux/types.h>

#define UNTWIST_IOC_MAGIC	0xE8

#define UNTWIST_NAME_LEN	32

/* untwist_info.kind: what read() and write() move on the data plane. */
#define UNTWIST_KIND_NONE	0	/* no data plane */
#define UNTWIST_KIND_STREAM	1	/* bytes, no boundaries */
#define UNTWIST_KIND_RECORD	2	/* whole records, never split */

/* untwist_info.plane, and the argument of UNTWIST_IOC_SET_PLANE. */
#define UNTWIST_PLANE_DATA		0
#define UNTWIST_PLANE_COMPLETIONS	1

/* untwist_info.features */
#define UNTWIST_FEAT_REQUESTS	_BITULL(0)	/* the device takes requests */
#define UNTWIST_FEAT_CANCEL	_BITULL(1)	/* it can cancel issued ones */
#define UNTWIST_FEAT_CHAIN	_BITULL(2)	/* links and drain */
#define UNTWIST_FEAT_TIMEOUT	_BITULL(3)	/* untwist_sqe.timeout_ns */
#define UNTWIST_FEAT_MULTISHOT	_BITULL(4)	/* some opcodes complete many times */
#define UNTWIST_FEAT_RING	_BITULL(5)	/* UNTWIST_IOC_RING_SETUP */
#define UNTWIST_FEAT_URING	_BITULL(6)	/* io_uring, see UNTWIST_URING_SUBMIT */
#define UNTWIST_FEAT_BLOCK	_BITULL(7)	/* UNTWIST_OVERFLOW_BLOCK */
#define UNTWIST_FEAT_PAGES	_BITULL(8)	/* some opcodes use payloads in place */

/**
 * struct untwist_info - what a device is and what a channel of it can hold
 * @kind: one of UNTWIST_KIND_*
 * @plane: plane of this channel, one of UNTWIST_PLANE_*
 * @features: set of UNTWIST_FEAT_*
 * @rx_size: receive queue, in bytes
 * @tx_size: transmit queue, in bytes; 0, the device takes no writes
 * @record_max: largest record in bytes, 0 for other kinds
 * @requests_max: requests that may be in flight or unread at once
 * @payload_max: largest untwist_sqe.len in bytes, of opcodes whose payload is
 *	copied
 * @pages_max: likewise, of opcodes that use it in place; 0, there are none
 * @device: name of the node under /dev/untwist, terminated by NUL
 * @driver: name of the driver behind it, terminated by NUL
 */
struct untwist_info {
	__u32 kind;
	__u32 plane;
	__aligned_u64 features;
	__u32 rx_size;
	__u32 tx_size;
	__u32 record_max;
	__u32 requests_max;
	__u32 payload_max;
	__u32 pages_max;
	char device[UNTWIST_NAME_LEN];
	char driver[UNTWIST_NAME_LEN];
};

/* Opcodes below UNTWIST_OP_DRIVER belong to the core, the others to drivers. */
#define UNTWIST_OP_NOP		0	/* completes at once with result 0 */
#define UNTWIST_OP_DRIVER	16

/*
 * untwist_sqe.flags
 *
 * A chain is a run of entries of one submission, each but the last with LINK or
 * HARDLINK. Its requests run one after another. After a LINK the next one is
 * only started if this one's result is not negative; else all the rest of the
 * chain completes with ECANCELED. A HARDLINK goes on after a failure, too. A
 * cancel of a request that has not been started takes the rest of its chain
 * with it. A chain is taken whole or not at all.
 *
 * DRAIN, on the first of a chain or on a single entry: it is started when all
 * requests that this channel took before are complete, and what is submitted
 * after it is started when it is complete, the whole chain.
 *
 * MULTISHOT: the request stays, and completes many times, each time but the
 * last with UNTWIST_CQE_F_MORE. Only for opcodes that say so, else its one
 * completion says EOPNOTSUPP.
 *
 * ARENA: @addr is an offset in the arena of the channel's ring.
 */
#define UNTWIST_SQE_LINK	0x01U
#define UNTWIST_SQE_HARDLINK	0x02U
#define UNTWIST_SQE_DRAIN	0x04U
#define UNTWIST_SQE_MULTISHOT	0x08U
#define UNTWIST_SQE_ARENA	0x10U

/**
 * struct untwist_sqe - one request
 * @user_data: returned with the completion, not looked at
 * @opcode: what to do: UNTWIST_OP_*, or one of the device's own
 * @flags: set of UNTWIST_SQE_*
 * @addr: address of the payload in the memory of the caller, 0 without one.
 *	The memory is read before the submission returns. If the opcode
 *	returns data, it is written here before the completion can be read;
 *	it must stay mapped until then. An opcode that uses its payload in
 *	place (UNTWIST_FEAT_PAGES) reads and writes it at any time from the
 *	submission to the completion, even if the request fails; nobody else
 *	is to write there meanwhile. Its pages are charged to the user
 *	(RLIMIT_MEMLOCK) for so long.
 * @len: length of the payload in bytes, at most untwist_info.payload_max or
 *	pages_max, by the opcode
 * @reserved0: zero
 * @arg: arguments, as the opcode defines them
 * @timeout_ns: cancel the request so many nanoseconds of CLOCK_MONOTONIC after
 *	its submission, waiting in a chain included; it then completes with
 *	ETIME, unless its work was already done. 0, never. On a device without
 *	UNTWIST_FEAT_CANCEL it only ends requests that were not started.
 * @reserved1: zero
 */
struct untwist_sqe {
	__aligned_u64 user_data;
	__u32 opcode;
	__u32 flags;
	__aligned_u64 addr;
	__u32 len;
	__u32 reserved0;
	__aligned_u64 arg[2];
	__aligned_u64 timeout_ns;
	__aligned_u64 reserved1;
};

/*
 * untwist_cqe.flags
 *
 * With LOST, the upper half holds how many completions of this multishot
 * request found no room since its last one; 65535 stands for that many or more.
 */
#define UNTWIST_CQE_F_MORE	0x01U	/* further completions will come */
#define UNTWIST_CQE_F_LOST	0x02U
#define UNTWIST_CQE_LOST_SHIFT	16

/**
 * struct untwist_cqe - the completion of one request
 * @user_data: as it was submitted
 * @res: result: zero or positive as the opcode defines it, or a negative
 *	errno: ECANCELED after a cancel (of a driver that ends what it has when
 *	the system goes to sleep, also then), ETIME after @timeout_ns, ENODEV
 *	when the device went away, EOPNOTSUPP for an opcode that the device
 *	does not know
 * @flags: set of UNTWIST_CQE_F_*
 * @value: further results, as the opcode defines them
 */
struct untwist_cqe {
	__aligned_u64 user_data;
	__s32 res;
	__u32 flags;
	__aligned_u64 value[2];
};

/**
 * struct untwist_submit - argument of UNTWIST_IOC_SUBMIT
 * @entries: address of an array of @count entries
 * @count: number of entries, at least 1
 * @entry_size: sizeof(struct untwist_sqe) as the caller knows it
 * @flags: zero
 * @reserved: zero
 */
struct untwist_submit {
	__aligned_u64 entries;
	__u32 count;
	__u32 entry_size;
	__u32 flags;
	__u32 reserved;
};

/**
 * struct untwist_cancel - argument of UNTWIST_IOC_CANCEL
 * @user_data: which request; of several with the same value, the oldest
 * @flags: zero
 * @reserved: zero
 */
struct untwist_cancel {
	__aligned_u64 user_data;
	__u32 flags;
	__u32 reserved;
};

/*
 * Rings: submission and completion entries in memory that a program shares with
 * the kernel, so that one call submits many and none is needed to reap. A ring
 * belongs to one open and is set up once. mmap() it whole from offset 0 of the
 * node, MAP_SHARED; where its parts are, the reply to the set-up tells. The open
 * lasts until it is closed and the ring is unmapped.
 *
 * All indices are free-running; entry i is at i & (entries - 1). To submit:
 * load sq_head (acquire), fill entries, store sq_tail (release), then
 * UNTWIST_IOC_RING_ENTER, or with UNTWIST_RING_SQPOLL only if, after a full
 * barrier, kernel_flags has NEED_WAKEUP. To reap: load cq_tail (acquire), read
 * entries, store cq_head (release); with SQPOLL, if there are entries that
 * found no room, a look at NEED_WAKEUP is due after that, too. An index that
 * cannot be breaks the ring: nothing is submitted any more, enter fails with
 * EBADMSG, poll says EPOLLERR, and kernel_flags tells. With SQPOLL, so does a
 * chain that can never fit.
 *
 * A completion wakes who polls or waits, and signals the ring's eventfd. Not
 * so while user_flags has NO_WAKE; and with EVENT_IDX only when cq_tail passes
 * cq_event. After changing either so as to be woken, a full barrier and
 * another look at cq_tail are due.
 */

/* untwist_ring.user_flags */
#define UNTWIST_RING_NO_WAKE	0x01U
#define UNTWIST_RING_EVENT_IDX	0x02U

/* untwist_ring.kernel_flags */
#define UNTWIST_RING_NEED_WAKEUP 0x01U	/* the poller sleeps: enter */
#define UNTWIST_RING_DEAD	 0x02U	/* the device is gone */
#define UNTWIST_RING_BROKEN	 0x04U	/* an index could not be */

/**
 * struct untwist_ring - the head of a ring's memory
 * @sq_tail: the program writes: how many entries it ever submitted
 * @cq_head: the program writes: how many completions it ever reaped
 * @cq_event: the program writes: with EVENT_IDX, wake when cq_tail has passed this
 * @user_flags: the program writes
 * @reserved_user: zero
 * @sq_head: the kernel writes: how many entries it ever took
 * @cq_tail: the kernel writes: how many completions it ever posted
 * @kernel_flags: the kernel writes
 * @reserved_kernel: zero
 */
struct untwist_ring {
	__u32 sq_tail;
	__u32 cq_head;
	__u32 cq_event;
	__u32 user_flags;
	__u32 reserved_user[12];
	__u32 sq_head;
	__u32 cq_tail;
	__u32 kernel_flags;
	__u32 reserved_kernel[13];
};

/* untwist_ring_setup.flags */
#define UNTWIST_RING_SQPOLL	0x01U	/* a kernel thread submits */

/**
 * struct untwist_ring_setup - argument of UNTWIST_IOC_RING_SETUP
 * @flags: set of UNTWIST_RING_SQPOLL
 * @sq_entries: submission entries wanted, 1 to 4096; the reply: how many there
 *	are, rounded up to a power of two
 * @cq_entries: completions that may be due or unread at once, likewise, at
 *	least @sq_entries; 0, twice @sq_entries
 * @idle_us: the poller sleeps after so many microseconds without work; 0, 1000
 * @arena_size: bytes of the data arena, 0 to 16 MiB; the reply: as rounded up
 *	to pages
 * @header_off: reply: where struct untwist_ring is in the mapping
 * @sq_off: reply: where the submission entries are
 * @cq_off: reply: where the completion entries are
 * @sqe_size: reply: sizeof(struct untwist_sqe) as the kernel knows it
 * @cqe_size: reply: sizeof(struct untwist_cqe) as the kernel knows it
 * @reserved0: zero
 * @arena_off: reply: where the arena is
 * @map_size: reply: length of the mapping in bytes
 * @reserved: zero
 */
struct untwist_ring_setup {
	__u32 flags;
	__u32 sq_entries;
	__u32 cq_entries;
	__u32 idle_us;
	__aligned_u64 arena_size;
	__u32 header_off;
	__u32 sq_off;
	__u32 cq_off;
	__u32 sqe_size;
	__u32 cqe_size;
	__u32 reserved0;
	__aligned_u64 arena_off;
	__aligned_u64 map_size;
	__aligned_u64 reserved[2];
};

/* untwist_ring_enter.flags */
#define UNTWIST_ENTER_TIMEOUT	0x01U	/* @timeout_ns counts */
#define UNTWIST_ENTER_SIGMASK	0x02U	/* @sigmask counts */
#define UNTWIST_ENTER_WAKE	0x04U	/* wake the poller */

/**
 * struct untwist_ring_enter - argument of UNTWIST_IOC_RING_ENTER
 * @to_submit: entries to take at most
 * @min_complete: wait until so many completions are unread, at most cq_entries
 * @flags: set of UNTWIST_ENTER_*
 * @reserved: zero
 * @timeout_ns: wait no longer than this
 * @sigmask: signals blocked during the wait, bit n - 1 for signal n
 */
struct untwist_ring_enter {
	__u32 to_submit;
	__u32 min_complete;
	__u32 flags;
	__u32 reserved;
	__aligned_u64 timeout_ns;
	__aligned_u64 sigmask;
};

/* untwist_options.overflow: what happens when received data finds the queue full. */
#define UNTWIST_OVERFLOW_DROP_NEWEST	0	/* it is lost; so channels begin */
#define UNTWIST_OVERFLOW_DROP_OLDEST	1	/* the oldest that waits is lost instead */
#define UNTWIST_OVERFLOW_BLOCK		2	/* nothing is lost: the device waits */

/* untwist_options.flags */
#define UNTWIST_OPT_HEADERS	0x01U	/* records come with their header */

/**
 * struct untwist_options - how a channel treats the data that goes through it
 * @rx_size: receive queue in bytes, rounded up to a power of two that holds the
 *	longest record; 0, as it is
 * @tx_size: transmit queue, likewise
 * @overflow: one of UNTWIST_OVERFLOW_*. With UNTWIST_OVERFLOW_DROP_NEWEST, a
 *	device that can wait for room may do so all the same.
 * @flags: set of UNTWIST_OPT_*
 */
struct untwist_options {
	__u32 rx_size;
	__u32 tx_size;
	__u32 overflow;
	__u32 flags;
};

/* untwist_record_header.flags */
#define UNTWIST_RECORD_LOST	0x01U	/* others were lost right before this one */
#define UNTWIST_RECORD_BARE	0x02U	/* queued before UNTWIST_OPT_HEADERS was chosen */

/**
 * struct untwist_record_header - what a read returns in front of a record, with
 * UNTWIST_OPT_HEADERS
 * @sequence: number of the record among all that the device had for this
 *	channel since it was opened, those that were lost included; the first
 *	has 0. Unknown, and 0, for a bare one.
 * @time: when the device handed it over, in ns of CLOCK_MONOTONIC; unknown, and
 *	0, for a bare one
 * @length: of the record that follows, in bytes
 * @flags: set of UNTWIST_RECORD_*
 * @lost: how many were lost right before this one
 * @reserved: zero
 */
struct untwist_record_header {
	__aligned_u64 sequence;
	__aligned_u64 time;
	__u32 length;
	__u32 flags;
	__u32 lost;
	__u32 reserved;
};

/**
 * struct untwist_events - what happened beside the data
 * @events: set of bits that the driver defines, each at least once since the
 *	last call
 * @reserved: zero
 */
struct untwist_events {
	__u32 events;
	__u32 reserved;
};

/**
 * struct untwist_lost - received data that found the queue full
 * @bytes: bytes lost on this channel since the last call
 * @records: records lost on this channel since the last call
 */
struct untwist_lost {
	__aligned_u64 bytes;
	__aligned_u64 records;
};

/*
 * UNTWIST_IOC_GET_INFO: fill in a struct untwist_info.
 */
#define UNTWIST_IOC_GET_INFO	_IOR(UNTWIST_IOC_MAGIC, 0, struct untwist_info)

/*
 * UNTWIST_IOC_SET_PLANE: choose what read(), write() and poll() speak of.
 * EINVAL: the device does not have that plane.
 */
#define UNTWIST_IOC_SET_PLANE	_IOW(UNTWIST_IOC_MAGIC, 1, __u32)

/*
 * UNTWIST_IOC_SUBMIT: submit requests in order. Returns how many were taken;
 * each of those completes exactly once. Never waits for room.
 * An error is returned only if the first entry was not taken: EAGAIN, no room
 * until completions are read; EINVAL, EFAULT, E2BIG, EMSGSIZE (payload too
 * long), ENOMEM; EDQUOT, its pages and those that are in use already are more
 * than RLIMIT_MEMLOCK or the device allows; EOPNOTSUPP, the device takes no
 * requests, or (DAX) the memory cannot be used in place; EBADF, the node is not
 * open for writing; ENODEV, the device is gone.
 * What the driver has to say about a request comes as its completion.
 */
#define UNTWIST_IOC_SUBMIT	_IOW(UNTWIST_IOC_MAGIC, 2, struct untwist_submit)

/*
 * UNTWIST_IOC_CANCEL: ask for the early end of a request. Its one completion
 * comes all the same, with ECANCELED unless the work was already done.
 * ENOENT: no such request is in flight. EALREADY: it was asked before, or the
 * driver cannot take this one back. EBADF: not open for writing.
 */
#define UNTWIST_IOC_CANCEL	_IOW(UNTWIST_IOC_MAGIC, 3, struct untwist_cancel)

/*
 * UNTWIST_IOC_GET_LOST: read and reset what was lost, as EPOLLPRI announces.
 */
#define UNTWIST_IOC_GET_LOST	_IOR(UNTWIST_IOC_MAGIC, 4, struct untwist_lost)

/*
 * UNTWIST_IOC_GET_OPTIONS: what holds for the channel's data.
 * EOPNOTSUPP: the device has no data plane.
 */
#define UNTWIST_IOC_GET_OPTIONS	_IOR(UNTWIST_IOC_MAGIC, 5, struct untwist_options)

/*
 * UNTWIST_IOC_SET_OPTIONS: change what holds for the channel's data, all of it
 * or, after an error, nothing. What waits in the queues stays there. The
 * structure returns what holds now, sizes rounded.
 * EBUSY: a queue cannot be resized because it holds more than fits into the new
 * one, or more than 16 KiB; read and try again, or resize right after the open.
 * EPERM: a size is above the device's maximum, and CAP_SYS_RESOURCE is missing.
 * EOPNOTSUPP: the device has no data plane; UNTWIST_OVERFLOW_BLOCK, but it
 * cannot wait; UNTWIST_OPT_HEADERS, but it has no records; or a tx_size, but it
 * takes no writes.
 * EINVAL: a size above 16 MiB, or a value that is not known. ENOMEM.
 */
#define UNTWIST_IOC_SET_OPTIONS	_IOWR(UNTWIST_IOC_MAGIC, 6, struct untwist_options)

/*
 * UNTWIST_IOC_GET_EVENTS: read and reset what happened, as EPOLLPRI announces.
 */
#define UNTWIST_IOC_GET_EVENTS	_IOR(UNTWIST_IOC_MAGIC, 7, struct untwist_events)

/*
 * UNTWIST_IOC_RING_SETUP: give the channel a ring, and have poll() speak of the
 * completions plane. Completions go to the ring from now on, and read() of that
 * plane fails with EINVAL. EBUSY: it has a ring, or requests in flight or
 * unread. EINVAL, ENOMEM; EOPNOTSUPP, the device takes no requests; EBADF, the
 * node is not open for reading and writing; ENODEV.
 */
#define UNTWIST_IOC_RING_SETUP	_IOWR(UNTWIST_IOC_MAGIC, 16, struct untwist_ring_setup)

/*
 * UNTWIST_IOC_RING_ENTER: take entries from the ring, then wait for completions.
 * Returns how many entries were taken (with SQPOLL, @to_submit). Each of them
 * completes exactly once; what is wrong with one is its result. Fewer than asked
 * for: the rest finds no room until completions are reaped. Once something was
 * taken, that is returned whatever the wait came to. ENXIO: there is no ring;
 * EBADMSG: it is broken; EAGAIN: no room for the first; E2BIG: it begins a chain
 * that can never fit; ETIME, EINTR; ENODEV.
 */
#define UNTWIST_IOC_RING_ENTER	_IOW(UNTWIST_IOC_MAGIC, 17, struct untwist_ring_enter)

/*
 * UNTWIST_IOC_RING_EVENTFD: signal this eventfd with each batch of completions,
 * of a ring or not, and when the device is gone; -1, no more. EBADF, EINVAL: not
 * an eventfd.
 */
#define UNTWIST_IOC_RING_EVENTFD _IOW(UNTWIST_IOC_MAGIC, 18, __s32)

/*
 * UNTWIST_URING_SUBMIT: one request as a command of io_uring (IORING_OP_URING_CMD,
 * cmd_op this), with its completion in io_uring's own queue: res is the result,
 * and with IORING_SETUP_CQE32 the first word of big_cqe is value[0]. On a ring
 * with IORING_SETUP_SQE128, the entry's cmd is a struct untwist_sqe; else it is
 * a struct untwist_uring_cmd. untwist_sqe.user_data is only seen in traces; of
 * its flags only ARENA is allowed, for io_uring has links and drains itself.
 *
 * io_uring's own asynchronous cancel does not reach commands; timeout_ns does,
 * and the end of the ring or the program. Requests that the driver cannot
 * cancel are refused with EOPNOTSUPP, as they would keep a program from ending;
 * on kernels that cannot cancel commands (before 6.7), all are, unless the
 * administrator says otherwise, and then they get a timeout of 10 s at most.
 */
#define UNTWIST_URING_SUBMIT	_IOWR(UNTWIST_IOC_MAGIC, 32, struct untwist_sqe)

/**
 * struct untwist_uring_cmd - where the entry of a command is
 * @sqe: address of a struct untwist_sqe, read before the submission returns
 * @reserved: zero
 */
struct untwist_uring_cmd {
	__aligned_u64 sqe;
	__aligned_u64 reserved;
};

#endif /* _UAPI_LINUX_UNTWIST_H */
