/* SPDX-License-Identifier: MIT */
/* A connected socket as a transport: see connection.h. */
#include "connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/factory.h>

#include "transport-private.h"

int utw_connection_host(int fd, struct utw_address *ret)
{
	struct utw_address a = { .length = sizeof(a.storage) };

	if (getsockname(fd, (struct sockaddr *)&a.storage, &a.length))
		return -errno;
	*ret = a;
	return 0;
}

/* Who connects to a UNIX socket has no name as a rule: then the socket's own tells more. */
void utw_connection_name(char *buf, size_t size, const char *kind,
			 const struct utw_ends_addresses *ends)
{
	const struct utw_address *a = &ends->peer;
	char text[UTW_ADDRESS_TEXT];

	if (a->length <= sizeof(sa_family_t))
		a = &ends->host;
	utw_address_format(a, text, sizeof(text));
	if (a->storage.ss_family == AF_UNIX)
		snprintf(buf, size, "%s", text);
	else
		snprintf(buf, size, "%s %s", kind, text);
}

/*
 * A protocol that was built owns itself, and so must hear of its end; except one
 * that cannot hear, or that has another transport to live on.
 */
static void tell_lost(const struct utw_connection_kind *kind, struct utw_protocol *p, int error)
{
	struct utw_failure *reason;

	if (error == -EINVAL || error == -EBUSY)
		return;
	reason = utw_failure_new(&utw_domain_reason, UTW_LOST, "accept",
				 utw_failure_from_errno(error, "accept", "no transport"), "%s",
				 kind->name);
	p->ops->lost(p, reason);
	utw_failure_unref(reason);
}

int utw_connection_serve(const struct utw_connection_kind *kind, struct utw_reactor *r, int fd,
			 const struct utw_address *peer, struct utw_factory *f,
			 struct utw_protocol **ret)
{
	struct utw_protocol *p = utw_factory_build(f, peer);
	struct utw_transport *t;
	int error;

	if (!p) {
		close(fd);
		return -ECONNABORTED;
	}
	error = kind->carrier_new(&t, r, fd, peer, p);
	if (error) {
		close(fd);
		tell_lost(kind, p, error);
		return error;
	}
	utw_transport_launch_now(t);
	if (ret)
		*ret = p;
	return 0;
}
