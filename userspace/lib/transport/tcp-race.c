/* SPDX-License-Identifier: MIT */
/*
 * A race of connections to several addresses: see untwist/tcp.h.
 *
 * Two may be connected in one turn of the reactor and still only one wins: the
 * first cancels the others from inside its success, before they are told theirs.
 */
#include <untwist/tcp.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <untwist/call.h>
#include <untwist/deferred.h>
#include <untwist/factory.h>
#include <untwist/reactor.h>
#include <untwist/timer.h>

#include "connection.h"
#include "connector.h"

/* An address, and what has become of it. */
struct runner {
	struct utw_tcp_race *race;
	struct runner *next;
	struct utw_address to;
	struct utw_deferred *attempt; /* NULL: not begun, or over */
	bool begun;
};

struct utw_tcp_race {
	struct utw_reactor *reactor;
	struct utw_factory *factory;
	struct utw_deferred *deferred; /* NULL: over */
	struct runner *runners; /* in the order in which they came */
	struct utw_failure *last;
	struct utw_timer delay; /* until the next one begins */
	struct utw_timer timeout;
	struct utw_call later; /* looks whether there is somebody to begin */
	unsigned int running;
	int family; /* of the one that began last */
	bool complete;
};

static void race_free(struct utw_tcp_race *race)
{
	while (race->runners) {
		struct runner *runner = race->runners;

		race->runners = runner->next;
		free(runner);
	}
	utw_failure_unref(race->last);
	free(race);
}

static void race_stop(struct utw_tcp_race *race)
{
	utw_timer_cancel(&race->delay);
	utw_timer_cancel(&race->timeout);
	utw_call_stop(&race->later);
	for (struct runner *runner = race->runners; runner; runner = runner->next) {
		struct utw_deferred *attempt = runner->attempt;

		runner->attempt = NULL;
		if (attempt)
			utw_deferred_cancel(attempt);
		utw_deferred_unref(attempt);
	}
}

/* It is over: returns the deferred, to be fired. The race may be gone with that. */
static struct utw_deferred *race_end(struct utw_tcp_race *race)
{
	struct utw_deferred *d = race->deferred;
	struct utw_factory *f = race->factory;

	race->deferred = NULL;
	utw_deferred_set_canceller(d, NULL, NULL);
	race_stop(race);
	if (race->complete)
		race_free(race);
	utw_factory_stop(f);
	return d;
}

static void race_fail(struct utw_tcp_race *race, struct utw_failure *failure)
{
	struct utw_deferred *d = race_end(race);

	utw_deferred_errback(d, failure);
	utw_deferred_unref(d);
}

static void race_lost(struct utw_tcp_race *race)
{
	struct utw_failure *last = race->last;

	race->last = NULL;
	if (!last)
		race_fail(race, utw_failure_from_errno(-EADDRNOTAVAIL, "connect", "no address"));
	else
		race_fail(race,
			  utw_failure_new(utw_failure_domain(last), utw_failure_code(last),
					  "connect", last, "no address has answered"));
}

/* The next to begin: of the other family than the last, if there is one. */
static struct runner *race_next(const struct utw_tcp_race *race)
{
	struct runner *next = NULL;

	for (struct runner *runner = race->runners; runner; runner = runner->next) {
		if (runner->begun)
			continue;
		if (runner->to.storage.ss_family != race->family)
			return runner;
		if (!next)
			next = runner;
	}
	return next;
}

/* A runner that was cancelled by the race has no attempt any more, and nothing to say. */
static struct utw_result runner_done(void *value, struct utw_failure *failure, void *data)
{
	struct runner *runner = data;
	struct utw_tcp_race *race = runner->race;
	struct utw_deferred *attempt = runner->attempt;
	struct utw_deferred *d;

