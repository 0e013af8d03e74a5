/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fake.c APIs: a driver without a device, which does what a test tells it and
 * records what the core asked of it.
 */
#ifndef UNTWIST_KUNIT_FAKE_H
#define UNTWIST_KUNIT_FAKE_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/untwist.h>

#include "context.h"

/* What the core may call. */
enum fake_call {
	FAKE_OPEN,
	FAKE_CLOSE,
	FAKE_TRANSMIT,
	FAKE_RESUME,
	FAKE_SUBMIT,
	FAKE_CANCEL,
	FAKE_DONE,
	FAKE_NR_CALLS,
};

/* The opcodes. */
#define FAKE_OP_PLAIN	(UNTWIST_OP_DRIVER + 0)
#define FAKE_OP_DONE	(UNTWIST_OP_DRIVER + 1) /* with a done operation */
#define FAKE_OP_PAYLOAD (UNTWIST_OP_DRIVER + 2) /* takes a payload */
#define FAKE_OP_SHOTS	(UNTWIST_OP_DRIVER + 3) /* may complete many times */
#define FAKE_OP_TURN	(UNTWIST_OP_DRIVER + 4) /* turns the bits of its payload over */
#define FAKE_OP_PAGES	(UNTWIST_OP_DRIVER + 5) /* uses its payload in place, both ways */
#define FAKE_OP_OUT	(UNTWIST_OP_DRIVER + 6) /* likewise, to the device */
#define FAKE_OP_ZERO	(UNTWIST_OP_DRIVER + 7) /* likewise, and writes zeros at once */
#define FAKE_NR_OPCODES 8

/* What the fake does with a request: arg[0]. With FAKE_HOLD, it waits until told. */
enum fake_action {
	FAKE_HOLD,
	FAKE_COMPLETE, /* in submit, in a context of its own if wanted */
	FAKE_REFUSE, /* an error from submit */
	FAKE_COMPLETE_REFUSE, /* both, which is a misuse */
};

/* arg[0] and arg[1] of a request. */
#define FAKE_ARG0(action, context) ((action) | (context) << 8)
#define FAKE_ARG1(res)		   ((u32)(s32)(res))

/**
 * struct fake_gate - a point where a driver's operation can be stopped
 * @shut: who comes is to stop
 * @reached: somebody stands there
 * @opened: they may go on
 */
struct fake_gate {
	bool shut;
	struct completion reached;
	struct completion opened;
};

/**
 * struct fake_text - what is in a module's memory, and gone with it
 * @ops: operations
 * @opcodes: requests
 */
struct fake_text {
	struct untwist_ops ops;
	struct untwist_opcode opcodes[FAKE_NR_OPCODES];
};

/**
 * struct fake - the fake driver and its one device
 * @ud: the device; NULL once it is unregistered
 * @name: name of its node
 * @text: freed when it is unregistered, so that KASAN tells who looks at it later
 * @open_ret: what open returns
 * @on_transmit: called by transmit; optional
 * @on_resume: called by resume; optional
 * @keeps: cancel does nothing but count
 * @maps: submit maps payloads that are used in place
 * @calls: how often each operation was called
 * @order: which operation was called when, the first of them
 * @ordered: how many are in @order
 * @gates: where operations stop
 * @lock: guards @held
 * @held: requests that wait until told
 * @completed: requests that the fake has completed
 * @dirty: requests whose memory of the driver's own was not zero
 * @inside_done: done operations that run now
 * @done_overlaps: done operations that met another
 * @done_outside: done operations that did not run on a workqueue
 */
struct fake {
	struct untwist_device *ud;
	char name[UNTWIST_NAME_LEN];
	struct fake_text *text;

	int open_ret;
	void (*on_transmit)(struct untwist_channel *ch);
	void (*on_resume)(struct untwist_channel *ch);
	bool keeps;
	bool maps;

	atomic_t calls[FAKE_NR_CALLS];
	enum fake_call order[16];
	atomic_t ordered;
	struct fake_gate gates[FAKE_NR_CALLS];

	raw_spinlock_t lock; /* see above */
	struct list_head held;
	atomic_t completed;
	atomic_t dirty;
	atomic_t inside_done;
	atomic_t done_overlaps;
	atomic_t done_outside;
};

extern const struct untwist_ops fake_ops;
extern const struct untwist_ops fake_ops_without_cancel;

struct fake *fake_register(struct kunit *test, const struct untwist_config *config);
struct fake *fake_register_kind(struct kunit *test, u32 kind);
struct untwist_device *fake_try_register(struct kunit *test, const struct untwist_config *config);
void fake_unregister(struct fake *fake);

int fake_calls(const struct fake *fake, enum fake_call call);
unsigned long fake_stat(const struct fake *fake, unsigned int stat);

void fake_gate_shut(struct fake *fake, enum fake_call call);
void fake_gate_await(struct kunit *test, struct fake *fake, enum fake_call call);
void fake_gate_open(struct fake *fake, enum fake_call call);

struct untwist_request *fake_take(struct fake *fake);
bool fake_take_this(struct fake *fake, const struct untwist_request *req);
unsigned int fake_held(struct fake *fake, struct untwist_request **reqs, unsigned int max);
void fake_complete(struct untwist_request *req, enum test_context context, s32 res);
unsigned int fake_complete_held(struct fake *fake, s32 res);

#endif /* UNTWIST_KUNIT_FAKE_H */
