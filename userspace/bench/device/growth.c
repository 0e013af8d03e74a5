// SPDX-License-Identifier: MIT
/*
 * What more opens and more commands cost: whether a command stays as cheap, the
 * memory, the wake-ups of who sleeps, and the calls of who uses the poller.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/untwist.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"
#include "growth.h"
#include "request.h"

#define OPENS_MOST  1000u
#define DEPTH	    32u
#define SLEEP_TIMES 200u
#define TRACING	    "/sys/kernel/tracing/"

static struct work ring_of(const char *path)
{
	struct work work = {
		.depth = DEPTH,
		.begin = ring_begin,
		.run = ring_run,
		.argument = UNTWIST_OP_NOP,
		.data = (void *)path,
	};

	ring_begin(&work);
	bench_cost(&work, DEPTH);
	return work;
}

/* What was closed is freed a while later. */
static void settle(void)
{
	sleep(1);
}

static int opens[OPENS_MOST];

static void opens_raise(const char *path, unsigned int from, unsigned int to)
{
	for (; from < to; from++) {
		opens[from] = open(path, O_RDWR | O_NONBLOCK);
		must(opens[from] >= 0, path);
	}
}

static void print_opens(const char *path)
{
	struct work work = ring_of(path);
	unsigned int others = 0, wanted;

	printf("\n| opens besides | %s a command, depth %u |\n|--:|--:|\n", bench_unit(), DEPTH);
	for (wanted = 0; wanted <= OPENS_MOST; wanted = wanted ? wanted * 10 : 1) {
		opens_raise(path, others, wanted);
		others = wanted;
		printf("| %u | %.1f |\n", others, bench_cost(&work, 64 * DEPTH));
	}
	while (others)
		close(opens[--others]);
}

static void print_commands(const char *path)
{
	struct work work = ring_of(path);
	unsigned int count;

	settle();
	printf("\n| commands on one open | %s a command, depth %u |\n|--:|--:|\n", bench_unit(),
	       DEPTH);
	for (count = 1000; count <= 1000000; count *= 10)
		printf("| %u | %.1f |\n", count, bench_cost(&work, count));
}

/* Memory: what the kernel has less of. */

static long free_bytes(void)
{
	char line[128];
	long kib = 0;
	FILE *file = fopen("/proc/meminfo", "r");

	must(file, "/proc/meminfo");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "MemFree: %ld", &kib) == 1)
			break;
	fclose(file);
	return kib * 1024;
}

static int open_eventfd(const char *path)
{
	(void)path;
	return eventfd(0, 0);
}

static int open_pipe(const char *path)
{
	int fds[2];

	(void)path;
	if (pipe(fds))
		return -1;
	close(fds[0]);
	return fds[1];
}

static int open_node(const char *path)
{
	return open(path, O_RDWR | O_NONBLOCK);
}

/* The first request makes the memory of all that may be in flight. */
static int open_and_request(const char *path)
{
	struct untwist_sqe sqe = { .opcode = UNTWIST_OP_NOP };
	struct untwist_submit submit = {
		.entries = (unsigned long)&sqe,
		.count = 1,
		.entry_size = sizeof(sqe),
	};
	int fd = open_node(path);

	must(ioctl(fd, UNTWIST_IOC_SUBMIT, &submit) == 1, "UNTWIST_IOC_SUBMIT");
	return fd;
}

static long bytes_of(int (*open_one)(const char *path), const char *path)
{
	long before, used;
	unsigned int i;

	settle();
	before = free_bytes();
	for (i = 0; i < OPENS_MOST; i++) {
		opens[i] = open_one(path);
		must(opens[i] >= 0, "an open");
	}
	used = before - free_bytes();
	for (i = 0; i < OPENS_MOST; i++)
		close(opens[i]);
	return used / (long)OPENS_MOST;
}

static unsigned int requests_max(const char *path)
{
	struct untwist_info info;
	int fd = open_node(path);

	must(!ioctl(fd, UNTWIST_IOC_GET_INFO, &info), "UNTWIST_IOC_GET_INFO");
	close(fd);
	return info.requests_max;
}

