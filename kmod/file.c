// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system calls on a node: who waits, for what, and what is said after the
 * device is gone. A call that waits for events holds nothing, so that unplug
 * never waits for it.
 */
#include <linux/capability.h>
#include <linux/eventfd.h>
#include <linux/freezer.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include <asm/ioctls.h>

#include "channel.h"
#include "compat.h"
#include "file.h"
#include "ring.h"
#include "stream.h"
#include "submit.h"
#include "transmit.h"
#include "uring.h"

static int file_open(struct inode *inode, struct file *file)
{
	struct untwist_device *ud = container_of(inode->i_cdev, struct untwist_device, cdev);
	struct untwist_channel *ch;

	if (ud->config.capability && !capable(ud->config.capability))
		return -EPERM;
	ch = untwist_channel_open(ud);
	if (IS_ERR(ch))
		return PTR_ERR(ch);
	file->private_data = ch;
	/* io_uring then tries at once, and arms poll when told -EAGAIN. */
	file->f_mode |= FMODE_NOWAIT;
	return stream_open(inode, file);
}

static int file_release(struct inode *inode, struct file *file)
{
	untwist_channel_release(file->private_data);
	return 0;
}

static bool reads_data(const struct untwist_channel *ch)
{
	return READ_ONCE(ch->plane) == UNTWIST_PLANE_DATA;
}

/* The end of the data is something to read, too: 0 is returned. */
static bool data_ready(const struct untwist_channel *ch)
{
	return untwist_receive_ready(ch) || untwist_receive_ended(ch);
}

/* Whether read() has something to say; of a ring's completions, that they are not its. */
static bool channel_ready(const struct untwist_channel *ch)
{
	if (reads_data(ch))
		return data_ready(ch);
	return READ_ONCE(ch->requests.ring) || untwist_requests_ready(&ch->requests);
}

/*
 * Whether nothing more will ever be readable than what is there. Requests that
 * are in flight at unplug complete, and a program that was told of the end
 * before might have freed the memory they return to.
 */
static bool channel_ended(struct untwist_channel *ch)
{
	return untwist_channel_dead(ch) && (reads_data(ch) || !untwist_requests_due(ch));
}

static bool is_nonblocking(const struct kiocb *iocb)
{
	return iocb->ki_flags & IOCB_NOWAIT || iocb->ki_filp->f_flags & O_NONBLOCK;
}

/* O_NONBLOCK may wait for another call to finish its copy, IOCB_NOWAIT may not. */
static int lock_for(struct mutex *lock, const struct kiocb *iocb)
{
	if (iocb->ki_flags & IOCB_NOWAIT)
		return mutex_trylock(lock) ? 0 : -EAGAIN;
	return mutex_lock_interruptible(lock) ? -ERESTARTSYS : 0;
}

static ssize_t read_once(struct untwist_channel *ch, struct kiocb *iocb, struct iov_iter *to)
{
	ssize_t ret = lock_for(&ch->rd_mutex, iocb);

	if (ret)
		return ret;
	ret = reads_data(ch) ? untwist_receive_read(ch, to) : untwist_requests_read(ch, to);
	mutex_unlock(&ch->rd_mutex);
	if (ret > 0 && reads_data(ch))
		untwist_receive_made_room(ch);
	return ret;
}

static ssize_t file_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct untwist_channel *ch = iocb->ki_filp->private_data;
	ssize_t ret;

	if (!iov_iter_count(to))
		return 0;
	for (;;) {
		/* Asked first: what arrived before the end is read before it. */
		bool last = reads_data(ch) && untwist_receive_ended(ch);
		bool ended = channel_ended(ch);

		smp_rmb(); /* after the look at the end, before that at the queue */
		ret = read_once(ch, iocb, to);
		if (ret || last)
			return ret;
		if (ended)
			return -ENODEV;
		if (is_nonblocking(iocb))
			return -EAGAIN;
		ret = wait_event_freezable(ch->wait, channel_ready(ch) || channel_ended(ch));
		if (ret)
			return ret;
	}
}

static ssize_t write_once(struct untwist_channel *ch, struct kiocb *iocb, struct iov_iter *from)
{
	ssize_t ret = lock_for(&ch->wr_mutex, iocb);

	if (ret)
		return ret;
	ret = untwist_transmit_write(ch, from);
	mutex_unlock(&ch->wr_mutex);
	if (ret > 0)
		untwist_channel_transmit(ch);
	return ret;
}

