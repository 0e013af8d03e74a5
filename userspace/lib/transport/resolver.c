/* SPDX-License-Identifier: MIT */
/* What is the same for all resolvers, and connecting by name: see untwist/resolver.h. */
#include <untwist/resolver.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <untwist/deferred.h>
#include <untwist/tcp.h>

int utw_lookup_start(struct utw_lookup *l, struct utw_resolver *r, const char *host,
		     unsigned int port, int family)
{
	int error;

	if (l->resolver)
		return -EBUSY;
	if (port > 65535 || (family != AF_UNSPEC && family != AF_INET && family != AF_INET6))
		return -EINVAL;
	l->resolver = r;
	error = r->ops->start(r, l, host, port, family);
	if (error)
		l->resolver = NULL;
	return error;
}

void utw_lookup_cancel(struct utw_lookup *l)
{
	struct utw_resolver *r = l->resolver;

	l->resolver = NULL;
	if (r)
		r->ops->cancel(r, l);
}

/* A lookup that feeds a race. */
struct host_connect {
	struct utw_lookup lookup;
	struct utw_tcp_race *race; /* NULL: complete */
	struct utw_failure *failure; /* of the lookup */
	bool fired;
};

/* It lives until the race and the lookup are both over. */
static void host_release(struct host_connect *h)
{
	if (!h->fired || h->race)
		return;
	utw_failure_unref(h->failure);
	free(h);
}

static void host_complete(struct host_connect *h)
{
	struct utw_tcp_race *race = h->race;

	h->race = NULL;
	utw_tcp_race_complete(race);
}

static void host_found(struct utw_lookup *l, const struct utw_address *address)
{
	/* One that there is no memory for is one that cannot be reached. */
	utw_tcp_race_add(utw_container_of(l, struct host_connect, lookup)->race, address);
}

static void host_done(struct utw_lookup *l, struct utw_failure *failure)
{
	struct host_connect *h = utw_container_of(l, struct host_connect, lookup);

	h->failure = utw_failure_ref(failure);
	host_complete(h);
}

static const struct utw_lookup_ops host_ops = { .found = host_found, .done = host_done };

/* The end of the race, be it a cancel; no address at all is told as the lookup told it. */
static struct utw_result host_fired(void *value, struct utw_failure *failure, void *data)
{
	struct host_connect *h = data;
	struct utw_failure *story = failure && h->failure ? utw_failure_ref(h->failure) : NULL;

	(void)value;
	h->fired = true;
	if (h->race) {
		utw_lookup_cancel(&h->lookup);
		host_complete(h);
	}
	host_release(h);
	return story ? utw_result_fail(story) : utw_result_pass();
}

struct utw_deferred *utw_tcp_connect_host(struct utw_reactor *r, struct utw_resolver *resolver,
					  const char *host, unsigned int port,
					  struct utw_factory *f, uint64_t timeout)
{
	struct host_connect *h = calloc(1, sizeof(*h));
	struct utw_deferred *d;
	int error;

	if (!h)
		return NULL;
	utw_lookup_init(&h->lookup, &host_ops);
	d = utw_tcp_race_new(&h->race, r, f, timeout);
	if (!d) {
		free(h);
		return NULL;
	}
	utw_deferred_add_both(d, host_fired, h);
	error = utw_lookup_start(&h->lookup, resolver, host, port, AF_UNSPEC);
	if (error) {
		h->failure = utw_failure_from_errno(error, "lookup", "%s", host);
		host_complete(h);
	}
	return d;
}
