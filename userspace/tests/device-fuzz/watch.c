// SPDX-License-Identifier: MIT
/* Tells a thread that hangs from one that is slow. */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "watch.h"

#define HANG_SECONDS  40
#define HANG_CALLS    2000
#define HANG_CPU_PART 0.05

/* Without anything else: nobody is so slow. */
#define HANG_FOR_SURE 400

double watch_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static unsigned long all_calls(const struct watch *watch)
{
	unsigned long sum = 0;
	unsigned int i;

	for (i = 0; i < watch->nr; i++)
		sum += atomic_load(&watch->board->actors[i].calls);
	return sum;
}

/* Processor time of a process so far, in seconds; 0 when it is gone. */
static double cpu_time(pid_t pid)
{
	unsigned long user, system;
	char path[40], text[500];
	const char *at;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	if (len < 0)
		return 0;
	text[len] = '\0';
	/* Its name may hold anything, but no parenthesis follows it. */
	at = strrchr(text, ')');
	if (!at ||
	    sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		   &system) != 2)
		return 0;
	return (double)(user + system) / sysconf(_SC_CLK_TCK);
}

static void note(struct watch *watch, unsigned int actor)
{
	struct actor *which = &watch->board->actors[actor];

	watch->seen[actor].calls = atomic_load(&which->calls);
	watch->seen[actor].tid = atomic_load(&which->tid);
	watch->seen[actor].others = all_calls(watch);
	watch->seen[actor].since = watch_now();
	watch->seen[actor].cpu = cpu_time(atomic_load(&which->pid));
}

void watch_init(struct watch *watch, struct board *board, unsigned int nr)
{
	unsigned int i;

	watch->board = board;
	watch->nr = nr;
	for (i = 0; i < nr; i++)
		note(watch, i);
}

double watch_still(struct watch *watch, unsigned int actor)
{
	const struct actor *which = &watch->board->actors[actor];

	if (watch->seen[actor].calls != atomic_load(&which->calls) ||
	    watch->seen[actor].tid != atomic_load(&which->tid))
		note(watch, actor);
	return watch_now() - watch->seen[actor].since;
}

bool watch_hangs(struct watch *watch, unsigned int actor)
{
	double still = watch_still(watch, actor);
	double cpu = cpu_time(atomic_load(&watch->board->actors[actor].pid));

	if (still > HANG_FOR_SURE)
		return true;
	return still > HANG_SECONDS && cpu - watch->seen[actor].cpu < still * HANG_CPU_PART &&
		all_calls(watch) - watch->seen[actor].others > HANG_CALLS;
}

static void show_stack(const char *path)
{
	char line[200];
	FILE *stack = fopen(path, "r");

	printf("# %s:\n", path);
	while (stack && fgets(line, sizeof(line), stack))
		printf("#   %s", line);
	if (stack)
		fclose(stack);
}

static void show_stacks(pid_t pid)
{
	char pattern[48];
	glob_t paths;
	size_t i;

	snprintf(pattern, sizeof(pattern), "/proc/%d/task/*/stack", pid);
	if (glob(pattern, 0, NULL, &paths))
		return;
	for (i = 0; i < paths.gl_pathc; i++)
		show_stack(paths.gl_pathv[i]);
	globfree(&paths);
}

static void ask_kernel(char what)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, &what, 1) != 1)
		printf("# the kernel does not tell '%c'\n", what);
	close(fd);
}

void watch_show(const struct watch *watch)
{
	pid_t last = 0;
	unsigned int i;

	for (i = 0; i < watch->nr; i++) {
		const struct actor *which = &watch->board->actors[i];
		pid_t pid = atomic_load(&which->pid);

		printf("# %d/%d: call %lu, %s, for %.0f s\n", pid, atomic_load(&which->tid),
		       atomic_load(&which->calls), atomic_load(&which->doing),
		       watch_now() - watch->seen[i].since);
		if (pid != last)
			show_stacks(pid);
		last = pid;
	}
	fflush(stdout);
	ask_kernel('w');
	ask_kernel('t');
}
