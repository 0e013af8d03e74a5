// SPDX-License-Identifier: MIT
/*
 * The fake back end, for tests: a clock that only its test moves and descriptors
 * that only its test makes ready. Real descriptors are epoll's as ever.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include <untwist/fake.h>

#include "reactor/reactor-private.h"

#define SMALLEST 8
#define MODES	 ((uint32_t)EPOLLET | (uint32_t)EPOLLONESHOT)
#define ALWAYS	 ((uint32_t)(EPOLLERR | EPOLLHUP))

/* A descriptor that does not exist. It is kept for as long as the reactor is. */
struct prop {
	int fd;
	uint32_t ready;
	uint32_t wanted;
	uint64_t tag;
	bool watched;
	bool armed;
};

struct fake {
	struct utw_poller real;
	uint64_t now;
	struct prop *props;
	unsigned int count;
	unsigned int capacity;
};

static int fake_open(struct utw_poller *p)
{
	struct fake *fake = calloc(1, sizeof(*fake));
	int error;

	if (!fake)
		return -ENOMEM;
	fake->real.ops = &utw_poller_epoll;
	error = fake->real.ops->open(&fake->real);
	if (error < 0) {
		free(fake);
		return error;
	}
	fake->now = utw_clock_now();
	p->state = fake;
	return 0;
}

static void fake_close(struct utw_poller *p)
{
	struct fake *fake = p->state;

	utw_poller_close(&fake->real);
	free(fake->props);
	free(fake);
}

static struct prop *prop_find(struct fake *fake, int fd)
{
	unsigned int i;

	for (i = 0; i < fake->count; i++)
		if (fake->props[i].fd == fd)
			return &fake->props[i];
	return NULL;
}

static int props_grow(struct fake *fake)
{
	unsigned int capacity = fake->capacity ? fake->capacity * 2 : SMALLEST;
	struct prop *props = reallocarray(fake->props, capacity, sizeof(*props));

	if (!props)
		return -ENOMEM;
	fake->props = props;
	fake->capacity = capacity;
	return 0;
}

/* Find or make; NULL without memory. */
static struct prop *prop_get(struct fake *fake, int fd)
{
	struct prop *prop = prop_find(fake, fd);

	if (prop)
		return prop;
	if (fake->count == fake->capacity && props_grow(fake) < 0)
		return NULL;
	prop = &fake->props[fake->count++];
	*prop = (struct prop){ .fd = fd };
	return prop;
}

static int fake_add(struct utw_poller *p, int fd, uint32_t events, uint64_t tag)
{
	struct fake *fake = p->state;
	struct prop *prop;

	if (fd < UTW_FAKE_FD)
		return utw_poller_add(&fake->real, fd, events, tag);
	prop = prop_get(fake, fd);
	if (!prop)
		return -ENOMEM;
	if (prop->watched)
		return -EEXIST;
	prop->watched = true;
	prop->armed = true;
	prop->wanted = events;
	prop->tag = tag;
	return 0;
}

static int fake_modify(struct utw_poller *p, int fd, uint32_t events, uint64_t tag)
{
	struct fake *fake = p->state;
	struct prop *prop;

	if (fd < UTW_FAKE_FD)
		return utw_poller_modify(&fake->real, fd, events, tag);
	prop = prop_find(fake, fd);
	if (!prop || !prop->watched)
		return -ENOENT;
	prop->armed = true;
	prop->wanted = events;
	prop->tag = tag;
	return 0;
}

static int fake_remove(struct utw_poller *p, int fd)
{
	struct fake *fake = p->state;
	struct prop *prop;

	if (fd < UTW_FAKE_FD)
		return utw_poller_remove(&fake->real, fd);
	prop = prop_find(fake, fd);
	if (!prop || !prop->watched)
		return -ENOENT;
	prop->watched = false;
	return 0;
}

static uint32_t prop_tells(const struct prop *prop)
{
	return prop->watched && prop->armed ? prop->ready & (prop->wanted | ALWAYS) : 0;
}

static bool props_ready(const struct fake *fake)
{
	unsigned int i;

	for (i = 0; i < fake->count; i++)
		if (prop_tells(&fake->props[i]))
			return true;
	return false;
}

static int props_take(struct fake *fake, struct utw_poller_event *events, int room)
{
	unsigned int i;
	int count = 0;

	for (i = 0; i < fake->count && count < room; i++) {
		struct prop *prop = &fake->props[i];
		uint32_t ready = prop_tells(prop);

		if (!ready)
			continue;
		events[count].tag = prop->tag;
		events[count++].events = ready;
		if (prop->wanted & MODES)
			prop->armed = false;
	}
	return count;
}

/*
 * Time passes only here and by utw_fake_advance(): a wait that would be for a while
 * takes none, and the clock is put forward by it. One without end has to be real,
 * for what may end it - another thread, a peer - is real as well.
 */
static int fake_take(struct utw_poller *p, uint64_t timeout, struct utw_poller_event *events)
{
	struct fake *fake = p->state;
	bool ready = props_ready(fake);
	int count = utw_poller_wait(&fake->real, timeout == UTW_FOREVER && !ready ? timeout : 0,
				    events);

	if (count < 0)
		return count;
	if (ready)
		return count + props_take(fake, &events[count], UTW_POLLER_BATCH - count);
	if (!count && timeout != UTW_FOREVER)
		fake->now = utw_clock_add(fake->now, timeout);
	return count;
}

static int fake_get_fd(struct utw_poller *p)
{
	struct fake *fake = p->state;

	return utw_poller_get_fd(&fake->real);
}

static uint64_t fake_now(const struct utw_poller *p)
{
	const struct fake *fake = p->state;

	return fake->now;
}

const struct utw_poller_ops utw_poller_fake = {
	.name = "fake",
	.open = fake_open,
	.close = fake_close,
	.add = fake_add,
	.modify = fake_modify,
	.remove = fake_remove,
	.wait = fake_take,
	.get_fd = fake_get_fd,
	.now = fake_now,
};

static struct fake *fake_of(struct utw_reactor *r)
{
	return r->poller.ops == &utw_poller_fake ? r->poller.state : NULL;
}

int utw_fake_advance(struct utw_reactor *r, uint64_t by)
{
	struct fake *fake = fake_of(r);

	if (!fake)
		return -ENOTSUP;
	fake->now = utw_clock_add(fake->now, by);
	utw_nest_update(r);
	return 0;
}

int utw_fake_set_ready(struct utw_reactor *r, int fd, uint32_t events)
{
	struct fake *fake = fake_of(r);
	struct prop *prop;

	if (!fake)
		return -ENOTSUP;
	if (fd < UTW_FAKE_FD)
		return -EBADF;
	prop = prop_get(fake, fd);
	if (!prop)
		return -ENOMEM;
	prop->ready = events;
	/* Something new: an edge. */
	if (events && !(prop->wanted & (uint32_t)EPOLLONESHOT))
		prop->armed = true;
	return 0;
}
