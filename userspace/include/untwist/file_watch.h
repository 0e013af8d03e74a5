/* SPDX-License-Identifier: MIT */
/*
 * File watch: told what happens to files and in folders.
 *
 * A watcher has any number of places. What happens is told in the order in which
 * it happened; when more happens than the kernel keeps, that is told as well, and
 * the program looks for itself. A place that is removed, or unmounted, is told
 * gone once and is no place any more.
 *
 * Ownership: the caller owns the watcher. Threads: that of its reactor.
 */
#ifndef UNTWIST_FILE_WATCH_H
#define UNTWIST_FILE_WATCH_H

#include <stdint.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_file_listener;
struct utw_file_watch;
struct utw_reactor;

/** What happened. */
enum utw_file_change {
	UTW_FILE_WRITTEN = 1 << 0, /* its bytes have changed */
	UTW_FILE_CLOSED = 1 << 1, /* one who could write has closed it */
	UTW_FILE_ATTRIBUTES = 1 << 2, /* mode, owner, times, links */
	UTW_FILE_CREATED = 1 << 3, /* in a folder */
	UTW_FILE_REMOVED = 1 << 4, /* from a folder */
	UTW_FILE_MOVED_FROM = 1 << 5, /* a folder */
	UTW_FILE_MOVED_TO = 1 << 6, /* a folder */
	UTW_FILE_GONE = 1 << 7, /* the place itself; told unasked */
};

/**
 * struct utw_file_event - one thing that happened
 * @place: what utw_file_watch_add() has returned
 * @change: what it was
 * @folder: is it about a folder?
 * @name: in a folder: of which file, borrowed; NULL: the place itself
 * @move: for moves: the same number for where from and where to; else 0
 */
struct utw_file_event {
	int place;
	enum utw_file_change change;
	int folder;
	const char *name;
	uint32_t move;
};

/**
 * struct utw_file_listener_ops - what a listener is told; only @happened must be there
 * @happened: something has
 * @overflow: more happened than the kernel keeps: some of it was not told
 *
 * Both are called from the reactor's turn, never from inside a call, and not
 * after utw_file_watch_close(). They may call every function.
 */
struct utw_file_listener_ops {
	void (*happened)(struct utw_file_listener *l, const struct utw_file_event *event);
	void (*overflow)(struct utw_file_listener *l);
};

/**
 * struct utw_file_listener - to be embedded in your structure
 * @ops: its operations, which outlive it
 */
struct utw_file_listener {
	const struct utw_file_listener_ops *ops;
};

/**
 * utw_file_watch_open() - make a watcher without places
 * @ret: receives it, owned by the caller
 * @r: the reactor
 * @l: told what happens; stays until the watcher is closed
 *
 * Return: 0, -EINVAL when @l lacks happened, -EMFILE, -ENOMEM.
 */
UTW_API int utw_file_watch_open(struct utw_file_watch **ret, struct utw_reactor *r,
				struct utw_file_listener *l);

/**
 * utw_file_watch_add() - watch a file or a folder
 * @w: the watcher
 * @path: where it is now; it is followed if it is moved
 * @changes: of enum utw_file_change, what is to be told
 *
 * A folder tells of the files in it, not of those in folders below. The same
 * file again is the same place, with these changes instead of the former.
 *
 * Return: the place, positive; -EINVAL for changes there are not; -ENOENT,
 * -EACCES; -ENOSPC when the user has as many as he may; -ENOMEM.
 */
UTW_API int utw_file_watch_add(struct utw_file_watch *w, const char *path, unsigned int changes);

/**
 * utw_file_watch_remove() - watch it no more
 * @w: the watcher
 * @place: of which nothing more is told, not even what has happened already
 *
 * Return: 0, -EINVAL for what is no place of this watcher; -ENOMEM, and it stays.
 */
UTW_API int utw_file_watch_remove(struct utw_file_watch *w, int place);

/**
 * utw_file_watch_close() - end a watcher
 * @w: the watcher or NULL; gone when this returns. Legal from any callback
 */
UTW_API void utw_file_watch_close(struct utw_file_watch *w);

#ifdef __cplusplus
}
#endif

#endif
