/* SPDX-License-Identifier: MIT */
/* Count primes in threads while the reactor stays free: cc threads.c $(pkg-config --cflags --libs untwist) */
#include <stdint.h>
#include <stdio.h>
#include <untwist/untwist.h>

#define PARTS 4
#define SIZE  5000

/* In a thread: may take its time, and looks now and then whether anybody still wants it. */
static struct utw_result count_primes(struct utw_work *work, void *data)
{
	unsigned int first = *(const unsigned int *)data, n, divisor;
	uintptr_t count = 0;

	for (n = first; n < first + SIZE; n++) {
		if (utw_work_cancelled(work))
			break;
		for (divisor = 2; divisor < n && n % divisor; divisor++)
			;
		count += n > 1 && divisor == n;
	}
	return utw_result_value((void *)count);
}

/* In the reactor's thread, when all parts are there. */
static struct utw_result add_up(void *value, void *data)
{
	const struct utw_results *results = value;
	uintptr_t sum = 0;
	size_t i;

	for (i = 0; i < results->count; i++)
		if (results->at[i].kind == UTW_RESULT_VALUE)
			sum += (uintptr_t)results->at[i].value.ptr;
	printf("%zu primes below %d\n", (size_t)sum, PARTS * SIZE);
	utw_reactor_stop(data);
	return utw_result_value(NULL);
}

int main(void)
{
	unsigned int first[PARTS], i;
	struct utw_deferred *parts[PARTS], *all;
	struct utw_reactor *reactor;
	struct utw_pool *pool;

	if (utw_reactor_new(&reactor) < 0 || utw_pool_new(&pool, reactor, NULL) < 0)
		return 1;
	for (i = 0; i < PARTS; i++) {
		first[i] = i * SIZE;
		parts[i] = utw_pool_defer(pool, count_primes, &first[i]);
		if (!parts[i])
			return 1;
	}
	all = utw_deferred_all(parts, PARTS);
	if (!all)
		return 1;
	utw_deferred_add_callback(all, add_up, reactor);
	utw_deferred_unref(all);
	utw_reactor_run(reactor);
	utw_pool_free(pool);
	utw_reactor_free(reactor);
	return 0;
}
