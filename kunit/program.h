/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * program.c APIs: what a program does with a node.
 */
#ifndef UNTWIST_KUNIT_PROGRAM_H
#define UNTWIST_KUNIT_PROGRAM_H

#include <kunit/test.h>
#include <linux/compiler_types.h>
#include <linux/mm.h>
#include <linux/untwist.h>

#include "context.h"
#include "fake.h"

struct file;

/* How many requests a program submits at once at most. */
#define PROGRAM_BATCH 128

/* The payloads of requests that use them in place: each lies in pages of its own. */
#define PROGRAM_PAYLOAD_PAGES 2
#define PROGRAM_PAYLOAD_LEN   (PAGE_SIZE + 1000)

/**
 * struct program - one open of a fake's device
 * @test: test that it ends with
 * @ch: the channel
 * @file: the open file; NULL if the channel was opened without a node
 * @memory: the program's own memory, for the requests it submits
 */
struct program {
	struct kunit *test;
	struct untwist_channel *ch;
	struct file *file;
	struct untwist_sqe __user *memory;
};

/**
 * struct ask - one request to a fake
 * @user_data: as in struct untwist_sqe
 * @opcode: 0, FAKE_OP_PLAIN
 * @action: what the fake is to do
 * @context: where it is to do that
 * @res: result
 */
struct ask {
	u64 user_data;
	u32 opcode;
	enum fake_action action;
	enum test_context context;
	s32 res;
};

struct program *program_new(struct kunit *test);
struct program *program_start(struct kunit *test, struct fake *fake, int flags);

int program_open(struct program *p, struct fake *fake, int flags);
int program_open_channel(struct program *p, struct fake *fake);
void program_close(struct program *p);

int program_submit_entries(struct program *p, struct untwist_submit *submit,
			   const struct untwist_sqe *entries);
int program_submit(struct program *p, const struct ask *asks, unsigned int count);
u64 program_payload(const struct program *p, u64 user_data);
int program_ask(struct program *p, const struct ask *ask);
int program_cancel(struct program *p, u64 user_data);

int program_completions(struct program *p, struct untwist_cqe *cqes, unsigned int max);
struct untwist_cqe program_await(struct program *p);

int program_set_options(struct program *p, const struct untwist_options *options);

__poll_t program_poll(struct program *p);
bool program_polls(struct program *p, __poll_t bits);

#endif /* UNTWIST_KUNIT_PROGRAM_H */
