/* SPDX-License-Identifier: MIT */
/* Guests: see guests.h. */
#include "guests.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/fd.h>

#include "harness.h"

static struct utw_protocol *guests_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct guests *g = utw_container_of(f, struct guests, factory);

	assert_true(g->count < GUESTS_MAX);
	if (g->refuse)
		return NULL;
	if (peer)
		g->peers[g->count] = *peer;
	recorder_init(&g->recorders[g->count], true);
	return &g->recorders[g->count++].protocol;
}

static const struct utw_factory_ops guests_ops = { .build = guests_build };

void guests_open(struct guests *g)
{
	memset(g, 0, sizeof(*g));
	utw_factory_init(&g->factory, &guests_ops);
	assert_int_equal(utw_reactor_new(&g->reactor), 0);
}

void guests_close(struct guests *g)
{
	for (unsigned int i = 0; i < g->count; i++) {
		utw_transport_close(g->recorders[i].protocol.transport, UTW_CLOSE_ABORT, 0);
		turn_all(g->reactor);
		recorder_release(&g->recorders[i]);
		close(g->fd[i]);
	}
	utw_reactor_free(g->reactor);
}

bool guests_come(struct guests *g, struct utw_factory *f, const char *peer)
{
	struct utw_address address;
	struct utw_protocol *p;
	int fd[2];

	if (peer)
		assert_int_equal(utw_address_parse(&address, peer), 0);
	p = utw_factory_build(f, peer ? &address : NULL);
	if (!p)
		return false;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	g->fd[g->count - 1] = fd[0];
	assert_int_equal(utw_fd_transport_new(NULL, g->reactor, fd[1], fd[1], p), 0);
	turn_all(g->reactor);
	return true;
}

struct utw_protocol *guests_serve(struct guests *g, struct utw_factory *f, unsigned int which)
{
	struct utw_protocol *p = utw_factory_build(f, NULL);
	int fd[2];

	assert_non_null(p);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	g->fd[which] = fd[0];
	assert_int_equal(utw_fd_transport_new(NULL, g->reactor, fd[1], fd[1], p), 0);
	turn_all(g->reactor);
	return p;
}

ssize_t guests_received(struct guests *g, unsigned int which, void *data, size_t size)
{
	turn_all(g->reactor);
	return recv(g->fd[which], data, size, MSG_DONTWAIT);
}

void guests_send(struct guests *g, unsigned int which, const void *data, size_t len)
{
	assert_int_equal(send(g->fd[which], data, len, MSG_NOSIGNAL), len);
	turn_all(g->reactor);
}
