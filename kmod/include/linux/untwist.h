/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Untwist: what a driver writes against.
 *
 * A driver describes a device in a struct untwist_config, registers it, and
 * from then on only moves data and completes requests. The core does the rest:
 * the node, blocking and non-blocking calls, poll, SIGIO, back-pressure,
 * cancellation, unplug with files open, statistics and tracepoints.
 *
 * Each open file is a struct untwist_channel with queues of its own. The
 * driver may use a channel from the moment its open operation is called until
 * its close operation returns, and not a moment longer. close is called
 * exactly once for each successful open, when no other operation runs on the
 * channel and all its requests are complete: at the close of the file or in
 * untwist_unregister(), whichever is first.
 */
#ifndef _LINUX_UNTWIST_H
#define _LINUX_UNTWIST_H

#include <linux/list.h>
#include <linux/types.h>
#include <uapi/linux/untwist.h>

struct attribute_group;
struct device;
struct sg_table;
struct untwist_channel;
struct untwist_device;

/**
 * struct untwist_request - one request while the driver holds it
 * @channel: the channel it came from
 * @opcode: what to do
 * @len: length of the payload in bytes
 * @payload: kernel copy of the payload, from kmalloc() and so fit for
 *	dma_map_single(); NULL without one, or with UNTWIST_PAGES
 * @sgt: with UNTWIST_PAGES, where the payload is; else NULL. Not mapped for a
 *	device: see untwist_request_map().
 * @arg: arguments, not looked at by the core: the driver checks them
 * @value: further results; to be written before untwist_complete()
 * @multishot: the program takes many completions, see untwist_post()
 * @node: for the driver's own lists
 *
 * The driver holds a request from the call of its submit operation until it
 * calls untwist_complete(), which it does exactly once.
 */
struct untwist_request {
	struct untwist_channel *channel;
	u32 opcode;
	u32 len;
	void *payload;
	struct sg_table *sgt;
	u64 arg[2];
	u64 value[2];
	bool multishot;
	struct list_head node;
};

/**
 * enum untwist_payload_flags - which way the payload of an opcode goes
 * @UNTWIST_TO_DEVICE: the program's bytes are in @payload at submission
 * @UNTWIST_FROM_DEVICE: of @payload, the first n bytes go back to the program
 *	when the request completes with n > 0
 * @UNTWIST_PAGES: besides one or both of these: no copy is made. The driver
 *	reads or writes the program's own pages, which stay until the request
 *	is complete. The program can write to them all the while: what is
 *	checked is to be read once. Bytes that were written are there whatever
 *	the result.
 */
enum untwist_payload_flags {
	UNTWIST_TO_DEVICE = 1 << 0,
	UNTWIST_FROM_DEVICE = 1 << 1,
	UNTWIST_PAGES = 1 << 2,
};

/**
 * struct untwist_opcode - one kind of request; see UNTWIST_OPCODE()
 * @name: for messages and traces
 * @payload: set of enum untwist_payload_flags; 0, it takes none
 * @multishot: a request may stay and complete many times; its payload, if
 *	any, only goes to the device
 * @execute: do all of the request, for what needs no waiting; in process
 *	context, may sleep. Returns its result. Cheaper than @submit, and may
 *	stand instead of it: there is no untwist_complete(), no cancel and no
 *	untwist_request_priv().
 * @submit: start the request; in process context, may sleep. Returns 0, and
 *	the driver completes the request from any context, even before it
 *	returns; or a negative errno, and the core completes it with that.
 *	One thread's requests come in the order of their submission; those of
 *	several threads may come at the same time. The thread is not always
 *	the program's: what a program may do is to be asked in open.
 * @done: optional; release what the request held, as DMA mappings of the
 *	driver's own. Called on
 *	the device's workqueue, may sleep, one at a time for each channel:
 *	after untwist_complete() and before the program can see the completion.
 */
