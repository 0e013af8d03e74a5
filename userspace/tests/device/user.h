/* SPDX-License-Identifier: MIT */
/*
 * user.c: what is done by somebody who is not root.
 */
#ifndef USER_H
#define USER_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Returns true in a process of its own, without any capability, which ends with
 * _exit(0); and then false in the one that called.
 */
bool become_user(uid_t uid);

#endif /* USER_H */
