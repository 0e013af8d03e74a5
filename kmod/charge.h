/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * charge.c APIs: to whom pinned pages are charged.
 */
#ifndef UNTWIST_CHARGE_H
#define UNTWIST_CHARGE_H

#include <linux/types.h>

struct cred;
struct mm_struct;
struct untwist_channel;

/**
 * struct untwist_charge - pages that somebody is charged for
 * @pages: how many; 0, nobody is
 * @ch: open that they were pinned through
 * @cred: who pinned them; keeps the user
 * @mm: whose memory they are part of, as its VmPin tells
 */
struct untwist_charge {
	unsigned long pages;
	struct untwist_channel *ch;
	const struct cred *cred;
	struct mm_struct *mm;
};

int untwist_charge_take(struct untwist_charge *charge, struct untwist_channel *ch,
			unsigned long pages);
void untwist_charge_return(struct untwist_charge *charge);

#endif /* UNTWIST_CHARGE_H */
