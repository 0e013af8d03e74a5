/* SPDX-License-Identifier: MIT */
/* Janitor: see untwist/testing/janitor.h. */
#include <untwist/testing/janitor.h>

#include <dirent.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <untwist/deferred.h>
#include <untwist/failure.h>

static unsigned int UTW_PRINTF(2, 3) tell(struct utw_janitor *j, const char *fmt, ...)
{
	char what[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	j->fn(what, j->data);
	return 1;
}

static void janitor_unhandled(const struct utw_failure *f, const char *file, int line, void *data)
{
	struct utw_janitor *j = data;
	char story[256];

	utw_failure_format(f, story, sizeof(story));
	j->unhandled += tell(j, "unhandled: %s (deferred made at %s:%d)", story, file, line);
}

static void fds_mark(unsigned char *open)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *end;
		long fd = strtol(entry->d_name, &end, 10);

		if (end != entry->d_name && fd != dirfd(dir) && fd < UTW_JANITOR_FDS)
			open[fd / 8] |= (unsigned char)(1 << fd % 8);
	}
	if (dir)
		closedir(dir);
}

static unsigned int threads_count(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	unsigned int count = 0;

	while (dir && (entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return count;
}

void utw_janitor_begin(struct utw_janitor *j, utw_janitor_fn fn, void *data)
{
	memset(j, 0, sizeof(*j));
	j->fn = fn;
	j->data = data;
	j->threads = threads_count();
	fds_mark(j->open);
	utw_deferred_set_unhandled(janitor_unhandled, j);
}

static unsigned int fds_check(struct utw_janitor *j)
{
	unsigned char open[sizeof(j->open)] = { 0 };
	unsigned int left = 0;

	fds_mark(open);
	for (int fd = 0; fd < UTW_JANITOR_FDS; fd++) {
		char path[32], target[PATH_MAX] = "";

		if (!(open[fd / 8] & ~j->open[fd / 8] & 1 << fd % 8))
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (readlink(path, target, sizeof(target) - 1) < 0)
			target[0] = '\0';
		left += tell(j, "descriptor %d: %.400s", fd, target);
	}
	return left;
}

static unsigned int children_check(struct utw_janitor *j)
{
	unsigned int left = 0;

	for (;;) {
		siginfo_t child = { .si_pid = 0 };

		if (waitid(P_ALL, 0, &child, WEXITED | WNOHANG))
			return left;
		if (!child.si_pid)
			return left + tell(j, "a child that is still running");
		left += tell(j, "child %d, ended and not waited for", child.si_pid);
	}
}

unsigned int utw_janitor_end(struct utw_janitor *j)
{
	unsigned int left = fds_check(j) + children_check(j);
	unsigned int threads = threads_count();

	if (threads > j->threads)
		left += tell(j, "%u more threads than before", threads - j->threads);
	utw_deferred_set_unhandled(NULL, NULL);
	return left + utw_janitor_take_unhandled(j);
}

unsigned int utw_janitor_take_unhandled(struct utw_janitor *j)
{
	unsigned int count = j->unhandled;

	j->unhandled = 0;
	return count;
}
