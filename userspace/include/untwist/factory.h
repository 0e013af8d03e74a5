/* SPDX-License-Identifier: MIT */
/*
 * Factory: makes the protocol of each connection, and holds what they share.
 *
 * Embed a struct utw_factory in a structure of your own. Whoever uses it (a
 * listener, an attempt to connect) starts it before its first use and stops
 * it after its last one; both are counted, so that several users can share it.
 */
#ifndef UNTWIST_FACTORY_H
#define UNTWIST_FACTORY_H

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_address;
struct utw_factory;
struct utw_failure;
struct utw_protocol;

/**
 * struct utw_factory_ops - what a factory does; only @build must be there
 * @start: the first user has come
 * @build: make the protocol of a connection with @peer (NULL: no address);
 *	NULL refuses the connection, which is closed then. The protocol owns
 *	itself from here on: it hears lost in the end
 * @stop: the last user has gone. Protocols may live on; the factory's memory
 *	is the caller's from here on
 * @trouble: connections are waiting that a listener cannot take, as descriptors or
 *	memory have run out (@why, borrowed). Told once, until one was taken again;
 *	the listener goes on trying by itself. May be missing
 */
struct utw_factory_ops {
	void (*start)(struct utw_factory *f);
	struct utw_protocol *(*build)(struct utw_factory *f, const struct utw_address *peer);
	void (*stop)(struct utw_factory *f);
	void (*trouble)(struct utw_factory *f, const struct utw_failure *why);
};

/**
 * struct utw_factory - to be embedded in your structure
 * @ops: set with utw_factory_init()
 * @users: how many have started it
 */
struct utw_factory {
	const struct utw_factory_ops *ops;
	unsigned int users;
};

/**
 * utw_factory_init() - prepare a factory
 * @f: the factory, storage of the caller
 * @ops: its operations, which outlive it
 */
UTW_API void utw_factory_init(struct utw_factory *f, const struct utw_factory_ops *ops);

/**
 * utw_factory_start() - one more user
 * @f: the factory; told start if this is the first
 */
UTW_API void utw_factory_start(struct utw_factory *f);

/**
 * utw_factory_stop() - one user less
 * @f: the factory; told stop if this was the last, from inside this call
 *
 * Calls without a start before are ignored.
 */
UTW_API void utw_factory_stop(struct utw_factory *f);

/**
 * utw_factory_build() - make a protocol
 * @f: the factory, started
 * @peer: address of the other side, NULL where there is none
 *
 * Return: the protocol, or NULL when the factory refuses.
 */
UTW_API struct utw_protocol *utw_factory_build(struct utw_factory *f,
					       const struct utw_address *peer);

/**
 * utw_factory_trouble() - tell it of connections that cannot be taken
 * @f: the factory, started
 * @why: the reason, borrowed
 */
UTW_API void utw_factory_trouble(struct utw_factory *f, const struct utw_failure *why);

#ifdef __cplusplus
}
#endif

#endif
