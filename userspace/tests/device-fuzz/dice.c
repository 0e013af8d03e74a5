// SPDX-License-Identifier: MIT
/* The choices of a fuzzer. */
#include <string.h>

#include "dice.h"

/* Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators (2014). */
uint64_t dice_throw(struct dice *dice)
{
	uint64_t z = dice->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

struct dice dice_new(uint64_t seed, uint64_t who, uint64_t life)
{
	struct dice dice = { .state = seed };

	dice.state = dice_throw(&dice) ^ who;
	dice.state = dice_throw(&dice) ^ life;
	return dice;
}

uint32_t dice_below(struct dice *dice, uint32_t limit)
{
	return (dice_throw(dice) >> 32) * limit >> 32;
}

bool dice_one_in(struct dice *dice, uint32_t chances)
{
	return dice_below(dice, chances) == 0;
}

uint64_t dice_number(struct dice *dice)
{
	uint64_t power = 1ULL << dice_below(dice, 64);

	switch (dice_below(dice, 6)) {
	case 0:
		return power;
	case 1:
		return power - 1;
	case 2:
		return -power;
	case 3:
		return dice_below(dice, 64);
	case 4:
		return dice_throw(dice) >> 32;
	default:
		return dice_throw(dice);
	}
}

uint32_t dice_length(struct dice *dice, uint32_t limit)
{
	switch (dice_below(dice, 8)) {
	case 0:
		return dice_below(dice, limit + 1);
	case 1:
		return limit;
	case 2:
		return dice_one_in(dice, 8) ? (uint32_t)dice_number(dice) : limit + 1;
	default:
		return dice_below(dice, 300);
	}
}

static void mutate_once(struct dice *dice, unsigned char *bytes, size_t size)
{
	uint32_t at = dice_below(dice, size);
	uint64_t number;

	if (dice_one_in(dice, 2)) {
		bytes[at] ^= 1U << dice_below(dice, 8);
		return;
	}
	/* A whole member. */
	at &= ~3U;
	number = dice_number(dice);
	memcpy(bytes + at, &number, size - at < 8 || dice_one_in(dice, 2) ? 4 : 8);
}

void dice_mutate(struct dice *dice, void *bytes, size_t size)
{
	unsigned int times = 1 + dice_below(dice, 3);

	while (times--)
		mutate_once(dice, bytes, size);
}
