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
 * Move the payload by DMA to or from the device's memory, starting there at
 * byte arg[0]; arg[0] + len is at most UNTWIST_EDU_MEMORY (else ERANGE).
 * Completes with the number of bytes moved. EOPNOTSUPP: this machine has no
 * memory that the device can reach.
 */
#define UNTWIST_EDU_OP_WRITE		(UNTWIST_OP_DRIVER + 1)
#define UNTWIST_EDU_OP_READ		(UNTWIST_OP_DRIVER + 2)
#define UNTWIST_EDU_MEMORY		4095

#endif /* _UAPI_LINUX_UNTWIST_EDU_H */
