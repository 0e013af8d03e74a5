// SPDX-License-Identifier: GPL-2.0-only
/*
 * untwist_loop: what is written comes back. Each open has an echo of its own.
 *
 * This is the driver to start a new one from. It shows, in order:
 *   1. a data plane: take what the program wrote, push what it shall read,
 *      and hold back while there is no room;
 *   2. requests: one that a timer completes, one that is complete at once, one
 *	that completes many times, and their cancel;
 *   3. the open and the close;
 *   4. the description of a device;
 *   5. the devices themselves. Only this part is about having no hardware: a
 *      driver with some calls devm_untwist_register() in its probe instead, as
 *      untwist_edu does.
 */
#include <linux/capability.h>
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/untwist.h>
#include <uapi/linux/untwist_loop.h>

#define LOOP_RECORD_MAX 4096
#define LOOP_DELAY_MAX	(60ULL * NSEC_PER_SEC)
#define LOOP_TICK_MIN	1000ULL

static unsigned int delay_us;
module_param(delay_us, uint, 0644);
MODULE_PARM_DESC(delay_us, "echo after so many microseconds; 0, at once (default 0)");

static bool hard_irq;
module_param(hard_irq, bool, 0644);
MODULE_PARM_DESC(hard_irq, "be late by hard interrupts, not soft ones, in later opens (default N)");

static bool broadcast;
module_param(broadcast, bool, 0644);
MODULE_PARM_DESC(broadcast, "echo to all opens of the device, not only to the one (default N)");

/* 1. The data plane. */

/**
 * struct loop_echo - the echo of one open
 * @ch: the open
 * @mode: of the timers of this open: in hard or in soft interrupts
 * @timer: makes it late
 * @lock: keeps the order of what is moved by several at once; raw, because the
 *	timer may be a hard interrupt
 * @armed: the timer will move all that is written until it clears this;
 *	guarded by @lock
 * @may_fault: who opened may have it do what a driver must not
 * @late: tag of a request that is complete and will be completed again, or 0
 * @buf: what is on its way, guarded by @lock
 */
struct loop_echo {
	struct untwist_channel *ch;
	enum hrtimer_mode mode;
	struct hrtimer timer;
	raw_spinlock_t lock;
	bool armed;
	bool may_fault;
	u32 late;
	u8 buf[LOOP_RECORD_MAX];
};

/*
 * Ask for room, then pull: nothing is pulled that could not be pushed. When
 * there is no room, the core calls loop_resume() once there is, and until then
 * it is the program's writes that have to wait.
 */
static size_t loop_move_one(struct loop_echo *echo)
{
	bool to_all = READ_ONCE(broadcast);
	unsigned long flags;
	size_t len;

	raw_spin_lock_irqsave(&echo->lock, flags);
	len = min(untwist_pending(echo->ch), sizeof(echo->buf));
	/* All opens cannot be waited for: what one has no room for is lost to it. */
	if (len && !to_all)
		len = min(len, untwist_room(echo->ch, len));
	if (len)
		len = untwist_pull(echo->ch, echo->buf, len);
	if (len && to_all)
		untwist_broadcast(untwist_channel_device(echo->ch), echo->buf, len);
	else if (len)
		untwist_push(echo->ch, echo->buf, len);
	raw_spin_unlock_irqrestore(&echo->lock, flags);
	return len;
}

static void loop_move(struct loop_echo *echo)
{
	while (loop_move_one(echo))
		;
}

static enum hrtimer_restart loop_echo_expired(struct hrtimer *timer)
{
	struct loop_echo *echo = container_of(timer, struct loop_echo, timer);
	unsigned long flags;

	raw_spin_lock_irqsave(&echo->lock, flags);
	echo->armed = false;
	raw_spin_unlock_irqrestore(&echo->lock, flags);
	loop_move(echo);
	return HRTIMER_NORESTART;
}

/*
 * hrtimer_active() would not do for armed: it is still true when the timer's
 * function has looked for the last time and is about to return.
 */
static void loop_echo_arm(struct loop_echo *echo, u64 delay_ns)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&echo->lock, flags);
	if (!echo->armed) {
		echo->armed = true;
		hrtimer_start(&echo->timer, ns_to_ktime(delay_ns), echo->mode);
	}
	raw_spin_unlock_irqrestore(&echo->lock, flags);
}

/* Late, all that was written since the last echo comes back together. */
static void loop_transmit(struct untwist_channel *ch)
{
	struct loop_echo *echo = untwist_channel_drvdata(ch);
	u64 delay_ns = (u64)READ_ONCE(delay_us) * NSEC_PER_USEC;

	if (delay_ns)
		loop_echo_arm(echo, delay_ns);
	else
		loop_move(echo);
}

