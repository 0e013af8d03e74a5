/* SPDX-License-Identifier: MIT */
/* One attempt to connect: see connector.h. */
#include "connector.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/call.h>
#include <untwist/deferred.h>
#include <untwist/factory.h>
#include <untwist/protocol.h>
#include <untwist/timer.h>
#include <untwist/watch.h>

#include "connection.h"

/* A listener with a full queue of UNIX connections tells nobody when there is room again. */
#define RETRY_NS UINT64_C(10000000)

struct attempt {
	const struct utw_connection_kind *kind;
	struct utw_reactor *reactor;
	struct utw_factory *factory;
	struct utw_deferred *deferred;
	struct utw_address to;
	struct utw_watch watch;
	struct utw_timer timeout;
	struct utw_timer retry;
	struct utw_call later; /* tells an error that connect() knew at once */
	int fd;
	int error;
};

/* Let go of all but the deferred, which is returned. */
static struct utw_deferred *attempt_end(struct attempt *a)
{
	struct utw_deferred *d = a->deferred;

	utw_deferred_set_canceller(d, NULL, NULL);
	utw_watch_stop(&a->watch);
	utw_timer_cancel(&a->timeout);
	utw_timer_cancel(&a->retry);
	utw_call_stop(&a->later);
	if (a->fd >= 0)
		close(a->fd);
	utw_factory_stop(a->factory);
	free(a);
	return d;
}

static void attempt_fail(struct attempt *a, struct utw_failure *failure)
{
	struct utw_deferred *d = attempt_end(a);

	utw_deferred_errback(d, failure);
	utw_deferred_unref(d);
}

static void attempt_fail_errno(struct attempt *a, int error)
{
	char text[UTW_ADDRESS_TEXT];

	utw_address_format(&a->to, text, sizeof(text));
	attempt_fail(a, utw_failure_from_errno(error, "connect", "%s", text));
}

static void attempt_succeed(struct attempt *a)
{
	struct utw_protocol *p;
	struct utw_deferred *d;
	int fd = a->fd;
	int error;

	a->fd = -1;
	utw_watch_stop(&a->watch);
	utw_deferred_set_canceller(a->deferred, NULL, NULL);
	error = utw_connection_serve(a->kind, a->reactor, fd, &a->to, a->factory, &p);
	if (error) {
		attempt_fail_errno(a, error);
		return;
	}
	d = attempt_end(a);
	utw_deferred_callback(d, p);
	utw_deferred_unref(d);
}

static void attempt_ready(struct utw_watch *w, uint32_t events)
{
	struct attempt *a = utw_container_of(w, struct attempt, watch);
	socklen_t size = sizeof(int);
	int error = 0;

	(void)events;
	if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &size))
		error = errno;
	if (error)
		attempt_fail_errno(a, -error);
	else
		attempt_succeed(a);
}

static void attempt_late(struct utw_timer *t)
{
	struct attempt *a = utw_container_of(t, struct attempt, timeout);
	char text[UTW_ADDRESS_TEXT];

	utw_address_format(&a->to, text, sizeof(text));
	attempt_fail(a,
		     utw_failure_new(&utw_domain_reason, UTW_TIMEOUT, "connect", NULL,
				     "no answer from %s", text));
}

static void attempt_later(struct utw_call *c)
{
	struct attempt *a = utw_container_of(c, struct attempt, later);

	attempt_fail_errno(a, a->error);
}

static enum utw_cancel attempt_cancel(struct utw_deferred *d, void *data)
{
	(void)d;
	utw_deferred_unref(attempt_end(data));
	return UTW_CANCEL_NOW;
}

/* As connect(), but that a UNIX socket is to be tried again is no error. */
static int attempt_connect(struct attempt *a)
{
	if (!connect(a->fd, (const struct sockaddr *)&a->to.storage, a->to.length) ||
	    errno == EINPROGRESS)
		return utw_watch_start(&a->watch, a->reactor, a->fd, EPOLLOUT);
	if (errno == EAGAIN && a->to.storage.ss_family == AF_UNIX)
		return utw_timer_start(&a->retry, a->reactor, RETRY_NS);
	return -errno;
}

static void attempt_again(struct utw_timer *t)
{
	struct attempt *a = utw_container_of(t, struct attempt, retry);
	int error = attempt_connect(a);

	if (error)
		attempt_fail_errno(a, error);
}

static int attempt_start(struct attempt *a, uint64_t timeout)
{
	int error;

	a->fd = socket(a->to.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (a->fd < 0)
		return -errno;
	error = attempt_connect(a);
	return error ? error : utw_timer_start(&a->timeout, a->reactor, timeout);
}

struct utw_deferred *utw_connector_start(const struct utw_connection_kind *kind,
					 struct utw_reactor *r, const struct utw_address *to,
					 struct utw_factory *f, uint64_t timeout)
{
	struct attempt *a = calloc(1, sizeof(*a));
	struct utw_deferred *d = utw_deferred_new();

	if (!a || !d) {
		free(a);
		utw_deferred_unref(d);
		return NULL;
	}
	a->kind = kind;
	a->reactor = r;
	a->factory = f;
	a->deferred = utw_deferred_ref(d);
	a->to = *to;
	a->fd = -1;
	utw_watch_init(&a->watch, attempt_ready);
	utw_timer_init(&a->timeout, attempt_late);
	utw_timer_init(&a->retry, attempt_again);
	utw_call_init(&a->later, attempt_later);
	utw_deferred_set_canceller(d, attempt_cancel, a);
	utw_factory_start(f);
	a->error = attempt_start(a, timeout);
	if (a->error) {
		utw_watch_stop(&a->watch);
		utw_timer_cancel(&a->retry);
		utw_call_start(&a->later, r);
	}
	return d;
}
