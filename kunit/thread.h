/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * thread.c APIs: threads that end with their test, and two that race.
 */
#ifndef UNTWIST_KUNIT_THREAD_H
#define UNTWIST_KUNIT_THREAD_H

#include <kunit/test.h>

struct test_thread;

struct test_thread *test_thread_start(struct kunit *test, int (*fn)(void *arg), void *arg);
int test_thread_join(struct kunit *test, struct test_thread *thread);
void test_thread_interrupt(struct test_thread *thread);

/**
 * struct test_race - two sides that do many things at the same moments
 * @before: make a round's beginning; optional
 * @left: runs in the test's thread
 * @right: runs in another, on another CPU
 * @after: look at the outcome; optional
 * @arg: for all of them
 *
 * The two sides meet before and after each round. As a meeting is slow, a
 * round is to have many steps, and test_race_step() before each.
 */
struct test_race {
	void (*before)(void *arg);
	void (*left)(void *arg);
	void (*right)(void *arg);
	void (*after)(void *arg);
	void *arg;
};

void test_race_run(struct kunit *test, const struct test_race *race, unsigned int rounds);
void test_race_step(unsigned int *mine, const unsigned int *others, unsigned int step);

#endif /* UNTWIST_KUNIT_THREAD_H */
