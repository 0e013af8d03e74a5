// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests as commands of io_uring: the same requests as by the ioctl, with
 * their completion in the ring of the program.
 *
 * A command may be completed in the task that submitted it and nowhere else.
 * Until then io_uring keeps it and so may ask for its cancel: it is found by
 * its tag, for its slot may serve another request by that time.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/uaccess.h>

#include "channel.h"
#include "compat.h"
#include "execute.h"
#include "request.h"
#include "submit.h"
#include "uring.h"

static_assert(sizeof(struct untwist_uring_cmd) == 16);

#define FORCED_TIMEOUT (10ULL * NSEC_PER_SEC)

static bool uring_uncancellable;
module_param(uring_uncancellable, bool, 0444);
MODULE_PARM_DESC(uring_uncancellable, "take io_uring commands where they cannot be cancelled (N)");

/* What is kept with a command. */
struct uring_private {
	u64 value;
	u32 tag;
	s32 res;
	bool cqe32;
};

static struct uring_private *private_of(struct io_uring_cmd *cmd)
{
	BUILD_BUG_ON(sizeof(struct uring_private) > sizeof(cmd->pdu));
	return (struct uring_private *)cmd->pdu;
}

/**
 * untwist_uring_works() - whether commands are taken at all
 *
 * Return: true unless the kernel could not cancel them.
 */
bool untwist_uring_works(void)
{
	return IS_ENABLED(CONFIG_IO_URING) && (UNTWIST_HAVE_URING_CANCEL || uring_uncancellable);
}

/* In the task, or in who cleans up after it. */
static void uring_complete(UNTWIST_TW_ARGS)
{
	struct io_uring_cmd *cmd = UNTWIST_TW_CMD;
	struct uring_private *private = private_of(cmd);

	untwist_uring_done(cmd, private->res, private->value, private->cqe32, UNTWIST_TW_FLAGS);
}

static void uring_post(struct untwist_slot *slot, const struct untwist_cqe *cqe)
{
	struct io_uring_cmd *cmd = slot->sink_data;
	struct uring_private *private = private_of(cmd);

	private->res = cqe->res;
	private->value = cqe->value[0];
	io_uring_cmd_complete_in_task(cmd, uring_complete);
}

static const struct untwist_sink uring_sink = { .post = uring_post };

static int uring_read_sqe(struct io_uring_cmd *cmd, unsigned int issue_flags,
			  struct untwist_sqe *sqe)
{
	const struct untwist_uring_cmd *shared;
	struct untwist_uring_cmd where;

	if (issue_flags & IO_URING_F_SQE128) {
		untwist_sqe_copy(sqe, untwist_uring_payload(cmd));
		return 0;
	}
	shared = untwist_uring_payload(cmd);
	where.sqe = READ_ONCE(shared->sqe);
	where.reserved = READ_ONCE(shared->reserved);
	if (where.reserved)
		return -EINVAL;
	if (where.sqe != (unsigned long)where.sqe ||
	    copy_from_user(sqe, u64_to_user_ptr(where.sqe), sizeof(*sqe)))
		return -EFAULT;
	return 0;
}

/* The ring or its program ends. */
static int uring_cancel(struct untwist_channel *ch, struct io_uring_cmd *cmd)
{
	struct untwist_slot *slot;

	/* Without users it is complete, or about to be. */
	if (!refcount_inc_not_zero(&ch->users))
		return 0;
	slot = untwist_slot_find_tag(ch, private_of(cmd)->tag);
	if (slot) {
		untwist_slot_cancel(ch, slot, UNTWIST_REQ_CANCELLED);
		untwist_slot_put(ch, slot);
	}
	untwist_channel_leave(ch, 1);
	return 0;
}

/* A request that waits for the driver. */
static int uring_begin(struct untwist_intake *in, struct io_uring_cmd *cmd,
		       unsigned int issue_flags)
{
	struct uring_private *private = private_of(cmd);

	if (!in->ch->ud->config.ops->cancel) {
		untwist_intake_drop_chain(in);
		return -EOPNOTSUPP;
	}
	private->tag = untwist_slot_tag(in->first);
	private->cqe32 = issue_flags & IO_URING_F_CQE32;
	/* Before anybody could complete it. */
	untwist_uring_mark_cancelable(cmd, issue_flags);
	untwist_intake_end_chain(in);
	return -EIOCBQUEUED;
}

/* A request that is complete already. */
static int uring_finish(struct io_uring_cmd *cmd, unsigned int issue_flags,
			const struct untwist_cqe *cqe)
{
	/* A result that is returned has no room for the value. */
	if (!(issue_flags & IO_URING_F_CQE32))
		return cqe->res;
	untwist_uring_done(cmd, cqe->res, cqe->value[0], true, issue_flags);
	return -EIOCBQUEUED;
}

static int uring_submit(struct untwist_channel *ch, struct io_uring_cmd *cmd,
			unsigned int issue_flags, struct untwist_sqe *sqe)
{
	struct untwist_intake in __uninitialized;
	int ret;

	untwist_intake_init(&in, ch, false);
	in.sink = &uring_sink;
	in.sink_data = cmd;
	ret = untwist_intake_take(&in, sqe);
	if (!ret && in.first)
		ret = uring_begin(&in, cmd, issue_flags);
	else if (!ret)
		ret = uring_finish(cmd, issue_flags, &in.cqes[0]);
	untwist_intake_end(&in);
	/* No room: told to the program, for io_uring would try again in a thread. */
	return ret == -EAGAIN ? -EBUSY : ret;
}

/**
 * untwist_uring_cmd() - file_operations.uring_cmd
 * @cmd: command
 * @issue_flags: io_uring's
 *
 * Context: process; may sleep.
 *
 * Return: the result, or -EIOCBQUEUED; see UNTWIST_URING_SUBMIT. -EBUSY: the
 * channel holds as many requests as it may.
 */
int untwist_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct untwist_channel *ch = cmd->file->private_data;
	struct untwist_sqe sqe __uninitialized;
	struct untwist_cqe cqe __uninitialized;
	int ret;

	if (issue_flags & UNTWIST_URING_F_CANCEL)
		return uring_cancel(ch, cmd);
	if (cmd->cmd_op != UNTWIST_URING_SUBMIT)
		return -ENOTTY;
	if (!untwist_uring_works() || !untwist_device_has_requests(ch->ud))
		return -EOPNOTSUPP;
	if (!(cmd->file->f_mode & FMODE_WRITE))
		return -EBADF;
	ret = uring_read_sqe(cmd, issue_flags, &sqe);
	if (ret)
		return ret;
	if (sqe.flags & ~UNTWIST_SQE_ARENA)
		return -EINVAL;
	ret = untwist_execute(ch, &sqe, &cqe);
	if (ret)
		return ret < 0 ? ret : uring_finish(cmd, issue_flags, &cqe);
	if (!UNTWIST_HAVE_URING_CANCEL)
		sqe.timeout_ns = min(sqe.timeout_ns ? sqe.timeout_ns : U64_MAX, FORCED_TIMEOUT);
	ret = untwist_requests_make(ch);
	return ret ? ret : uring_submit(ch, cmd, issue_flags, &sqe);
}
