// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is allowed on a device: the files of its limits, how many opens it takes,
 * and how much memory they hold.
 */
#include <kunit/test.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "channel.h"
#include "fake.h"
#include "program.h"
#include "ring.h"
#include "stream.h"

static struct file *limit_open(const char *name, int flags)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/class/untwist/fake/limits/%s", name);
	return filp_open(path, flags, 0);
}

static u32 limit_read(struct kunit *test, const char *name)
{
	struct file *file = limit_open(name, O_RDONLY);
	char text[16] = {};
	u32 value = 0;

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(file), "%s: %ld", name, PTR_ERR(file));
	kernel_read(file, text, sizeof(text) - 1, NULL);
	filp_close(file, NULL);
	KUNIT_EXPECT_EQ(test, 0, kstrtou32(text, 10, &value));
	return value;
}

/* Returns 0 or what the write failed with. */
static int limit_write(struct kunit *test, const char *name, const char *text)
{
	struct file *file = limit_open(name, O_WRONLY);
	ssize_t ret;

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(file), "%s: %ld", name, PTR_ERR(file));
	ret = kernel_write(file, text, strlen(text), NULL);
	filp_close(file, NULL);
	return ret < 0 ? ret : 0;
}

struct begin_case {
	const char *what;
	struct untwist_config config;
	u32 rx_size;
	u32 rx_size_max;
	u32 tx_size_max;
	u32 opens_max;
};

#define STREAM .kind = UNTWIST_KIND_STREAM

static const struct begin_case begin_cases[] = {
	{ "nothing said", { STREAM }, SZ_64K, SZ_1M, SZ_1M, 0 },
	{ "large queue", { STREAM, .rx_size = SZ_2M }, SZ_2M, SZ_2M, SZ_1M, 0 },
	{ "small maximum",
	  { STREAM, .rx_size_max = 1, .tx_size_max = SZ_128K },
	  SZ_64K,
	  SZ_64K,
	  SZ_128K,
	  0 },
	{ "opens", { STREAM, .opens_max = 7 }, SZ_64K, SZ_1M, SZ_1M, 7 },
	{ "exclusive", { STREAM, .flags = UNTWIST_EXCLUSIVE }, SZ_64K, SZ_1M, SZ_1M, 1 },
};

KUNIT_ARRAY_PARAM_DESC(begin, begin_cases, what);

static void limits_begin_as_described(struct kunit *test)
{
	const struct begin_case *c = test->param_value;

	fake_register(test, &c->config);
	KUNIT_EXPECT_EQ(test, c->rx_size, limit_read(test, "rx_size"));
	KUNIT_EXPECT_EQ(test, c->rx_size_max, limit_read(test, "rx_size_max"));
	KUNIT_EXPECT_EQ(test, SZ_64K, (int)limit_read(test, "tx_size"));
	KUNIT_EXPECT_EQ(test, c->tx_size_max, limit_read(test, "tx_size_max"));
	KUNIT_EXPECT_EQ(test, c->opens_max, limit_read(test, "opens_max"));
	KUNIT_EXPECT_EQ(test, 0u, limit_read(test, "user_opens_max"));
	KUNIT_EXPECT_EQ(test, 0u, limit_read(test, "user_bytes_max"));
}

static void limit_of_what_is_not_there_has_no_file(struct kunit *test)
{
	static const struct untwist_ops no_ops;
	const struct untwist_config silent = { .ops = &no_ops, STREAM };
	struct fake *fake = fake_register(test, &silent);

	KUNIT_EXPECT_EQ(test, -ENOENT, (int)PTR_ERR(limit_open("tx_size", O_RDONLY)));
	limit_read(test, "rx_size");
	fake_unregister(fake);
	fake_register_kind(test, UNTWIST_KIND_NONE);
	KUNIT_EXPECT_EQ(test, -ENOENT, (int)PTR_ERR(limit_open("rx_size_max", O_RDONLY)));
	limit_read(test, "opens_max");
}

static void sizes_count_for_later_opens(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_RECORD);
	struct program *old = program_start(test, fake, 0);
	struct program *new;

	KUNIT_EXPECT_EQ(test, 0, limit_write(test, "rx_size", "131072"));
	/* As everywhere, it is made large enough for a record. */
	KUNIT_EXPECT_EQ(test, 0, limit_write(test, "tx_size", "1"));
	new = program_start(test, fake, 0);
	KUNIT_EXPECT_EQ(test, SZ_64K, (int)old->ch->rx.size);
	KUNIT_EXPECT_EQ(test, SZ_128K, (int)new->ch->rx.size);
	KUNIT_EXPECT_EQ(test, SZ_8K, (int)new->ch->tx.size);
}

