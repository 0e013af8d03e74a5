// SPDX-License-Identifier: MIT
/* Somebody who is not root. */
#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "user.h"

bool become_user(uid_t uid)
{
	pid_t child = fork();
	int status;

	ASSERT_LE(0, child);
	if (!child) {
		ASSERT_EQ(0, setgroups(0, NULL));
		ASSERT_EQ(0, setresgid(uid, uid, uid));
		ASSERT_EQ(0, setresuid(uid, uid, uid));
		return true;
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	return false;
}
