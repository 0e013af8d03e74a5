// SPDX-License-Identifier: MIT
/* A request as a deferred: see untwist/device.h. */
#include <stdlib.h>

#include <untwist/deferred.h>

#include "device-private.h"

struct request {
	struct utw_device_call call;
	struct utw_deferred *deferred;
	struct utw_completion completion;
};

static struct request *request_of(struct utw_device_call *c)
{
	return utw_container_of(c, struct request, call);
}

static void completion_free(void *ptr)
{
	free(utw_container_of(ptr, struct request, completion));
}

static void request_complete(struct utw_device_call *c, const struct untwist_cqe *cqe)
{
	struct request *req = request_of(c);
	struct utw_deferred *d = req->deferred;

	req->completion.result = cqe->res;
	req->completion.value[0] = cqe->value[0];
	req->completion.value[1] = cqe->value[1];
	utw_deferred_callback_owned(d, &req->completion, completion_free);
	utw_deferred_unref(d);
}

static void request_fail(struct utw_device_call *c, struct utw_failure *failure)
{
	struct utw_deferred *d = request_of(c)->deferred;

	free(request_of(c));
	utw_deferred_errback(d, failure);
	utw_deferred_unref(d);
}

static const struct utw_device_call_ops request_ops = {
	.complete = request_complete,
	.fail = request_fail,
};

static enum utw_cancel request_cancel(struct utw_deferred *d, void *data)
{
	struct request *req = data;

	if (!utw_device_call_cancel(&req->call))
		return UTW_CANCEL_LATER;
	free(req);
	utw_deferred_unref(d);
	return UTW_CANCEL_NOW;
}

struct utw_deferred *utw_device_submit(struct utw_device *dev, const struct utw_request *req)
{
	struct utw_failure *refusal = utw_device_refuses(dev);
	struct request *request;

	if (refusal)
		return utw_deferred_fail(refusal);
	request = calloc(1, sizeof(*request));
	if (!request)
		return NULL;
	request->deferred = utw_deferred_new();
	if (!request->deferred) {
		free(request);
		return NULL;
	}
	utw_deferred_set_canceller(request->deferred, request_cancel, request);
	utw_device_call_start(&request->call, dev, req, &request_ops);
	return utw_deferred_ref(request->deferred);
}
