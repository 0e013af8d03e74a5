/* SPDX-License-Identifier: MIT */
/*
 * Device: the nodes under /dev/untwist, as a transport and as a server of
 * requests.
 *
 * A node has up to two planes. Its data plane (bytes or records) is a
 * transport like any other. Its request plane takes commands with arguments
 * and a payload, and answers each one once: a deferred stands for the answer.
 * Each call here opens the node anew and so has queues of its own.
 */
#ifndef UNTWIST_DEVICE_H
#define UNTWIST_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_deferred;
struct utw_device;
struct utw_failure;
struct utw_protocol;
struct utw_reactor;
struct utw_subscription;
struct utw_transport;

/**
 * struct utw_device_options - how to use a data plane; all zero by default
 * @record_max: longest part of a record to deliver, in bytes; the rest of a
 *	longer one is cut off and the protocol is told. 0: what the device
 *	says, so that nothing is cut off
 */
struct utw_device_options {
	size_t record_max;
};

/**
 * utw_device_transport_open() - open the data plane of a node
 * @ret: receives the caller's reference; may be NULL
 * @r: the reactor
 * @path: the node, such as "/dev/untwist/loop0"
 * @options: NULL for the default
 * @p: the protocol, told made in a later callback
 *
 * Whether it carries bytes or records is the device's choice: see
 * utw_transport_is_record(). When the device goes away, what had arrived is
 * delivered first and then comes lost with UTW_GONE.
 *
 * Return: 0; -EOPNOTSUPP when the node has no data plane, -ENOTTY when it is
 * none of Untwist's, -EBUSY when @p has a transport, -EINVAL when it lacks
 * lost, or what open() says.
 */
UTW_API int utw_device_transport_open(struct utw_transport **ret, struct utw_reactor *r,
				      const char *path, const struct utw_device_options *options,
				      struct utw_protocol *p);

/**
 * struct utw_request - one command
 * @opcode: what to do, as the driver defines it
 * @arg: arguments, as the opcode defines them
 * @payload: memory that goes with it or comes back, NULL without. It is the
 *	caller's and must stay, unchanged, until the deferred has fired. It is
 *	only written to if the opcode returns data
 * @payload_len: its length in bytes
 * @timeout: the kernel ends it so many nanoseconds after it took it, with
 *	UTW_TIMEOUT (cause ETIME), unless its work was done; 0, never
 */
struct utw_request {
	uint32_t opcode;
	uint64_t arg[2];
	void *payload;
	uint32_t payload_len;
	uint64_t timeout;
};

/**
 * struct utw_completion - the answer to one command
 * @result: zero or positive, as the opcode defines it
 * @value: further results, as the opcode defines them
 */
struct utw_completion {
	int32_t result;
	uint64_t value[2];
};

/** Requests that wait inside the library when the device is full. */
#define UTW_DEVICE_BACKLOG 65536

/**
 * enum utw_device_door - by which way requests go to the kernel and answers come
 *	back
 * @UTW_DEVICE_DOOR_ANY: what the environment variable UNTWIST_DEVICE_DOOR says,
 *	"ring" or "ioctl"; if it is not set, the ring, or ioctl where there is
 *	none to be had
 * @UTW_DEVICE_DOOR_RING: memory shared with the kernel: no system call is needed
 *	to fetch answers
 * @UTW_DEVICE_DOOR_IOCTL: a call for each batch of requests and of answers
 *
 * All mean the same and differ in cost only.
 */
enum utw_device_door {
	UTW_DEVICE_DOOR_ANY,
	UTW_DEVICE_DOOR_RING,
	UTW_DEVICE_DOOR_IOCTL,
};

/**
 * utw_device_open() - open the request plane of a node, by any door
 * @ret: receives the device, owned by the caller
 * @r: the reactor
 * @path: the node, such as "/dev/untwist/edu0"
 *
 * Return: as utw_device_open_door() with UTW_DEVICE_DOOR_ANY.
 */
UTW_API int utw_device_open(struct utw_device **ret, struct utw_reactor *r, const char *path);

/**
 * utw_device_open_door() - open the request plane of a node, by a certain door
 * @ret: receives the device, owned by the caller
 * @r: the reactor
 * @path: the node
 * @door: which
 *
 * Return: 0; -EOPNOTSUPP when the node takes no requests, or the kernel has no
 * rings and one is wanted; -EPROTONOSUPPORT when its rings are of another kind;
 * -ENOTTY when the node is none of Untwist's; -EINVAL for an unknown door, be it
 * the argument or in the environment; -ENOMEM, or what open() says.
 */
UTW_API int utw_device_open_door(struct utw_device **ret, struct utw_reactor *r, const char *path,
				 enum utw_device_door door);

/**
 * utw_device_door_name() - which door it came to be
 * @dev: the device
 *
 * Return: "ring", "ioctl", or "custom" for one of utw_custom_device_open().
 */
UTW_API const char *utw_device_door_name(const struct utw_device *dev);

/**
 * utw_device_door_refusal() - why it did not come to be the ring
 * @dev: the device, opened by UTW_DEVICE_DOOR_ANY
 *
 * Return: 0 if it did, or was not to; else what utw_device_open_door() would have
 * said to UTW_DEVICE_DOOR_RING.
 */
UTW_API int utw_device_door_refusal(const struct utw_device *dev);

/**
 * utw_device_close() - close it
 * @dev: the device or NULL; may not be used any more when this returns
 *
 * The deferreds of all requests that have not been answered fail with
 * UTW_CANCELLED from inside this call; the kernel leaves their payloads alone
 * from then on, unless a child that was forked meanwhile still has the node
 * open. Legal from any callback.
 */