static void sizes_have_limits(struct kunit *test)
{
	fake_register_kind(test, UNTWIST_KIND_STREAM);
	KUNIT_EXPECT_EQ(test, -ERANGE, limit_write(test, "rx_size", "1048577"));
	KUNIT_EXPECT_EQ(test, -ERANGE, limit_write(test, "rx_size_max", "65535"));
	KUNIT_EXPECT_EQ(test, -ERANGE, limit_write(test, "tx_size_max", "16777217"));
	KUNIT_EXPECT_EQ(test, -ERANGE, limit_write(test, "tx_size", "4294967296"));
	KUNIT_EXPECT_EQ(test, -EINVAL, limit_write(test, "tx_size", "much"));
	KUNIT_EXPECT_EQ(test, SZ_64K, (int)limit_read(test, "tx_size"));
	KUNIT_EXPECT_EQ(test, 0, limit_write(test, "rx_size_max", "16777216"));
	KUNIT_EXPECT_EQ(test, 0, limit_write(test, "rx_size", "16777216"));
}

/* Opens. */

static void one_open_of_an_exclusive_device(struct kunit *test)
{
	const struct untwist_config config = { STREAM, .flags = UNTWIST_EXCLUSIVE };
	struct fake *fake = fake_register(test, &config);
	struct program *p = program_start(test, fake, 0);
	struct program *q = program_new(test);

	KUNIT_EXPECT_EQ(test, -EBUSY, program_open(q, fake, 0));
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_OPEN));
	program_close(p);
	KUNIT_EXPECT_EQ(test, 0, program_open(q, fake, 0));
	KUNIT_EXPECT_EQ(test, -EPERM, limit_write(test, "opens_max", "2"));
	KUNIT_EXPECT_EQ(test, -EPERM, limit_write(test, "opens_max", "0"));
}

/* As long as the driver has not let go of it. */
static void closed_open_counts_until_its_requests_are_done(struct kunit *test)
{
	const struct untwist_config config = { STREAM, .flags = UNTWIST_EXCLUSIVE };
	struct fake *fake = fake_register(test, &config);
	struct program *p = program_start(test, fake, 0);

	fake->keeps = true;
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1 }));
	program_close(p);
	KUNIT_EXPECT_EQ(test, -EBUSY, program_open(p, fake, 0));
	fake_gate_shut(fake, FAKE_CLOSE);
	fake_complete_held(fake, 0);
	fake_gate_await(test, fake, FAKE_CLOSE);
	KUNIT_EXPECT_EQ(test, -EBUSY, program_open(p, fake, 0));
}

static void failed_open_does_not_count(struct kunit *test)
{
	const struct untwist_config config = { STREAM, .opens_max = 1 };
	struct fake *fake = fake_register(test, &config);
	struct program *p = program_new(test);

	fake->open_ret = -EIO;
	KUNIT_EXPECT_EQ(test, -EIO, program_open(p, fake, 0));
	KUNIT_EXPECT_EQ(test, -EIO, program_open(p, fake, 0));
	fake->open_ret = 0;
	KUNIT_EXPECT_EQ(test, 0, program_open(p, fake, 0));
}

static void number_of_opens_can_be_changed(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_STREAM);
	struct program *p = program_start(test, fake, 0);
	struct program *q = program_start(test, fake, 0);
	struct program *r = program_new(test);

	/* Those that are there stay. */
	KUNIT_EXPECT_EQ(test, 0, limit_write(test, "opens_max", "1"));
	KUNIT_EXPECT_EQ(test, 3l, kernel_write(p->file, "abc", 3, NULL));
	KUNIT_EXPECT_EQ(test, -EBUSY, program_open(r, fake, 0));
	program_close(p);
	KUNIT_EXPECT_EQ(test, -EBUSY, program_open(r, fake, 0));
	program_close(q);
	KUNIT_EXPECT_EQ(test, 0, program_open(r, fake, 0));
	KUNIT_EXPECT_EQ(test, 0, limit_write(test, "opens_max", "0"));
	KUNIT_EXPECT_EQ(test, 0, program_open(p, fake, 0));
}

/* Memory. */

/* In the shoes of somebody who may not have more than others, until the test ends. */
static void drop_capability(struct kunit *test)
{
	struct cred *cred = prepare_creds();

	KUNIT_ASSERT_NOT_NULL(test, cred);
	cap_lower(cred->cap_effective, CAP_SYS_RESOURCE);
	KUNIT_ASSERT_EQ(test, 0, commit_creds(cred));
}

static void open_says_what_it_holds(struct kunit *test)
{
	const struct untwist_options small = { .rx_size = SZ_4K, .tx_size = SZ_8K };
	const struct untwist_options large = { .rx_size = SZ_128K, .tx_size = SZ_8K };
	struct untwist_options oldest = large;
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_STREAM);
	struct program *p = program_start(test, fake, 0);
	size_t slots = untwist_slots_size(fake->ud);

	KUNIT_EXPECT_EQ(test, (size_t)2 * SZ_64K, p->ch->bytes);
	KUNIT_ASSERT_EQ(test, 0, program_set_options(p, &small));
	KUNIT_EXPECT_EQ(test, (size_t)SZ_4K + SZ_8K, p->ch->bytes);
	KUNIT_ASSERT_EQ(test, 0, program_set_options(p, &large));
	KUNIT_EXPECT_EQ(test, (size_t)SZ_128K + SZ_8K, p->ch->bytes);
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1 }));
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 2 }));
	KUNIT_EXPECT_EQ(test, (size_t)SZ_128K + SZ_8K + slots, p->ch->bytes);
	oldest.overflow = UNTWIST_OVERFLOW_DROP_OLDEST;
	KUNIT_ASSERT_EQ(test, 0, program_set_options(p, &oldest));
	KUNIT_EXPECT_EQ(test, (size_t)SZ_128K + SZ_8K + slots + untwist_receive_copy_size(p->ch),
			p->ch->bytes);
}

