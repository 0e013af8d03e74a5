/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Requests of untwist_loop, the device that returns what it is given.
 */
#ifndef _UAPI_LINUX_UNTWIST_LOOP_H
#define _UAPI_LINUX_UNTWIST_LOOP_H

#include <linux/untwist.h>

/*
 * Complete after arg[0] nanoseconds (0: at once; above 60 s: ERANGE) with
 * value[0] = arg[1], the result being the length of the payload, which comes
 * back unchanged. Can be cancelled while it waits.
 */
#define UNTWIST_LOOP_OP_ECHO	(UNTWIST_OP_DRIVER + 0)

#endif /* _UAPI_LINUX_UNTWIST_LOOP_H */
