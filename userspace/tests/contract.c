/* SPDX-License-Identifier: MIT */
/* The contract of transports: what its tests share, and how they run over a kind. */
#include "contract.h"

#include <stdlib.h>

#include <untwist/transport.h>

/* Most tests of one table. */
#define TABLE_MAX 32

struct pair *contract_pair(void **state)
{
	return *state;
}

struct recorder *contract_sink(struct pair *pair)
{
	return pair->kind->echoes ? &pair->near : &pair->far;
}

void contract_fill(char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i * 7 + i / 251);
}

int contract_write(struct utw_transport *t, const char *data, size_t len)
{
	int status = 0;

	for (size_t done = 0; done < len; done += CONTRACT_PIECE) {
		size_t piece = len - done < CONTRACT_PIECE ? len - done : CONTRACT_PIECE;

		status = utw_transport_write(t, data + done, piece);
		assert_true(status >= 0);
	}
	return status;
}

void contract_started(struct pair *pair)
{
	turn_until(pair->reactor, pair->near.story_len);
	if (!pair->kind->echoes)
		turn_until(pair->reactor, pair->far.story_len);
}

void contract_choke(struct pair *pair)
{
	char *data = calloc(1, 70000);

	while (utw_transport_queued(pair->near_transport) < 1000000) {
		contract_write(pair->near_transport, data, 70000);
		turn_all(pair->reactor);
	}
	free(data);
}

void contract_abort(struct recorder *r)
{
	r->in_call = true;
	utw_transport_close(r->protocol.transport, UTW_CLOSE_ABORT, 0);
	r->in_call = false;
}

static bool applies(const struct contract_test *test, const struct pair_kind *kind)
{
	unsigned int lacks = (kind->record ? NEED_STREAM : NEED_RECORD) |
		(kind->echoes ? NEED_FAR_SIDE : 0) | (kind->half_close ? 0 : NEED_HALF_CLOSE);

	return !(test->needs & lacks);
}

static size_t add_table(struct CMUnitTest *tests, const struct contract_test *table,
			const struct pair_kind *kind)
{
	size_t count = 0;

	for (; table->name; table++) {
		if (!applies(table, kind))
			continue;
		assert_true(count < TABLE_MAX);
		tests[count++] = (struct CMUnitTest){ table->name, table->function, pair_setup,
						      pair_teardown, (void *)kind };
	}
	return count;
}

int contract_run(const struct pair_kind *kind)
{
	struct CMUnitTest tests[3 * TABLE_MAX];
	size_t count = 0;

	count += add_table(tests + count, contract_reading, kind);
	count += add_table(tests + count, contract_writing, kind);
	count += add_table(tests + count, contract_closing, kind);
	return _cmocka_run_group_tests(kind->name, tests, count, NULL, NULL);
}
