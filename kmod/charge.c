// SPDX-License-Identifier: GPL-2.0-only
/*
 * To whom pinned pages are charged: the open, which the administrator limits,
 * and the user, whom RLIMIT_MEMLOCK limits, together with what io_uring and
 * AF_XDP have pinned for them. The counts are atomic: a charge is given back by
 * who posts the completion, and that must not wait for a lock of the program's.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>

#include "channel.h"
#include "charge.h"

static bool add_within(atomic_long_t *count, unsigned long pages, unsigned long max)
{
	long old = atomic_long_read(count);

	do {
		if (pages > max || (unsigned long)old > max - pages)
			return false;
	} while (!atomic_long_try_cmpxchg(count, &old, old + (long)pages));
	return true;
}

static bool charge_user(struct user_struct *user, unsigned long pages)
{
	if (add_within(&user->locked_vm, pages, rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT))
		return true;
	if (!capable(CAP_IPC_LOCK))
		return false;
	atomic_long_add((long)pages, &user->locked_vm);
	return true;
}

/**
 * untwist_charge_take() - charge the calling program for pages
 * @charge: filled in; nothing is charged after an error
 * @ch: open that they are pinned through, there until they are given back
 * @pages: how many
 *
 * Context: process, of a program with memory.
 *
 * Return: 0, or -EDQUOT: the open or the user has too many pinned already.
 */
int untwist_charge_take(struct untwist_charge *charge, struct untwist_channel *ch,
			unsigned long pages)
{
	unsigned long most = READ_ONCE(ch->ud->limits.pinned_max) >> PAGE_SHIFT;

	*charge = (struct untwist_charge){};
	if (!add_within(&ch->pinned, pages, most))
		return -EDQUOT;
	if (!charge_user(current_user(), pages)) {
		atomic_long_sub((long)pages, &ch->pinned);
		return -EDQUOT;
	}
	charge->pages = pages;
	charge->ch = ch;
	charge->cred = get_current_cred();
	charge->mm = current->mm;
	mmgrab(charge->mm);
	atomic64_add(pages, &charge->mm->pinned_vm);
	return 0;
}

/**
 * untwist_charge_return() - the pages are not pinned any more
 * @charge: as taken, or nothing; nothing afterwards
 *
 * Context: process, any.
 */
void untwist_charge_return(struct untwist_charge *charge)
{
	if (!charge->pages)
		return;
	atomic64_sub(charge->pages, &charge->mm->pinned_vm);
	mmdrop(charge->mm);
	atomic_long_sub((long)charge->pages, &charge->cred->user->locked_vm);
	put_cred(charge->cred);
	atomic_long_sub((long)charge->pages, &charge->ch->pinned);
	*charge = (struct untwist_charge){};
}
