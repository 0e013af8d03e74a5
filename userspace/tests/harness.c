// SPDX-License-Identifier: MIT
/* The janitor around each test. */
#include "harness.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <untwist/deferred.h>

#include "harness-alloc.h"
#include "harness-clock.h"

#define MOST_FDS 1024

static bool open_before[MOST_FDS];
static struct {
	unsigned int count;
	int code;
	int line;
} unhandled;

static void unhandled_note(const struct utw_failure *f, const char *file, int line, void *data)
{
	char story[256];

	(void)data;
	utw_failure_format(f, story, sizeof(story));
	print_message("[ unhandled ] %s (deferred made at %s:%d)\n", story, file, line);
	unhandled.count++;
	unhandled.code = utw_failure_code(f);
	unhandled.line = line;
}

unsigned int harness_take_unhandled(void)
{
	unsigned int count = unhandled.count;

	unhandled.count = 0;
	return count;
}

int harness_unhandled_code(void)
{
	return unhandled.code;
}

int harness_unhandled_line(void)
{
	return unhandled.line;
}

static void fds_mark(bool *open)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] != '.' && fd != dirfd(dir) && fd < MOST_FDS)
			open[fd] = true;
	}
	closedir(dir);
}

unsigned int harness_open_fds(void)
{
	bool open[MOST_FDS] = { false };
	unsigned int count = 0;
	int fd;

	fds_mark(open);
	for (fd = 0; fd < MOST_FDS; fd++)
		count += open[fd];
	return count;
}

static unsigned int fds_report_leaks(void)
{
	bool open[MOST_FDS] = { false };
	unsigned int leaks = 0;
	int fd;

	fds_mark(open);
	for (fd = 0; fd < MOST_FDS; fd++) {
		char path[32], target[PATH_MAX] = "";

		if (!open[fd] || open_before[fd])
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (readlink(path, target, sizeof(target) - 1) < 0)
			target[0] = '\0';
		print_error("descriptor %d left open: %s\n", fd, target);
		leaks++;
	}
	return leaks;
}

int harness_setup(void **state)
{
	int fd;

	(void)state;
	for (fd = 0; fd < MOST_FDS; fd++)
		open_before[fd] = false;
	fds_mark(open_before);
	unhandled.count = 0;
	utw_deferred_set_unhandled(unhandled_note, NULL);
	return 0;
}

int harness_teardown(void **state)
{
	unsigned int left = unhandled.count;

	(void)state;
	alloc_fail_at(0);
	clock_thaw();
	utw_deferred_set_unhandled(NULL, NULL);
	if (left)
		print_error("%u failures left unhandled\n", left);
	return left || fds_report_leaks() ? -1 : 0;
}
