// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registered device: its name, its node, and how it goes. What a driver
 * registers lives until untwist_unregister() returns; the core's shell of it
 * lives until the last file is closed.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/untwist_client.h>

#include "channel.h"
#include "compat.h"
#include "device.h"
#include "file.h"
#include "holdup.h"
#include "latency.h"
#include "pages.h"
#include "stream.h"
#include "trace.h"

#define UNTWIST_MINORS 1024

#define DEFAULT_QUEUE_SIZE   (64u << 10)
#define DEFAULT_RECORD_MAX   (4u << 10)
#define DEFAULT_REQUESTS_MAX 128u
#define DEFAULT_PAYLOAD_MAX  (4u << 10)
#define DEFAULT_PAGES_MAX    SZ_1M
#define DEFAULT_MODE	     0660

#define CONFIG_FLAGS (UNTWIST_DEFER | UNTWIST_EXCLUSIVE | UNTWIST_HOLDS_BACK | UNTWIST_POWER_FLAGS)

static dev_t untwist_devt;
static DEFINE_IDA(untwist_minors);

/* Names in use; a name is free again when untwist_unregister() returns. */
static LIST_HEAD(registry);
static DEFINE_MUTEX(registry_lock);

/* What outlives a device's own workqueue: the freeing of memory. */
struct workqueue_struct *untwist_wq;

static struct class untwist_class = {
	.name = "untwist",
};

static char *device_devnode(UNTWIST_DEVNODE_CONST struct device *dev, umode_t *mode, kuid_t *uid,
			    kgid_t *gid)
{
	struct untwist_device *ud = container_of(dev, struct untwist_device, dev);

	/* Neither is asked for when the node is removed. */
	if (mode)
		*mode = ud->config.mode;
	if (gid)
		*gid = make_kgid(&init_user_ns, ud->config.gid);
	return kasprintf(GFP_KERNEL, "untwist/%s", ud->name);
}

static void device_release(struct device *dev)
{
	struct untwist_device *ud = dev_to_untwist(dev);

	ida_free(&untwist_minors, MINOR(dev->devt));
	free_percpu(ud->latency);
	free_percpu(ud->stats);
	kfree(ud);
}

static const char *const kind_names[] = {
	[UNTWIST_KIND_NONE] = "none",
	[UNTWIST_KIND_STREAM] = "stream",
	[UNTWIST_KIND_RECORD] = "record",
};

static ssize_t kind_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", kind_names[dev_to_untwist(dev)->config.kind]);
}
static DEVICE_ATTR_RO(kind);

static ssize_t driver_name_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", dev_to_untwist(dev)->driver);
}
static DEVICE_ATTR_RO(driver_name);

static struct attribute *device_attrs[] = {
	&dev_attr_kind.attr,
	&dev_attr_driver_name.attr,
	NULL,
};

static const struct attribute_group device_group = {
	.attrs = device_attrs,
};

static const struct attribute_group *device_groups[] = {
	&device_group,
	&untwist_stats_group,
	&untwist_limits_group,
	NULL,
};

/* What udev's rules can ask for, besides DEVTYPE. */
static int device_uevent(UNTWIST_UEVENT_CONST struct device *dev, struct kobj_uevent_env *env)
{
	const struct untwist_device *ud = dev_to_untwist(dev);
	int ret = add_uevent_var(env, "UNTWIST_NAME=%s", ud->name);

	if (!ret)
		ret = add_uevent_var(env, "UNTWIST_DRIVER=%s", ud->driver);
	if (!ret)
		ret = add_uevent_var(env, "UNTWIST_KIND=%s", kind_names[ud->config.kind]);
	if (!ret && untwist_device_has_requests(ud))
		ret = add_uevent_var(env, "UNTWIST_REQUESTS=1");
	return ret;
}

static const struct device_type device_type = {
	.name = "untwist",
	.groups = device_groups,
	.devnode = device_devnode,
	.uevent = device_uevent,
	.release = device_release,
	.pm = pm_sleep_ptr(&untwist_power_ops),
};

/* Descriptions and names. */

static bool name_is_good(const char *name)
{
	size_t len = name ? strlen(name) : 0;

	return len && len < UNTWIST_NAME_LEN && !strchr(name, '/') && name[0] != '.';
}

