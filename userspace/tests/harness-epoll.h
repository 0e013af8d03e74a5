/* SPDX-License-Identifier: MIT */
/* Making epoll refuse a descriptor on purpose: the linker sends the library's calls here. */
#ifndef UTW_TESTS_HARNESS_EPOLL_H
#define UTW_TESTS_HARNESS_EPOLL_H

/* Let the next epoll_ctl() fail with this errno value; 0 lets all pass. */
void epoll_ctl_fail_next(int error);

#endif
