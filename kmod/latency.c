// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long requests take from one stage of their life to the next: histograms
 * by powers of two, on each CPU, added up when debugfs' untwist/NAME/latency is
 * read. Writing 1 there begins anew, and 0 ends; without that no clock is read.
 */
#include <linux/debugfs.h>
#include <linux/kstrtox.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "channel.h"
#include "compat.h"
#include "latency.h"

/**
 * struct untwist_latency - what was measured on one CPU
 * @count: requests by stage, and by the power of two of their nanoseconds
 */
struct untwist_latency {
	unsigned long count[UNTWIST_NR_STAGES][UNTWIST_LATENCY_BUCKETS];
};

static const char *const stage_names[] = {
	[UNTWIST_STAGE_SUBMIT] = "submit",
	[UNTWIST_STAGE_DRIVER] = "driver",
	[UNTWIST_STAGE_POST] = "post",
	[UNTWIST_STAGE_REAP] = "reap",
};

DEFINE_STATIC_KEY_FALSE(untwist_latency_key);

static struct dentry *debugfs_root;
/* Makes who switches on and off one, and keeps who reads apart from it. */
static DEFINE_MUTEX(switch_lock);

/* Measuring. */

static void latency_record(struct untwist_device *ud, enum untwist_stage stage, u64 from, u64 to)
{
	unsigned int bucket = to > from ? ilog2(to - from) : 0;

	/* What began while nobody measured has missed a stage, perhaps. */
	if (from < READ_ONCE(ud->latency_since))
		return;
	this_cpu_inc(ud->latency->count[stage][min(bucket, UNTWIST_LATENCY_BUCKETS - 1u)]);
}

/* When what is in the queue was posted. Without memory for it, it is not measured. */
static void make_posted_at(struct untwist_requests *rq)
{
	u64 *posted_at = kvcalloc(rq->cq.mask + 1, sizeof(*posted_at), GFP_KERNEL_ACCOUNT);

	if (cmpxchg(&rq->posted_at, NULL, posted_at))
		kvfree(posted_at);
}

/**
 * untwist_latency_submitted() - a request begins
 * @ch: channel
 * @slot: request
 *
 * Context: process, may sleep.
 */
void untwist_latency_submitted(struct untwist_channel *ch, struct untwist_slot *slot)
{
	if (!slot->sink && !READ_ONCE(ch->requests.posted_at))
		make_posted_at(&ch->requests);
	slot->stage_at = ktime_get_ns();
}

/**
 * untwist_latency_passed() - a request has come to the end of a stage
 * @slot: request
 * @stage: which
 *
 * Context: any but NMI.
 */
void untwist_latency_passed(struct untwist_slot *slot, enum untwist_stage stage)
{
	u64 now = ktime_get_ns();

	latency_record(slot->req.channel->ud, stage, slot->stage_at, now);
	slot->stage_at = now;
}

/**
 * untwist_latency_posted() - completions are about to be added to the queue
 * @ch: channel, the lock of its requests held
 * @n: how many
 *
 * Those of a ring are left out: when the program takes them is not told.
 */
void untwist_latency_posted(struct untwist_channel *ch, u32 n)
{
	struct untwist_requests *rq = &ch->requests;
	u64 now = ktime_get_ns();
	u32 i;

	lockdep_assert_held(&rq->lock);
	if (!rq->posted_at || rq->cq.shared)
		return;
	for (i = 0; i < n; i++)
		rq->posted_at[(rq->cq.tail + i) & rq->cq.mask] = now;
}

/**
 * untwist_latency_reaped() - completions are about to leave the queue
 * @ch: channel, its rd_mutex held
 * @n: how many
 */
void untwist_latency_reaped(struct untwist_channel *ch, u32 n)
{
	struct untwist_requests *rq = &ch->requests;
	u32 head = (u32)atomic_read(&rq->cq.head);
	u64 now = ktime_get_ns();
	u32 i;

	lockdep_assert_held(&ch->rd_mutex);
	if (!READ_ONCE(rq->posted_at))
		return;
	for (i = 0; i < n; i++)
		latency_record(ch->ud, UNTWIST_STAGE_REAP, rq->posted_at[(head + i) & rq->cq.mask],
			       now);
}

/**
 * untwist_latency_told() - a client is about to be told of a completion
 * @ud: device
 * @posted: when it was posted
 */
void untwist_latency_told(struct untwist_device *ud, u64 posted)
{
	latency_record(ud, UNTWIST_STAGE_REAP, posted, ktime_get_ns());
}

