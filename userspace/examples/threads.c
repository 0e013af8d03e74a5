/* SPDX-License-Identifier: MIT */
/* Count primes in threads while the reactor stays free: cc threads.c $(pkg-config --cflags --libs untwist) */
#include <stdio.h>
#include <untwist/untwist.h>

#define PARTS 4
#define SIZE  5000

struct part {
	unsigned int first;
	unsigned int primes;
};

/* In a thread: may take its time, and looks now and then whether anybody still wants it. */
static struct utw_result count_primes(struct utw_work *work, void *data)
{
	struct part *part = data;
	unsigned int n, divisor;

	for (n = part->first; n < part->first + SIZE; n++) {
		if (utw_work_cancelled(work))
			break;
		for (divisor = 2; divisor < n && n % divisor; divisor++)
			;
		part->primes += n > 1 && divisor == n;
	}
	return utw_result_value(part);
}

/* In the reactor's thread, when all parts are there. */
static struct utw_result add_up(void *value, void *data)
{
	const struct utw_results *results = value;
	unsigned int sum = 0;
	size_t i;

	for (i = 0; i < results->count; i++)
		if (results->at[i].kind == UTW_RESULT_VALUE)
			sum += ((const struct part *)results->at[i].value.ptr)->primes;
	printf("%u primes below %d\n", sum, PARTS * SIZE);
	utw_reactor_stop(data);
	return utw_result_value(NULL);
}

int main(void)
{
	struct part parts[PARTS] = { { 0 } };
	struct utw_deferred *counted[PARTS], *all;
	unsigned int i;
	struct utw_reactor *reactor;
	struct utw_pool *pool;

	if (utw_reactor_new(&reactor) < 0 || utw_pool_new(&pool, reactor, NULL) < 0)
		return 1;
	for (i = 0; i < PARTS; i++) {
		parts[i].first = i * SIZE;
		counted[i] = utw_pool_defer(pool, count_primes, &parts[i]);
		if (!counted[i])
			return 1;
	}
	all = utw_deferred_all(counted, PARTS);
	if (!all)
		return 1;
	utw_deferred_add_callback(all, add_up, reactor);
	utw_deferred_unref(all);
	utw_reactor_run(reactor);
	utw_pool_free(pool);
	utw_reactor_free(reactor);
	return 0;
}
