/* SPDX-License-Identifier: MIT */
/* Console: see console.h. */
#include "console.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <untwist/untwist.h>

#include "session.h"
#include "unit.h"

/* Standard error as a transport, so that a reader who is slow holds up the input, not the loop. */
struct complaints {
	struct utw_protocol protocol;
	struct unit *unit;
	struct session *session;
};

static struct complaints *complaints_of(struct utw_protocol *p)
{
	return utw_container_of(p, struct complaints, protocol);
}

static void complaints_pause(struct utw_protocol *p)
{
	session_complaints_over(complaints_of(p)->session, true);
}

/* While it is being closed there is no session any more. */
static void complaints_resume(struct utw_protocol *p)
{
	if (!utw_transport_closing(p->transport))
		session_complaints_over(complaints_of(p)->session, false);
}

/* Nobody reads the complaints any more: the session, if it lives, does not wait for that. */
static void complaints_lost(struct utw_protocol *p, struct utw_failure *reason)
{
	struct complaints *c = complaints_of(p);
	struct unit *u = c->unit;

	(void)reason;
	for (struct session *s = u->sessions; s; s = s->next)
		if (s == c->session)
			session_complaints_over(s, false);
	free(c);
	unit_stream_lost(u);
}

static const struct utw_protocol_ops complaints_ops = {
	.pause = complaints_pause,
	.resume = complaints_resume,
	.lost = complaints_lost,
};

static bool same_stream(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int complaints_open(struct complaints **ret, struct unit *u, struct utw_transport **t)
{
	struct complaints *c = calloc(1, sizeof(*c));
	int error;

	if (!c)
		return -ENOMEM;
	utw_protocol_init(&c->protocol, &complaints_ops);
	c->unit = u;
	error = utw_stdio_transport_from(t, u->reactor, -1, STDERR_FILENO, &c->protocol);
	if (error) {
		free(c);
		return error;
	}
	unit_stream_begun(u);
	*ret = c;
	return 0;
}

int console_open(struct unit *u)
{
	struct complaints *c = NULL;
	struct utw_transport *complaints = NULL;
	struct session *s;
	int error = 0;

	if (!same_stream(STDOUT_FILENO, STDERR_FILENO))
		error = complaints_open(&c, u, &complaints);
	if (error)
		return error;
	s = session_new(u, complaints);
	if (!s) {
		utw_transport_close(complaints, UTW_CLOSE_ABORT, 0);
		utw_transport_unref(complaints);
		return -ENOMEM;
	}
	if (c)
		c->session = s;
	error = utw_stdio_transport_new(NULL, u->reactor, &s->line.protocol);
	if (error)
		session_discard(s);
	return error;
}
