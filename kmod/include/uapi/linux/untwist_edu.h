/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Requests of untwist_edu, the driver for QEMU's "edu" PCI device
 * (docs/specs/edu.rst in QEMU's source). It has no data plane.
 */
#ifndef _UAPI_LINUX_UNTWIST_EDU_H
#define _UAPI_LINUX_UNTWIST_EDU_H

#include <linux/untwist.h>

/*
 * arg[0] = n, 0 to UNTWIST_EDU_FACTORIAL_MAX (else ERANGE: the unit has 32
 * bits). Completes with 0 and value[0] = n!.
 */
#define UNTWIST_EDU_OP_FACTORIAL	(UNTWIST_OP_DRIVER + 0)
#define UNTWIST_EDU_FACTORIAL_MAX	12

/*
 * The payloads of all that follow are used in place, see UNTWIST_FEAT_PAGES.
 * Where the device does not reach all of the machine's memory, the driver
 * copies: the file dma of the device in sysfs says "direct", "bounced" or
 * "none". A transfer takes a tenth of a second for each piece of the memory
 * that it touches. A cancel in the middle ends it after that piece.
 */

/*
 * Move the payload by DMA to or from the device's memory, starting there at
 * byte arg[0]; arg[0] + len is at most UNTWIST_EDU_MEMORY (else ERANGE).
 * Completes with the number of bytes moved. EOPNOTSUPP: this machine has no
 * memory that the device can reach.
 */
#define UNTWIST_EDU_OP_WRITE		(UNTWIST_OP_DRIVER + 1)
#define UNTWIST_EDU_OP_READ		(UNTWIST_OP_DRIVER + 2)
#define UNTWIST_EDU_MEMORY		4095

/*
 * Likewise, of any length: after the last byte of the device's memory comes the
 * first. arg[0] is below UNTWIST_EDU_MEMORY (else ERANGE).
 */
#define UNTWIST_EDU_OP_WRITE_LONG	(UNTWIST_OP_DRIVER + 3)
#define UNTWIST_EDU_OP_READ_LONG	(UNTWIST_OP_DRIVER + 4)

#endif /* _UAPI_LINUX_UNTWIST_EDU_H */
