// SPDX-License-Identifier: MIT
/*
 * Signals: from the process's handler to the reactors that asked for them.
 *
 * The handler may interrupt anything, so what it reads is never freed: each
 * reactor that watches signals has a subscriber, and subscribers are re-used but
 * stay in one list that only grows at its head. A subscriber is `busy` while a
 * handler looks at it; its reactor's inbox goes only after it is not.
 */
#include <untwist/signal.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/list.h"
#include "reactor/reactor-private.h"
#include "reactor/watchdog.h"

#define LAST_SIGNAL (32 * UTW_SIGNAL_WORDS)

struct utw_subscriber {
	struct utw_subscriber *next; /* never changes once it is in the list */
	_Atomic(struct utw_inbox *) inbox; /* NULL when nobody uses it */
	atomic_uint busy;
	atomic_uint watched[UTW_SIGNAL_WORDS];
	unsigned int sources[LAST_SIGNAL + 1]; /* how many watch each number; under the lock */
	unsigned int total; /* of all numbers; under the lock */
};

/* What we found when the first source for a signal came. */
struct disposition {
	unsigned int subscribers;
	struct sigaction before;
};

static _Atomic(struct utw_subscriber *) subscribers;
static struct disposition dispositions[LAST_SIGNAL + 1]; /* under the lock */
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;

static bool subscriber_watches(struct utw_subscriber *s, int signo)
{
	return atomic_load(&s->watched[(signo - 1) / 32]) >> ((signo - 1) % 32) & 1;
}

static void signal_arrived(int signo)
{
	int saved = errno;
	struct utw_subscriber *s;

	for (s = atomic_load(&subscribers); s; s = s->next) {
		struct utw_inbox *inbox;

		atomic_fetch_add(&s->busy, 1);
		inbox = atomic_load(&s->inbox);
		if (inbox && subscriber_watches(s, signo))
			utw_inbox_post_signal(inbox, signo);
		atomic_fetch_sub(&s->busy, 1);
	}
	errno = saved;
}

static struct utw_subscriber *subscriber_find_unused(void)
{
	struct utw_subscriber *s;

	for (s = atomic_load(&subscribers); s; s = s->next)
		if (!atomic_load(&s->inbox))
			return s;
	return NULL;
}

/* Registry lock held. */
static struct utw_subscriber *subscriber_take(struct utw_inbox *inbox)
{
	struct utw_subscriber *s = subscriber_find_unused();

	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s)
			return NULL;
		s->next = atomic_load(&subscribers);
		atomic_store(&subscribers, s);
	}
	atomic_store(&s->inbox, inbox);
	return s;
}

/*
 * After this no handler touches the inbox, in whatever thread it runs. To yield
 * would not do: a real-time thread yields to nobody below it, be it the handler's.
 */
static void subscriber_give_back(struct utw_subscriber *s)
{
	const struct timespec moment = { .tv_nsec = 1000 };

	atomic_store(&s->inbox, NULL);
	while (atomic_load(&s->busy))
		nanosleep(&moment, NULL);
}

/* Registry lock held. */
static int disposition_get(int signo)
{
	struct disposition *d = &dispositions[signo];
	struct sigaction action = { .sa_handler = signal_arrived, .sa_flags = SA_RESTART };

	if (!d->subscribers) {
		sigemptyset(&action.sa_mask);
		if (sigaction(signo, &action, &d->before) < 0)
			return -errno;
	}
	d->subscribers++;
	return 0;
}

/* Registry lock held. A handler that someone put in place of ours is not ours to remove. */
static void disposition_put(int signo)
{
	struct disposition *d = &dispositions[signo];
	struct sigaction current;

	if (--d->subscribers)
		return;
	if (sigaction(signo, NULL, &current) == 0 && current.sa_handler == signal_arrived)
		sigaction(signo, &d->before, NULL);
}

/* Registry lock held. The bit comes before the handler, so that not even the first is missed. */
static int subscriber_add(struct utw_subscriber *s, int signo)
{
	unsigned int bit = 1U << ((signo - 1) % 32);
	int err;

	if (!s->sources[signo]) {
		atomic_fetch_or(&s->watched[(signo - 1) / 32], bit);
		err = disposition_get(signo);
		if (err < 0) {
			atomic_fetch_and(&s->watched[(signo - 1) / 32], ~bit);
			return err;
		}
	}
	s->sources[signo]++;
	s->total++;
	return 0;
}

