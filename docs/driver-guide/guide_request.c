// SPDX-License-Identifier: GPL-2.0-only
/* Step 4: a measurement on request, which takes its time and can be taken back. */
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/untwist.h>

/* Measures for arg[0] milliseconds; value[0] is the reading in tenths. */
#define GUIDE_OP_MEASURE UNTWIST_OP_DRIVER
#define GUIDE_MS_MAX	 60000

/* What the driver knows of one request; its memory comes with the request. */
struct guide_request {
	struct untwist_request *req;
	struct hrtimer timer;
};

/* The interrupt of a device that is done. */
static enum hrtimer_restart guide_measured(struct hrtimer *timer)
{
	struct guide_request *gr = container_of(timer, struct guide_request, timer);

	gr->req->value[0] = 215;
	untwist_complete(gr->req, 0);
	return HRTIMER_NORESTART;
}

/* Arguments come from a program: an error from here is its completion. */
static int guide_submit(struct untwist_request *req)
{
	struct guide_request *gr = untwist_request_priv(req);

	if (req->arg[0] > GUIDE_MS_MAX)
		return -ERANGE;
	gr->req = req;
	hrtimer_init(&gr->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
	gr->timer.function = guide_measured;
	hrtimer_start(&gr->timer, ms_to_ktime(req->arg[0]), HRTIMER_MODE_REL_SOFT);
	return 0;
}

/* Who gets hold of the timer completes; otherwise it has run, or is about to. */
static void guide_cancel(struct untwist_request *req)
{
	struct guide_request *gr = untwist_request_priv(req);

	if (gr->req && hrtimer_cancel(&gr->timer))
		untwist_complete(req, -ECANCELED);
}

static const struct untwist_opcode guide_opcodes[] = {
	[UNTWIST_OPCODE(GUIDE_OP_MEASURE)] = { .name = "measure", .submit = guide_submit },
};

static const struct untwist_ops guide_ops = { .cancel = guide_cancel };
static struct untwist_device *guide_device;

static int __init guide_init(void)
{
	const struct untwist_config config = {
		.name = "guide_request",
		.ops = &guide_ops,
		.opcodes = guide_opcodes,
		.nr_opcodes = ARRAY_SIZE(guide_opcodes),
		.request_size = sizeof(struct guide_request),
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

MODULE_DESCRIPTION("Step 4 of Untwist's driver guide");
MODULE_LICENSE("GPL");
