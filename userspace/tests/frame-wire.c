// SPDX-License-Identifier: MIT
/* Frame wire: see frame-wire.h. */
#include "frame-wire.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/fd.h>
#include <untwist/transport.h>

#include "harness.h"
#include "recorder.h"

static struct frame_wire *wire_of(struct utw_framed *f)
{
	return utw_container_of(f, struct frame_wire, framed);
}

static void wire_tell(struct frame_wire *w, const char *what, const void *data, size_t len)
{
	size_t what_len = strlen(what);

	assert_true(w->text_len + what_len + len + 2 < sizeof(w->text));
	memcpy(w->text + w->text_len, what, what_len);
	if (len)
		memcpy(w->text + w->text_len + what_len, data, len);
	w->text_len += what_len + len;
	w->text[w->text_len++] = ';';
	w->text[w->text_len] = '\0';
}

static void wire_frame(struct utw_framed *f, const void *data, size_t len)
{
	struct frame_wire *w = wire_of(f);

	w->frames++;
	if (len < 64)
		wire_tell(w, "F:", data, len);
	if (w->on_frame)
		w->on_frame(w, data, len);
}

static void wire_bad(struct utw_framed *f, struct utw_failure *why)
{
	utw_failure_format(why, wire_of(f)->why, sizeof(wire_of(f)->why));
	wire_tell(wire_of(f), "B", "", 0);
}

static void wire_lost(struct utw_framed *f, struct utw_failure *reason)
{
	utw_failure_format(reason, wire_of(f)->why, sizeof(wire_of(f)->why));
	wire_tell(wire_of(f), "X", "", 0);
}

static const struct utw_framed_ops ops = { .frame = wire_frame,
					   .bad = wire_bad,
					   .lost = wire_lost };
static const struct utw_framed_ops ops_without_bad = { .frame = wire_frame, .lost = wire_lost };

void frame_wire_open(struct frame_wire *w, const struct utw_framing *framing, bool bad)
{
	int fd[2];

	memset(w, 0, sizeof(*w));
	utw_framed_init(&w->framed, bad ? &ops : &ops_without_bad, framing);
	assert_int_equal(utw_reactor_new(&w->reactor), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	w->fd = fd[0];
	assert_int_equal(utw_fd_transport_new(NULL, w->reactor, fd[1], fd[1], &w->framed.protocol),
			 0);
	turn_all(w->reactor);
}

void frame_wire_close(struct frame_wire *w)
{
	utw_transport_close(w->framed.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(w->reactor);
	utw_reactor_free(w->reactor);
	close(w->fd);
}

void frame_wire_feed(struct frame_wire *w, const void *data, size_t len)
{
	assert_int_equal(write(w->fd, data, len), len);
	turn_all(w->reactor);
}

void frame_wire_trickle(struct frame_wire *w, const void *data, size_t len)
{
	const char *bytes = data;

	for (size_t i = 0; i < len; i++)
		frame_wire_feed(w, bytes + i, 1);
}

void assert_any_cut_tells(const struct utw_framing *framing, size_t max, const void *data,
			  size_t len, const char *expected)
{
	const char *bytes = data;
	struct frame_wire w;

	for (size_t cut = 0; cut <= len; cut++) {
		frame_wire_open(&w, framing, true);
		utw_framed_set_max(&w.framed, max);
		if (cut == len) {
			frame_wire_trickle(&w, bytes, len);
		} else {
			frame_wire_feed(&w, bytes, cut);
			frame_wire_feed(&w, bytes + cut, len - cut);
		}
		assert_told(&w, expected);
		frame_wire_close(&w);
	}
}
