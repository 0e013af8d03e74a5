// SPDX-License-Identifier: GPL-2.0-only
/* newdriver: what the device is, and what a program can do with it. */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/untwist.h>

#define RECORD_MAX 256

/**
 * struct newdriver - one open file
 * @ch: its channel
 * @lock: keeps the order of what is moved by several at once
 * @record: what is on its way, guarded by @lock
 */
struct newdriver {
	struct untwist_channel *ch;
	spinlock_t lock; /* see above */
	u8 record[RECORD_MAX];
};

/*
 * Stands for the hardware: what is sent comes back. The order is what counts:
 * first ask for room, then take, so that nothing is taken that has no place.
 */
static bool newdriver_move(struct newdriver *nd)
{
	unsigned long flags;
	size_t len;

	spin_lock_irqsave(&nd->lock, flags);
	len = untwist_pending(nd->ch);
	if (len && untwist_room(nd->ch, len) < len)
		len = 0;
	if (len)
		len = untwist_pull(nd->ch, nd->record, sizeof(nd->record));
	if (len)
		untwist_push(nd->ch, nd->record, len);
	spin_unlock_irqrestore(&nd->lock, flags);
	return len;
}

/* The program has written something. */
static void newdriver_transmit(struct untwist_channel *ch)
{
	while (newdriver_move(untwist_channel_drvdata(ch)))
		;
}

/* There was too little room for what the device had, and now there is more. */
static void newdriver_resume(struct untwist_channel *ch)
{
	newdriver_transmit(ch);
}

static int newdriver_open(struct untwist_channel *ch)
{
	struct newdriver *nd = kzalloc(sizeof(*nd), GFP_KERNEL_ACCOUNT);

	if (!nd)
		return -ENOMEM;
	nd->ch = ch;
	spin_lock_init(&nd->lock);
	untwist_channel_set_drvdata(ch, nd);
	return 0;
}

/* When this returns, nothing of the driver may touch the channel any more. */
static void newdriver_close(struct untwist_channel *ch)
{
	kfree(untwist_channel_drvdata(ch));
}

static const struct untwist_ops newdriver_ops = {
	.open = newdriver_open,
	.close = newdriver_close,
	.transmit = newdriver_transmit,
	.resume = newdriver_resume,
};

static struct untwist_device *newdriver_device;

/*
 * A driver of a bus has a probe function instead of these two, and calls
 * devm_untwist_register() there with the device it is probing.
 */
static int __init newdriver_init(void)
{
	const struct untwist_config config = {
		.name = "newdriver0",
		.ops = &newdriver_ops,
		.kind = UNTWIST_KIND_RECORD,
		.record_max = RECORD_MAX,
	};

	newdriver_device = untwist_register(NULL, &config);
	return PTR_ERR_OR_ZERO(newdriver_device);
}
module_init(newdriver_init);

static void __exit newdriver_exit(void)
{
	untwist_unregister(newdriver_device);
}
module_exit(newdriver_exit);

MODULE_DESCRIPTION("newdriver, on Untwist");
MODULE_LICENSE("GPL");
