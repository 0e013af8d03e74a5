/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bout.c APIs: two sides of the core that race about requests.
 */
#ifndef UNTWIST_KUNIT_BOUT_H
#define UNTWIST_KUNIT_BOUT_H

#include <kunit/test.h>
#include <linux/untwist.h>

#include "fake.h"
#include "program.h"
#include "thread.h"

/* Requests that race in each round, and how many rounds there are. */
#define BOUT_BATCH  32
#define BOUT_ROUNDS 320
#define BOUT_TOTAL  (BOUT_ROUNDS * BOUT_BATCH)

/**
 * struct bout - what two threads race about
 * @test: test
 * @fake: fake
 * @p: program; its thread is the left one
 * @reqs: the requests of this round
 * @opcode: of all of them; 0, FAKE_OP_PLAIN
 * @first: user_data of the first of them
 * @rounds: counts them
 * @left_at: step of the left side
 * @right_at: step of the right side
 * @rets: what the left side was told, for each request
 * @right_ret: what the right side was told
 * @left_wins: how often it was the left side's
 * @right_wins: how often it was the right side's
 */
struct bout {
	struct kunit *test;
	struct fake *fake;
	struct program *p;
	struct untwist_request *reqs[BOUT_BATCH];
	u32 opcode;
	u64 first;
	unsigned int rounds;
	unsigned int left_at;
	unsigned int right_at;
	int rets[BOUT_BATCH];
	int right_ret;
	unsigned int left_wins;
	unsigned int right_wins;
};

struct bout *bout_new(struct kunit *test, const struct untwist_ops *ops);
void bout_begin_round(struct bout *bout);
void bout_step_left(struct bout *bout, unsigned int i);
void bout_step_right(struct bout *bout, unsigned int i);

/* Beginnings and sides of a struct test_race, with the bout as its argument. */
void bout_ask(void *bout);
void bout_open(void *bout);
void bout_open_and_ask(void *bout);
void bout_cancel_left(void *bout);
void bout_complete_right(void *bout);

void bout_ask_all(struct bout *bout);
void bout_read_all(struct bout *bout, s32 *res);
void bout_score(struct bout *bout, bool left);
void bout_expect_score(struct bout *bout, unsigned int sum);

#endif /* UNTWIST_KUNIT_BOUT_H */
