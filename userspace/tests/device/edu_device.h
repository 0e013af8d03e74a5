/* SPDX-License-Identifier: MIT */
/*
 * edu_device.c: QEMU's edu device, as the tests want it. A failure ends the
 * test; where there is no such device, the test is left out.
 */
#ifndef EDU_DEVICE_H
#define EDU_DEVICE_H

#include <linux/untwist_edu.h>

#define EDU_NODE "/dev/untwist/edu0"

/*
 * Loads the driver anew, with one more option or "". EDU_DMA_BITS in the
 * environment says how many bits of an address the device reaches.
 */
void edu_setup(const char *option);
int edu_open(int flags);

/* Takes the device from its driver, or gives it back. */
void edu_unbind(void);
void edu_bind(void);

long long edu_interrupts(void);

struct untwist_sqe edu_factorial(__u64 user_data, __u64 n);
struct untwist_sqe edu_transfer(__u32 opcode, __u64 offset, const void *payload, __u32 len);

/* n!, by multiplication. */
__u64 factorial(unsigned int n);

#endif /* EDU_DEVICE_H */