/* Returns 0 once there is room to go on. */
static int wait_for_room(struct untwist_channel *ch, struct kiocb *iocb, size_t need)
{
	if (!untwist_transmit_stalled(ch, need))
		return 0;
	if (is_nonblocking(iocb))
		return -EAGAIN;
	return wait_event_freezable(ch->wait,
				    !untwist_transmit_stalled(ch, need) ||
					    untwist_channel_dead(ch));
}

static ssize_t file_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct untwist_channel *ch = iocb->ki_filp->private_data;
	ssize_t done = 0;
	ssize_t ret = 0;

	if (!reads_data(ch) || !ch->ud->writable)
		return -EINVAL;
	while (iov_iter_count(from)) {
		if (untwist_channel_dead(ch)) {
			ret = -ENODEV;
			break;
		}
		ret = write_once(ch, iocb, from);
		if (!ret)
			ret = wait_for_room(ch, iocb, untwist_transmit_need(ch, from));
		else if (ret > 0)
			done += ret;
		if (ret < 0)
			break;
	}
	return done ? done : ret;
}

static __poll_t poll_data(struct untwist_channel *ch)
{
	__poll_t mask = 0;

	if (data_ready(ch))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (untwist_receive_ended(ch))
		mask |= EPOLLRDHUP;
	if (test_bit(UNTWIST_CH_LOST, &ch->state))
		mask |= EPOLLPRI;
	if (!untwist_channel_dead(ch) && ch->ud->writable &&
	    !untwist_transmit_stalled(ch, READ_ONCE(ch->tx_wake)))
		mask |= EPOLLOUT | EPOLLWRNORM;
	return mask;
}

static __poll_t poll_completions(struct untwist_channel *ch)
{
	__poll_t mask = 0;

	if (untwist_requests_ready(&ch->requests))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (!untwist_channel_dead(ch) && untwist_requests_room(ch))
		mask |= EPOLLOUT | EPOLLWRNORM;
	if (untwist_ring_broken(ch))
		mask |= EPOLLERR;
	return mask;
}

static __poll_t file_poll(struct file *file, poll_table *wait)
{
	struct untwist_channel *ch = file->private_data;
	__poll_t mask;

	poll_wait(file, &ch->wait, wait);
	/* Registered first and looked second; not every poll_wait() orders that. */
	smp_mb();
	mask = reads_data(ch) ? poll_data(ch) : poll_completions(ch);
	if (untwist_receive_has_events(ch))
		mask |= EPOLLPRI;
	if (channel_ended(ch))
		mask |= EPOLLHUP | EPOLLERR;
	return mask;
}

static int file_fasync(int fd, struct file *file, int on)
{
	struct untwist_channel *ch = file->private_data;

	return fasync_helper(fd, file, on, &ch->fasync);
}

static bool any_multishot(const struct untwist_config *config)
{
	unsigned int i;

	for (i = 0; i < config->nr_opcodes; i++)
		if (config->opcodes[i].multishot)
			return true;
	return false;
}

static void info_fill(struct untwist_channel *ch, struct untwist_info *info)
{
	const struct untwist_config *config = &ch->ud->config;

	*info = (struct untwist_info){
		.kind = config->kind,
		.plane = READ_ONCE(ch->plane),
		.rx_size = READ_ONCE(ch->rx.size),
		.tx_size = READ_ONCE(ch->tx.size),
		.record_max = config->record_max,
	};

	if (config->flags & UNTWIST_HOLDS_BACK)
		info->features |= UNTWIST_FEAT_BLOCK;
	if (untwist_device_has_requests(ch->ud)) {
		info->features |= UNTWIST_FEAT_REQUESTS | UNTWIST_FEAT_CHAIN |
			UNTWIST_FEAT_TIMEOUT | UNTWIST_FEAT_RING;
		info->features |= config->ops->cancel ? UNTWIST_FEAT_CANCEL : 0;
		info->features |= untwist_uring_works() ? UNTWIST_FEAT_URING : 0;
		info->features |= any_multishot(config) ? UNTWIST_FEAT_MULTISHOT : 0;
		info->requests_max = config->requests_max;
		info->payload_max = config->payload_max;
		info->features |= ch->ud->in_place ? UNTWIST_FEAT_PAGES : 0;
		info->pages_max = ch->ud->in_place ? config->pages_max : 0;
	}
	strscpy(info->device, ch->ud->name, sizeof(info->device));
	strscpy(info->driver, ch->ud->driver, sizeof(info->driver));
}