struct untwist_opcode {
	const char *name;
	unsigned int payload;
	bool multishot;
	s32 (*execute)(struct untwist_request *req);
	int (*submit)(struct untwist_request *req);
	void (*done)(struct untwist_request *req);
};

/* Index of an opcode in untwist_config.opcodes. */
#define UNTWIST_OPCODE(opcode) ((opcode) - UNTWIST_OP_DRIVER)

/**
 * struct untwist_ops - what the core asks of a driver; all optional
 * @open: a file was opened; in process context, may sleep. Returns 0, or a
 *	negative errno that open() fails with.
 * @close: the channel ends; in process context, may sleep. When this returns,
 *	the driver has forgotten the channel.
 * @transmit: untwist_pull() has something to give, or had a moment ago. Without
 *	it, write() is refused. In process context in the middle of write(), must not sleep; with
 *	UNTWIST_DEFER on the device's workqueue, may sleep.
 * @resume: untwist_room() said too little before, or untwist_push() left some
 *	with the driver, and there is more room now. As
 *	@transmit, in the middle of read().
 * @cancel: finish this request early if that can be done: complete it, with
 *	-ECANCELED. It may be completing elsewhere at this very moment, so look
 *	it up among the waiting ones under the driver's own lock; its memory is
 *	valid during the call. Called at most once for a request; in process
 *	context, may sleep.
 */
struct untwist_ops {
	int (*open)(struct untwist_channel *ch);
	void (*close)(struct untwist_channel *ch);
	void (*transmit)(struct untwist_channel *ch);
	void (*resume)(struct untwist_channel *ch);
	void (*cancel)(struct untwist_request *req);
};

/**
 * enum untwist_config_flags - how the core treats a device
 * @UNTWIST_DEFER: call @transmit and @resume from the workqueue, where they
 *	may sleep
 * @UNTWIST_EXCLUSIVE: one open at a time; others fail with -EBUSY until the
 *	close operation for the one before has returned
 * @UNTWIST_HOLDS_BACK: what untwist_push() does not take, the driver keeps and
 *	pushes again from its resume operation. Programs may then choose
 *	UNTWIST_OVERFLOW_BLOCK.
 * @UNTWIST_RUNTIME_PM: the parent device sleeps by itself: it is held awake by
 *	pm_runtime_resume_and_get() from before @execute or @submit is called for a
 *	request until that is posted, and on a device with data from before @open
 *	until after @close. Otherwise it may be asleep when @open and @close are
 *	called. If it does not wake up, the request or the open fails with the
 *	error. Let go of it is by pm_runtime_put_autosuspend().
 * @UNTWIST_QUIESCE: when the system is about to sleep, requests are not started
 *	until it is awake again, and those with the driver are waited for; a
 *	suspend that waits for too long is refused. All this is over before the
 *	parent's own suspend. A multishot request stays with the driver.
 * @UNTWIST_QUIESCE_CANCEL: and those with the driver are cancelled first
 *
 * With any of the last three, requests that execute at once are for io_uring like
 * those that do not: they need a cancel operation.
 */
enum untwist_config_flags {
	UNTWIST_DEFER = 1 << 0,
	UNTWIST_EXCLUSIVE = 1 << 1,
	UNTWIST_HOLDS_BACK = 1 << 2,
	UNTWIST_RUNTIME_PM = 1 << 3,
	UNTWIST_QUIESCE = 1 << 4,
	UNTWIST_QUIESCE_CANCEL = 1 << 5,
};

