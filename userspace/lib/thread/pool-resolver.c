/* SPDX-License-Identifier: MIT */
/* Pool resolver: see untwist/pool_resolver.h. */
#include <untwist/pool_resolver.h>

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <untwist/address.h>
#include <untwist/deferred.h>
#include <untwist/dns.h>
#include <untwist/pool.h>

/* One lookup. A thread reads from the hints on, which stay as they are. */
struct question {
	struct utw_lookup *lookup; /* NULL: cancelled */
	struct utw_deferred *answer;
	struct addrinfo hints;
	char port[8];
	char host[];
};

static void answer_free(void *list)
{
	freeaddrinfo(list);
}

/* What the system says, in the words of dns.h. `error` is errno, where it counts. */
static struct utw_failure *answer_failure(int status, int error, const char *host)
{
	int code = UTW_DNS_FAILED;

	switch (status) {
	case EAI_MEMORY:
		return utw_failure_from_errno(-ENOMEM, "lookup", "%s", host);
	case EAI_SYSTEM:
		return utw_failure_from_errno(-error, "lookup", "%s", host);
	case EAI_NONAME:
		code = UTW_DNS_NO_NAME;
		break;
	case EAI_NODATA:
	case EAI_ADDRFAMILY:
		code = UTW_DNS_NO_DATA;
		break;
	}
	return utw_failure_new(&utw_domain_dns, code, "lookup", NULL, "%s: %s", host,
			       gai_strerror(status));
}

/* In a thread. */
static struct utw_result question_ask(struct utw_work *work, void *data)
{
	const struct question *q = data;
	struct addrinfo *list;
	int status = getaddrinfo(q->host, q->port, &q->hints, &list);

	(void)work;
	if (status)
		return utw_result_fail(answer_failure(status, errno, q->host));
	return utw_result_owned(list, answer_free);
}

/* Any of the calls may cancel the lookup, and free it. */
static void question_tell(struct question *q, const struct addrinfo *list,
			  struct utw_failure *failure)
{
	struct utw_lookup *l;

	for (; list && q->lookup; list = list->ai_next) {
		struct utw_address address = { .length = list->ai_addrlen };

		memcpy(&address.storage, list->ai_addr, list->ai_addrlen);
		q->lookup->ops->found(q->lookup, &address);
	}
	l = q->lookup;
	if (!l)
		return;
	q->lookup = NULL;
	l->resolver = NULL;
	l->ops->done(l, failure);
}

static struct utw_result question_answered(void *value, struct utw_failure *failure, void *data)
{
	struct question *q = data;

	question_tell(q, value, failure);
	utw_deferred_unref(q->answer);
	free(q);
	return utw_result_value(NULL);
}

static struct question *question_new(const char *host, unsigned int port, int family)
{
	size_t size = strlen(host) + 1;
	struct question *q = calloc(1, sizeof(*q) + size);

	if (!q)
		return NULL;
	/* One kind of socket, or each address would come once for each kind. */
	q->hints.ai_family = family;
	q->hints.ai_socktype = SOCK_STREAM;
	snprintf(q->port, sizeof(q->port), "%u", port);
	memcpy(q->host, host, size);
	return q;
}

static int resolver_start(struct utw_resolver *r, struct utw_lookup *l, const char *host,
			  unsigned int port, int family)
{
	struct utw_pool *pool = utw_container_of(r, struct utw_pool_resolver, resolver)->pool;
	struct question *q = question_new(host, port, family);
	struct utw_result refusal;

	if (!q)
		return -ENOMEM;
	q->answer = utw_pool_defer(pool, question_ask, q);
	if (!q->answer) {
		free(q);
		return -ENOMEM;
	}
	/* Refused. Who asks must not hear of that from inside. */
	if (utw_deferred_take(q->answer, &refusal) == 0) {
		utw_result_drop(&refusal);
		utw_deferred_unref(q->answer);
		free(q);
		return -EAGAIN;
	}
	q->lookup = l;
	l->work = q;
	utw_deferred_add_both(q->answer, question_answered, q);
	return 0;
}

/* If a thread is at it, the answer comes later, and nobody hears it. */
static void resolver_cancel(struct utw_resolver *r, struct utw_lookup *l)
{
	struct question *q = l->work;
	struct utw_deferred *d = utw_deferred_ref(q->answer);

	(void)r;
	q->lookup = NULL;
	utw_deferred_cancel(d);
	utw_deferred_unref(d);
}

static const struct utw_resolver_ops resolver_ops = { .start = resolver_start,
						      .cancel = resolver_cancel };

void utw_pool_resolver_init(struct utw_pool_resolver *r, struct utw_pool *p)
{
	r->resolver.ops = &resolver_ops;
	r->pool = p;
}