/*
 * Programs' memory is never touched inside the channel: that may take as long
 * as the program likes, and unplug waits for who is inside.
 */
static long ioctl_get_info(struct untwist_channel *ch, void __user *arg, size_t size)
{
	struct untwist_info info;

	if (!untwist_channel_enter(ch))
		return -ENODEV;
	info_fill(ch, &info);
	untwist_channel_leave(ch, 1);
	if (clear_user(arg, size) || copy_to_user(arg, &info, min(size, sizeof(info))))
		return -EFAULT;
	return 0;
}

static long ioctl_set_plane(struct untwist_channel *ch, void __user *arg)
{
	u32 plane;

	if (get_user(plane, (u32 __user *)arg))
		return -EFAULT;
	if (plane == UNTWIST_PLANE_DATA
		    ? !untwist_device_has_data(ch->ud)
		    : plane != UNTWIST_PLANE_COMPLETIONS || !untwist_device_has_requests(ch->ud))
		return -EINVAL;
	WRITE_ONCE(ch->plane, plane);
	/* Who waits, waits for something else now. */
	wake_up_all(&ch->wait);
	return 0;
}

static long ioctl_submit(struct untwist_channel *ch, void __user *arg, size_t size)
{
	struct untwist_submit submit;
	long ret = copy_struct_from_user(&submit, sizeof(submit), arg, size);

	return ret ? ret : untwist_requests_submit(ch, &submit);
}

static long ioctl_cancel(struct untwist_channel *ch, void __user *arg, size_t size)
{
	struct untwist_cancel cancel;
	long ret = copy_struct_from_user(&cancel, sizeof(cancel), arg, size);

	if (ret)
		return ret;
	if (cancel.flags || cancel.reserved)
		return -EINVAL;
	if (!untwist_channel_enter(ch))
		return -ENODEV;
	ret = untwist_requests_cancel(ch, cancel.user_data);
	untwist_channel_leave(ch, 1);
	return ret;
}

static long ioctl_ring_setup(struct untwist_channel *ch, void __user *arg, size_t size)
{
	struct untwist_ring_setup setup;
	long ret = copy_struct_from_user(&setup, sizeof(setup), arg, size);

	if (ret)
		return ret;
	/* The reply is to be read: what a short structure cannot hold is lost. */
	if (size < sizeof(setup))
		return -EINVAL;
	/*
	 * Whether the reply can be written, before anything is done: afterwards
	 * it could not be undone. If it fails, the argument is as it was.
	 */
	if (copy_to_user(arg, &setup, sizeof(setup)))
		return -EFAULT;
	ret = untwist_ring_setup(ch, &setup);
	if (ret)
		return ret;
	return copy_to_user(arg, &setup, sizeof(setup)) ? -EFAULT : 0;
}

/* By words and in place, for calling a copy would take as long as a command does. */
static long copy_ring_enter(struct untwist_ring_enter *enter, const void __user *arg)
{
	const unsigned long __user *from = arg;
	unsigned long *to = (unsigned long *)enter;
	size_t i;

	if (!user_read_access_begin(from, sizeof(*enter)))
		return -EFAULT;
	for (i = 0; i < sizeof(*enter) / sizeof(*to); i++)
		unsafe_get_user(to[i], &from[i], fault);
	user_read_access_end();
	return 0;

fault:
	user_read_access_end();
	return -EFAULT;
}

static long ioctl_ring_enter(struct untwist_channel *ch, void __user *arg, size_t size)
{
	struct untwist_ring_enter enter __uninitialized;
	long ret;

	if (size == sizeof(enter))
		ret = copy_ring_enter(&enter, arg);
	else
		ret = copy_struct_from_user(&enter, sizeof(enter), arg, size);
	return ret ? ret : untwist_ring_enter(ch, &enter);
}

static long ioctl_ring_eventfd(struct untwist_channel *ch, void __user *arg)
{
	struct eventfd_ctx *eventfd = NULL;
	s32 fd;

	if (get_user(fd, (s32 __user *)arg))
		return -EFAULT;
	if (!untwist_device_has_requests(ch->ud))
		return -EOPNOTSUPP;
	if (fd != -1)
		eventfd = eventfd_ctx_fdget(fd);
	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	untwist_requests_set_eventfd(&ch->requests, eventfd);
	return 0;
}