/**
 * struct untwist_config - description of a device
 * @name: name under /dev/untwist, unique, shorter than UNTWIST_NAME_LEN
 * @ops: operations; must outlive the registration
 * @drvdata: for untwist_device_drvdata()
 * @flags: set of enum untwist_config_flags
 * @kind: UNTWIST_KIND_*
 * @rx_size: receive queue of a channel in bytes, rounded up to a power of
 *	two; 0, 64 KiB. At most 16 MiB.
 * @tx_size: transmit queue, likewise
 * @rx_size_max: largest receive queue that a program may choose, in bytes; 0,
 *	1 MiB, or @rx_size if that is more. At most 16 MiB.
 * @tx_size_max: largest transmit queue, likewise
 * @opens_max: opens at a time; 0, any number. This and the sizes above are
 *	where it begins: the administrator may change them in sysfs.
 * @record_max: largest record in bytes; 0, 4 KiB. Only for UNTWIST_KIND_RECORD.
 * @opcodes: requests of the device, the first being UNTWIST_OP_DRIVER; must
 *	outlive the registration. NULL, it takes none.
 * @nr_opcodes: how many
 * @requests_max: requests in flight or unread on a channel; 0, 128. At most
 *	4096.
 * @request_size: bytes of the driver's own with each request, at most 4096;
 *	see untwist_request_priv()
 * @payload_max: largest payload in bytes; 0, 4 KiB. At most 64 KiB.
 * @pages_max: largest payload of an opcode with UNTWIST_PAGES, in bytes; 0,
 *	1 MiB. At most 64 MiB.
 * @dma_dev: device that untwist_request_map() maps payloads for; NULL, the
 *	parent. Its mask and its longest segment, at least a page, are set
 *	before it is registered.
 * @mode: permissions of the node; 0, 0660. udev may change them.
 * @gid: group of the node, in the initial user namespace
 * @capability: CAP_* that open() asks for beyond the permissions of the node, in
 *	the initial user namespace; 0, none (and so never CAP_CHOWN)
 * @groups: further sysfs attributes of the device, NULL-terminated
 */
struct untwist_config {
	const char *name;
	const struct untwist_ops *ops;
	void *drvdata;
	unsigned int flags;
	u32 kind;
	u32 rx_size;
	u32 tx_size;
	u32 rx_size_max;
	u32 tx_size_max;
	u32 opens_max;
	u32 record_max;
	const struct untwist_opcode *opcodes;
	unsigned int nr_opcodes;
	u32 requests_max;
	u32 request_size;
	u32 payload_max;
	u32 pages_max;
	struct device *dma_dev;
	umode_t mode;
	gid_t gid;
	int capability;
	const struct attribute_group **groups;
};

#define untwist_register(parent, config) \
	__untwist_register(parent, config, KBUILD_MODNAME)
struct untwist_device *__untwist_register(struct device *parent,
					  const struct untwist_config *config,
					  const char *driver);
void untwist_unregister(struct untwist_device *ud);

#define devm_untwist_register(parent, config) \
	__devm_untwist_register(parent, config, KBUILD_MODNAME)
struct untwist_device *__devm_untwist_register(struct device *parent,
					       const struct untwist_config *config,
					       const char *driver);

void *untwist_device_drvdata(const struct untwist_device *ud);
struct device *untwist_device_dev(struct untwist_device *ud);
struct untwist_device *untwist_device_of(struct device *dev);

struct untwist_device *untwist_channel_device(const struct untwist_channel *ch);
void *untwist_channel_drvdata(const struct untwist_channel *ch);
void untwist_channel_set_drvdata(struct untwist_channel *ch, void *data);

size_t untwist_push(struct untwist_channel *ch, const void *data, size_t len);
unsigned int untwist_broadcast(struct untwist_device *ud, const void *data, size_t len);
void untwist_event(struct untwist_channel *ch, u32 events);
void untwist_end_of_stream(struct untwist_channel *ch);
size_t untwist_room(struct untwist_channel *ch, size_t want);
size_t untwist_pending(struct untwist_channel *ch);
size_t untwist_pull(struct untwist_channel *ch, void *buf, size_t size);

void *untwist_request_priv(struct untwist_request *req);
int untwist_request_map(struct untwist_request *req);
void untwist_complete(struct untwist_request *req, s32 res);
int untwist_post(struct untwist_request *req, s32 res, u64 value0, u64 value1);

u32 untwist_request_tag(const struct untwist_request *req);
int untwist_complete_tag(struct untwist_channel *ch, u32 tag, s32 res);

#endif /* _LINUX_UNTWIST_H */
