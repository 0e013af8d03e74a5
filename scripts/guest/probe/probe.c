// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that does one wrong thing when it is loaded: insmod probe.ko bug=NAME.
 *
 * A detector that never fires looks just like a kernel without bugs, so the runner is shown every
 * class of bug it claims to find..
 */

#include <linux/bug.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static char *bug = "none";
module_param(bug, charp, 0);
MODULE_PARM_DESC(bug, "What to do wrong");

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(held);
static void __rcu *pointer;

static void do_warn(void)
{
	WARN(1, "probe: a warning\n");
}

static void do_bug(void)
{
	BUG();
}

static void do_oops(void)
{
	*(volatile int *)8 = 1;
}

static void do_use_after_free(void)
{
	char *freed = kmalloc(64, GFP_KERNEL);

	kfree(freed);
	WRITE_ONCE(freed[8], 1);
}

static void do_lock_order(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void do_sleep_in_atomic(void)
{
	spin_lock(&held);
	msleep(1);
	spin_unlock(&held);
}

static void do_rcu(void)
{
	(void)rcu_dereference(pointer);
}

static void do_leak(void)
{
	/* Written to, so that the compiler cannot leave the allocation out. */
	WRITE_ONCE(*(char *)kmalloc(100, GFP_KERNEL), 1);
}

static void do_hang(void)
{
	DECLARE_COMPLETION_ONSTACK(never);

	wait_for_completion(&never);
}

static const struct {
	const char *name;
	void (*run)(void);
} bugs[] = {
	{ "warn", do_warn },
	{ "bug", do_bug },
	{ "oops", do_oops },
	{ "use-after-free", do_use_after_free },
	{ "lock-order", do_lock_order },
	{ "sleep-in-atomic", do_sleep_in_atomic },
	{ "rcu", do_rcu },
	{ "leak", do_leak },
	{ "hang", do_hang },
};

static int __init probe_init(void)
{
	size_t i;

	if (!strcmp(bug, "none"))
		return 0;
	for (i = 0; i < ARRAY_SIZE(bugs); i++) {
		if (!strcmp(bug, bugs[i].name)) {
			bugs[i].run();
			return 0;
		}
	}
	pr_err("probe: no such bug: %s\n", bug);
	return -EINVAL;
}

static void __exit probe_exit(void)
{
}

module_init(probe_init);
module_exit(probe_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Bugs on purpose, for the tests of the runner");
