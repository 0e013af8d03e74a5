/* SPDX-License-Identifier: MIT */
/* Pump: see untwist/testing/pump.h. */
#include <untwist/testing/pump.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <untwist/failure.h>
#include <untwist/reactor.h>
#include <untwist/testing/double.h>

/* Longest record that is carried whole. */
#define RECORD_SIZE 65536

/* Something under way; a list for each direction, in the order of its arrival. */
struct utw_pump_parcel {
	struct utw_pump_parcel *next;
	uint64_t due; /* in rounds */
	size_t len;
	char data[];
};

/* xorshift: not good chance, but the same everywhere. */
static uint64_t chance(struct utw_pump *p)
{
	p->chance ^= p->chance << 13;
	p->chance ^= p->chance >> 7;
	p->chance ^= p->chance << 17;
	return p->chance;
}

static bool one_in(struct utw_pump *p, unsigned int many)
{
	return many && chance(p) % many == 0;
}

static int parcel_send(struct utw_pump *p, int to, const void *data, size_t len)
{
	struct utw_pump_parcel *parcel = malloc(sizeof(*parcel) + len);
	struct utw_pump_parcel **at = &p->way[to];

	if (!parcel)
		return -ENOMEM;
	parcel->len = len;
	parcel->due = p->round;
	if (p->options.delay)
		parcel->due += chance(p) % (p->options.delay + 1);
	memcpy(parcel->data, data, len);
	while (*at)
		at = &(*at)->next;
	parcel->next = NULL;
	*at = parcel;
	return 0;
}

/* The last two change places. */
static void parcels_swap(struct utw_pump *p, int to)
{
	struct utw_pump_parcel **at = &p->way[to];
	struct utw_pump_parcel *last;

	while (*at && (*at)->next && (*at)->next->next)
		at = &(*at)->next;
	if (!*at || !(*at)->next)
		return;
	last = (*at)->next;
	last->next = *at;
	(*at)->next = NULL;
	*at = last;
}

/* Take what a side has written. Returns how much that was, or -errno. */
static int pump_collect(struct utw_pump *p, int from)
{
	struct utw_double *d = p->side[from];
	bool record = d->kind == UTW_DOUBLE_RECORD;
	char *data = malloc(RECORD_SIZE);
	int collected = 0;

	if (!data)
		return -ENOMEM;
	for (;;) {
		size_t size = RECORD_SIZE;
		ssize_t len;

		if (p->options.piece && !record)
			size = 1 + chance(p) % p->options.piece;
		len = utw_double_take(d, data, size);
		if (len < 0)
			break;
		collected++;
		if (record && one_in(p, p->options.lose)) {
			p->lost++;
			continue;
		}
		if (parcel_send(p, !from, data, (size_t)len)) {
			collected = -ENOMEM;
			break;
		}
		if (record && one_in(p, p->options.swap))
			parcels_swap(p, !from);
	}
	free(data);
	return collected;
}

/* The first must come before the next: what is late makes all behind it late. */
static int pump_deliver(struct utw_pump *p, int to)
{
	struct utw_pump_parcel *parcel = p->way[to];
	int error = 0;

	if (!parcel || parcel->due > p->round)
		return parcel ? 1 : 0;
	p->way[to] = parcel->next;
	if (!p->side[to]->closed)
		error = utw_double_feed(p->side[to], parcel->data, parcel->len);
	free(parcel);
	return error ? error : 1;
}

/* Behind all that was written: the end of one side, told to the other. */
static void pump_end(struct utw_pump *p, int from)
{
	struct utw_double *d = p->side[from], *other = p->side[!from];

	if (p->way[!from] || other->closed || other->ended)
		return;
	if (d->closed && d->aborted)
		utw_double_lose(other, UTW_LOST);
	if (d->closed || d->shut)
		utw_double_end(other);
}

static int pump_round(struct utw_pump *p)
{
	int worked = 0;

	for (int side = 0; side < 2; side++) {
		int collected = pump_collect(p, side);
		int delivered = collected < 0 ? collected : pump_deliver(p, !side);

		if (delivered < 0)
			return delivered;
		pump_end(p, side);
		worked |= collected | delivered;
	}
	return worked;
}

void utw_pump_init(struct utw_pump *p, struct utw_reactor *r, struct utw_double *a,
		   struct utw_double *b, const struct utw_pump_options *options)
{
	*p = (struct utw_pump){ .side = { a, b }, .reactor = r };
	if (options)
		p->options = *options;
	p->chance = p->options.seed * 2 + 1;
}

int utw_pump_run(struct utw_pump *p)
{
	for (int rounds = 0; rounds < UTW_PUMP_ROUNDS; rounds++, p->round++) {
		int calls = utw_reactor_run_once(p->reactor, 0);
		int worked = calls < 0 ? calls : pump_round(p);

		if (worked < 0)
			return worked;
		if (!calls && !worked)
			return rounds;
	}
	return -ELOOP;
}

void utw_pump_release(struct utw_pump *p)
{
	for (int side = 0; side < 2; side++) {
		while (p->way[side]) {
			struct utw_pump_parcel *parcel = p->way[side];

			p->way[side] = parcel->next;
			free(parcel);
		}
	}
}
