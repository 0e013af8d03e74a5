// SPDX-License-Identifier: MIT
/* Which back end a reactor gets, and what is said when it is not the one asked for. */
#include <untwist/reactor.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness-alloc.h"
#include "harness.h"

#define VARIABLE "UNTWIST_REACTOR"

static void assert_environment_gives(const char *value, const char *backend)
{
	struct utw_reactor *r = NULL;

	setenv(VARIABLE, value, 1);
	assert_int_equal(utw_reactor_new(&r), 0);
	assert_string_equal(utw_reactor_backend(r), backend);
	utw_reactor_free(r);
	unsetenv(VARIABLE);
}

static void environment_chooses(void **state)
{
	(void)state;
	assert_environment_gives("", "epoll");
	assert_environment_gives("epoll", "epoll");
	assert_environment_gives("fake", "fake");
}

static void option_beats_the_environment(void **state)
{
	const struct utw_reactor_options options = { .backend = UTW_BACKEND_EPOLL };
	struct utw_reactor *r = NULL;

	(void)state;
	setenv(VARIABLE, "fake", 1);
	assert_int_equal(utw_reactor_new_with(&r, &options), 0);
	assert_string_equal(utw_reactor_backend(r), "epoll");
	utw_reactor_free(r);
	unsetenv(VARIABLE);
}

static void nonsense_is_refused(void **state)
{
	const struct utw_reactor_options unknown = { .backend = (enum utw_backend)77 };
	const struct utw_reactor_options later = { .reserved = { 0, 1 } };
	struct utw_reactor *r = NULL;

	(void)state;
	setenv(VARIABLE, "kqueue", 1);
	assert_int_equal(utw_reactor_new(&r), -EINVAL);
	unsetenv(VARIABLE);
	assert_int_equal(utw_reactor_new_with(&r, &unknown), -EINVAL);
	assert_int_equal(utw_reactor_new_with(&r, &later), -EINVAL);
	assert_null(r);
}

/* As a container does: the call that sets up a ring fails with `error`. */
static void forbid_rings(unsigned int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = ARRAY_SIZE(code), .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, 2, &program))
		_exit(77);
}

static void keep_text(void *data, const char *text)
{
	snprintf(data, 128, "%s", text);
}

/* In a child, which never gets its rings back. Its exit code is 0 for all well. */
static void fall_back_in_a_child(unsigned int error, const char *why)
{
	char text[128] = "";
	const struct utw_reactor_options options = {
		.backend = UTW_BACKEND_IO_URING,
		.notice = keep_text,
		.data = text,
	};
	struct utw_reactor *r = NULL;

	forbid_rings(error);
	if (utw_reactor_new_with(&r, &options))
		_exit(2);
	if (strcmp(utw_reactor_backend(r), "epoll"))
		_exit(3);
	utw_reactor_free(r);
	_exit(strcmp(text, why) ? 4 : 0);
}

static void without_io_uring_it_is_epoll_and_says_why(void **state)
{
	static const struct {
		unsigned int error;
		const char *why;
	} cases[] = {
		{ EPERM, "io_uring: forbidden here; using epoll instead" },
		{ ENOSYS, "io_uring: not in this kernel; using epoll instead" },
		{ EINVAL, "io_uring: needs Linux 6.1; using epoll instead" },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int status = -1;
		pid_t child = fork();

		if (child == 0)
			fall_back_in_a_child(cases[i].error, cases[i].why);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
}

/* Every allocation on the way to a reactor of each kind is refused once. */
static void new_without_memory_leaks_nothing(void **state)
{
	static const enum utw_backend backends[] = { UTW_BACKEND_EPOLL, UTW_BACKEND_IO_URING,
						     UTW_BACKEND_FAKE };
	unsigned int i, nth;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(backends); i++) {
		char text[128];
		const struct utw_reactor_options options = {
			.backend = backends[i],
			.notice = keep_text,
			.data = text,
		};
		struct utw_reactor *r = NULL;

		for (nth = 1; !r; nth++) {
			int error;

			alloc_fail_at(nth);
			error = utw_reactor_new_with(&r, &options);
			assert_int_equal(error, alloc_failed() ? -ENOMEM : 0);
		}
		alloc_fail_at(0);
		assert_true(nth > 2);
		utw_reactor_free(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(environment_chooses),
		TEST(option_beats_the_environment),
		TEST(nonsense_is_refused),
		TEST(without_io_uring_it_is_epoll_and_says_why),
		TEST(new_without_memory_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
