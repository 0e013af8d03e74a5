/* SPDX-License-Identifier: MIT */
/* Factory: its life is counted. */
#include <untwist/factory.h>

#include "harness.h"

static unsigned int starts, stops;

static void counted_start(struct utw_factory *f)
{
	(void)f;
	starts++;
}

static struct utw_protocol *refusing_build(struct utw_factory *f, const struct utw_address *peer)
{
	(void)f;
	(void)peer;
	return NULL;
}

static void counted_stop(struct utw_factory *f)
{
	(void)f;
	stops++;
}

static const struct utw_factory_ops counted = { .start = counted_start,
						.build = refusing_build,
						.stop = counted_stop };

static void start_and_stop_are_counted(void **state)
{
	struct utw_factory f;

	(void)state;
	starts = stops = 0;
	utw_factory_init(&f, &counted);
	utw_factory_start(&f);
	utw_factory_start(&f);
	assert_int_equal(starts, 1);
	utw_factory_stop(&f);
	assert_int_equal(stops, 0);
	utw_factory_stop(&f);
	assert_int_equal(stops, 1);
	utw_factory_stop(&f);
	assert_int_equal(stops, 1);
	utw_factory_start(&f);
	assert_int_equal(starts, 2);
}

static void build_may_refuse(void **state)
{
	struct utw_factory f;

	(void)state;
	utw_factory_init(&f, &counted);
	assert_null(utw_factory_build(&f, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(start_and_stop_are_counted),
		TEST(build_may_refuse),
	};

	return cmocka_run_group_tests_name("factory", tests, NULL, NULL);
}