static void ring_counts_once_it_is_there(struct kunit *test)
{
	struct untwist_ring_setup setup = { .sq_entries = 8 }, again = { .sq_entries = 8 };
	struct untwist_ring_setup wrong = {};
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct program *p = program_start(test, fake, 0);

	KUNIT_EXPECT_EQ(test, (size_t)0, p->ch->bytes);
	KUNIT_EXPECT_EQ(test, -EINVAL, untwist_ring_setup(p->ch, &wrong));
	KUNIT_EXPECT_EQ(test, (size_t)0, p->ch->bytes);
	KUNIT_ASSERT_EQ(test, 0, untwist_ring_setup(p->ch, &setup));
	KUNIT_EXPECT_EQ(test, untwist_slots_size(fake->ud) + setup.map_size, p->ch->bytes);
	KUNIT_EXPECT_EQ(test, -EBUSY, untwist_ring_setup(p->ch, &again));
	KUNIT_EXPECT_EQ(test, untwist_slots_size(fake->ud) + setup.map_size, p->ch->bytes);
}

static void user_may_hold_so_much(struct kunit *test)
{
	const struct untwist_options large = { .rx_size = SZ_128K };
	const struct untwist_options small = { .rx_size = SZ_4K, .tx_size = SZ_4K };
	struct untwist_ring_setup setup = { .sq_entries = 4096 };
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_STREAM);
	struct program *p = program_start(test, fake, 0);
	struct program *q = program_new(test);

	drop_capability(test);
	KUNIT_ASSERT_EQ(test, 0, limit_write(test, "user_bytes_max", "262143"));
	KUNIT_EXPECT_EQ(test, -EDQUOT, program_open(q, fake, 0));
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_OPEN));
	KUNIT_ASSERT_EQ(test, 0, limit_write(test, "user_bytes_max", "262144"));
	KUNIT_ASSERT_EQ(test, 0, program_open(q, fake, 0));
	KUNIT_EXPECT_EQ(test, -EDQUOT, program_set_options(p, &large));
	KUNIT_EXPECT_EQ(test, SZ_64K, (int)p->ch->rx.size);
	KUNIT_EXPECT_EQ(test, -EDQUOT, program_ask(p, &(struct ask){ 1 }));
	/* What one gives up, the other may have. */
	KUNIT_EXPECT_EQ(test, 0, program_set_options(p, &small));
	KUNIT_EXPECT_EQ(test, 1, program_ask(q, &(struct ask){ 1 }));
	KUNIT_EXPECT_EQ(test, -EDQUOT, untwist_ring_setup(p->ch, &setup));
	program_close(p);
	KUNIT_EXPECT_EQ(test, (size_t)2 * SZ_64K + untwist_slots_size(fake->ud), q->ch->bytes);
	KUNIT_EXPECT_EQ(test, 0, program_set_options(q, &large));
}

static void who_may_have_more_is_counted_only(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_STREAM);

	KUNIT_ASSERT_EQ(test, 0, limit_write(test, "user_bytes_max", "1"));
	KUNIT_EXPECT_EQ(test, (size_t)2 * SZ_64K, program_start(test, fake, 0)->ch->bytes);
}

/* clang-format off */
static struct kunit_case limits_cases[] = {
	KUNIT_CASE_PARAM(limits_begin_as_described, begin_gen_params),
	KUNIT_CASE(limit_of_what_is_not_there_has_no_file),
	KUNIT_CASE(sizes_count_for_later_opens),
	KUNIT_CASE(sizes_have_limits),
	KUNIT_CASE(one_open_of_an_exclusive_device),
	KUNIT_CASE(closed_open_counts_until_its_requests_are_done),
	KUNIT_CASE(failed_open_does_not_count),
	KUNIT_CASE(number_of_opens_can_be_changed),
	KUNIT_CASE(open_says_what_it_holds),
	KUNIT_CASE(ring_counts_once_it_is_there),
	KUNIT_CASE(user_may_hold_so_much),
	KUNIT_CASE(who_may_have_more_is_counted_only),
	{}
};

/* clang-format on */

static struct kunit_suite limits_suite = {
	.name = "untwist_limits",
	.test_cases = limits_cases,
};

kunit_test_suite(limits_suite);

MODULE_DESCRIPTION("KUnit suite of the limits of Untwist's devices");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
