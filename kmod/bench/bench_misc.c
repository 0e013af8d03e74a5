// SPDX-License-Identifier: GPL-2.0-only
/*
 * The least that an echo costs: a misc device written by hand, with one message
 * a file, one work item that carries it from write to read, and io_uring
 * commands that are complete at once. What it leaves out is what a driver
 * should not: unplug with files open, records, credits, cancellation,
 * statistics and traces.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#if BENCH_HAVE_URING_CMD_H
#include <linux/io_uring/cmd.h>
#else
#include <linux/io_uring.h>
#endif

#define MESSAGE_MAX 4096

/**
 * struct message - what one open carries
 * @wait: readers
 * @work: moves @in to @out
 * @lock: guards the lengths
 * @in_len: bytes written and not yet moved
 * @out_len: bytes moved and not yet read
 * @in: these bytes; the writer's until the work runs
 * @out: these bytes; the reader's once they are there
 */
struct message {
	wait_queue_head_t wait;
	struct work_struct work;
	spinlock_t lock; /* see above */
	size_t in_len;
	size_t out_len;
	u8 in[MESSAGE_MAX];
	u8 out[MESSAGE_MAX];
};

static void message_work(struct work_struct *work)
{
	struct message *message = container_of(work, struct message, work);

	spin_lock(&message->lock);
	memcpy(message->out, message->in, message->in_len);
	message->out_len = message->in_len;
	message->in_len = 0;
	spin_unlock(&message->lock);
	wake_up_interruptible_poll(&message->wait, EPOLLIN | EPOLLRDNORM);
}

static int misc_open(struct inode *inode, struct file *file)
{
	struct message *message = kzalloc(sizeof(*message), GFP_KERNEL_ACCOUNT);

	if (!message)
		return -ENOMEM;
	init_waitqueue_head(&message->wait);
	INIT_WORK(&message->work, message_work);
	spin_lock_init(&message->lock);
	file->private_data = message;
	return stream_open(inode, file);
}

static int misc_release(struct inode *inode, struct file *file)
{
	struct message *message = file->private_data;

	cancel_work_sync(&message->work);
	kfree(message);
	return 0;
}

static ssize_t misc_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	struct message *message = file->private_data;

	if (len > MESSAGE_MAX)
		return -EMSGSIZE;
	if (READ_ONCE(message->in_len) || READ_ONCE(message->out_len))
		return -EAGAIN;
	if (copy_from_user(message->in, buf, len))
		return -EFAULT;
	spin_lock(&message->lock);
	message->in_len = len;
	spin_unlock(&message->lock);
	schedule_work(&message->work);
	return len;
}

static ssize_t misc_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct message *message = file->private_data;
	size_t ready;

	spin_lock(&message->lock);
	ready = message->out_len;
	spin_unlock(&message->lock);
	if (!ready)
		return -EAGAIN;
	if (len < ready)
		return -EMSGSIZE;
	if (copy_to_user(buf, message->out, ready))
		return -EFAULT;
	spin_lock(&message->lock);
	message->out_len = 0;
	spin_unlock(&message->lock);
	return ready;
}

static __poll_t misc_poll(struct file *file, poll_table *wait)
{
	struct message *message = file->private_data;

	poll_wait(file, &message->wait, wait);
	return READ_ONCE(message->out_len) ? EPOLLIN | EPOLLRDNORM : EPOLLOUT | EPOLLWRNORM;
}

static int misc_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	return 0;
}

static const struct file_operations misc_fops = {
	.owner = THIS_MODULE,
	.open = misc_open,
	.release = misc_release,
	.read = misc_read,
	.write = misc_write,
	.poll = misc_poll,
	.uring_cmd = misc_uring_cmd,
};

static struct miscdevice misc_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bench-misc",
	.fops = &misc_fops,
};
module_misc_device(misc_device);

MODULE_DESCRIPTION("Least echo to measure Untwist against");
MODULE_LICENSE("GPL");
