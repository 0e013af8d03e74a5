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
 *	caller's and must stay until the deferred has fired
 * @payload_len: its length in bytes
 */
struct utw_request {
	uint32_t opcode;
	uint64_t arg[2];
	void *payload;
	uint32_t payload_len;
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
 * utw_device_open() - open the request plane of a node
 * @ret: receives the device, owned by the caller
 * @r: the reactor
 * @path: the node, such as "/dev/untwist/edu0"
 *
 * Return: 0; -EOPNOTSUPP when the node takes no requests, -ENOTTY when it is
 * none of Untwist's, -ENOMEM, or what open() says.
 */
UTW_API int utw_device_open(struct utw_device **ret, struct utw_reactor *r, const char *path);

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
