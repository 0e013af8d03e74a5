/* SPDX-License-Identifier: MIT */
/* Service: see untwist/service.h. */
#include <untwist/service.h>

#include <errno.h>
#include <string.h>

#include <untwist/deferred.h>
#include <untwist/failure.h>

#include "base/list.h"

static const struct utw_service_ops no_ops;

static struct utw_service *service_at(struct utw_link *link)
{
	return utw_container_of(link, struct utw_service, link);
}

void utw_service_init(struct utw_service *s, const struct utw_service_ops *ops, const char *name)
{
	s->ops = ops ? ops : &no_ops;
	s->name = name;
	s->state = UTW_SERVICE_STOPPED;
	s->parent = NULL;
	s->stopping = NULL;
	utw_list_init(&s->link);
	utw_list_init(&s->children);
}

struct utw_service *utw_service_find(const struct utw_service *parent, const char *name)
{
	struct utw_link *link;

	for (link = utw_list_first(&parent->children); link != &parent->children; link = link->next)
		if (service_at(link)->name && strcmp(service_at(link)->name, name) == 0)
			return service_at(link);
	return NULL;
}

void utw_service_remove(struct utw_service *child)
{
	utw_list_remove(&child->link);
	child->parent = NULL;
}

/* Who wants to know why gets it; every failure of an operation has one. */
static int service_explain(const struct utw_service *s, int error, struct utw_failure *failure,
			   struct utw_failure **why)
{
	if (error && !failure)
		failure =
			utw_failure_from_errno(error, "start", "%s", s->name ? s->name : "service");
	if (why && error)
		*why = failure;
	else
		utw_failure_unref(failure);
	return error;
}

int utw_service_prepare(struct utw_service *s, struct utw_failure **why)
{
	struct utw_failure *failure = NULL;
	struct utw_link *link;
	int error = 0;

	if (s->state != UTW_SERVICE_STOPPED)
		return service_explain(s, s->state == UTW_SERVICE_STOPPING ? -EBUSY : 0, NULL, why);
	s->state = UTW_SERVICE_PREPARED;
	if (s->ops->prepare)
		error = s->ops->prepare(s, &failure);
	if (error)
		return service_explain(s, error, failure, why);
	for (link = utw_list_first(&s->children); link != &s->children && !error; link = link->next)
		error = utw_service_prepare(service_at(link), why);
	return error;
}

int utw_service_start(struct utw_service *s, struct utw_failure **why)
{
	struct utw_failure *failure = NULL;
	struct utw_link *link;
	int error = utw_service_prepare(s, why);

	if (error || s->state == UTW_SERVICE_RUNNING)
		return error;
	s->state = UTW_SERVICE_RUNNING;
	if (s->ops->start)
		error = s->ops->start(s, &failure);
	if (error)
		return service_explain(s, error, failure, why);
	for (link = utw_list_first(&s->children); link != &s->children && !error; link = link->next)
		error = utw_service_start(service_at(link), why);
	return error;
}

/* A start that failed half-way is undone; the caller's failure is the first. */
static int service_start_late(struct utw_service *child, struct utw_failure **why)
{
	int error = utw_service_start(child, why);

	if (error)
		utw_deferred_unref(utw_service_stop(child));
	return error;
}

int utw_service_add(struct utw_service *parent, struct utw_service *child, struct utw_failure **why)
{
	int error = 0;

	if (child->parent || child->state != UTW_SERVICE_STOPPED)
		return service_explain(child, -EBUSY, NULL, why);
	if (child->name && utw_service_find(parent, child->name))
		return service_explain(child, -EEXIST, NULL, why);
	if (parent->state == UTW_SERVICE_RUNNING)
		error = service_start_late(child, why);
	if (error)
		return error;
	child->parent = parent;
	utw_list_append(&parent->children, &child->link);
	return 0;
}

/* Stopping walks the children from the last to the first, and then it is the service's turn. */
static void stop_next(struct utw_service *s);

static struct utw_result stop_went_on(void *value, struct utw_failure *failure, void *data)
{
	(void)value;
	(void)failure;
	if (((struct utw_service *)data)->stopping)
		stop_next(data);
	return utw_result_value(NULL);
}

static struct utw_result stop_ended(void *value, struct utw_failure *failure, void *data)
{
	struct utw_service *s = data;
	struct utw_deferred *d = s->stopping;

	(void)value;
	(void)failure;
	/* Abandoned meanwhile. */
	if (!d)
		return utw_result_value(NULL);
	s->stopping = NULL;
	s->state = UTW_SERVICE_STOPPED;
	utw_deferred_callback(d, NULL);
	utw_deferred_unref(d);
	return utw_result_value(NULL);
}

/* Go on when `d` (taken) has fired; NULL: now. */
static void stop_when(struct utw_service *s, struct utw_deferred *d, utw_both_fn then)
{
	if (!d || utw_deferred_add_both(d, then, s))
		then(NULL, NULL, s);
	utw_deferred_unref(d);
}

static void stop_next(struct utw_service *s)
{
	struct utw_link *link;

	for (link = utw_list_last(&s->children); link != &s->children; link = link->prev) {
		struct utw_service *child = service_at(link);

		if (child->state == UTW_SERVICE_STOPPED || child->state == UTW_SERVICE_STOPPING)
			continue;
		stop_when(s, utw_service_stop(child), stop_went_on);
		return;
	}
	stop_when(s, s->ops->stop ? s->ops->stop(s) : NULL, stop_ended);
}

struct utw_deferred *utw_service_stop(struct utw_service *s)
{
	struct utw_deferred *d;

	if (s->state == UTW_SERVICE_STOPPED)
		return utw_deferred_succeed(NULL);
	if (s->state == UTW_SERVICE_STOPPING)
		return utw_deferred_fail(utw_failure_from_errno(-EALREADY, "stop", "%s",
								s->name ? s->name : "service"));
	d = utw_deferred_new();
	if (!d)
		return NULL;
	s->state = UTW_SERVICE_STOPPING;
	s->stopping = utw_deferred_ref(d);
	stop_next(s);
	return d;
}

void utw_service_abandon(struct utw_service *s)
{
	struct utw_link *link;

	for (link = utw_list_last(&s->children); link != &s->children; link = link->prev)
		utw_service_abandon(service_at(link));
	utw_deferred_unref(s->stopping);
	s->stopping = NULL;
	s->state = UTW_SERVICE_STOPPED;
}
