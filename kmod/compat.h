/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between the kernels that Untwist builds for, and nothing
 * else. Kbuild looks the differences up in the headers of the kernel at hand:
 * stable series take changes back, so a version number would say little.
 */
#ifndef UNTWIST_COMPAT_H
#define UNTWIST_COMPAT_H

#include <linux/device.h>
#include <linux/eventfd.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/mm.h>

/* Symbols that only the KUnit suites use; before 6.3 no such macro exists. */
#if UNTWIST_HAVE_KUNIT_VISIBILITY
#include <kunit/visibility.h>
#else
#define EXPORT_SYMBOL_IF_KUNIT(symbol)
#endif

/* 6.2 made the device of device_type.devnode const. */
#if UNTWIST_HAVE_DEVNODE_CONST
#define UNTWIST_DEVNODE_CONST const
#else
#define UNTWIST_DEVNODE_CONST
#endif

/* 6.3 made the device of device_type.uevent const. */
#if UNTWIST_HAVE_UEVENT_CONST
#define UNTWIST_UEVENT_CONST const
#else
#define UNTWIST_UEVENT_CONST
#endif

/* 6.5 renamed the splice that goes through read_iter. */
#if UNTWIST_HAVE_COPY_SPLICE
#define untwist_splice_read copy_splice_read
#else
#define untwist_splice_read generic_file_splice_read
#endif

/* 6.8 took the count away, which everybody had made one. */
static inline void untwist_eventfd_signal(struct eventfd_ctx *ctx)
{
#if UNTWIST_HAVE_EVENTFD_ONE
	eventfd_signal(ctx);
#else
	eventfd_signal(ctx, 1);
#endif
}

/* 6.3 made the flags of a mapping read-only but for these. */
static inline void untwist_vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
#if UNTWIST_HAVE_VM_FLAGS_SET
	vm_flags_set(vma, flags);
#else
	vma->vm_flags |= flags;
#endif
}

static inline void untwist_vm_flags_clear(struct vm_area_struct *vma, unsigned long flags)
{
#if UNTWIST_HAVE_VM_FLAGS_SET
	vm_flags_clear(vma, flags);
#else
	vma->vm_flags &= ~flags;
#endif
}

/* 6.13 joined the two steps of making a timer, and 6.15 took the first away. */
static inline void untwist_hrtimer_setup(struct hrtimer *timer,
					 enum hrtimer_restart (*fn)(struct hrtimer *timer),
					 clockid_t clock, enum hrtimer_mode mode)
{
#if UNTWIST_HAVE_HRTIMER_SETUP
	hrtimer_setup(timer, fn, clock, mode);
#else
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
#endif
}

/* Commands of io_uring: 6.2 to 6.7 moved everything, and 6.7 made cancelling possible. */
#if UNTWIST_HAVE_URING_CMD_H
#include <linux/io_uring/cmd.h>
#else
#include <linux/io_uring.h>
#endif

#if UNTWIST_HAVE_URING_CANCEL
#define UNTWIST_URING_F_CANCEL IO_URING_F_CANCEL
#define untwist_uring_mark_cancelable(cmd, flags) io_uring_cmd_mark_cancelable(cmd, flags)
#else
#define UNTWIST_URING_F_CANCEL 0
#define untwist_uring_mark_cancelable(cmd, flags) do { } while (0)
#endif

/* The entry's own part, 16 bytes, or 80 with IO_URING_F_SQE128. */
static inline const void *untwist_uring_payload(struct io_uring_cmd *cmd)
{
#if UNTWIST_HAVE_URING_CMD_SQE
	return cmd->sqe->cmd;
#else
	return cmd->cmd;
#endif
}

/* 6.19 gave the function that runs in the task other arguments. */
#if UNTWIST_HAVE_URING_TW_REQ
#define UNTWIST_TW_ARGS struct io_tw_req untwist_tw, io_tw_token_t untwist_token
#define UNTWIST_TW_CMD io_uring_cmd_from_tw(untwist_tw)
#define UNTWIST_TW_FLAGS IO_URING_CMD_TASK_WORK_ISSUE_FLAGS
#else
#define UNTWIST_TW_ARGS struct io_uring_cmd *untwist_cmd, unsigned int untwist_flags
#define UNTWIST_TW_CMD untwist_cmd
#define UNTWIST_TW_FLAGS untwist_flags
#endif

static inline void untwist_uring_done(struct io_uring_cmd *cmd, s32 res, u64 value, bool cqe32,
				      unsigned int flags)
{
#if UNTWIST_HAVE_URING_DONE32
	if (cqe32)
		io_uring_cmd_done32(cmd, res, value, flags);
	else
		io_uring_cmd_done(cmd, res, flags);
#else
	io_uring_cmd_done(cmd, res, value, flags);
#endif
}

/* 6.10 lets __assign_str() find the source by itself. */
#if UNTWIST_HAVE_ASSIGN_STR_SRC
#define untwist_assign_str(dst, src) __assign_str(dst, src)
#else
#define untwist_assign_str(dst, src) __assign_str(dst)
#endif

#endif /* UNTWIST_COMPAT_H */
