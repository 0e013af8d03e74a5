// SPDX-License-Identifier: MIT
/* Threads inside system calls that wait. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "sleeper.h"

/* One letter as in proc(5); 0, there is no such task. */
static char task_state(pid_t tid)
{
	char path[32], line[256];
	const char *name_end;
	FILE *stat;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	stat = fopen(path, "r");
	if (!stat)
		return 0;
	len = fread(line, 1, sizeof(line) - 1, stat);
	fclose(stat);
	line[len] = '\0';
	name_end = strrchr(line, ')');
	return name_end && name_end[1] ? name_end[2] : 0;
}

bool process_sleeps(pid_t pid)
{
	for (;;) {
		char state = task_state(pid);

		/* Threads of the kernel may sleep idly, so that they are no load. */
		if (state == 'S' || state == 'I')
			return true;
		if (!state || state == 'Z' || state == 'X')
			return false;
		sched_yield();
	}
}

bool sleeper_sleeps(const struct sleeper *sleeper)
{
	while (!sleeper->done) {
		if (sleeper->tid && task_state(sleeper->tid) == 'S')
			return !sleeper->done;
		sched_yield();
	}
	return false;
}

static void *sleeper_main(void *data)
{
	struct sleeper *sleeper = data;
	long ret;

	/* From here to the call, nothing that sleeps. */
	sleeper->tid = gettid();
	ret = sleeper->call(sleeper);
	sleeper->result = ret < 0 ? -errno : ret;
	sleeper->done = true;
	return NULL;
}

void sleeper_run(struct sleeper *sleeper, long (*call)(struct sleeper *), int fd, void *buf,
		 size_t len)
{
	*sleeper = (struct sleeper){ .call = call, .fd = fd, .buf = buf, .len = len };
	ASSERT_EQ(0, pthread_create(&sleeper->thread, NULL, sleeper_main, sleeper));
}

void sleeper_start(struct sleeper *sleeper, long (*call)(struct sleeper *), int fd, void *buf,
		   size_t len)
{
	sleeper_run(sleeper, call, fd, buf, len);
	if (!sleeper_sleeps(sleeper))
		printf("# the call returned %ld\n", sleeper->result);
	ASSERT_FALSE(sleeper->done);
}

long sleeper_result(struct sleeper *sleeper)
{
	ASSERT_EQ(0, pthread_join(sleeper->thread, NULL));
	return sleeper->result;
}

long sleep_in_read(struct sleeper *sleeper)
{
	return read(sleeper->fd, sleeper->buf, sleeper->len);
}

long sleep_in_write(struct sleeper *sleeper)
{
	return write(sleeper->fd, sleeper->buf, sleeper->len);
}
