// SPDX-License-Identifier: GPL-2.0-only
/* Step 2: a sensor that measures by itself, for each open file. */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/untwist.h>

#define PERIOD (HZ / 10)

struct guide {
	struct untwist_channel *ch;
	struct timer_list timer;
	unsigned int tenths;
};

/* In an interrupt: the program, if it waits, is woken from here. */
static void guide_measured(struct timer_list *timer)
{
	struct guide *guide = container_of(timer, struct guide, timer);
	char reading[16];
	int len = scnprintf(reading, sizeof(reading), "%u.%u", guide->tenths / 10,
			    guide->tenths % 10);

	untwist_push(guide->ch, reading, len);
	guide->tenths++;
	mod_timer(&guide->timer, jiffies + PERIOD);
}

static int guide_open(struct untwist_channel *ch)
{
	struct guide *guide = kzalloc(sizeof(*guide), GFP_KERNEL_ACCOUNT);

	if (!guide)
		return -ENOMEM;
	guide->ch = ch;
	guide->tenths = 215;
	untwist_channel_set_drvdata(ch, guide);
	timer_setup(&guide->timer, guide_measured, 0);
	mod_timer(&guide->timer, jiffies + PERIOD);
	return 0;
}

/* Stop what may touch the channel, and only then forget it. */
static void guide_close(struct untwist_channel *ch)
{
	struct guide *guide = untwist_channel_drvdata(ch);

	timer_shutdown_sync(&guide->timer);
	kfree(guide);
}

static const struct untwist_ops guide_ops = { .open = guide_open, .close = guide_close };
static struct untwist_device *guide_device;

static int __init guide_init(void)
{
	const struct untwist_config config = {
		.name = "guide_time",
		.ops = &guide_ops,
		.kind = UNTWIST_KIND_RECORD,
		.record_max = 16,
		.rx_size = 4096,
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

MODULE_DESCRIPTION("Step 2 of Untwist's driver guide");
MODULE_LICENSE("GPL");
