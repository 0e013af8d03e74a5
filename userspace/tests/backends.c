// SPDX-License-Identifier: MIT
/* The same tests on each back end. */
#include "backends.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <untwist/fake.h>
#include <untwist/reactor.h>

#include "harness-clock.h"

#define VARIABLE "UNTWIST_REACTOR"

static const struct {
	char name[12];
	enum utw_backend backend;
} known[] = {
	{ "epoll", UTW_BACKEND_EPOLL },
	{ "io_uring", UTW_BACKEND_IO_URING },
	{ "fake", UTW_BACKEND_FAKE },
};

static void note_reason(void *data, const char *text)
{
	snprintf(data, 96, "%s", text);
}

static void not_offered(void **state)
{
	char reason[96] = "";
	struct utw_reactor_options options = {
		.backend = UTW_BACKEND_IO_URING,
		.notice = note_reason,
		.data = reason,
	};
	struct utw_reactor *r;

	(void)state;
	assert_int_equal(utw_reactor_new_with(&r, &options), 0);
	utw_reactor_free(r);
	print_message("# %s\n", reason);
	skip();
}

static bool offered(enum utw_backend backend, const char *name)
{
	char reason[96];
	struct utw_reactor_options options = {
		.backend = backend,
		.notice = note_reason,
		.data = reason,
	};
	struct utw_reactor *r = NULL;
	bool found;

	if (utw_reactor_new_with(&r, &options) < 0)
		return true; /* and its tests fail */
	found = !strcmp(utw_reactor_backend(r), name);
	utw_reactor_free(r);
	return found;
}

int run_on_backends(const char *file, const struct CMUnitTest *tests, size_t count,
		    unsigned int backends)
{
	const struct CMUnitTest skipped[] = { cmocka_unit_test(not_offered) };
	const char *only = getenv("UNTWIST_TEST_BACKEND");
	int failures = 0;
	unsigned int i;

	for (i = 0; i < backends; i++) {
		const char *name = known[i].name;
		char group[256];

		if (only && strcmp(only, name))
			continue;
		snprintf(group, sizeof(group), "%s on %s", file, name);
		setenv(VARIABLE, name, 1);
		if (offered(known[i].backend, name))
			failures += _cmocka_run_group_tests(group, tests, count, NULL, NULL);
		else
			failures += _cmocka_run_group_tests(group, skipped, 1, NULL, NULL);
		unsetenv(VARIABLE);
	}
	return failures;
}

void reactor_advance(struct utw_reactor *r, uint64_t by)
{
	clock_advance(by);
	utw_fake_advance(r, by);
}
