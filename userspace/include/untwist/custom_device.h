/* SPDX-License-Identifier: MIT */
/*
 * Custom device: a request plane whose device is the program itself, and no node.
 * To who submits it is a device like any other; the doubles of tests are made of it.
 *
 * Embed a struct utw_custom_device in a structure of your own. It is given requests
 * and asked for completions, and obeys what a node does: every request that it takes
 * is completed, once or, if that was asked for, many times and then for the last.
 *
 * Thread rule: only from the reactor's own thread.
 */
#ifndef UNTWIST_CUSTOM_DEVICE_H
#define UNTWIST_CUSTOM_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_custom_device;
struct utw_device;
struct utw_reactor;

/**
 * struct utw_custom_request - a request that the device is given
 * @id: its name until its last completion is fetched
 * @opcode: what to do
 * @multishot: it may be completed many times
 * @payload_len: length of @payload in bytes
 * @arg: arguments
 * @payload: the submitter's memory, which stays until the last completion is
 *	fetched; NULL without one
 * @timeout: the device is to end it after so many nanoseconds, with -ETIME; 0,
 *	never
 */
struct utw_custom_request {
	uint64_t id;
	uint32_t opcode;
	uint32_t payload_len;
	uint64_t arg[2];
	void *payload;
	uint64_t timeout;
	bool multishot;
};

/**
 * struct utw_custom_completion - what the device has to say to a request
 * @id: which one
 * @result: zero or positive, or -errno: -ECANCELED, -ETIME and -ENODEV are told
 *	as UTW_CANCELLED, UTW_TIMEOUT and UTW_GONE
 * @lost: so many of a multishot request before this one found no room
 * @value: further results
 * @more: it is not the last
 */
struct utw_custom_completion {
	uint64_t id;
	int32_t result;
	uint32_t lost;
	uint64_t value[2];
	bool more;
};

/**
 * struct utw_custom_device_ops - what a device does; none may be NULL
 * @submit: take a request (borrowed). Returns 0; -EAGAIN: there is no room, and
 *	utw_custom_device_set_ready() will be called when there is; -ENODEV: the
 *	device is going, and takes no more; or what the request fails with
 * @fetch: give the next completion. Returns 1, or 0 when there is none now; -ENODEV
 *	when there will never be one again, for the device is gone
 * @cancel: end a request early, if it can be: its completion says -ECANCELED then
 * @close: the submitter has closed the device, and its requests are over: the last
 *	call
 *
 * They are called from the reactor's turn, @cancel and @close also from functions of
 * the submitter. They may call utw_custom_device_set_ready() and no other function of
 * this device.
 */
struct utw_custom_device_ops {
	int (*submit)(struct utw_custom_device *c, const struct utw_custom_request *req);
	int (*fetch)(struct utw_custom_device *c, struct utw_custom_completion *completion);
	void (*cancel)(struct utw_custom_device *c, uint64_t id);
	void (*close)(struct utw_custom_device *c);
};

/**
 * struct utw_custom_device - to be embedded in your structure
 * @ops: set with utw_custom_device_open()
 * @device: the submitter's, borrowed, from then on until @close
 */
struct utw_custom_device {
	const struct utw_custom_device_ops *ops;
	struct utw_device *device;
};

/**
 * utw_custom_device_open() - make a device of it
 * @ret: receives the submitter's side, which utw_device_close() closes
 * @r: the reactor
 * @c: storage of the caller, which stays until @close
 * @ops: its operations, which outlive it
 * @name: of the device, for utw_device_name(), utw_device_driver() and messages;
 *	copied, and cut after 31 bytes
 * @capacity: requests that it is given at once at most, at least 1
 *
 * Return: 0; -EINVAL for a capacity of 0; -ENOMEM. After an error no operation is
 * called.
 */
UTW_API int utw_custom_device_open(struct utw_device **ret, struct utw_reactor *r,
				   struct utw_custom_device *c,
				   const struct utw_custom_device_ops *ops, const char *name,
				   uint32_t capacity);

/**
 * utw_custom_device_set_ready() - there are completions, or room, or it is gone
 * @c: the custom part of a device
 *
 * It is looked at in a later callback. Ignored after @close.
 */
UTW_API void utw_custom_device_set_ready(struct utw_custom_device *c);

#ifdef __cplusplus
}
#endif

#endif
