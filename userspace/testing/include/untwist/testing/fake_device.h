/* SPDX-License-Identifier: MIT */
/*
 * Fake device: a request plane whose other side is the test, so that what a program
 * does with a device can be tested where there is none.
 *
 * The program is given a struct utw_device like any other. The test sees the requests
 * that it sends, each in its own time, and completes them: at once, late, never, many
 * times, with an error. It can be full, refuse, be deaf to cancels, lose completions,
 * and be unplugged. With the fake reactor all of this happens on its clock.
 *
 * Nothing is called back from inside these functions; what the test does is heard in
 * a later turn.
 *
 * Thread rule: only from the reactor's own thread.
 */
#ifndef UNTWIST_TESTING_FAKE_DEVICE_H
#define UNTWIST_TESTING_FAKE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <untwist/api.h>
#include <untwist/custom_device.h>
#include <untwist/timer.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_device;
struct utw_fake_completion;
struct utw_fake_device;
struct utw_fake_request;
struct utw_reactor;

/** Called once for @req, which may be completed here. @data is what was given with it. */
typedef void (*utw_fake_device_fn)(struct utw_fake_request *req, void *data);

/**
 * struct utw_fake_request - a request that the fake device holds
 * @opcode: as submitted; so are @arg, @payload, @payload_len, @timeout (ns, 0 for
 *	none) and @multishot
 * @arg: arguments
 * @payload: memory of the program, to be read or written until it is completed
 * @payload_len: in bytes
 * @timeout: it is completed with -ETIME when the reactor's clock has gone on so far,
 *	unless the device is deaf
 * @multishot: it may be completed many times
 * @cancelled: the program has asked for its end
 * @device: which holds it
 *
 * All other members are the library's.
 */
struct utw_fake_request {
	uint32_t opcode;
	uint32_t payload_len;
	uint64_t arg[2];
	void *payload;
	uint64_t timeout;
	bool multishot;
	bool cancelled;
	struct utw_fake_device *device;
	struct utw_fake_request *next;
	uint64_t id;
	uint32_t lost;
	struct utw_fake_completion *last;
	struct utw_timer deadline;
	struct utw_timer timer;
	utw_fake_device_fn fn;
	void *data;
};

/**
 * struct utw_fake_device - storage of the test
 * @submitted: requests taken so far
 * @cancels: cancels asked for so far
 * @closed: the program has closed it
 *
 * All other members are the library's.
 */
struct utw_fake_device {
	struct utw_custom_device custom;
	unsigned int submitted;
	unsigned int cancels;
	bool closed;
	struct utw_reactor *reactor;
	utw_fake_device_fn handler;
	void *handler_data;
	struct utw_fake_request *first;
	struct utw_fake_completion *ready;
	struct utw_fake_completion **ready_end;
	unsigned int held;
	unsigned int room;
	unsigned int refuse_at;
	int refuse_error;
	bool full;
	bool deaf;
	bool unplugged;
};

/** Requests that the library gives it at once at most. */
#define UTW_FAKE_DEVICE_CAPACITY 128

/**
 * utw_fake_device_open() - make a device
 * @f: storage of the test, which stays until utw_fake_device_release()
 * @ret: receives the program's side, to be closed by utw_device_close()
 * @r: the reactor
 *
 * Return: 0 or -ENOMEM.
 */
UTW_API int utw_fake_device_open(struct utw_fake_device *f, struct utw_device **ret,
				 struct utw_reactor *r);

/**
 * utw_fake_device_release() - free what it holds
 * @f: a device whose program's side is closed, or that was never open (all zero)
 */
UTW_API void utw_fake_device_release(struct utw_fake_device *f);

/**
 * utw_fake_device_set_handler() - hear of each request
 * @f: the device
 * @fn: called from the reactor's turn when a request has come; NULL for nobody, as at
 *	first
 * @data: given to it
 */
UTW_API void utw_fake_device_set_handler(struct utw_fake_device *f, utw_fake_device_fn fn,
					 void *data);

/**
 * utw_fake_device_first() - the oldest request that is not completed
 * @f: the device
 *
 * Return: the request, which is the device's, or NULL; its next younger one is @next.
 */
UTW_API struct utw_fake_request *utw_fake_device_first(struct utw_fake_device *f);

/**
 * utw_fake_request_complete() - complete a request, for the last time
 * @req: the request, which is gone when this returns
 * @result: zero or positive, or -errno
 * @value0: a further result
 * @value1: another one
 *
 * Cannot fail.
 */
UTW_API void utw_fake_request_complete(struct utw_fake_request *req, int32_t result,
				       uint64_t value0, uint64_t value1);

/**
 * utw_fake_request_post() - complete a multishot request, and not for the last time
 * @req: the request
 * @result: as above
 * @value0: a further result
 * @value1: another one
 *
 * Return: 0; -EINVAL for a request that takes but one completion; -ENOMEM, and this
 * one is lost and counted.
 */
UTW_API int utw_fake_request_post(struct utw_fake_request *req, int32_t result, uint64_t value0,
				  uint64_t value1);

/**
 * utw_fake_request_lose() - let completions be lost
 * @req: a multishot request
 * @count: how many, told with its next completion
 */
UTW_API void utw_fake_request_lose(struct utw_fake_request *req, uint32_t count);

/**
 * utw_fake_request_after() - go on with a request later
 * @req: the request
 * @delay: nanoseconds of the reactor's clock
 * @fn: called then, if it is not completed before; takes the place of one that has not
 *	been called
 * @data: given to it
 *
 * Return: 0 or -ENOMEM.
 */
UTW_API int utw_fake_request_after(struct utw_fake_request *req, uint64_t delay,
				   utw_fake_device_fn fn, void *data);

/**
 * utw_fake_device_set_room() - say how many requests it holds at once
 * @f: the device
 * @room: so many not completed; UTW_FAKE_DEVICE_CAPACITY at first
 */
UTW_API void utw_fake_device_set_room(struct utw_fake_device *f, unsigned int room);

/**
 * utw_fake_device_refuse() - refuse to take a request
 * @f: the device
 * @nth: which one from now on, counted from 1; 0: none
 * @error: -errno that it fails with
 */
UTW_API void utw_fake_device_refuse(struct utw_fake_device *f, unsigned int nth, int error);

/**
 * utw_fake_device_set_deaf() - do not end requests early
 * @f: the device
 * @deaf: cancels and timeouts have no effect: the test completes the request when it
 *	likes. At first they complete it, with -ECANCELED and -ETIME.
 */
UTW_API void utw_fake_device_set_deaf(struct utw_fake_device *f, bool deaf);

/**
 * utw_fake_device_unplug() - take it away
 * @f: the device
 *
 * No more is taken; what it holds is completed with -ENODEV, after what was completed
 * before.
 */
UTW_API void utw_fake_device_unplug(struct utw_fake_device *f);

#ifdef __cplusplus
}
#endif

#endif
