/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * asker.c APIs: a module that is a client of a fake's device.
 */
#ifndef UNTWIST_KUNIT_ASKER_H
#define UNTWIST_KUNIT_ASKER_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/untwist_client.h>

#include "fake.h"

/**
 * struct asker - a client, and what it was told
 * @test: test that it ends with
 * @client: the client; NULL, closed
 * @inside: callbacks that run now
 * @overlaps: callbacks that met another
 * @dones: calls that were complete
 * @gones: how often the device was said to be gone
 * @gone: for who waits for that
 * @questions: all of its own, freed after the client is closed
 */
struct asker {
	struct kunit *test;
	struct untwist_client *client;
	atomic_t inside;
	atomic_t overlaps;
	atomic_t dones;
	atomic_t gones;
	struct completion gone;
	struct list_head questions;
};

/**
 * struct question - one call of an asker
 * @call: the call
 * @asker: whose
 * @node: in its list
 * @on_done: called with its last completion; optional
 * @dones: how often it was told to be complete
 * @shots: how many completions there were before
 * @last: the last completion
 * @outside: completions that did not come on a workqueue
 * @order: number of @last among those of the asker
 * @done: for who waits for it
 */
struct question {
	struct untwist_call call;
	struct asker *asker;
	struct list_head node;
	void (*on_done)(struct question *q);
	int dones;
	int shots;
	struct untwist_cqe last;
	int outside;
	int order;
	struct completion done;
};

struct asker *asker_new(struct kunit *test);
struct asker *asker_start(struct kunit *test, struct fake *fake);
int asker_open(struct asker *asker, struct fake *fake);
void asker_close(struct asker *asker);

struct question *question_new(struct asker *asker, enum fake_action action, s32 res);
void question_renew(struct question *q);
int question_ask(struct question *q);
s32 question_await(struct question *q);

#endif /* UNTWIST_KUNIT_ASKER_H */
