/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Untwist: what a module writes against that asks a device of another driver.
 *
 * A client is an open of a device without a file. It submits requests with
 * memory of the kernel, and each request ends in one call of its done function
 * on the device's workqueue. The driver of the device does not see a difference.
 *
 * The callbacks of a client, done and gone, come one at a time, in process
 * context, and may sleep. None runs inside a call that caused it. They may submit
 * and cancel; they may not close a client, nor unregister the device, for both
 * wait for callbacks.
 */
#ifndef _LINUX_UNTWIST_CLIENT_H
#define _LINUX_UNTWIST_CLIENT_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/untwist.h>

struct untwist_client;

/**
 * struct untwist_call - one request of a client
 * @opcode: what to do
 * @flags: set of UNTWIST_SQE_LINK, UNTWIST_SQE_HARDLINK, UNTWIST_SQE_DRAIN and
 *	UNTWIST_SQE_MULTISHOT, which mean what they mean to programs
 * @len: length of @payload in bytes, or 0
 * @payload: memory of any kind. What goes to the device is copied when the call
 *	is submitted; what comes from it is there when @done is called, and until
 *	then the memory has to stay.
 * @arg: arguments, as the opcode defines them
 * @timeout_ns: nanoseconds from the submission on after which it is cancelled, and
 *	its result is -ETIME; 0, none
 * @user_data: for tracepoints, and returned with the completion
 * @done: the request is complete, or one of its many completions has come:
 *	UNTWIST_CQE_F_MORE says that others follow. With the last, the call is the
 *	client's again, to be freed or submitted anew, in here already.
 *
 * The first part is the client's to fill in, and stays as it is. From a submit
 * that returned 0 to the last @done the structure has to stay.
 */
struct untwist_call {
	u32 opcode;
	u32 flags;
	u32 len;
	void *payload;
	u64 arg[2];
	u64 timeout_ns;
	u64 user_data;
	void (*done)(struct untwist_call *call, const struct untwist_cqe *cqe);
	/* private: the core's */
	struct untwist_client *client;
	struct list_head node;
	struct untwist_cqe cqe;
	u64 posted_at;
	u32 tag;
};

/**
 * struct untwist_client_ops - what a client is told; all optional
 * @gone: the device is gone. Each call has ended before, those that were in
 *	flight with -ENODEV as a rule, and no callback comes after this. Called
 *	at most once, possibly before untwist_client_open() has returned. The
 *	client is still to be closed, but not in here.
 */
struct untwist_client_ops {
	void (*gone)(struct untwist_client *client);
};

struct untwist_device *untwist_device_find(const char *name);
void untwist_device_put(struct untwist_device *ud);

struct untwist_client *untwist_client_open(struct untwist_device *ud,
					   const struct untwist_client_ops *ops, void *data);
void untwist_client_close(struct untwist_client *client);

int untwist_client_submit(struct untwist_client *client, struct untwist_call *const *calls,
			  unsigned int nr);
int untwist_client_cancel(struct untwist_client *client, struct untwist_call *call);

void *untwist_client_data(const struct untwist_client *client);

/* The client that a call was last submitted to. */
static inline struct untwist_client *untwist_call_client(const struct untwist_call *call)
{
	return call->client;
}

#endif /* _LINUX_UNTWIST_CLIENT_H */
