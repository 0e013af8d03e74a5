/* SPDX-License-Identifier: MIT */
/*
 * dice.c: the choices of a fuzzer. They depend on the seed alone, so that the
 * same seed chooses the same again.
 */
#ifndef DICE_H
#define DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

/* Dice of their own for each who and each of its lives. */
struct dice dice_new(uint64_t seed, uint64_t who, uint64_t life);

uint64_t dice_throw(struct dice *dice);

/* 0 to limit - 1. */
uint32_t dice_below(struct dice *dice, uint32_t limit);

bool dice_one_in(struct dice *dice, uint32_t chances);

/* Mostly a number at which programs go wrong: powers of two and their neighbours, -1, 0. */
uint64_t dice_number(struct dice *dice);

/* Mostly small, sometimes up to the limit, rarely beyond. */
uint32_t dice_length(struct dice *dice, uint32_t limit);

/* Changes some bits or words of what was right. */
void dice_mutate(struct dice *dice, void *bytes, size_t size);

#endif /* DICE_H */