/* Registry lock held. */
static void subscriber_remove(struct utw_subscriber *s, int signo)
{
	s->total--;
	if (--s->sources[signo])
		return;
	disposition_put(signo);
	atomic_fetch_and(&s->watched[(signo - 1) / 32], ~(1U << ((signo - 1) % 32)));
	utw_inbox_drop_signal(atomic_load(&s->inbox), signo);
}

/* Registry lock held. */
static void signals_let_go(struct utw_reactor *r)
{
	if (!r->signals.subscriber || r->signals.subscriber->total)
		return;
	subscriber_give_back(r->signals.subscriber);
	r->signals.subscriber = NULL;
}

/* Registry lock held. */
static int signals_subscribe(struct utw_reactor *r, int signo)
{
	if (!r->signals.subscriber)
		r->signals.subscriber = subscriber_take(&r->inbox);
	if (!r->signals.subscriber)
		return -ENOMEM;
	return subscriber_add(r->signals.subscriber, signo);
}

void utw_signals_init(struct utw_reactor *r)
{
	utw_list_init(&r->signals.sources);
	r->signals.subscriber = NULL;
}

void utw_signals_release(struct utw_reactor *r)
{
	while (!utw_list_empty(&r->signals.sources))
		utw_signal_stop(utw_container_of(utw_list_first(&r->signals.sources),
						 struct utw_signal, link));
}

void utw_signal_init(struct utw_signal *s, utw_signal_fn fn)
{
	memset(s, 0, sizeof(*s));
	utw_list_init(&s->link);
	s->fn = fn;
}

int utw_signal_start(struct utw_signal *s, struct utw_reactor *r, int signo)
{
	int err;

	if (s->reactor)
		return -EBUSY;
	if (signo < 1 || signo > LAST_SIGNAL)
		return -EINVAL;
	pthread_mutex_lock(&registry_lock);
	err = signals_subscribe(r, signo);
	if (err == 0) {
		s->reactor = r;
		s->signo = signo;
		utw_list_append(&r->signals.sources, &s->link);
	}
	signals_let_go(r);
	pthread_mutex_unlock(&registry_lock);
	return err;
}

void utw_signal_stop(struct utw_signal *s)
{
	struct utw_reactor *r = s->reactor;

	if (!r)
		return;
	pthread_mutex_lock(&registry_lock);
	utw_list_remove(&s->link);
	s->reactor = NULL;
	subscriber_remove(r->signals.subscriber, s->signo);
	signals_let_go(r);
	pthread_mutex_unlock(&registry_lock);
}

bool utw_signal_active(const struct utw_signal *s)
{
	return s->reactor;
}

static void signal_call(struct utw_reactor *r, struct utw_signal *s, int signo)
{
	const struct utw_slow_call told = {
		.kind = "signal",
		.callback = (void (*)(void))s->fn,
		.fd = -1,
	};

	s->fn(s, signo);
	utw_watchdog_look(r, &told);
}

/*
 * Through a list of those yet to be asked: a callback may stop any of them, and
 * one that it starts is not asked about a signal that came before.
 */
static unsigned int signals_call(struct utw_reactor *r, int signo)
{
	struct utw_link waiting;
	struct utw_link *link;
	unsigned int count = 0;

	utw_list_init(&waiting);
	utw_list_splice(&waiting, &r->signals.sources);
	while ((link = utw_list_pop(&waiting))) {
		struct utw_signal *s = utw_container_of(link, struct utw_signal, link);

		utw_list_append(&r->signals.sources, link);
		if (s->signo != signo)
			continue;
		signal_call(r, s, signo);
		count++;
	}
	r->statistics.signals += count;
	return count;
}

unsigned int utw_signals_dispatch(struct utw_reactor *r)
{
	unsigned int count = 0;
	int word;

	for (word = 0; word < UTW_SIGNAL_WORDS; word++) {
		uint32_t pending = utw_inbox_take_signals(&r->inbox, word);

		while (pending) {
			int bit = __builtin_ctz(pending);

			pending &= pending - 1;
			count += signals_call(r, word * 32 + bit + 1);
		}
	}
	return count;
}
