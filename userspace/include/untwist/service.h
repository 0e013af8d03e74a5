/* SPDX-License-Identifier: MIT */
/*
 * Service: a part of a program that can be started and stopped; a tree of them
 * is the program.
 *
 * Embed a struct utw_service in a structure of your own. A service starts
 * before its children, and its children start in the order in which they were
 * added. They stop the other way round, each when the one before has ended, so
 * that what a service was built on is there until its end.
 *
 * Starting has two phases. What needs privileges (to listen on port 80) is done
 * by the whole tree first; then the program gives them up; then all start.
 *
 * Thread rule: only from the thread of the reactor that the services use.
 */
#ifndef UNTWIST_SERVICE_H
#define UNTWIST_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <untwist/api.h>
#include <untwist/timer.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_deferred;
struct utw_endpoint;
struct utw_factory;
struct utw_failure;
struct utw_port;
struct utw_reactor;
struct utw_service;

/**
 * struct utw_service_ops - what a service does; all may be NULL
 * @prepare: the privileged phase. Returns 0 or -errno, with the failure in *why
 * @start: begin. Returns 0 or -errno, with the failure in *why
 * @stop: end, and undo @prepare; called once after @prepare or @start, even
 *	if they failed. Returns a deferred (taken) that fires when it has ended,
 *	or NULL when it has ended already
 */
struct utw_service_ops {
	int (*prepare)(struct utw_service *s, struct utw_failure **why);
	int (*start)(struct utw_service *s, struct utw_failure **why);
	struct utw_deferred *(*stop)(struct utw_service *s);
};

enum utw_service_state {
	UTW_SERVICE_STOPPED,
	UTW_SERVICE_PREPARED,
	UTW_SERVICE_RUNNING,
	UTW_SERVICE_STOPPING,
};

/**
 * struct utw_service - to be embedded in your structure
 * @name: of this service among its siblings; NULL: none
 * @state: where it is
 *
 * All other members are the library's.
 */
struct utw_service {
	const struct utw_service_ops *ops;
	const char *name;
	enum utw_service_state state;
	struct utw_service *parent;
	struct utw_link link;
	struct utw_link children;
	struct utw_deferred *stopping;
};

/**
 * utw_service_init() - prepare a service
 * @s: storage of the caller; needs no release when it is stopped
 * @ops: its operations, which outlive it; NULL: it only has children
 * @name: which outlives it; NULL: none
 */
UTW_API void utw_service_init(struct utw_service *s, const struct utw_service_ops *ops,
			      const char *name);

/**
 * utw_service_add() - give a service to a parent
 * @parent: which stays until the child is removed
 * @child: stopped and without a parent; started now if the parent is running
 * @why: receives the failure, owned by the caller; may be NULL
 *
 * Return: 0; -EEXIST when there is one of that name, -EBUSY when it has a
 * parent or runs, or what its start says, and then it is not added.
 */
UTW_API int utw_service_add(struct utw_service *parent, struct utw_service *child,
			    struct utw_failure **why);

/**
 * utw_service_remove() - take a service from its parent
 * @child: the service; one that runs goes on, stop it yourself
 */
UTW_API void utw_service_remove(struct utw_service *child);

/**
 * utw_service_find() - a child by its name
 * @parent: the service
 * @name: of the child
 *
 * Return: the child, or NULL.
 */
UTW_API struct utw_service *utw_service_find(const struct utw_service *parent, const char *name);

/**
 * utw_service_prepare() - the privileged phase of a tree
 * @s: its root, stopped
 * @why: receives the failure, owned by the caller; may be NULL
 *
 * Return: 0, or -errno of the first that failed: then stop the tree.
 */
UTW_API int utw_service_prepare(struct utw_service *s, struct utw_failure **why);

/**
 * utw_service_start() - start a tree
 * @s: its root; prepared first if it was not. Does nothing for one that runs
 * @why: receives the failure, owned by the caller; may be NULL
 *
 * Return: 0; -EBUSY while it stops; or -errno of the first that failed: then
 * stop the tree.
 */
UTW_API int utw_service_start(struct utw_service *s, struct utw_failure **why);

/**
 * utw_service_stop() - stop a tree
 * @s: its root
 *
 * The failure of one does not keep the others from being stopped; it is dropped.
 *
 * Return: a deferred, one reference of which is the caller's, that fires with
 * NULL when all have ended (perhaps inside this call), and fails with EALREADY
 * when it was being stopped before; NULL without memory, and nothing is stopped.
 */
UTW_API struct utw_deferred *utw_service_stop(struct utw_service *s);

/**
 * utw_service_abandon() - do not wait for a stop that does not end
 * @s: the root of a tree that is being stopped
 *
 * What its services still hold is theirs. The deferred of the stop does not
 * fire any more.
 */
UTW_API void utw_service_abandon(struct utw_service *s);

/** Called again and again by a struct utw_timer_service. */
typedef void (*utw_timer_service_fn)(void *data);

/**
 * struct utw_timer_service - calls a function in regular intervals
 * @service: to be added to a parent
 *
 * At once when it starts, and then at whole multiples of the interval after
 * that. A call that comes late is not made up for.
 */
struct utw_timer_service {
	struct utw_service service;
	struct utw_reactor *reactor;
	struct utw_timer timer;
	uint64_t interval;
	uint64_t begun;
	utw_timer_service_fn fn;
	void *data;
};

/**
 * utw_timer_service_init() - prepare one
 * @t: storage of the caller
 * @r: the reactor
 * @interval: nanoseconds, at least 1
 * @fn: what to call
 * @data: given to @fn
 */
UTW_API void utw_timer_service_init(struct utw_timer_service *t, struct utw_reactor *r,
				    uint64_t interval, utw_timer_service_fn fn, void *data);

/**
 * struct utw_port_service - listens at an endpoint
 * @service: to be added to a parent
 * @port: while it is prepared or runs
 */
struct utw_port_service {
	struct utw_service service;
	struct utw_reactor *reactor;
	const struct utw_endpoint *endpoint;
	struct utw_factory *factory;
	struct utw_port *port;
};

/**
 * utw_port_service_init() - prepare one
 * @p: storage of the caller
 * @r: the reactor
 * @e: where to listen, which outlives it
 * @f: makes the protocols, stays until it is stopped
 *
 * It listens in the privileged phase. Stopping closes the port; connections
 * live on.
 */
UTW_API void utw_port_service_init(struct utw_port_service *p, struct utw_reactor *r,
				   const struct utw_endpoint *e, struct utw_factory *f);

#ifdef __cplusplus
}
#endif

#endif
