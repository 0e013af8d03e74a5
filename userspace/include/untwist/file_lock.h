/* SPDX-License-Identifier: MIT */
/*
 * A lock between processes: whoever holds the lock on a file. For one daemon a device,
 * one writer a spool, a pid file.
 *
 * It is the kernel's flock(2) on a file that stays where it is. So the lock ends with
 * the process that holds it, however that ends: a file left over is no obstacle, and no
 * process number is ever taken for an owner. Two locks on one path exclude each other
 * within a process, too. The descriptor is closed by exec; a child that was forked
 * without an exec keeps the lock until it ends as well. On network file systems it is
 * as good as their flock().
 *
 * Thread rule: the reactor's own thread.
 */
#ifndef UNTWIST_FILE_LOCK_H
#define UNTWIST_FILE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include <untwist/api.h>
#include <untwist/deferred.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_file_lock;
struct utw_reactor;

/* How often to try again, in ns, where there is no reason for something else. */
#define UTW_FILE_LOCK_RETRY UINT64_C(1000000000)

/*
 * A lock on `path`, which is copied, not taken yet; owned by the caller. Nothing is
 * opened. *ret is untouched on failure. Errors: -ENOMEM.
 */
UTW_API int utw_file_lock_new(struct utw_file_lock **ret, struct utw_reactor *r, const char *path);

/* Release and free it; NULL: no-op. A deferred that waits fails with UTW_CANCELLED. */
UTW_API void utw_file_lock_free(struct utw_file_lock *l);

/*
 * Take it now or not at all; makes the file (mode 0644 less the umask) if need be and
 * leaves the process number in it, for people to read. Errors: -EAGAIN another one has it;
 * -EALREADY it is held through this very object; what opening the file reports.
 */
UTW_API int utw_file_lock_try(struct utw_file_lock *l);

/*
 * Take it, trying every `retry` ns, the first time at once. The deferred's value is the lock,
 * borrowed. Combine with utw_deferred_add_timeout(). It fails with what
 * utw_file_lock_try() reports other than -EAGAIN, and with -EALREADY when one waits
 * already. NULL when memory is out.
 */
#define utw_file_lock_acquire(l, retry) utw_file_lock_acquire_at(UTW_HERE, l, retry)
UTW_API struct utw_deferred *utw_file_lock_acquire_at(const char *file, int line,
						      struct utw_file_lock *l, uint64_t retry);

/* Let it go; the file stays, empty. Errors: -EPERM when it is not held through this object. */
UTW_API int utw_file_lock_release(struct utw_file_lock *l);

UTW_API bool utw_file_lock_held(const struct utw_file_lock *l);

/*
 * The process number in the file, to tell people whom to ask; it may be out of date by
 * now. Errors: -ENODATA there is none; what opening the file reports.
 */
UTW_API int utw_file_lock_owner(const struct utw_file_lock *l);

#ifdef __cplusplus
}
#endif

#endif