static long ioctl_get_lost(struct untwist_channel *ch, void __user *arg, size_t size)
{
	struct untwist_lost lost;

	if (size < sizeof(lost))
		return -EINVAL;
	/* The counts are reset only for a program that can take them. */
	if (clear_user(arg, size))
		return -EFAULT;
	untwist_receive_take_lost(ch, &lost);
	return copy_to_user(arg, &lost, sizeof(lost)) ? -EFAULT : 0;
}

static long ioctl_get_events(struct untwist_channel *ch, void __user *arg, size_t size)
{
	struct untwist_events events = {};

	if (size < sizeof(events))
		return -EINVAL;
	/* As with the losses. */
	if (clear_user(arg, size))
		return -EFAULT;
	events.events = untwist_receive_take_events(ch);
	return copy_to_user(arg, &events, sizeof(events)) ? -EFAULT : 0;
}

static long ioctl_get_options(struct untwist_channel *ch, void __user *arg, size_t size)
{
	struct untwist_options options;

	if (!untwist_device_has_data(ch->ud))
		return -EOPNOTSUPP;
	untwist_stream_get_options(ch, &options);
	if (clear_user(arg, size) || copy_to_user(arg, &options, min(size, sizeof(options))))
		return -EFAULT;
	return 0;
}

static long ioctl_set_options(struct untwist_channel *ch, void __user *arg, size_t size)
{
	struct untwist_options options;
	long ret;

	if (!untwist_device_has_data(ch->ud))
		return -EOPNOTSUPP;
	ret = copy_struct_from_user(&options, sizeof(options), arg, size);
	if (!ret)
		ret = untwist_stream_set_options(ch, &options);
	return ret ? ret : ioctl_get_options(ch, arg, size);
}

static long ioctl_fionread(struct untwist_channel *ch, void __user *arg)
{
	size_t n;

	if (mutex_lock_interruptible(&ch->rd_mutex))
		return -ERESTARTSYS;
	n = reads_data(ch) ? untwist_receive_next(ch)
			   : untwist_requests_ready(&ch->requests) * sizeof(struct untwist_cqe);
	mutex_unlock(&ch->rd_mutex);
	return put_user((int)n, (int __user *)arg);
}

/* The size is part of the number and may differ: see how the ABI grows. */
#define WITHOUT_SIZE(cmd) ((cmd) & ~(_IOC_SIZEMASK << _IOC_SIZESHIFT))

/* What speaks of received data, and so outlives the device as that does. */
static long received_ioctl(struct untwist_channel *ch, unsigned int cmd, void __user *arg)
{
	if (cmd == FIONREAD)
		return ioctl_fionread(ch, arg);
	if (WITHOUT_SIZE(cmd) == WITHOUT_SIZE(UNTWIST_IOC_GET_EVENTS))
		return ioctl_get_events(ch, arg, _IOC_SIZE(cmd));
	return ioctl_get_lost(ch, arg, _IOC_SIZE(cmd));
}

static bool is_received_ioctl(unsigned int cmd)
{
	return cmd == FIONREAD || WITHOUT_SIZE(cmd) == WITHOUT_SIZE(UNTWIST_IOC_GET_LOST) ||
		WITHOUT_SIZE(cmd) == WITHOUT_SIZE(UNTWIST_IOC_GET_EVENTS);
}

static long device_ioctl(struct file *file, unsigned int cmd, void __user *arg)
{
	struct untwist_channel *ch = file->private_data;
	bool writes = file->f_mode & FMODE_WRITE;
	bool reads = file->f_mode & FMODE_READ;
	size_t size = _IOC_SIZE(cmd);

	switch (WITHOUT_SIZE(cmd)) {
	case WITHOUT_SIZE(UNTWIST_IOC_GET_INFO):
		return ioctl_get_info(ch, arg, size);
	case WITHOUT_SIZE(UNTWIST_IOC_SET_PLANE):
		return cmd == UNTWIST_IOC_SET_PLANE ? ioctl_set_plane(ch, arg) : -ENOTTY;
	case WITHOUT_SIZE(UNTWIST_IOC_SUBMIT):
		return writes ? ioctl_submit(ch, arg, size) : -EBADF;
	case WITHOUT_SIZE(UNTWIST_IOC_CANCEL):
		return writes ? ioctl_cancel(ch, arg, size) : -EBADF;
	case WITHOUT_SIZE(UNTWIST_IOC_RING_SETUP):
		return reads && writes ? ioctl_ring_setup(ch, arg, size) : -EBADF;
	case WITHOUT_SIZE(UNTWIST_IOC_RING_EVENTFD):
		return cmd == UNTWIST_IOC_RING_EVENTFD ? ioctl_ring_eventfd(ch, arg) : -ENOTTY;
	case WITHOUT_SIZE(UNTWIST_IOC_GET_OPTIONS):
		return ioctl_get_options(ch, arg, size);
	case WITHOUT_SIZE(UNTWIST_IOC_SET_OPTIONS):
		return ioctl_set_options(ch, arg, size);
	default:
		return -ENOTTY;
	}
}

