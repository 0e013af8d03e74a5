// SPDX-License-Identifier: GPL-2.0-only
/* Step 3: a device that is written to, and holds the program back when it must. */
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/untwist.h>

#define RECORD_MAX 64

struct guide {
	struct untwist_channel *ch;
	spinlock_t lock; /* one record at a time, so that they stay in order */
	u8 record[RECORD_MAX];
};

/* Room first: what is pulled has left the program, and must have a place. */
static bool guide_move(struct guide *guide)
{
	unsigned long flags;
	size_t len, i;

	spin_lock_irqsave(&guide->lock, flags);
	len = untwist_pending(guide->ch);
	if (len && untwist_room(guide->ch, len) < len)
		len = 0;
	if (len)
		len = untwist_pull(guide->ch, guide->record, sizeof(guide->record));
	for (i = 0; i < len; i++)
		guide->record[i] = toupper(guide->record[i]);
	if (len)
		untwist_push(guide->ch, guide->record, len);
	spin_unlock_irqrestore(&guide->lock, flags);
	return len;
}

/* The program has written; or it has read, and there is the room that was missed. */
static void guide_transmit(struct untwist_channel *ch)
{
	while (guide_move(untwist_channel_drvdata(ch)))
		;
}

static int guide_open(struct untwist_channel *ch)
{
	struct guide *guide = kzalloc(sizeof(*guide), GFP_KERNEL_ACCOUNT);

	if (!guide)
		return -ENOMEM;
	guide->ch = ch;
	spin_lock_init(&guide->lock);
	untwist_channel_set_drvdata(ch, guide);
	return 0;
}

static void guide_close(struct untwist_channel *ch)
{
	kfree(untwist_channel_drvdata(ch));
}

static const struct untwist_ops guide_ops = {
	.open = guide_open,
	.close = guide_close,
	.transmit = guide_transmit,
	.resume = guide_transmit,
};

static struct untwist_device *guide_device;

static int __init guide_init(void)
{
	const struct untwist_config config = {
		.name = "guide_write",
		.ops = &guide_ops,
		.kind = UNTWIST_KIND_RECORD,
		.record_max = RECORD_MAX,
		.rx_size = 256,
		.tx_size = 256,
	};

	guide_device = untwist_register(NULL, &config);
	return PTR_ERR_OR_ZERO(guide_device);
}
module_init(guide_init);

static void __exit guide_exit(void)
{
	untwist_unregister(guide_device);
}
module_exit(guide_exit);

MODULE_DESCRIPTION("Step 3 of Untwist's driver guide");
MODULE_LICENSE("GPL");