/* On and off. */

static void latency_clear(struct untwist_device *ud)
{
	int cpu;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(ud->latency, cpu), 0, sizeof(*ud->latency));
}

static int latency_begin(struct untwist_device *ud)
{
	if (!ud->latency)
		ud->latency = alloc_percpu(struct untwist_latency);
	if (!ud->latency)
		return -ENOMEM;
	latency_clear(ud);
	WRITE_ONCE(ud->latency_since, ktime_get_ns());
	return 0;
}

/**
 * untwist_latency_switch() - begin to measure, or end
 * @ud: device
 * @on: begin, from nothing; else what was measured stays to be read
 *
 * Context: may sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int untwist_latency_switch(struct untwist_device *ud, bool on)
{
	int ret = 0;

	mutex_lock(&switch_lock);
	if (on)
		ret = latency_begin(ud);
	if (!ret && on != ud->latency_on) {
		if (on)
			static_branch_inc(&untwist_latency_key);
		/* Pairs with the load in untwist_latency_on(): the memory is there. */
		smp_store_release(&ud->latency_on, on);
		if (!on)
			static_branch_dec(&untwist_latency_key);
	}
	mutex_unlock(&switch_lock);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_latency_switch);

/**
 * untwist_latency_read() - add up one bucket
 * @ud: device that was measured
 * @stage: stage
 * @bucket: power of two of the nanoseconds, below UNTWIST_LATENCY_BUCKETS
 *
 * Return: how many requests took so long.
 */
unsigned long untwist_latency_read(const struct untwist_device *ud, enum untwist_stage stage,
				   unsigned int bucket)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(ud->latency, cpu)->count[stage][bucket]);
	return sum;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_latency_read);

/* The file. */

static void show_stage(struct seq_file *m, const struct untwist_device *ud, unsigned int stage)
{
	unsigned long count;
	unsigned int i;

	for (i = 0; i < UNTWIST_LATENCY_BUCKETS; i++) {
		count = untwist_latency_read(ud, stage, i);
		if (count)
			seq_printf(m, "%s %llu %lu\n", stage_names[stage], i ? 1ull << i : 0,
				   count);
	}
}

/* What is empty is left out. */
static int latency_show(struct seq_file *m, void *unused)
{
	struct untwist_device *ud = m->private;
	unsigned int stage;

	mutex_lock(&switch_lock);
	seq_printf(m, "# measuring: %s\n# stage from-ns requests\n", ud->latency_on ? "on" : "off");
	for (stage = 0; ud->latency && stage < UNTWIST_NR_STAGES; stage++)
		show_stage(m, ud, stage);
	mutex_unlock(&switch_lock);
	return 0;
}

static ssize_t latency_write(struct file *file, const char __user *buf, size_t len, loff_t *at)
{
	struct untwist_device *ud = ((struct seq_file *)file->private_data)->private;
	bool on;
	int ret = kstrtobool_from_user(buf, len, &on);

	if (!ret)
		ret = untwist_latency_switch(ud, on);
	return ret ? ret : len;
}

static int latency_open(struct inode *inode, struct file *file)
{
	return single_open(file, latency_show, inode->i_private);
}

static const struct file_operations latency_fops = {
	.owner = THIS_MODULE,
	.open = latency_open,
	.release = single_release,
	.read = seq_read,
	.write = latency_write,
	.llseek = seq_lseek,
};

/**
 * untwist_latency_add() - make the files of a device
 * @ud: device that is being registered
 *
 * Context: may sleep. Without debugfs there are none.
 */
void untwist_latency_add(struct untwist_device *ud)
{
	ud->debugfs = debugfs_create_dir(ud->name, debugfs_root);
	debugfs_create_file("latency", 0600, ud->debugfs, ud, &latency_fops);
}

/**
 * untwist_latency_remove() - take the files of a device away, and end measuring
 * @ud: device whose channels are all closed
 *
 * Context: may sleep.
 */
void untwist_latency_remove(struct untwist_device *ud)
{
	debugfs_remove(ud->debugfs);
	untwist_latency_switch(ud, false);
}

/**
 * untwist_latency_init() - make the folder of all devices
 */
void untwist_latency_init(void)
{
	debugfs_root = debugfs_create_dir("untwist", NULL);
}

/**
 * untwist_latency_exit() - take the folder away
 */
void untwist_latency_exit(void)
{
	debugfs_remove(debugfs_root);
}
