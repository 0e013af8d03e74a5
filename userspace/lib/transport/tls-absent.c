/* SPDX-License-Identifier: MIT */
/* TLS in a library that was built without it: everything fails, and says why. */
#include <untwist/tls.h>

#include <errno.h>

#include <untwist/deferred.h>
#include <untwist/failure.h>

static const char *tls_describe(int code)
{
	(void)code;
	return "built without TLS";
}

const struct utw_domain utw_domain_tls = { .name = "tls", .describe = tls_describe };

int utw_tls_context_new(struct utw_tls_context **ret, enum utw_tls_role role,
			const struct utw_tls_options *options, struct utw_failure **why)
{
	(void)ret;
	(void)role;
	(void)options;
	if (why)
		*why = utw_failure_from_errno(-EOPNOTSUPP, "tls", "built without it");
	return -EOPNOTSUPP;
}

struct utw_tls_context *utw_tls_context_ref(struct utw_tls_context *c)
{
	return c;
}

void utw_tls_context_unref(struct utw_tls_context *c)
{
	(void)c;
}

struct utw_deferred *utw_tls_start(struct utw_transport *t, struct utw_tls_context *c,
				   const char *host, struct utw_factory *f, size_t buffered,
				   uint64_t timeout)
{
	(void)t;
	(void)c;
	(void)host;
	(void)f;
	(void)buffered;
	(void)timeout;
	return utw_deferred_fail(utw_failure_from_errno(-EOPNOTSUPP, "tls", "built without it"));
}

static struct utw_protocol *refuse(struct utw_factory *f, const struct utw_address *peer)
{
	(void)f;
	(void)peer;
	return NULL;
}

static const struct utw_factory_ops refusing = { .build = refuse };

void utw_tls_factory_init(struct utw_tls_factory *f, struct utw_tls_context *c,
			  struct utw_factory *inner, uint64_t timeout,
			  void (*failed)(struct utw_tls_factory *f, struct utw_failure *reason))
{
	utw_factory_init(&f->factory, &refusing);
	f->context = c;
	f->inner = inner;
	f->timeout = timeout;
	f->failed = failed;
}

int utw_tls_facts(const struct utw_transport *t, struct utw_tls_facts *ret)
{
	(void)ret;
	return t ? -EOPNOTSUPP : -EPIPE;
}