static void loop_resume(struct untwist_channel *ch)
{
	loop_move(untwist_channel_drvdata(ch));
}

/* 2. Requests. */

/* The driver's own part of a request, next to what the core knows of it. */
struct loop_request {
	struct hrtimer timer;
	struct untwist_request *req;
	u64 ticks;
};

static void loop_answer(struct untwist_request *req)
{
	req->value[0] = req->arg[1];
	untwist_complete(req, req->len);
}

static enum hrtimer_restart loop_request_expired(struct hrtimer *timer)
{
	loop_answer(container_of(timer, struct loop_request, timer)->req);
	return HRTIMER_NORESTART;
}

static int loop_submit_echo(struct untwist_request *req)
{
	struct loop_echo *echo = untwist_channel_drvdata(req->channel);
	struct loop_request *lr = untwist_request_priv(req);

	if (req->arg[0] > LOOP_DELAY_MAX)
		return -ERANGE;
	if (!req->arg[0]) {
		loop_answer(req);
		return 0;
	}
	lr->req = req;
	hrtimer_init(&lr->timer, CLOCK_MONOTONIC, echo->mode);
	lr->timer.function = loop_request_expired;
	hrtimer_start(&lr->timer, ns_to_ktime(req->arg[0]), echo->mode);
	return 0;
}

static s32 loop_value(struct untwist_request *req)
{
	req->value[0] = req->arg[1];
	return 0;
}

/* Many completions of one request; a program that does not read is not waited for. */
static enum hrtimer_restart loop_tick(struct hrtimer *timer)
{
	struct loop_request *lr = container_of(timer, struct loop_request, timer);
	struct untwist_request *req = lr->req;

	untwist_post(req, 0, lr->ticks++, 0);
	if (lr->ticks == req->arg[1]) {
		untwist_complete(req, (s32)min_t(u64, lr->ticks, S32_MAX));
		return HRTIMER_NORESTART;
	}
	hrtimer_forward_now(timer, ns_to_ktime(req->arg[0]));
	return HRTIMER_RESTART;
}

static int loop_submit_ticks(struct untwist_request *req)
{
	struct loop_echo *echo = untwist_channel_drvdata(req->channel);
	struct loop_request *lr = untwist_request_priv(req);

	if (!req->multishot)
		return -EINVAL;
	if (req->arg[0] < LOOP_TICK_MIN || req->arg[0] > LOOP_DELAY_MAX)
		return -ERANGE;
	lr->req = req;
	hrtimer_init(&lr->timer, CLOCK_MONOTONIC, echo->mode);
	lr->timer.function = loop_tick;
	hrtimer_start(&lr->timer, ns_to_ktime(req->arg[0]), echo->mode);
	return 0;
}

/* What a driver must not do; yours will not have this. */
static int loop_submit_fault(struct untwist_request *req)
{
	struct loop_echo *echo = untwist_channel_drvdata(req->channel);
	u32 late;

	if (!echo->may_fault)
		return -EPERM;
	late = xchg(&echo->late, 0);
	if (late)
		untwist_complete_tag(req->channel, late, -EIO);
	switch (req->arg[0]) {
	case UNTWIST_LOOP_FAULT_ERROR:
		return req->arg[1] && req->arg[1] <= MAX_ERRNO ? -(int)req->arg[1] : -EINVAL;
	case UNTWIST_LOOP_FAULT_NEVER:
		return 0;
	case UNTWIST_LOOP_FAULT_TWICE:
		untwist_complete(req, 0);
		untwist_complete(req, 0);
		return 0;
	case UNTWIST_LOOP_FAULT_LATE:
		echo->late = untwist_request_tag(req);
		untwist_complete(req, 0);
		return 0;
	default:
		return -EINVAL;
	}
}

static s32 loop_event(struct untwist_request *req)
{
	if (!req->arg[0] || req->arg[0] > U32_MAX)
		return -EINVAL;
	untwist_event(req->channel, req->arg[0]);
	return 0;
}

static s32 loop_end(struct untwist_request *req)
{
	untwist_end_of_stream(req->channel);
	return 0;
}

/* Who takes the timer away completes; else the timer has, or is about to. */
static void loop_cancel(struct untwist_request *req)
{
	struct loop_request *lr = untwist_request_priv(req);

	if (req->opcode == UNTWIST_LOOP_OP_FAULT) {
		if (req->arg[0] == UNTWIST_LOOP_FAULT_NEVER)
			untwist_complete(req, -ECANCELED);
	} else if (lr->req && hrtimer_cancel(&lr->timer)) {
		untwist_complete(req, -ECANCELED);
	}
}

