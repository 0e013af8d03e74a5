/* SPDX-License-Identifier: MIT */
/*
 * Looking for addresses. Each family is asked for on its own, so that the
 * answer to one is told while the other is still awaited.
 *
 * c-ares may answer from inside the question, and cannot drop one question of
 * several. So answers wait for a turn of the reactor, and a lookup that was
 * cancelled goes on as one that nobody hears.
 */
#include "dns-private.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TTL_NS UINT64_C(1000000000)

/* One of the two families. */
struct question {
	struct utw_dns_lookup *lookup;
	int family;
};

struct utw_dns_lookup {
	struct utw_dns_lookup *next;
	struct utw_dns *dns;
	struct utw_lookup *hears; /* NULL: nobody */
	struct question questions[2];
	unsigned int open; /* questions without an answer */
	unsigned int found; /* addresses told */
	unsigned int port;
	struct utw_buffer waiting; /* addresses to be told */
	struct utw_failure *failure;
	struct utw_call later;
	char host[];
};

static void lookup_free(struct utw_dns_lookup *w)
{
	struct utw_dns_lookup **place = &w->dns->lookups;

	while (*place != w)
		place = &(*place)->next;
	*place = w->next;
	utw_call_stop(&w->later);
	utw_buffer_release(&w->waiting);
	utw_failure_unref(w->failure);
	free(w);
}

/* Either may cancel it. */
static void lookup_tell_found(struct utw_dns_lookup *w)
{
	while (w->hears && !utw_buffer_empty(&w->waiting)) {
		struct utw_address a;

		memcpy(&a, utw_buffer_data(&w->waiting), sizeof(a));
		utw_buffer_consume(&w->waiting, sizeof(a));
		w->found++;
		w->hears->ops->found(w->hears, &a);
	}
}

static void lookup_later(struct utw_call *c)
{
	struct utw_dns_lookup *w = utw_container_of(c, struct utw_dns_lookup, later);
	struct utw_lookup *hears;
	struct utw_failure *failure;

	lookup_tell_found(w);
	if (w->open)
		return;
	hears = w->hears;
	failure = w->found ? NULL : utw_failure_ref(w->failure);
	lookup_free(w);
	if (hears) {
		hears->resolver = NULL;
		hears->work = NULL;
		hears->ops->done(hears, failure);
	}
	utw_failure_unref(failure);
}

static void set_port(struct utw_address *a, unsigned int port)
{
	/* At the same place in both families. */
	((struct sockaddr_in *)&a->storage)->sin_port = htons((uint16_t)port);
}

/* Without memory there is one address less. */
static void lookup_add(struct utw_dns_lookup *w, const struct utw_address *address)
{
	struct utw_address a = *address;

	set_port(&a, w->port);
	if (utw_buffer_append(&w->waiting, &a, sizeof(a)) && !w->failure)
		w->failure = utw_failure_from_errno(-ENOMEM, "lookup", "%s", w->host);
}

static void question_done(struct question *q)
{
	struct utw_dns_lookup *w = q->lookup;

	w->open--;
	if (!utw_call_active(&w->later))
		utw_call_start(&w->later, w->dns->reactor);
}

static unsigned int take_addresses(const struct ares_addrinfo *info, struct utw_address *to,
				   unsigned int most, uint64_t *time)
{
	unsigned int count = 0;

	*time = UINT64_MAX;
	for (const struct ares_addrinfo_node *n = info->nodes; n && count < most; n = n->ai_next) {
		struct utw_address a = { .length = n->ai_addrlen };

		memcpy(&a.storage, n->ai_addr, n->ai_addrlen);
		set_port(&a, 0);
		to[count++] = a;
		if ((uint64_t)n->ai_ttl * TTL_NS < *time)
			*time = (uint64_t)n->ai_ttl * TTL_NS;
	}
	return count;
}

/* More addresses than this of one family are of no use to anybody. */
#define ADDRESSES_MAX 64

