// SPDX-License-Identifier: MIT
/*
 * The layout of the contract, member by member. It is compiled for each
 * architecture that programs are built for, of 32 bits as well: what differs
 * somewhere, or changes, does not compile. There is nothing to run.
 */
#include <stddef.h>

#include <linux/untwist.h>

#define MEMBER(type, member, offset, size)                                   \
	_Static_assert(offsetof(struct type, member) == (offset) &&          \
			       sizeof(((struct type *)0)->member) == (size), \
		       #type "." #member)

#define SIZE(type, size) _Static_assert(sizeof(struct type) == (size), #type)

MEMBER(untwist_info, kind, 0, 4);
MEMBER(untwist_info, plane, 4, 4);
MEMBER(untwist_info, features, 8, 8);
MEMBER(untwist_info, rx_size, 16, 4);
MEMBER(untwist_info, tx_size, 20, 4);
MEMBER(untwist_info, record_max, 24, 4);
MEMBER(untwist_info, requests_max, 28, 4);
MEMBER(untwist_info, payload_max, 32, 4);
MEMBER(untwist_info, pages_max, 36, 4);
MEMBER(untwist_info, device, 40, 32);
MEMBER(untwist_info, driver, 72, 32);
SIZE(untwist_info, 104);

MEMBER(untwist_sqe, user_data, 0, 8);
MEMBER(untwist_sqe, opcode, 8, 4);
MEMBER(untwist_sqe, flags, 12, 4);
MEMBER(untwist_sqe, addr, 16, 8);
MEMBER(untwist_sqe, len, 24, 4);
MEMBER(untwist_sqe, reserved0, 28, 4);
MEMBER(untwist_sqe, arg, 32, 16);
MEMBER(untwist_sqe, timeout_ns, 48, 8);
MEMBER(untwist_sqe, reserved1, 56, 8);
SIZE(untwist_sqe, 64);

MEMBER(untwist_cqe, user_data, 0, 8);
MEMBER(untwist_cqe, res, 8, 4);
MEMBER(untwist_cqe, flags, 12, 4);
MEMBER(untwist_cqe, value, 16, 16);
SIZE(untwist_cqe, 32);

MEMBER(untwist_submit, entries, 0, 8);
MEMBER(untwist_submit, count, 8, 4);
MEMBER(untwist_submit, entry_size, 12, 4);
MEMBER(untwist_submit, flags, 16, 4);
MEMBER(untwist_submit, reserved, 20, 4);
SIZE(untwist_submit, 24);

MEMBER(untwist_cancel, user_data, 0, 8);
MEMBER(untwist_cancel, flags, 8, 4);
MEMBER(untwist_cancel, reserved, 12, 4);
SIZE(untwist_cancel, 16);

MEMBER(untwist_ring, sq_tail, 0, 4);
MEMBER(untwist_ring, cq_head, 4, 4);
MEMBER(untwist_ring, cq_event, 8, 4);
MEMBER(untwist_ring, user_flags, 12, 4);
MEMBER(untwist_ring, reserved_user, 16, 48);
MEMBER(untwist_ring, sq_head, 64, 4);
MEMBER(untwist_ring, cq_tail, 68, 4);
MEMBER(untwist_ring, kernel_flags, 72, 4);
MEMBER(untwist_ring, reserved_kernel, 76, 52);
SIZE(untwist_ring, 128);

MEMBER(untwist_ring_setup, flags, 0, 4);
MEMBER(untwist_ring_setup, sq_entries, 4, 4);
MEMBER(untwist_ring_setup, cq_entries, 8, 4);
MEMBER(untwist_ring_setup, idle_us, 12, 4);
MEMBER(untwist_ring_setup, arena_size, 16, 8);
MEMBER(untwist_ring_setup, header_off, 24, 4);
MEMBER(untwist_ring_setup, sq_off, 28, 4);
MEMBER(untwist_ring_setup, cq_off, 32, 4);
MEMBER(untwist_ring_setup, sqe_size, 36, 4);
MEMBER(untwist_ring_setup, cqe_size, 40, 4);
MEMBER(untwist_ring_setup, reserved0, 44, 4);
MEMBER(untwist_ring_setup, arena_off, 48, 8);
MEMBER(untwist_ring_setup, map_size, 56, 8);
MEMBER(untwist_ring_setup, reserved, 64, 16);
SIZE(untwist_ring_setup, 80);

MEMBER(untwist_ring_enter, to_submit, 0, 4);
MEMBER(untwist_ring_enter, min_complete, 4, 4);
MEMBER(untwist_ring_enter, flags, 8, 4);
MEMBER(untwist_ring_enter, reserved, 12, 4);
MEMBER(untwist_ring_enter, timeout_ns, 16, 8);
MEMBER(untwist_ring_enter, sigmask, 24, 8);
SIZE(untwist_ring_enter, 32);

MEMBER(untwist_lost, bytes, 0, 8);
MEMBER(untwist_lost, records, 8, 8);
SIZE(untwist_lost, 16);

/* The numbers of the calls, of which the sizes are a part. */
_Static_assert(UNTWIST_IOC_GET_INFO == 0x8068e800, "get info");
_Static_assert(UNTWIST_IOC_SET_PLANE == 0x4004e801, "set plane");
_Static_assert(UNTWIST_IOC_SUBMIT == 0x4018e802, "submit");
_Static_assert(UNTWIST_IOC_CANCEL == 0x4010e803, "cancel");
_Static_assert(UNTWIST_IOC_GET_LOST == 0x8010e804, "get lost");
_Static_assert(UNTWIST_IOC_RING_SETUP == 0xc050e810, "ring setup");
_Static_assert(UNTWIST_IOC_RING_ENTER == 0x4020e811, "ring enter");
_Static_assert(UNTWIST_IOC_RING_EVENTFD == 0x4004e812, "ring eventfd");