static long file_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct untwist_channel *ch = file->private_data;
	void __user *uarg = (void __user *)arg;

	/* After unplug as well: what is in flight completes, and may be waited for. */
	if (WITHOUT_SIZE(cmd) == WITHOUT_SIZE(UNTWIST_IOC_RING_ENTER))
		return ioctl_ring_enter(ch, uarg, _IOC_SIZE(cmd));
	if (is_received_ioctl(cmd))
		return received_ioctl(ch, cmd, uarg);
	if (_IOC_TYPE(cmd) != UNTWIST_IOC_MAGIC)
		return -ENOTTY;
	if (untwist_channel_dead(ch))
		return -ENODEV;
	return device_ioctl(file, cmd, uarg);
}

static int file_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct untwist_channel *ch = file->private_data;

	return untwist_channel_dead(ch) ? -ENODEV : untwist_ring_mmap(ch, vma);
}

#ifdef CONFIG_PROC_FS
static void show_data(struct seq_file *m, struct untwist_channel *ch)
{
	static const char *const policies[] = {
		[UNTWIST_OVERFLOW_DROP_NEWEST] = "drop-newest",
		[UNTWIST_OVERFLOW_DROP_OLDEST] = "drop-oldest",
		[UNTWIST_OVERFLOW_BLOCK] = "block",
	};
	struct untwist_options options;
	struct untwist_lost lost;

	untwist_stream_get_options(ch, &options);
	seq_printf(m, "untwist-rx-size:\t%u\n", options.rx_size);
	seq_printf(m, "untwist-tx-size:\t%u\n", options.tx_size);
	seq_printf(m, "untwist-overflow:\t%s\n", policies[options.overflow]);
	seq_printf(m, "untwist-headers:\t%u\n", !!(options.flags & UNTWIST_OPT_HEADERS));
	seq_printf(m, "untwist-ended:\t%u\n", untwist_receive_ended(ch));
	/* What nobody has asked for yet. */
	untwist_receive_get_lost(ch, &lost);
	seq_printf(m, "untwist-lost-bytes:\t%llu\n", lost.bytes);
	seq_printf(m, "untwist-lost-records:\t%llu\n", lost.records);
	seq_printf(m, "untwist-events:\t%#x\n", READ_ONCE(ch->receive.events));
}

static void file_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct untwist_channel *ch = file->private_data;

	seq_printf(m, "untwist-device:\t%s\n", ch->ud->name);
	seq_printf(m, "untwist-channel:\t%u\n", ch->id);
	seq_printf(m, "untwist-plane:\t%s\n", reads_data(ch) ? "data" : "completions");
	seq_printf(m, "untwist-gone:\t%u\n", untwist_channel_dead(ch));
	seq_printf(m, "untwist-rx-bytes:\t%u\n", untwist_fifo_used(&ch->rx));
	seq_printf(m, "untwist-tx-bytes:\t%u\n", untwist_fifo_used(&ch->tx));
	if (untwist_device_has_data(ch->ud))
		show_data(m, ch);
	seq_printf(m, "untwist-bytes:\t%zu\n", READ_ONCE(ch->bytes));
	seq_printf(m, "untwist-requests:\t%u\n", untwist_cq_used(&ch->requests.cq));
	seq_printf(m, "untwist-pinned:\t%lu\n", atomic_long_read(&ch->pinned) << PAGE_SHIFT);
}
#endif

const struct file_operations untwist_fops = {
	.owner = THIS_MODULE,
	.open = file_open,
	.release = file_release,
	.read_iter = file_read,
	.write_iter = file_write,
	.poll = file_poll,
	.fasync = file_fasync,
	.unlocked_ioctl = file_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = file_mmap,
	.uring_cmd = untwist_uring_cmd,
	.splice_read = untwist_splice_read,
	.splice_write = iter_file_splice_write,
#ifdef CONFIG_PROC_FS
	.show_fdinfo = file_show_fdinfo,
#endif
};
