// SPDX-License-Identifier: GPL-2.0-only
/*
 * untwist_sampler: a device on a device. It asks another driver's device the same
 * request every now and then, as a client, and publishes what the answers were
 * as lines to all who listen. When that device goes, so does this one.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/untwist.h>
#include <linux/untwist_client.h>
#include <linux/workqueue.h>

static char *device = "loop0";
module_param(device, charp, 0444);
MODULE_PARM_DESC(device, "whom to ask, a name under /dev/untwist (default loop0)");

static uint opcode = UNTWIST_OP_DRIVER;
module_param(opcode, uint, 0444);
MODULE_PARM_DESC(opcode, "what to ask (default 16, the first of the driver's)");

static unsigned long long arg0, arg1;
module_param(arg0, ullong, 0444);
MODULE_PARM_DESC(arg0, "first argument (default 0)");
module_param(arg1, ullong, 0444);
MODULE_PARM_DESC(arg1, "second argument (default 0)");

static uint period_ms = 100;
module_param(period_ms, uint, 0444);
MODULE_PARM_DESC(period_ms, "milliseconds from an answer to the next question (default 100)");

/**
 * struct sampler - the one there is
 * @lock: keeps beginning and end apart
 * @ud: the device that publishes; NULL once it is gone
 * @client: who asks
 * @call: the question, asked again and again
 * @answered: the call is ours
 * @work: asks
 * @end: takes it all away when the other device is gone
 */
struct sampler {
	struct mutex lock; /* see above */
	struct untwist_device *ud;
	struct untwist_client *client;
	struct untwist_call call;
	bool answered;
	struct delayed_work work;
	struct work_struct end;
};

static struct sampler sampler;

/* Questions. */

static void sampler_done(struct untwist_call *call, const struct untwist_cqe *cqe)
{
	char line[32];
	int len;

	if (cqe->res < 0)
		len = scnprintf(line, sizeof(line), "error %d\n", -cqe->res);
	else
		len = scnprintf(line, sizeof(line), "%llu\n", cqe->value[0]);
	untwist_broadcast(sampler.ud, line, len);
	/* Pairs with the load in sampler_ask(). */
	smp_store_release(&sampler.answered, true);
}

/* Nothing is asked as long as there is no answer. */
static void sampler_ask(struct work_struct *work)
{
	struct untwist_call *call = &sampler.call;

	/* Pairs with the store in sampler_done(): it has left the call alone. */
	if (smp_load_acquire(&sampler.answered)) {
		sampler.answered = false;
		if (untwist_client_submit(sampler.client, &call, 1))
			sampler.answered = true;
	}
	schedule_delayed_work(&sampler.work, msecs_to_jiffies(period_ms));
}

/* Beginning and end. */

/* Questions first, for their answers are published. */
static void sampler_stop(struct sampler *s)
{
	mutex_lock(&s->lock);
	if (s->ud) {
		cancel_delayed_work_sync(&s->work);
		untwist_client_close(s->client);
		untwist_unregister(s->ud);
		s->ud = NULL;
	}
	mutex_unlock(&s->lock);
}

static void sampler_end(struct work_struct *work)
{
	sampler_stop(&sampler);
}

/* Not in here: the end waits for this callback. */
static void sampler_gone(struct untwist_client *client)
{
	schedule_work(&sampler.end);
}

static const struct untwist_client_ops client_ops = { .gone = sampler_gone };

static int sampler_open(struct sampler *s)
{
	struct untwist_device *other = untwist_device_find(device);

	if (!other)
		return -ENODEV;
	s->client = untwist_client_open(other, &client_ops, NULL);
	untwist_device_put(other);
	return PTR_ERR_OR_ZERO(s->client);
}

static int sampler_register(struct sampler *s)
{
	static const struct untwist_ops no_ops;
	const struct untwist_config config = {
		.name = "sampler0",
		.ops = &no_ops,
		.kind = UNTWIST_KIND_STREAM,
		.rx_size = PAGE_SIZE,
	};

	s->ud = untwist_register(NULL, &config);
	return PTR_ERR_OR_ZERO(s->ud);
}

static int sampler_start(struct sampler *s)
{
	int ret = sampler_register(s);

	if (ret)
		return ret;
	ret = sampler_open(s);
	if (ret) {
		pr_err("untwist_sampler: cannot ask \"%s\" (%d)\n", device, ret);
		untwist_unregister(s->ud);
		return ret;
	}
	schedule_delayed_work(&s->work, 0);
	return 0;
}

static int __init sampler_init(void)
{
	struct sampler *s = &sampler;
	int ret;

	mutex_init(&s->lock);
	INIT_DELAYED_WORK(&s->work, sampler_ask);
	INIT_WORK(&s->end, sampler_end);
	s->answered = true;
	s->call = (struct untwist_call){
		.opcode = opcode,
		.arg = { arg0, arg1 },
		.done = sampler_done,
	};
	/* The other device may go before all is in place. */
	mutex_lock(&s->lock);
	ret = sampler_start(s);
	mutex_unlock(&s->lock);
	return ret;
}
module_init(sampler_init);

static void __exit sampler_exit(void)
{
	sampler_stop(&sampler);
	/* Without a client nobody asks for it any more. */
	cancel_work_sync(&sampler.end);
}
module_exit(sampler_exit);

MODULE_DESCRIPTION("Untwist device that asks another and tells what it said");
MODULE_LICENSE("GPL");