static const struct untwist_opcode loop_opcodes[] = {
	/* clang-format off */
	[UNTWIST_OPCODE(UNTWIST_LOOP_OP_ECHO)] = {
		.name = "echo",
		.payload = UNTWIST_TO_DEVICE | UNTWIST_FROM_DEVICE,
		.submit = loop_submit_echo,
	},
	[UNTWIST_OPCODE(UNTWIST_LOOP_OP_VALUE)] = {
		.name = "value",
		.execute = loop_value,
	},
	[UNTWIST_OPCODE(UNTWIST_LOOP_OP_TICKS)] = {
		.name = "ticks",
		.multishot = true,
		.submit = loop_submit_ticks,
	},
	[UNTWIST_OPCODE(UNTWIST_LOOP_OP_FAULT)] = {
		.name = "fault",
		.submit = loop_submit_fault,
	},
	[UNTWIST_OPCODE(UNTWIST_LOOP_OP_EVENT)] = {
		.name = "event",
		.execute = loop_event,
	},
	[UNTWIST_OPCODE(UNTWIST_LOOP_OP_END)] = {
		.name = "end",
		.execute = loop_end,
	},
	/* clang-format on */
};

/* 3. The open and the close. */

static int loop_open(struct untwist_channel *ch)
{
	struct loop_echo *echo = kzalloc(sizeof(*echo), GFP_KERNEL_ACCOUNT);

	if (!echo)
		return -ENOMEM;
	echo->ch = ch;
	/* Asked here: requests may be submitted by threads of the kernel. */
	echo->may_fault = capable(CAP_SYS_RAWIO);
	echo->mode = READ_ONCE(hard_irq) ? HRTIMER_MODE_REL_HARD : HRTIMER_MODE_REL_SOFT;
	raw_spin_lock_init(&echo->lock);
	hrtimer_init(&echo->timer, CLOCK_MONOTONIC, echo->mode);
	echo->timer.function = loop_echo_expired;
	untwist_channel_set_drvdata(ch, echo);
	return 0;
}

/* When this returns, nothing of the driver may touch the channel any more. */
static void loop_close(struct untwist_channel *ch)
{
	struct loop_echo *echo = untwist_channel_drvdata(ch);

	hrtimer_cancel(&echo->timer);
	kfree(echo);
}

/* 4. The description. */

static const struct untwist_ops loop_ops = {
	.open = loop_open,
	.close = loop_close,
	.transmit = loop_transmit,
	.resume = loop_resume,
	.cancel = loop_cancel,
};

static bool exclusive;
module_param(exclusive, bool, 0644);
MODULE_PARM_DESC(exclusive, "one open at a time of later devices (default N)");

static bool defer;
module_param(defer, bool, 0644);
MODULE_PARM_DESC(defer, "later devices echo from their workqueue, not the writer (default N)");

static int capability;
module_param(capability, int, 0644);
MODULE_PARM_DESC(capability, "CAP_* that later devices ask for; 0, none (default 0)");

static struct untwist_device *loop_register(unsigned int index, u32 kind)
{
	char name[UNTWIST_NAME_LEN];
	struct untwist_config config = {
		.name = name,
		.ops = &loop_ops,
		.flags = UNTWIST_HOLDS_BACK | (READ_ONCE(exclusive) ? UNTWIST_EXCLUSIVE : 0) |
			(READ_ONCE(defer) ? UNTWIST_DEFER : 0),
		.kind = kind,
		.record_max = LOOP_RECORD_MAX,
		.opcodes = loop_opcodes,
		.nr_opcodes = ARRAY_SIZE(loop_opcodes),
		.request_size = sizeof(struct loop_request),
		.capability = READ_ONCE(capability),
	};

	snprintf(name, sizeof(name), "loop%u", index);
	return untwist_register(NULL, &config);
}

/*
 * 5. The devices: as many as the parameter "devices" says, of the kinds that
 * "kinds" lists, in turn. Both can be written at run time under
 * /sys/module/untwist_loop/parameters.
 */

#define LOOP_DEVICES_MAX 64
#define LOOP_KINDS_MAX	 8

/* Guards all below, and makes the changes one after another. */
static DEFINE_MUTEX(loop_lock);
static struct untwist_device *loop_devices[LOOP_DEVICES_MAX];
static u32 loop_kinds[LOOP_DEVICES_MAX]; /* what each was registered as */
static unsigned int loop_wanted = 2;
static u32 kinds[LOOP_KINDS_MAX] = { UNTWIST_KIND_STREAM, UNTWIST_KIND_RECORD };
static unsigned int nr_kinds = 2;
static bool loop_running;

static void loop_take_away(unsigned int index)
{
	if (loop_devices[index])
		untwist_unregister(loop_devices[index]);
	loop_devices[index] = NULL;
}

