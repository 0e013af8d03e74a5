/* SPDX-License-Identifier: MIT */
/*
 * sleeper.c: a thread inside a system call that waits. Starting one returns
 * when the kernel has put it to sleep, so that what wakes it can only come
 * afterwards, without any guess at times.
 */
#ifndef SLEEPER_H
#define SLEEPER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

struct sleeper {
	long (*call)(struct sleeper *sleeper);
	int fd;
	void *buf;
	size_t len;
	pthread_t thread;
	_Atomic pid_t tid;
	atomic_bool done;
	long result; /* of the call; a failure is -errno */
};

/* Fails the test if the call returns instead of waiting. */
void sleeper_start(struct sleeper *sleeper, long (*call)(struct sleeper *), int fd, void *buf,
		   size_t len);

/* As above, of a call that may as well return at once. */
void sleeper_run(struct sleeper *sleeper, long (*call)(struct sleeper *), int fd, void *buf,
		 size_t len);

/* The call's result, once it has returned. */
long sleeper_result(struct sleeper *sleeper);

/* Waits until the call has returned or sleeps; whether it sleeps. */
bool sleeper_sleeps(const struct sleeper *sleeper);

/* The same of a whole process with one thread. */
bool process_sleeps(pid_t pid);

/* Calls to start one with. */
long sleep_in_read(struct sleeper *sleeper);
long sleep_in_write(struct sleeper *sleeper);

#endif /* SLEEPER_H */