/* Returns what is wrong with a description, or NULL. */
static const char *config_fault(const struct device *parent, const struct untwist_config *config)
{
	if (!name_is_good(config->name))
		return "name must have 1 to 31 characters, no slash, no dot in front";
	if (!config->ops)
		return "ops missing";
	if (config->kind > UNTWIST_KIND_RECORD)
		return "unknown kind";
	if (config->flags & ~CONFIG_FLAGS)
		return "unknown flag";
	if (config->flags & UNTWIST_RUNTIME_PM && !parent)
		return "UNTWIST_RUNTIME_PM without a parent";
	if (config->flags & UNTWIST_QUIESCE_CANCEL &&
	    !(config->flags & UNTWIST_QUIESCE && config->ops->cancel))
		return "UNTWIST_QUIESCE_CANCEL without UNTWIST_QUIESCE, or without cancel";
	if (config->kind == UNTWIST_KIND_NONE && !config->nr_opcodes)
		return "neither a data plane nor opcodes";
	if (config->nr_opcodes && !config->opcodes)
		return "opcodes missing";
	if (config->rx_size > UNTWIST_FIFO_MAX || config->tx_size > UNTWIST_FIFO_MAX)
		return "queue above 16 MiB";
	if (config->rx_size_max > UNTWIST_FIFO_MAX || config->tx_size_max > UNTWIST_FIFO_MAX)
		return "largest queue above 16 MiB";
	if (config->flags & UNTWIST_HOLDS_BACK && !config->ops->resume)
		return "UNTWIST_HOLDS_BACK without a resume operation";
	if (config->flags & UNTWIST_EXCLUSIVE && config->opens_max > 1)
		return "UNTWIST_EXCLUSIVE with several opens";
	if (config->capability && !cap_valid(config->capability))
		return "unknown capability";
	if (config->requests_max > UNTWIST_REQUESTS_MAX)
		return "requests_max above 4096";
	if (config->request_size > UNTWIST_REQUEST_SIZE_MAX)
		return "request_size above 4096";
	if (config->payload_max > UNTWIST_PAYLOAD_MAX)
		return "payload_max above 64 KiB";
	if (config->pages_max > UNTWIST_PAGES_MAX)
		return "pages_max above 64 MiB";
	if (config->record_max > UNTWIST_FIFO_MAX / 2)
		return "record_max above 8 MiB";
	if (config->mode & ~0777)
		return "mode has more than permissions";
	return NULL;
}

static void config_complete(struct untwist_config *config)
{
	if (config->kind == UNTWIST_KIND_RECORD)
		config->record_max = config->record_max ? config->record_max : DEFAULT_RECORD_MAX;
	else
		config->record_max = 0;
	config->rx_size = untwist_stream_queue_size(config->rx_size ?: DEFAULT_QUEUE_SIZE,
						    config->record_max, false);
	config->tx_size = untwist_stream_queue_size(config->tx_size ?: DEFAULT_QUEUE_SIZE,
						    config->record_max, false);
	if (!config->requests_max)
		config->requests_max = DEFAULT_REQUESTS_MAX;
	if (!config->payload_max)
		config->payload_max = DEFAULT_PAYLOAD_MAX;
	if (!config->pages_max)
		config->pages_max = DEFAULT_PAGES_MAX;
	if (!config->mode)
		config->mode = DEFAULT_MODE;
}

static bool uses_pages(const struct untwist_config *config)
{
	unsigned int i;

	for (i = 0; i < config->nr_opcodes; i++)
		if (config->opcodes[i].payload & UNTWIST_PAGES)
			return true;
	return false;
}

static int registry_add(struct untwist_device *ud)
{
	struct untwist_device *other;
	int ret = 0;

	mutex_lock(&registry_lock);
	list_for_each_entry(other, &registry, registry)
		if (!strcmp(other->name, ud->name))
			ret = -EEXIST;
	if (!ret)
		list_add_tail(&ud->registry, &registry);
	mutex_unlock(&registry_lock);
	return ret;
}