static int loop_put_up(unsigned int index, u32 kind)
{
	struct untwist_device *ud;

	if (loop_devices[index] && loop_kinds[index] == kind)
		return 0;
	loop_take_away(index);
	ud = loop_register(index, kind);
	if (IS_ERR(ud))
		return PTR_ERR(ud);
	loop_devices[index] = ud;
	loop_kinds[index] = kind;
	return 0;
}

/* Devices that stay as they are keep their files. */
static int loop_apply(void)
{
	unsigned int i;
	int ret = 0;

	lockdep_assert_held(&loop_lock);
	if (!loop_running)
		return 0;
	for (i = 0; i < loop_wanted && !ret; i++)
		ret = loop_put_up(i, kinds[i % nr_kinds]);
	for (i = loop_wanted; i < LOOP_DEVICES_MAX; i++)
		loop_take_away(i);
	return ret;
}

static int devices_set(const char *val, const struct kernel_param *kp)
{
	unsigned int wanted;
	int ret = kstrtouint(val, 0, &wanted);

	if (ret)
		return ret;
	if (wanted > LOOP_DEVICES_MAX) {
		pr_err("untwist_loop: devices=%u is above %u\n", wanted, LOOP_DEVICES_MAX);
		return -ERANGE;
	}
	mutex_lock(&loop_lock);
	loop_wanted = wanted;
	ret = loop_apply();
	mutex_unlock(&loop_lock);
	return ret;
}

static int devices_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(loop_wanted));
}

static const struct kernel_param_ops devices_ops = { .set = devices_set, .get = devices_get };
module_param_cb(devices, &devices_ops, NULL, 0644);
MODULE_PARM_DESC(devices, "number of devices, 0 to 64 (default 2)");

static const char *const kind_names[] = { "stream", "record" };

/* The first of the names; there is no loop without a data plane. */
#define LOOP_KIND_FIRST UNTWIST_KIND_STREAM

/* Returns the number of kinds in @val, or a negative errno. */
static int kinds_parse(const char *val, u32 *parsed)
{
	char *list = kstrdup(skip_spaces(val), GFP_KERNEL);
	char *rest, *word;
	int ret = 0;

	if (!list)
		return -ENOMEM;
	rest = strim(list);
	while (ret >= 0 && (word = strsep(&rest, ","))) {
		int kind = match_string(kind_names, ARRAY_SIZE(kind_names), word);

		if (kind < 0 || ret == LOOP_KINDS_MAX) {
			pr_err("untwist_loop: kinds: \"%s\" at place %d is %s\n", word, ret + 1,
			       kind < 0 ? "neither stream nor record" : "one too many");
			ret = -EINVAL;
		} else {
			parsed[ret++] = LOOP_KIND_FIRST + kind;
		}
	}
	kfree(list);
	return ret;
}

static int kinds_set(const char *val, const struct kernel_param *kp)
{
	u32 parsed[LOOP_KINDS_MAX];
	int nr = kinds_parse(val, parsed);
	int ret;

	if (nr < 0)
		return nr;
	mutex_lock(&loop_lock);
	memcpy(kinds, parsed, sizeof(kinds));
	nr_kinds = nr;
	ret = loop_apply();
	mutex_unlock(&loop_lock);
	return ret;
}

static int kinds_get(char *buf, const struct kernel_param *kp)
{
	unsigned int i;
	int len = 0;

	mutex_lock(&loop_lock);
	for (i = 0; i < nr_kinds; i++)
		len += sysfs_emit_at(buf, len, "%s%s", i ? "," : "",
				     kind_names[kinds[i] - LOOP_KIND_FIRST]);
	len += sysfs_emit_at(buf, len, "\n");
	mutex_unlock(&loop_lock);
	return len;
}

static const struct kernel_param_ops kinds_ops = { .set = kinds_set, .get = kinds_get };
module_param_cb(kinds, &kinds_ops, NULL, 0644);
MODULE_PARM_DESC(kinds, "kinds of the devices in turn: stream, record (default stream,record)");

static void loop_stop(void)
{
	unsigned int i;

	mutex_lock(&loop_lock);
	loop_running = false;
	for (i = 0; i < LOOP_DEVICES_MAX; i++)
		loop_take_away(i);
	mutex_unlock(&loop_lock);
}

static int __init loop_init(void)
{
	int ret;

	mutex_lock(&loop_lock);
	loop_running = true;
	ret = loop_apply();
	mutex_unlock(&loop_lock);
	if (ret)
		loop_stop();
	return ret;
}
module_init(loop_init);

static void __exit loop_exit(void)
{
	loop_stop();
}
module_exit(loop_exit);

MODULE_DESCRIPTION("Untwist device that returns what it is given");
MODULE_LICENSE("GPL");
