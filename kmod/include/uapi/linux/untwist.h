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
 *   EPOLLPRI                 received data was lost because the queue was
 *                            full; UNTWIST_IOC_GET_LOST tells how much
 *   EPOLLHUP | EPOLLERR      the device is gone. What had arrived before can
 *                            still be read (EPOLLIN says so), then read()
 *                            fails with ENODEV, as all other calls do at once.
 *                            On the completions plane the end is told after
 *                            the last request in flight has completed.
 *                            FIONREAD and UNTWIST_IOC_GET_LOST go on working.
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

/**
 * struct untwist_info - what a device is and what a channel of it can hold
 * @kind: one of UNTWIST_KIND_*
 * @plane: plane of this channel, one of UNTWIST_PLANE_*
 * @features: set of UNTWIST_FEAT_*
 * @rx_size: receive queue, in bytes
 * @tx_size: transmit queue, in bytes; 0, the device takes no writes
 * @record_max: largest record in bytes, 0 for other kinds
 * @requests_max: requests that may be in flight or unread at once
 * @payload_max: largest untwist_sqe.len in bytes
 * @reserved: zero
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
	__u32 reserved;
	char device[UNTWIST_NAME_LEN];
	char driver[UNTWIST_NAME_LEN];
};

/* Opcodes below UNTWIST_OP_DRIVER belong to the core, the others to drivers. */
#define UNTWIST_OP_NOP		0	/* completes at once with result 0 */
#define UNTWIST_OP_DRIVER	16

/**
 * struct untwist_sqe - one request
 * @user_data: returned with the completion, not looked at
 * @opcode: what to do: UNTWIST_OP_*, or one of the device's own
 * @flags: zero
 * @addr: address of the payload in the memory of the caller, 0 without one.
 *	The memory is read before the submission returns. If the opcode
 *	returns data, it is written here before the completion can be read;
 *	it must stay mapped until then.
 * @len: length of the payload in bytes, at most untwist_info.payload_max
 * @reserved0: zero
 * @arg: arguments, as the opcode defines them
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
	__aligned_u64 reserved1[2];
};

/**
 * struct untwist_cqe - the completion of one request
 * @user_data: as it was submitted
 * @res: result: zero or positive as the opcode defines it, or a negative
 *	errno: ECANCELED after a cancel, ENODEV when the device went away,
 *	EOPNOTSUPP for an opcode that the device does not know
 * @flags: zero
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
 * long), ENOMEM; EOPNOTSUPP, the device takes no requests; EBADF, the node is
 * not open for writing; ENODEV, the device is gone.
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
 * UNTWIST_IOC_GET_LOST: read and reset what EPOLLPRI announces.
 */
#define UNTWIST_IOC_GET_LOST	_IOR(UNTWIST_IOC_MAGIC, 4, struct untwist_lost)

#endif /* _UAPI_LINUX_UNTWIST_H */