static void registry_publish(struct untwist_device *ud)
{
	mutex_lock(&registry_lock);
	ud->published = true;
	mutex_unlock(&registry_lock);
}

static void registry_remove(struct untwist_device *ud)
{
	mutex_lock(&registry_lock);
	list_del(&ud->registry);
	mutex_unlock(&registry_lock);
}

/**
 * untwist_device_find() - a device by its name
 * @name: as in untwist_config.name
 *
 * Context: may sleep.
 *
 * Return: the device, which untwist_device_put() gives back and which may go all
 * the same; NULL, there is none.
 */
struct untwist_device *untwist_device_find(const char *name)
{
	struct untwist_device *ud, *found = NULL;

	mutex_lock(&registry_lock);
	list_for_each_entry(ud, &registry, registry)
		if (ud->published && !strcmp(ud->name, name))
			found = ud;
	if (found)
		get_device(&found->dev);
	mutex_unlock(&registry_lock);
	return found;
}
EXPORT_SYMBOL_GPL(untwist_device_find);

/**
 * untwist_device_put() - give a device back that was found
 * @ud: device, or NULL
 */
void untwist_device_put(struct untwist_device *ud)
{
	if (ud)
		put_device(&ud->dev);
}
EXPORT_SYMBOL_GPL(untwist_device_put);

/* From device_initialize() on, put_device() is the only way to free it. */
static struct untwist_device *device_new(struct device *parent, const struct untwist_config *config,
					 const char *driver)
{
	struct untwist_device *ud = kzalloc(sizeof(*ud), GFP_KERNEL);
	static struct lock_class_key __maybe_unused calls_key;
	int minor;

	if (!ud)
		return ERR_PTR(-ENOMEM);
	ud->stats = alloc_percpu(struct untwist_stats);
	if (!ud->stats) {
		kfree(ud);
		return ERR_PTR(-ENOMEM);
	}
	minor = ida_alloc_max(&untwist_minors, UNTWIST_MINORS - 1, GFP_KERNEL);
	if (minor < 0) {
		free_percpu(ud->stats);
		kfree(ud);
		return ERR_PTR(minor);
	}
	ud->config = *config;
	config_complete(&ud->config);
	untwist_limits_init(&ud->limits, &ud->config);
	if (!ud->config.dma_dev)
		ud->config.dma_dev = parent;
	ud->in_place = uses_pages(config);
	if (ud->in_place)
		ud->segment_max = untwist_pages_segment_max(ud->config.dma_dev);
	ud->writable = config->kind != UNTWIST_KIND_NONE && config->ops->transmit;
	strscpy(ud->name, config->name, sizeof(ud->name));
	strscpy(ud->driver, driver, sizeof(ud->driver));
	spin_lock_init(&ud->bytes_lock);
	untwist_power_init(&ud->power);
	mutex_init(&ud->lock);
	INIT_LIST_HEAD(&ud->channels);
	INIT_LIST_HEAD(&ud->registry);
	lockdep_init_map(&ud->calls, "untwist_driver_call", &calls_key, 0);

	device_initialize(&ud->dev);
	ud->dev.parent = parent;
	ud->dev.class = &untwist_class;
	ud->dev.type = &device_type;
	ud->dev.groups = config->groups;
	ud->dev.devt = MKDEV(MAJOR(untwist_devt), minor);
	return ud;
}

/* The end of the channels. */

/* No new channels, and everybody who waits on an old one goes home. */
static void device_kill(struct untwist_device *ud)
{
	struct untwist_channel *ch;
	unsigned int channels = 0;

	mutex_lock(&ud->lock);
	ud->dead = true;
	list_for_each_entry(ch, &ud->channels, link) {
		untwist_channel_kill(ch);
		channels++;
	}
	mutex_unlock(&ud->lock);
	trace_untwist_unplug(ud, channels);
}

static struct untwist_channel *device_first_channel(struct untwist_device *ud)
{
	struct untwist_channel *ch;

	mutex_lock(&ud->lock);
	ch = list_first_entry_or_null(&ud->channels, struct untwist_channel, link);
	if (ch)
		kref_get(&ch->ref);
	mutex_unlock(&ud->lock);
	return ch;
}

