// SPDX-License-Identifier: GPL-2.0-only
/* untwist_tick: a line every now and then. The smallest whole driver. */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/untwist.h>

static unsigned int period_ms = 100;
module_param(period_ms, uint, 0444);
MODULE_PARM_DESC(period_ms, "milliseconds from one line to the next (default 100)");

struct tick {
	struct untwist_channel *ch;
	struct timer_list timer;
	unsigned int count;
};

static void tick_expired(struct timer_list *timer)
{
	struct tick *tick = container_of(timer, struct tick, timer);
	char line[24];

	untwist_push(tick->ch, line, scnprintf(line, sizeof(line), "tick %u\n", tick->count++));
	mod_timer(&tick->timer, jiffies + msecs_to_jiffies(period_ms));
}

static int tick_open(struct untwist_channel *ch)
{
	struct tick *tick = kzalloc(sizeof(*tick), GFP_KERNEL);

	if (!tick)
		return -ENOMEM;
	tick->ch = ch;
	untwist_channel_set_drvdata(ch, tick);
	timer_setup(&tick->timer, tick_expired, 0);
	mod_timer(&tick->timer, jiffies + msecs_to_jiffies(period_ms));
	return 0;
}

static void tick_close(struct untwist_channel *ch)
{
	struct tick *tick = untwist_channel_drvdata(ch);

	timer_shutdown_sync(&tick->timer);
	kfree(tick);
}

static const struct untwist_ops tick_ops = { .open = tick_open, .close = tick_close };
static struct untwist_device *tick_device;

static int __init tick_init(void)
{
	const struct untwist_config config = {
		.name = "tick0",
		.ops = &tick_ops,
		.kind = UNTWIST_KIND_STREAM,
		.rx_size = 4096,
	};

	tick_device = untwist_register(NULL, &config);
	return PTR_ERR_OR_ZERO(tick_device);
}
module_init(tick_init);

static void __exit tick_exit(void)
{
	untwist_unregister(tick_device);
}
module_exit(tick_exit);

MODULE_DESCRIPTION("Untwist device that ticks");
MODULE_LICENSE("GPL");
