// SPDX-License-Identifier: MIT
/* The inbox. The order of steps in inbox.h is the proof that no wake-up is lost. */
#include "reactor/inbox.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum inbox_sleep {
	INBOX_AWAKE,
	INBOX_ASLEEP,
	INBOX_RUNG, /* asleep, and somebody has seen to it already */
};

struct utw_letter {
	struct utw_letter *next; /* on the way: the one before */
	utw_call_fn fn;
	void *data;
};

int utw_inbox_init(struct utw_inbox *inbox)
{
	int word;

	inbox->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (inbox->bell < 0)
		return -errno;
	atomic_init(&inbox->sleep, INBOX_ASLEEP);
	atomic_init(&inbox->last, NULL);
	for (word = 0; word < UTW_SIGNAL_WORDS; word++)
		atomic_init(&inbox->signals[word], 0);
	inbox->opened = NULL;
	inbox->opened_end = &inbox->opened;
	return 0;
}

void utw_inbox_release(struct utw_inbox *inbox)
{
	struct utw_letter *letter;

	utw_inbox_open(inbox);
	while ((letter = inbox->opened)) {
		inbox->opened = letter->next;
		free(letter);
	}
	close(inbox->bell);
}

/* Safe in a signal handler. The counter cannot overflow: it is at most one per turn. */
static void bell_ring(int bell)
{
	const uint64_t one = 1;

	while (write(bell, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void inbox_rouse(struct utw_inbox *inbox)
{
	int asleep = INBOX_ASLEEP;

	if (atomic_load(&inbox->sleep) == INBOX_ASLEEP &&
	    atomic_compare_exchange_strong(&inbox->sleep, &asleep, INBOX_RUNG))
		bell_ring(inbox->bell);
}

int utw_inbox_post(struct utw_inbox *inbox, utw_call_fn fn, void *data)
{
	struct utw_letter *letter = malloc(sizeof(*letter));

	if (!letter)
		return -ENOMEM;
	letter->fn = fn;
	letter->data = data;
	letter->next = atomic_load_explicit(&inbox->last, memory_order_relaxed);
	while (!atomic_compare_exchange_weak(&inbox->last, &letter->next, letter))
		;
	inbox_rouse(inbox);
	return 0;
}

static unsigned int signal_bit(int signo)
{
	return 1U << ((signo - 1) % 32);
}

void utw_inbox_post_signal(struct utw_inbox *inbox, int signo)
{
	atomic_fetch_or(&inbox->signals[(signo - 1) / 32], signal_bit(signo));
	inbox_rouse(inbox);
}

void utw_inbox_drop_signal(struct utw_inbox *inbox, int signo)
{
	atomic_fetch_and(&inbox->signals[(signo - 1) / 32], ~signal_bit(signo));
}

static bool inbox_holds(struct utw_inbox *inbox)
{
	int word;

	for (word = 0; word < UTW_SIGNAL_WORDS; word++)
		if (atomic_load(&inbox->signals[word]))
			return true;
	return inbox->opened || atomic_load(&inbox->last);
}

bool utw_inbox_sleep(struct utw_inbox *inbox)
{
	int awake = INBOX_AWAKE;

	/* Rung already, it stays so: the bell is yet to be heard. */
	atomic_compare_exchange_strong(&inbox->sleep, &awake, INBOX_ASLEEP);
	return inbox_holds(inbox);
}

/*
 * No fence: who still sees it asleep rings in vain, and who sees it awake put his
 * thing before the next going to sleep, which looks for it behind a fence.
 */
void utw_inbox_wake(struct utw_inbox *inbox)
{
	atomic_store_explicit(&inbox->sleep, INBOX_AWAKE, memory_order_release);
}

void utw_inbox_silence(struct utw_inbox *inbox)
{
	uint64_t rings;

	while (read(inbox->bell, &rings, sizeof(rings)) < 0 && errno == EINTR)
		;
}

void utw_inbox_ring(struct utw_inbox *inbox)
{
	if (inbox_holds(inbox))
		inbox_rouse(inbox);
}

/* They come out newest first, and are put behind those left from before. */
void utw_inbox_open(struct utw_inbox *inbox)
{
	struct utw_letter *letter, *first = NULL, **end;

	/* In most turns there is none, and to see that is cheaper than to take it. */
	if (!atomic_load_explicit(&inbox->last, memory_order_relaxed))
		return;
	letter = atomic_exchange(&inbox->last, NULL);
	end = &letter->next;
	while (letter) {
		struct utw_letter *before = letter->next;

		letter->next = first;
		first = letter;
		letter = before;
	}
	*inbox->opened_end = first;
	inbox->opened_end = end;
}

utw_call_fn utw_inbox_call_next(struct utw_inbox *inbox)
{
	struct utw_letter *letter = inbox->opened;
	utw_call_fn fn;

	if (!letter)
		return NULL;
	inbox->opened = letter->next;
	if (!inbox->opened)
		inbox->opened_end = &inbox->opened;
	fn = letter->fn;
	fn(letter->data);
	free(letter);
	return fn;
}

uint32_t utw_inbox_take_signals(struct utw_inbox *inbox, int word)
{
	if (!atomic_load_explicit(&inbox->signals[word], memory_order_relaxed))
		return 0;
	return atomic_exchange(&inbox->signals[word], 0);
}