static void print_memory(const char *path)
{
	long bare = bytes_of(open_node, path);
	long with = bytes_of(open_and_request, path);

	puts("\n| memory | bytes |\n|---|--:|");
	printf("| an eventfd | %ld |\n", bytes_of(open_eventfd, path));
	printf("| an end of a pipe | %ld |\n", bytes_of(open_pipe, path));
	printf("| an open | %ld |\n", bare);
	printf("| a request, of %u | %ld |\n", requests_max(path),
	       (with - bare) / (long)requests_max(path));
}

/* Wake-ups, by their tracepoint. */

static void tracing_write(const char *file, const char *text)
{
	char path[128];
	FILE *out;

	snprintf(path, sizeof(path), TRACING "%s", file);
	out = fopen(path, "w");
	must(out && fputs(text, out) >= 0 && !fclose(out), path);
}

static unsigned int traced(const char *event)
{
	FILE *file = fopen(TRACING "trace", "r");
	unsigned int count = 0;
	char line[512];

	must(file, TRACING "trace");
	while (fgets(line, sizeof(line), file))
		count += strstr(line, event) != NULL;
	fclose(file);
	return count;
}

struct sleeper {
	int node;
	int woken; /* eventfd */
	unsigned int times;
};

static void *sleeper_main(void *data)
{
	struct sleeper *sleeper = data;
	struct untwist_cqe cqes[DEPTH];
	unsigned int i;

	for (i = 0; i < sleeper->times; i++) {
		struct pollfd node = { .fd = sleeper->node, .events = POLLIN };

		must(poll(&node, 1, -1) == 1, "poll");
		must(read(sleeper->node, cqes, sizeof(cqes)) == sizeof(cqes), "a whole batch");
		must(!eventfd_write(sleeper->woken, 1), "eventfd");
	}
	return NULL;
}

static void print_wakeups(const char *path)
{
	struct untwist_sqe sqes[DEPTH] = { { .opcode = UNTWIST_OP_NOP } };
	struct untwist_submit submit = {
		.entries = (unsigned long)sqes,
		.count = DEPTH,
		.entry_size = sizeof(sqes[0]),
	};
	struct sleeper sleeper = { open_node(path), eventfd(0, 0), SLEEP_TIMES };
	__u32 completions = UNTWIST_PLANE_COMPLETIONS;
	eventfd_t woken;
	pthread_t thread;
	unsigned int i;

	must(!ioctl(sleeper.node, UNTWIST_IOC_SET_PLANE, &completions), "UNTWIST_IOC_SET_PLANE");
	tracing_write("trace", "");
	tracing_write("events/untwist/untwist_wake/enable", "1");
	must(!pthread_create(&thread, NULL, sleeper_main, &sleeper), "pthread_create");
	for (i = 0; i < SLEEP_TIMES; i++) {
		must(ioctl(sleeper.node, UNTWIST_IOC_SUBMIT, &submit) == DEPTH, "submit");
		must(!eventfd_read(sleeper.woken, &woken), "eventfd");
	}
	pthread_join(thread, NULL);
	tracing_write("events/untwist/untwist_wake/enable", "0");
	puts("\n| batches | commands each | wake-ups traced, at most one a batch |\n|--:|--:|--:|");
	printf("| %u | %u | %u |\n", SLEEP_TIMES, DEPTH, traced("untwist_wake:"));
}

static void print_poller(const char *path)
{
	struct work work = { .depth = DEPTH, .argument = UNTWIST_OP_NOP, .data = (void *)path };
	unsigned int count = 8 * DEPTH;

	ring_poller_begin(&work);
	ring_poller_run(&work, count);
	puts("\n| with the poller: commands | system calls |\n|--:|--:|");
	printf("| %u | %u |\n", count, ring_calls(&work));
}

void growth_print(const char *path)
{
	struct rlimit files = { OPENS_MOST * 2, OPENS_MOST * 2 };

	must(!setrlimit(RLIMIT_NOFILE, &files), "setrlimit");
	must(!setpriority(PRIO_PROCESS, 0, -20), "setpriority");
	print_opens(path);
	print_commands(path);
	must(!setpriority(PRIO_PROCESS, 0, 0), "setpriority");
	print_memory(path);
	print_wakeups(path);
	print_poller(path);
}