static void device_drain(struct untwist_device *ud)
{
	struct untwist_channel *ch;

	while ((ch = device_first_channel(ud))) {
		untwist_channel_shut(ch);
		untwist_channel_await_closed(ch, "unregister");
		untwist_channel_put(ch);
	}
}

/*
 * When this returns, nothing of the driver's runs or will run. The wait is
 * told to lockdep, so that an operation that waits for itself is reported.
 */
static void device_end(struct untwist_device *ud)
{
	lock_map_acquire(&ud->calls);
	lock_map_release(&ud->calls);
	device_drain(ud);

	/* A completion that came last may still be about to queue the work. */
	synchronize_rcu();
	destroy_workqueue(ud->wq);
}

/* Registration and its opposite. */

static int device_publish(struct untwist_device *ud)
{
	int ret;

	ret = dev_set_name(&ud->dev, "%s", ud->name);
	if (ret)
		return ret;
	ret = registry_add(ud);
	if (ret)
		return ret;
	/* By number: a workqueue's name is shorter than a device's may be. */
	ud->wq = alloc_workqueue("untwist%u", WQ_UNBOUND | WQ_MEM_RECLAIM | WQ_SYSFS, 0,
				 MINOR(ud->dev.devt));
	if (!ud->wq) {
		ret = -ENOMEM;
		goto err_registry;
	}
	cdev_init(&ud->cdev, &untwist_fops);
	ud->cdev.owner = THIS_MODULE;
	ret = cdev_device_add(&ud->cdev, &ud->dev);
	if (ret)
		goto err_end;
	untwist_latency_add(ud);
	registry_publish(ud);
	return 0;

err_end:
	/* A node of this number made by hand may have been opened meanwhile. */
	device_kill(ud);
	device_end(ud);
err_registry:
	registry_remove(ud);
	return ret;
}

static void report_failure(struct device *parent, const char *driver, const char *name,
			   const char *what, int err)
{
	if (parent)
		dev_err(parent, "untwist: cannot register \"%s\": %s (%d)\n", name, what, err);
	else
		pr_err("untwist: %s: cannot register \"%s\": %s (%d)\n", driver, name, what, err);
}

/**
 * __untwist_register() - publish a device; use untwist_register()
 * @parent: device that it belongs to, or NULL
 * @config: description; copied, but for what its pointers point to
 * @driver: name of the driver's module
 *
 * The node /dev/untwist/NAME may be opened before this returns. A failure is
 * told in the kernel log with its reason.
 *
 * Context: may sleep.
 *
 * Return: the device, which untwist_unregister() ends; or an ERR_PTR: -EINVAL,
 * the description is wrong; -EEXIST, the name is taken; -ENOSPC, there are 1024
 * devices; -ENOMEM.
 */
struct untwist_device *__untwist_register(struct device *parent,
					  const struct untwist_config *config, const char *driver)
{
	const char *fault = config_fault(parent, config);
	struct untwist_device *ud;
	int ret;

	if (fault) {
		report_failure(parent, driver, config->name, fault, -EINVAL);
		return ERR_PTR(-EINVAL);
	}
	ud = device_new(parent, config, driver);
	if (IS_ERR(ud)) {
		report_failure(parent, driver, config->name, "no memory or no minor", PTR_ERR(ud));
		return ud;
	}
	ret = device_publish(ud);
	if (ret) {
		report_failure(parent, driver, config->name,
			       ret == -EEXIST ? "the name is taken" : "cannot make the node", ret);
		put_device(&ud->dev);
		return ERR_PTR(ret);
	}
	return ud;
}
EXPORT_SYMBOL_GPL(__untwist_register);

/**
 * untwist_unregister() - take a device away
 * @ud: device; gone for the driver when this returns
 *
 * May be called at any moment, with files open and calls and requests in
 * flight: they end with -ENODEV. Waits for operations of the driver that run,
 * for its requests to be completed, and for its close operations to return.
 * Not to be called from one of these operations, for it would wait for itself.
 *
 * Context: may sleep.
 */