	if (!attempt)
		return utw_result_value(NULL);
	runner->attempt = NULL;
	race->running--;
	if (failure) {
		utw_failure_unref(race->last);
		race->last = utw_failure_ref(failure);
		utw_timer_cancel(&race->delay);
		utw_call_start(&race->later, race->reactor);
	} else {
		d = race_end(race);
		utw_deferred_callback(d, value);
		utw_deferred_unref(d);
	}
	utw_deferred_unref(attempt);
	return utw_result_value(NULL);
}

static void runner_begin(struct runner *runner)
{
	struct utw_tcp_race *race = runner->race;

	runner->begun = true;
	race->family = runner->to.storage.ss_family;
	runner->attempt = utw_connector_start(&utw_connection_tcp, race->reactor, &runner->to,
					      race->factory, UTW_FOREVER);
	if (!runner->attempt) {
		race_fail(race, utw_failure_from_errno(-ENOMEM, "connect", "race"));
		return;
	}
	race->running++;
	/* The first pairs of a deferred need no memory. */
	utw_deferred_add_both(runner->attempt, runner_done, runner);
	utw_timer_start(&race->delay, race->reactor, UTW_TCP_RACE_DELAY);
}

/* One at a time, unless one keeps the others waiting. */
static void race_go_on(struct utw_tcp_race *race)
{
	struct runner *next = race_next(race);

	if (next)
		runner_begin(next);
	else if (race->complete && !race->running)
		race_lost(race);
}

static void race_later(struct utw_call *c)
{
	struct utw_tcp_race *race = utw_container_of(c, struct utw_tcp_race, later);

	if (!utw_timer_active(&race->delay))
		race_go_on(race);
}

static void race_delayed(struct utw_timer *t)
{
	struct utw_tcp_race *race = utw_container_of(t, struct utw_tcp_race, delay);

	if (race_next(race))
		race_go_on(race);
}

static void race_late(struct utw_timer *t)
{
	race_fail(utw_container_of(t, struct utw_tcp_race, timeout),
		  utw_failure_new(&utw_domain_reason, UTW_TIMEOUT, "connect", NULL,
				  "no address has answered in time"));
}

static enum utw_cancel race_cancel(struct utw_deferred *d, void *data)
{
	(void)d;
	utw_deferred_unref(race_end(data));
	return UTW_CANCEL_NOW;
}

struct utw_deferred *utw_tcp_race_new(struct utw_tcp_race **ret, struct utw_reactor *r,
				      struct utw_factory *f, uint64_t timeout)
{
	struct utw_tcp_race *race = calloc(1, sizeof(*race));
	struct utw_deferred *d = utw_deferred_new();

	if (race) {
		race->reactor = r;
		race->factory = f;
		utw_timer_init(&race->delay, race_delayed);
		utw_timer_init(&race->timeout, race_late);
		utw_call_init(&race->later, race_later);
	}
	if (!race || !d ||
	    utw_timer_start(&race->timeout, r, timeout ? timeout : UTW_TCP_CONNECT_TIMEOUT)) {
		free(race);
		utw_deferred_unref(d);
		return NULL;
	}
	race->deferred = utw_deferred_ref(d);
	utw_deferred_set_canceller(d, race_cancel, race);
	utw_factory_start(f);
	*ret = race;
	return d;
}

int utw_tcp_race_add(struct utw_tcp_race *race, const struct utw_address *to)
{
	struct runner **last = &race->runners;
	struct runner *runner;

	if ((to->storage.ss_family != AF_INET && to->storage.ss_family != AF_INET6) ||
	    !utw_address_port(to))
		return -EINVAL;
	if (!race->deferred)
		return 0;
	runner = calloc(1, sizeof(*runner));
	if (!runner)
		return -ENOMEM;
	runner->race = race;
	runner->to = *to;
	while (*last)
		last = &(*last)->next;
	*last = runner;
	if (!utw_call_active(&race->later))
		utw_call_start(&race->later, race->reactor);
	return 0;
}

void utw_tcp_race_complete(struct utw_tcp_race *race)
{
	race->complete = true;
	if (!race->deferred)
		race_free(race);
	else if (!utw_call_active(&race->later))
		utw_call_start(&race->later, race->reactor);
}
