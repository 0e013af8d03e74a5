// SPDX-License-Identifier: GPL-2.0-only
/* Step 1: a node that says one thing to whoever opens it. */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/untwist.h>

static int guide_open(struct untwist_channel *ch)
{
	untwist_push(ch, "21.5\n", 5);
	return 0;
}

static const struct untwist_ops guide_ops = { .open = guide_open };
static struct untwist_device *guide_device;

static int __init guide_init(void)
{
	const struct untwist_config config = {
		.name = "guide_node",
		.ops = &guide_ops,
		.kind = UNTWIST_KIND_STREAM,
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

MODULE_DESCRIPTION("Step 1 of Untwist's driver guide");
MODULE_LICENSE("GPL");
