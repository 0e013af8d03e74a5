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

/*
 * Complete within the submission with value[0] = arg[1].
 */
#define UNTWIST_LOOP_OP_VALUE	(UNTWIST_OP_DRIVER + 1)

/*
 * A multishot request (UNTWIST_SQE_MULTISHOT): a completion every arg[0]
 * nanoseconds, at least 1000 (else ERANGE), with value[0] = 0, 1, 2, ...; after
 * arg[1] of them, or with 0 never, the last, whose result is how many there
 * were. Can be cancelled.
 */
#define UNTWIST_LOOP_OP_TICKS	(UNTWIST_OP_DRIVER + 2)

/*
 * A driver that does what it must not, to see what becomes of that: arg[0] is
 * one of UNTWIST_LOOP_FAULT_*. Needs CAP_SYS_RAWIO at the open, for it warns in
 * the kernel's log (else EPERM; EINVAL for an unknown fault).
 */
#define UNTWIST_LOOP_OP_FAULT	(UNTWIST_OP_DRIVER + 3)

#define UNTWIST_LOOP_FAULT_ERROR 0	/* submit fails with errno arg[1] */
#define UNTWIST_LOOP_FAULT_NEVER 1	/* completes when it is cancelled, else never */
#define UNTWIST_LOOP_FAULT_TWICE 2	/* completes twice */
#define UNTWIST_LOOP_FAULT_LATE	 3	/* and once more, by its tag, when the next fault comes */

/* Announce the event bits in arg[0] to the channel: EPOLLPRI, UNTWIST_IOC_GET_EVENTS. */
#define UNTWIST_LOOP_OP_EVENT	(UNTWIST_OP_DRIVER + 4)

/* End the data that the channel receives: read() returns what is left, and then 0. */
#define UNTWIST_LOOP_OP_END	(UNTWIST_OP_DRIVER + 5)

#endif /* _UAPI_LINUX_UNTWIST_LOOP_H */
