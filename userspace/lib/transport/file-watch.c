/* SPDX-License-Identifier: MIT */
/* File watch, by inotify: see untwist/file_watch.h. */
#include <untwist/file_watch.h>

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <untwist/watch.h>

#include "base/buffer.h"

/* Room for many events with short names, and for one with the longest. */
#define EVENTS_SIZE (64 * (sizeof(struct inotify_event) + NAME_MAX + 1))

static const struct {
	enum utw_file_change ours;
	uint32_t theirs;
} changes_known[] = {
	{ UTW_FILE_WRITTEN, IN_MODIFY },    { UTW_FILE_CLOSED, IN_CLOSE_WRITE },
	{ UTW_FILE_ATTRIBUTES, IN_ATTRIB }, { UTW_FILE_CREATED, IN_CREATE },
	{ UTW_FILE_REMOVED, IN_DELETE },    { UTW_FILE_MOVED_FROM, IN_MOVED_FROM },
	{ UTW_FILE_MOVED_TO, IN_MOVED_TO },
};

#define CHANGES_KNOWN (sizeof(changes_known) / sizeof(changes_known[0]))

struct utw_file_watch {
	struct utw_reactor *reactor;
	struct utw_file_listener *listener;
	struct utw_watch watch;
	struct utw_buffer removed; /* places of which events may still be under way, as int */
	int fd;
	bool busy; /* inside a callback */
	bool closed;
};

static void watch_free(struct utw_file_watch *w)
{
	utw_buffer_release(&w->removed);
	free(w);
}

/* The kernel never gives a number twice, but tells IN_IGNORED as the last of each. */
static bool is_removed(struct utw_file_watch *w, int place, bool forget)
{
	size_t count = utw_buffer_length(&w->removed) / sizeof(int);
	int *places = (int *)utw_buffer_data(&w->removed);

	for (size_t i = 0; i < count; i++) {
		if (places[i] != place)
			continue;
		if (forget) {
			/* The order is of no concern: the first takes its place. */
			places[i] = places[0];
			utw_buffer_consume(&w->removed, sizeof(int));
		}
		return true;
	}
	return false;
}

static void tell(struct utw_file_watch *w, const struct inotify_event *e,
		 enum utw_file_change change)
{
	const struct utw_file_event event = {
		.place = e->wd,
		.change = change,
		.folder = !!(e->mask & IN_ISDIR),
		.name = e->len ? e->name : NULL,
		.move = e->cookie,
	};

	w->listener->ops->happened(w->listener, &event);
}

static void tell_event(struct utw_file_watch *w, const struct inotify_event *e)
{
	if (e->mask & IN_Q_OVERFLOW) {
		if (w->listener->ops->overflow)
			w->listener->ops->overflow(w->listener);
		return;
	}
	if (is_removed(w, e->wd, e->mask & IN_IGNORED))
		return;
	if (e->mask & IN_IGNORED) {
		tell(w, e, UTW_FILE_GONE);
		return;
	}
	for (size_t i = 0; i < CHANGES_KNOWN; i++)
		if (e->mask & changes_known[i].theirs)
			tell(w, e, changes_known[i].ours);
}

static void tell_events(struct utw_file_watch *w, const char *events, size_t len)
{
	size_t at = 0;

	w->busy = true;
	while (!w->closed && at < len) {
		const struct inotify_event *e = (const void *)(events + at);

		at += sizeof(*e) + e->len;
		tell_event(w, e);
	}
	w->busy = false;
	if (w->closed)
		watch_free(w);
}

static void watch_ready(struct utw_watch *watch, uint32_t events)
{
	struct utw_file_watch *w = utw_container_of(watch, struct utw_file_watch, watch);
	_Alignas(struct inotify_event) char data[EVENTS_SIZE];
	ssize_t got = read(w->fd, data, sizeof(data));

	(void)events;
	if (got > 0)
		tell_events(w, data, (size_t)got);
}

int utw_file_watch_open(struct utw_file_watch **ret, struct utw_reactor *r,
			struct utw_file_listener *l)
{
	struct utw_file_watch *w;
	int error;

	if (!l->ops || !l->ops->happened)
		return -EINVAL;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->reactor = r;
	w->listener = l;
	utw_watch_init(&w->watch, watch_ready);
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	error = w->fd < 0 ? -errno : utw_watch_start(&w->watch, r, w->fd, EPOLLIN);
	if (error) {
		if (w->fd >= 0)
			close(w->fd);
		free(w);
		return error;
	}
	*ret = w;
	return 0;
}

int utw_file_watch_add(struct utw_file_watch *w, const char *path, unsigned int changes)
{
	unsigned int known = UTW_FILE_GONE;
	uint32_t mask = 0;
	int place;

	for (size_t i = 0; i < CHANGES_KNOWN; i++) {
		known |= changes_known[i].ours;
		if (changes & changes_known[i].ours)
			mask |= changes_known[i].theirs;
	}
	if (changes & ~known)
		return -EINVAL;
	/* That it goes is told as the last of its events; this one only makes the mask not empty. */
	place = inotify_add_watch(w->fd, path, mask | IN_DELETE_SELF);
	return place < 0 ? -errno : place;
}

int utw_file_watch_remove(struct utw_file_watch *w, int place)
{
	void *room = utw_buffer_reserve(&w->removed, sizeof(place));

	if (!room)
		return -ENOMEM;
	if (inotify_rm_watch(w->fd, place))
		return -errno;
	memcpy(room, &place, sizeof(place));
	utw_buffer_commit(&w->removed, sizeof(place));
	return 0;
}

void utw_file_watch_close(struct utw_file_watch *w)
{
	if (!w || w->closed)
		return;
	w->closed = true;
	utw_watch_stop(&w->watch);
	close(w->fd);
	if (!w->busy)
		watch_free(w);
}
