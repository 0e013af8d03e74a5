/* SPDX-License-Identifier: MIT */
/*
 * Listener: takes connections from a listening socket, in turns of
 * UTW_TURN_ACCEPTS, and gives each to a protocol of its factory. A process out
 * of descriptors turns connections away with the help of one kept in reserve,
 * and its factory is told of the trouble.
 *
 * It is embedded by the listeners of the families, which own the memory.
 */
#ifndef UTW_TRANSPORT_LISTENER_H
#define UTW_TRANSPORT_LISTENER_H

#include <stdbool.h>

#include <untwist/address.h>
#include <untwist/timer.h>
#include <untwist/watch.h>

struct utw_connection_kind;
struct utw_factory;

struct utw_listener {
	const struct utw_connection_kind *kind;
	struct utw_reactor *reactor;
	struct utw_factory *factory;
	void (*free)(struct utw_listener *l); /* the last call, perhaps after the close */
	struct utw_address host;
	struct utw_watch watch;
	struct utw_timer rest;
	int fd;
	int reserve; /* given up for a moment when descriptors run out; -1: lost */
	bool troubled; /* as the factory was told, and no connection was taken since */
	bool accepting; /* inside the loop that calls the factory */
	bool closed;
};

/*
 * Serve the listening socket `fd`, taken on success; `l` is zeroed storage.
 * On error -errno, and `free` is not called.
 */
int utw_listener_open(struct utw_listener *l, const struct utw_connection_kind *kind,
		      struct utw_reactor *r, int fd, struct utw_factory *f,
		      void (*free)(struct utw_listener *l));

/* Legal from any callback; `free` is called now, or when accepting has come to its end. */
void utw_listener_close(struct utw_listener *l);

#endif
