/* SPDX-License-Identifier: MIT */
/* Unit: see unit.h. */
#include "unit.h"

#include <string.h>

#include "session.h"

static void unit_lost(struct utw_device *device, struct utw_failure *reason, void *data)
{
	struct unit *u = data;

	(void)device;
	(void)reason;
	u->gone = true;
	unit_finish(u);
	unit_stop_listening(u);
}

int unit_open(struct unit *u, struct utw_reactor *r, const char *path)
{
	int error;

	memset(u, 0, sizeof(*u));
	u->reactor = r;
	error = utw_device_open(&u->device, r, path);
	if (!error)
		utw_device_set_gone(u->device, unit_lost, u);
	return error;
}

void unit_close(struct unit *u)
{
	utw_device_close(u->device);
	u->device = NULL;
}

void unit_finish(struct unit *u)
{
	struct session *next;

	for (struct session *s = u->sessions; s; s = next) {
		next = s->next;
		session_finish(s);
	}
}

static void unit_check_end(struct unit *u)
{
	if (!u->streams && !u->listening)
		utw_reactor_stop(u->reactor);
}

void unit_stream_begun(struct unit *u)
{
	u->streams++;
}

void unit_stream_lost(struct unit *u)
{
	u->streams--;
	unit_check_end(u);
}

void unit_stop_listening(struct unit *u)
{
	u->listening = false;
	unit_check_end(u);
}
