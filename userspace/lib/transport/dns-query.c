/* SPDX-License-Identifier: MIT */
/* Asking DNS for records other than addresses. */
#include "dns-private.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <untwist/deferred.h>

struct utw_dns_query {
	struct utw_dns_query *next;
	struct utw_dns *dns;
	struct utw_deferred *deferred; /* NULL: cancelled */
	enum utw_dns_type type;
	struct utw_dns_answer *answer;
	struct utw_failure *failure;
	struct utw_call later;
	char name[];
};

static void answer_free(void *data)
{
	struct utw_dns_answer *a = data;

	for (unsigned int i = 0; a && i < a->count; i++)
		free(a->records[i].text);
	free(a);
}

static struct utw_deferred *query_end(struct utw_dns_query *q)
{
	struct utw_dns_query **place = &q->dns->queries;
	struct utw_deferred *d = q->deferred;

	while (*place != q)
		place = &(*place)->next;
	*place = q->next;
	if (d)
		utw_deferred_set_canceller(d, NULL, NULL);
	utw_call_stop(&q->later);
	free(q);
	return d;
}

static void query_later(struct utw_call *c)
{
	struct utw_dns_query *q = utw_container_of(c, struct utw_dns_query, later);
	struct utw_dns_answer *answer = q->answer;
	struct utw_failure *failure = q->failure;
	struct utw_deferred *d = query_end(q);

	if (!d) {
		answer_free(answer);
		utw_failure_unref(failure);
	} else if (failure) {
		utw_deferred_errback(d, failure);
	} else {
		utw_deferred_callback_owned(d, answer, answer_free);
	}
	utw_deferred_unref(d);
}

static struct utw_dns_answer *answer_new(unsigned int count)
{
	struct utw_dns_answer *a = calloc(1, sizeof(*a) + count * sizeof(a->records[0]));

	if (!a)
		return NULL;
	a->count = count;
	a->records = (struct utw_dns_record *)(a + 1);
	return a;
}

static int record_text(struct utw_dns_record *to, const void *text, size_t len)
{
	to->text = malloc(len + 1);
	if (!to->text)
		return ARES_ENOMEM;
	memcpy(to->text, text, len);
	to->text[len] = '\0';
	to->len = (unsigned int)len;
	return ARES_SUCCESS;
}

static int parse_srv(const unsigned char *data, int len, struct utw_dns_answer **ret)
{
	struct ares_srv_reply *list = NULL;
	int status = ares_parse_srv_reply(data, len, &list);
	unsigned int count = 0;

	for (struct ares_srv_reply *s = list; s; s = s->next)
		count++;
	*ret = status ? NULL : answer_new(count);
	if (!status && !*ret)
		status = ARES_ENOMEM;
	count = 0;
	for (struct ares_srv_reply *s = list; s && !status; s = s->next) {
		struct utw_dns_record *to = &(*ret)->records[count++];

		to->priority = s->priority;
		to->weight = s->weight;
		to->port = s->port;
		status = record_text(to, s->host, strlen(s->host));
	}
	ares_free_data(list);
	return status;
}

static int parse_txt(const unsigned char *data, int len, struct utw_dns_answer **ret)
{
	struct ares_txt_reply *list = NULL;
	int status = ares_parse_txt_reply(data, len, &list);
	unsigned int count = 0;

	for (struct ares_txt_reply *t = list; t; t = t->next)
		count++;
	*ret = status ? NULL : answer_new(count);
	if (!status && !*ret)
		status = ARES_ENOMEM;
	count = 0;
	for (struct ares_txt_reply *t = list; t && !status; t = t->next)
		status = record_text(&(*ret)->records[count++], t->txt, t->length);
	ares_free_data(list);
	return status;
}

static int parse_ptr(const unsigned char *data, int len, struct utw_dns_answer **ret)
{
	struct hostent *host = NULL;
	int status = ares_parse_ptr_reply(data, len, NULL, 0, AF_INET, &host);
	unsigned int count = 0;

	while (!status && host->h_aliases[count])
		count++;
	*ret = status ? NULL : answer_new(count);
	if (!status && !*ret)
		status = ARES_ENOMEM;
	for (unsigned int i = 0; i < count && !status; i++)
		status = record_text(&(*ret)->records[i], host->h_aliases[i],
				     strlen(host->h_aliases[i]));
	if (host)
		ares_free_hostent(host);
	return status;
}

static int query_parse(struct utw_dns_query *q, const unsigned char *data, int len)
{
	switch (q->type) {
	case UTW_DNS_SRV:
		return parse_srv(data, len, &q->answer);
	case UTW_DNS_TXT:
		return parse_txt(data, len, &q->answer);
	case UTW_DNS_PTR:
		return parse_ptr(data, len, &q->answer);
	}
	return ARES_EBADQUERY;
}

static void query_answered(void *data, int status, int timeouts, unsigned char *answer, int len)
{
	struct utw_dns_query *q = data;

	(void)timeouts;
	if (!status)
		status = query_parse(q, answer, len);
	if (status) {
		q->failure = utw_dns_failure(status, "query", q->name);
		answer_free(q->answer);
		q->answer = NULL;
	}
	if (!q->dns->ending)
		utw_call_start(&q->later, q->dns->reactor);
}

/* c-ares goes on: what it brings is for nobody. */
static enum utw_cancel query_cancel(struct utw_deferred *d, void *data)
{
	struct utw_dns_query *q = data;

	q->deferred = NULL;
	utw_deferred_unref(d);
	return UTW_CANCEL_NOW;
}

/* 192.0.2.1 is 1.2.0.192.in-addr.arpa. */
static void reverse_name(const char *text, char *buf, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char n[16];
	size_t at = 0;

	if (inet_pton(AF_INET, text, n) == 1) {
		snprintf(buf, size, "%u.%u.%u.%u.in-addr.arpa", n[3], n[2], n[1], n[0]);
	} else if (inet_pton(AF_INET6, text, n) == 1 && size > 4 * sizeof(n) + 8) {
		for (int i = 15; i >= 0; i--) {
			buf[at++] = hex[n[i] & 15];
			buf[at++] = '.';
			buf[at++] = hex[n[i] >> 4];
			buf[at++] = '.';
		}
		snprintf(buf + at, size - at, "ip6.arpa");
	} else {
		snprintf(buf, size, "%s", text);
	}
}

struct utw_deferred *utw_dns_query(struct utw_dns *d, const char *name, enum utw_dns_type type)
{
	size_t size = strlen(name) + 1;
	struct utw_dns_query *q = calloc(1, sizeof(*q) + size);
	struct utw_deferred *deferred = utw_deferred_new();
	char reversed[300];

	if (!q || !deferred) {
		free(q);
		utw_deferred_unref(deferred);
		return NULL;
	}
	memcpy(q->name, name, size);
	q->dns = d;
	q->type = type;
	q->deferred = utw_deferred_ref(deferred);
	utw_call_init(&q->later, query_later);
	utw_deferred_set_canceller(deferred, query_cancel, q);
	q->next = d->queries;
	d->queries = q;
	if (type == UTW_DNS_PTR) {
		reverse_name(name, reversed, sizeof(reversed));
		name = reversed;
	}
	ares_query(d->channel, name, ns_c_in, (int)type, query_answered, q);
	utw_dns_changed(d);
	return deferred;
}

void utw_dns_queries_drop(struct utw_dns *d)
{
	while (d->queries) {
		struct utw_dns_query *q = d->queries;

		/* c-ares has told each of them that it is being destroyed. */
		query_later(&q->later);
	}
}