UTW_API void utw_device_close(struct utw_device *dev);

/**
 * utw_device_submit() - send a request
 * @dev: the device
 * @req: the request; copied
 *
 * All requests of one turn of the reactor go to the kernel in one call at its
 * end, in order. Those for which the device has no room wait here, up to
 * UTW_DEVICE_BACKLOG of them.
 *
 * The deferred fires with a const struct utw_completion *, which its chain
 * owns, or fails: errno domain with what the driver said (or ENOBUFS: too
 * many wait), or UTW_GONE (cause ENODEV) when the device is no more. It never
 * fires inside this call, except for a request that is refused by it.
 *
 * Cancelling the deferred of a request that waits here takes it back at once.
 * One that the kernel has is cancelled there, and the deferred fires only when
 * the kernel has let go of the payload: with UTW_CANCELLED, or with the answer
 * if that came first.
 *
 * Return: the deferred, one reference of which is the caller's; NULL without
 * memory.
 */
UTW_API struct utw_deferred *utw_device_submit(struct utw_device *dev,
					       const struct utw_request *req);

/**
 * struct utw_subscriber - who hears of the completions of a subscription
 * @shot: one completion. Its result may be a negative errno here; it is only
 *	lent. Must not be NULL
 * @lost: so many completions before the next one found no room, 65535 standing
 *	for that many or more from the kernel. NULL: nobody wants to know
 * @ended: told once, as the last: @last is the closing completion (lent), or
 *	NULL and @reason (lent) why it ended: as for utw_device_submit(). The
 *	subscription is gone when this returns. Must not be NULL
 *
 * All are called from the reactor's turn, except for @ended from
 * utw_device_close() and from utw_subscription_cancel() as told there. Any of
 * them may pause or cancel the subscription and close the device.
 */
struct utw_subscriber {
	void (*shot)(struct utw_subscription *s, const struct utw_completion *completion,
		     void *data);
	void (*lost)(struct utw_subscription *s, uint32_t count, void *data);
	void (*ended)(struct utw_subscription *s, const struct utw_completion *last,
		      struct utw_failure *reason, void *data);
};

/** Completions of one subscription that wait inside the library while it is paused. */
#define UTW_SUBSCRIPTION_BACKLOG 256

/**
 * utw_device_subscribe() - send a request that is answered many times
 * @ret: receives the subscription, which is the device's: it is valid until
 *	@subscriber's ended has returned
 * @dev: the device
 * @req: the request, of an opcode that allows multishot; copied. Its payload
 *	must stay until the end
 * @subscriber: who hears of it; must stay until the end
 * @data: given to it
 *
 * Nothing is called from inside this call. It is sent as by utw_device_submit()
 * and counts as one pending request until its end.
 *
 * Return: 0; -EINVAL when @subscriber lacks a function, -ENOMEM, -ENOBUFS when
 * too many requests wait, -ENODEV when the device is no more.
 */
UTW_API int utw_device_subscribe(struct utw_subscription **ret, struct utw_device *dev,
				 const struct utw_request *req,
				 const struct utw_subscriber *subscriber, void *data);

/**
 * utw_subscription_pause() - call nothing for now
 * @s: the subscription
 *
 * Completions wait, up to UTW_SUBSCRIPTION_BACKLOG of them; of those beyond, the
 * newest are dropped and counted as lost. The end waits, too, but not when the
 * device is closed, which drops what waits. Pausing twice is as once.
 */
UTW_API void utw_subscription_pause(struct utw_subscription *s);

/**
 * utw_subscription_resume() - go on, in a later callback, with what waits
 * @s: the subscription; nothing happens if it is not paused
 */
UTW_API void utw_subscription_resume(struct utw_subscription *s);

/**
 * utw_subscription_cancel() - ask for its end
 * @s: the subscription
 *
 * No further shot is told of. The end is, with UTW_CANCELLED or what the device
 * said if that came first, when the kernel has let go of the request; at once,
 * inside this call, if it never had it. Asking twice is as once; ends a pause.
 */
UTW_API void utw_subscription_cancel(struct utw_subscription *s);

/**
 * utw_device_pending() - how many requests have not been answered
 * @dev: the device
 *
 * Return: those in the kernel and those that wait here.
 */
UTW_API size_t utw_device_pending(const struct utw_device *dev);

/**
 * utw_device_capacity() - how many requests the kernel takes at once
 * @dev: the device
 *
 * Return: a number of requests, at least 1.
 */
UTW_API size_t utw_device_capacity(const struct utw_device *dev);

/**
 * utw_device_name() - the name of the node under /dev/untwist
 * @dev: the device
 *
 * Return: the name, as "edu0"; lives as long as @dev.
 */
UTW_API const char *utw_device_name(const struct utw_device *dev);

/**
 * utw_device_driver() - the name of the driver behind the node
 * @dev: the device
 *
 * Return: the name, as "untwist_edu"; lives as long as @dev.
 */
UTW_API const char *utw_device_driver(const struct utw_device *dev);

/** Told once, after all deferreds have failed. @reason is borrowed. */
typedef void (*utw_device_gone_fn)(struct utw_device *dev, struct utw_failure *reason, void *data);

/**
 * utw_device_set_gone() - hear when the device goes away
 * @dev: the device
 * @fn: called from the reactor's turn, once; NULL for nobody
 * @data: given to @fn
 */
UTW_API void utw_device_set_gone(struct utw_device *dev, utw_device_gone_fn fn, void *data);

#ifdef __cplusplus
}
#endif

#endif