void untwist_unregister(struct untwist_device *ud)
{
	device_kill(ud);
	cdev_device_del(&ud->cdev, &ud->dev);
	untwist_power_abandon(ud);
	device_end(ud);
	untwist_latency_remove(ud);
	registry_remove(ud);
	put_device(&ud->dev);
}
EXPORT_SYMBOL_GPL(untwist_unregister);

static void devm_unregister(void *ud)
{
	untwist_unregister(ud);
}

/**
 * __devm_untwist_register() - publish a device as long as its parent is bound;
 * use devm_untwist_register()
 * @parent: device that it belongs to, in its probe
 * @config: description, see __untwist_register()
 * @driver: name of the driver's module
 *
 * Context: may sleep.
 *
 * Return: the device, or an ERR_PTR.
 */
struct untwist_device *__devm_untwist_register(struct device *parent,
					       const struct untwist_config *config,
					       const char *driver)
{
	struct untwist_device *ud = __untwist_register(parent, config, driver);
	int ret;

	if (IS_ERR(ud))
		return ud;
	ret = devm_add_action_or_reset(parent, devm_unregister, ud);
	return ret ? ERR_PTR(ret) : ud;
}
EXPORT_SYMBOL_GPL(__devm_untwist_register);

/**
 * untwist_device_drvdata() - what the driver gave in its description
 * @ud: device
 *
 * Return: untwist_config.drvdata.
 */
void *untwist_device_drvdata(const struct untwist_device *ud)
{
	return ud->config.drvdata;
}
EXPORT_SYMBOL_GPL(untwist_device_drvdata);

/**
 * untwist_device_dev() - the device in /sys/class/untwist, for messages
 * @ud: device
 *
 * Return: the device, borrowed.
 */
struct device *untwist_device_dev(struct untwist_device *ud)
{
	return &ud->dev;
}
EXPORT_SYMBOL_GPL(untwist_device_dev);

/**
 * untwist_device_of() - the opposite of untwist_device_dev()
 * @dev: as a driver's own sysfs attributes get it
 *
 * Return: the device.
 */
struct untwist_device *untwist_device_of(struct device *dev)
{
	return dev_to_untwist(dev);
}
EXPORT_SYMBOL_GPL(untwist_device_of);

/**
 * untwist_channel_device() - the device of a channel
 * @ch: channel
 *
 * Return: the device, there as long as the driver may use the channel.
 */
struct untwist_device *untwist_channel_device(const struct untwist_channel *ch)
{
	return ch->ud;
}
EXPORT_SYMBOL_GPL(untwist_channel_device);

/**
 * untwist_channel_drvdata() - what the driver keeps with a channel
 * @ch: channel
 *
 * Return: what untwist_channel_set_drvdata() was given, or NULL.
 */
void *untwist_channel_drvdata(const struct untwist_channel *ch)
{
	return ch->drvdata;
}
EXPORT_SYMBOL_GPL(untwist_channel_drvdata);

/**
 * untwist_channel_set_drvdata() - keep something with a channel
 * @ch: channel, in the driver's open operation
 * @data: the driver's
 */
void untwist_channel_set_drvdata(struct untwist_channel *ch, void *data)
{
	ch->drvdata = data;
}
EXPORT_SYMBOL_GPL(untwist_channel_set_drvdata);

/* The class, its numbers, and the workqueue that frees memory. */

int untwist_device_init(void)
{
	int ret;

	untwist_wq = alloc_workqueue("untwist", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!untwist_wq)
		return -ENOMEM;
	ret = alloc_chrdev_region(&untwist_devt, 0, UNTWIST_MINORS, "untwist");
	if (ret)
		goto err_wq;
	ret = class_register(&untwist_class);
	if (ret)
		goto err_chrdev;
	untwist_latency_init();
	return 0;

err_chrdev:
	unregister_chrdev_region(untwist_devt, UNTWIST_MINORS);
err_wq:
	destroy_workqueue(untwist_wq);
	return ret;
}

void untwist_device_exit(void)
{
	/* Channels that wait for their grace period hold the class's devices. */
	rcu_barrier();
	destroy_workqueue(untwist_wq);
	untwist_latency_exit();
	class_unregister(&untwist_class);
	unregister_chrdev_region(untwist_devt, UNTWIST_MINORS);
	ida_destroy(&untwist_minors);
}
