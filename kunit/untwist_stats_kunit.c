// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a device's folder in sysfs says: what it is, and what it has done.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "channel.h"
#include "fake.h"
#include "program.h"
#include "watch.h"

static void read_attribute(struct kunit *test, const char *name, char *text, size_t size)
{
	struct file *file;
	char path[96];
	ssize_t len;

	snprintf(path, sizeof(path), "/sys/class/untwist/fake/%s", name);
	file = filp_open(path, O_RDONLY, 0);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(file), "%s: %ld", path, PTR_ERR(file));
	len = kernel_read(file, text, size - 1, NULL);
	filp_close(file, NULL);
	KUNIT_ASSERT_GT(test, len, 0l);
	text[len] = '\0';
}

struct kind_case {
	const char *name;
	u32 kind;
};

static const struct kind_case kind_cases[] = {
	{ "none\n", UNTWIST_KIND_NONE },
	{ "stream\n", UNTWIST_KIND_STREAM },
	{ "record\n", UNTWIST_KIND_RECORD },
};

static void kind_desc(const struct kind_case *c, char *to)
{
	snprintf(to, KUNIT_PARAM_DESC_SIZE, "%.6s", c->name);
}

KUNIT_ARRAY_PARAM(kind, kind_cases, kind_desc);

static void attributes_tell_what_it_is(struct kunit *test)
{
	const struct kind_case *c = test->param_value;
	char text[64];

	fake_register_kind(test, c->kind);
	read_attribute(test, "kind", text, sizeof(text));
	KUNIT_EXPECT_STREQ(test, c->name, text);
	read_attribute(test, "driver_name", text, sizeof(text));
	KUNIT_EXPECT_STREQ(test, "untwist_fake\n", text);
}

/* So that the work has no sleeper to wake, whom the counter would know. */
static void await_completions(struct kunit *test, struct program *p, unsigned int n)
{
	unsigned long end = jiffies + TEST_LIMIT;

	while (untwist_requests_ready(&p->ch->requests) < n) {
		KUNIT_ASSERT_TRUE(test, time_before(jiffies, end));
		cond_resched();
	}
}

static void ask_some(struct kunit *test, struct program *p)
{
	const struct ask asks[] = {
		{ 1, 0, FAKE_COMPLETE },
		{ 2, 0, FAKE_REFUSE, 0, -EIO },
		{ 3, 0, FAKE_COMPLETE },
		{ 4 },
	};

	KUNIT_EXPECT_EQ(test, 4, program_submit(p, asks, 4));
	KUNIT_EXPECT_EQ(test, 0, program_cancel(p, 4));
	await_completions(test, p, 4);
}

static void move_some(struct kunit *test, struct program *p)
{
	u8 buf[30] = {};
	int i;

	KUNIT_EXPECT_EQ(test, 4ul, untwist_push(p->ch, buf, 4));
	watch_start(test, p->ch);
	KUNIT_EXPECT_EQ(test, 3ul, untwist_push(p->ch, buf, 3));
	KUNIT_EXPECT_EQ(test, 0ul, untwist_push(p->ch, buf, 30));
	for (i = 2; i <= 4; i++)
		KUNIT_EXPECT_EQ(test, (ssize_t)i, kernel_write(p->file, buf, i, NULL));
}

struct stat_case {
	const char *name;
	unsigned long value;
};

/* What the two above come to. */
static const struct stat_case stat_cases[] = {
	{ "opens", 1 },		 { "rx_bytes", 7 },	   { "rx_records", 2 },
	{ "rx_lost_bytes", 30 }, { "rx_lost_records", 1 }, { "tx_bytes", 9 },
	{ "tx_records", 3 },	 { "wakeups", 2 },	   { "requests", 4 },
	{ "completions", 4 },	 { "shots", 0 },	   { "shots_lost", 0 },
	{ "errors", 2 },	 { "cancels", 1 },	   { "misuses", 0 },
};

static_assert(ARRAY_SIZE(stat_cases) == UNTWIST_NR_STATS);

static void statistics_add_up(struct kunit *test)
{
	const struct untwist_config config = {
		.kind = UNTWIST_KIND_RECORD,
		.rx_size = 32,
		.record_max = 28,
	};
	struct program *p = program_start(test, fake_register(test, &config), O_NONBLOCK);
	char name[48], text[32];
	unsigned long value;
	int i;

	ask_some(test, p);
	move_some(test, p);
	for (i = 0; i < ARRAY_SIZE(stat_cases); i++) {
		snprintf(name, sizeof(name), "statistics/%s", stat_cases[i].name);
		read_attribute(test, name, text, sizeof(text));
		KUNIT_ASSERT_EQ(test, 0, kstrtoul(text, 10, &value));
		KUNIT_EXPECT_EQ_MSG(test, stat_cases[i].value, value, "%s", name);
	}
}

/* clang-format off */
static struct kunit_case stats_cases[] = {
	KUNIT_CASE_PARAM(attributes_tell_what_it_is, kind_gen_params),
	KUNIT_CASE(statistics_add_up),
	{}
};

/* clang-format on */

static struct kunit_suite stats_suite = {
	.name = "untwist_stats",
	.test_cases = stats_cases,
};

kunit_test_suite(stats_suite);

MODULE_DESCRIPTION("KUnit suite of Untwist's statistics");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
