// SPDX-License-Identifier: MIT
/* The inbox. The order of steps in inbox.h is the proof that no wake-up is lost. */
#include "reactor/inbox.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct utw_letter {
	struct utw_letter *next;
	utw_call_fn fn;
	void *data;
};

int utw_inbox_init(struct utw_inbox *inbox)
{
	int word;

	inbox->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (inbox->bell < 0)
		return -errno;
	atomic_init(&inbox->ringing, false);
	for (word = 0; word < UTW_SIGNAL_WORDS; word++)
		atomic_init(&inbox->signals[word], 0);
	pthread_mutex_init(&inbox->lock, NULL);
	inbox->first = NULL;
	inbox->last = &inbox->first;
	return 0;
}

static struct utw_letter *inbox_take(struct utw_inbox *inbox)
{
	struct utw_letter *first;

	pthread_mutex_lock(&inbox->lock);
	first = inbox->first;
	inbox->first = NULL;
	inbox->last = &inbox->first;
	pthread_mutex_unlock(&inbox->lock);
	return first;
}

void utw_inbox_release(struct utw_inbox *inbox)
{
	struct utw_letter *letter = inbox_take(inbox);

	while (letter) {
		struct utw_letter *next = letter->next;

		free(letter);
		letter = next;
	}
	pthread_mutex_destroy(&inbox->lock);
	close(inbox->bell);
}

/* Safe in a signal handler. The counter cannot overflow: it is at most one per turn. */
static void inbox_ring(struct utw_inbox *inbox)
{
	const uint64_t one = 1;

	if (atomic_exchange(&inbox->ringing, true))
		return;
	while (write(inbox->bell, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

int utw_inbox_post(struct utw_inbox *inbox, utw_call_fn fn, void *data)
{
	struct utw_letter *letter = malloc(sizeof(*letter));

	if (!letter)
		return -ENOMEM;
	letter->next = NULL;
	letter->fn = fn;
	letter->data = data;

	pthread_mutex_lock(&inbox->lock);
	*inbox->last = letter;
	inbox->last = &letter->next;
	pthread_mutex_unlock(&inbox->lock);

	inbox_ring(inbox);
	return 0;
}

static unsigned int signal_bit(int signo)
{
	return 1U << ((signo - 1) % 32);
}

void utw_inbox_post_signal(struct utw_inbox *inbox, int signo)
{
	atomic_fetch_or(&inbox->signals[(signo - 1) / 32], signal_bit(signo));
	inbox_ring(inbox);
}

void utw_inbox_drop_signal(struct utw_inbox *inbox, int signo)
{
	atomic_fetch_and(&inbox->signals[(signo - 1) / 32], ~signal_bit(signo));
}

void utw_inbox_open(struct utw_inbox *inbox)
{
	uint64_t rings;

	while (read(inbox->bell, &rings, sizeof(rings)) < 0 && errno == EINTR)
		;
	atomic_store(&inbox->ringing, false);
}

unsigned int utw_inbox_run(struct utw_inbox *inbox)
{
	struct utw_letter *letter = inbox_take(inbox);
	unsigned int count = 0;

	while (letter) {
		struct utw_letter *next = letter->next;

		letter->fn(letter->data);
		free(letter);
		letter = next;
		count++;
	}
	return count;
}

uint32_t utw_inbox_take_signals(struct utw_inbox *inbox, int word)
{
	return atomic_exchange(&inbox->signals[word], 0);
}