static void question_answered(void *data, int status, int timeouts, struct ares_addrinfo *info)
{
	struct question *q = data;
	struct utw_dns_lookup *w = q->lookup;
	struct utw_address addresses[ADDRESSES_MAX];
	unsigned int count = 0;
	uint64_t time = 0;

	(void)timeouts;
	if (info)
		count = take_addresses(info, addresses, ADDRESSES_MAX, &time);
	ares_freeaddrinfo(info);
	if (w->dns->ending)
		return;
	for (unsigned int i = 0; i < count; i++)
		lookup_add(w, &addresses[i]);
	utw_dns_cache_keep(w->dns, w->host, q->family, addresses, count, time);
	if (!count && !w->failure)
		w->failure = utw_dns_failure(status ? status : ARES_ENODATA, "lookup", w->host);
	question_done(q);
}

static void question_ask(struct question *q)
{
	struct utw_dns_lookup *w = q->lookup;
	const struct ares_addrinfo_hints hints = {
		.ai_flags = ARES_AI_NOSORT,
		.ai_family = q->family,
		.ai_socktype = SOCK_STREAM,
	};
	const struct utw_dns_cached *c = utw_dns_cache_find(w->dns, w->host, q->family);

	if (!c) {
		ares_getaddrinfo(w->dns->channel, w->host, NULL, &hints, question_answered, q);
		return;
	}
	for (unsigned int i = 0; i < c->count; i++)
		lookup_add(w, &c->addresses[i]);
	question_done(q);
}

/* A number needs no server, and must not be searched for as a name. */
static bool lookup_is_number(struct utw_dns_lookup *w, int family)
{
	struct utw_address a;
	char text[UTW_ADDRESS_TEXT];

	if (strlen(w->host) > UTW_ADDRESS_TEXT - 16 || !strcmp(w->host, "localhost") ||
	    !strcmp(w->host, "*") || !*w->host)
		return false;
	snprintf(text, sizeof(text), strchr(w->host, ':') ? "[%s]:0" : "%s:0", w->host);
	if (utw_address_parse(&a, text))
		return false;
	if (family == AF_UNSPEC || family == a.storage.ss_family)
		lookup_add(w, &a);
	else
		w->failure = utw_dns_failure(ARES_ENODATA, "lookup", w->host);
	utw_call_start(&w->later, w->dns->reactor);
	return true;
}

static void lookup_ask(struct utw_dns_lookup *w, int family)
{
	static const int families[] = { AF_INET6, AF_INET };

	/* All are counted before one can be answered. */
	for (int i = 0; i < 2; i++)
		w->open += family == AF_UNSPEC || family == families[i];
	for (int i = 0; i < 2; i++) {
		w->questions[i].lookup = w;
		w->questions[i].family = families[i];
		if (family == AF_UNSPEC || family == families[i])
			question_ask(&w->questions[i]);
	}
	utw_dns_changed(w->dns);
}

static int dns_start(struct utw_resolver *r, struct utw_lookup *l, const char *host,
		     unsigned int port, int family)
{
	struct utw_dns *d = utw_container_of(r, struct utw_dns, resolver);
	size_t size = strlen(host) + 1;
	struct utw_dns_lookup *w = calloc(1, sizeof(*w) + size);

	if (!w)
		return -ENOMEM;
	memcpy(w->host, host, size);
	w->dns = d;
	w->hears = l;
	w->port = port;
	utw_call_init(&w->later, lookup_later);
	w->next = d->lookups;
	d->lookups = w;
	l->work = w;
	if (!lookup_is_number(w, family))
		lookup_ask(w, family);
	return 0;
}

static void dns_cancel(struct utw_resolver *r, struct utw_lookup *l)
{
	struct utw_dns_lookup *w = l->work;

	(void)r;
	w->hears = NULL;
	l->work = NULL;
}

const struct utw_resolver_ops utw_dns_resolver_ops = { .start = dns_start, .cancel = dns_cancel };

void utw_dns_lookups_drop(struct utw_dns *d)
{
	while (d->lookups) {
		if (d->lookups->hears)
			d->lookups->hears->resolver = NULL;
		lookup_free(d->lookups);
	}
}
