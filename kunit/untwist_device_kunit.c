// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registered device: what a description may say, its name and its node, and
 * the end.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/uidgid.h>

#include "channel.h"
#include "fake.h"
#include "program.h"
#include "thread.h"
#include "watch.h"

static const struct untwist_ops no_ops;

#define STREAM	 .ops = &no_ops, .kind = UNTWIST_KIND_STREAM
#define A_STREAM .name = "a", STREAM
#define A_RECORD .name = "a", .ops = &no_ops, .kind = UNTWIST_KIND_RECORD

/* Descriptions. */

struct fault_case {
	const char *what;
	struct untwist_config config;
};

static const struct fault_case fault_cases[] = {
	{ "no name", { STREAM } },
	{ "empty name", { .name = "", STREAM } },
	{ "name of 32", { .name = "12345678901234567890123456789012", STREAM } },
	{ "name with a slash", { .name = "a/b", STREAM } },
	{ "hidden name", { .name = ".a", STREAM } },
	{ "no ops", { .name = "a", .kind = UNTWIST_KIND_STREAM } },
	{ "unknown kind", { .name = "a", .ops = &no_ops, .kind = UNTWIST_KIND_RECORD + 1 } },
	{ "unknown flag", { A_STREAM, .flags = UNTWIST_HOLDS_BACK << 1 } },
	{ "holds back but cannot resume", { A_STREAM, .flags = UNTWIST_HOLDS_BACK } },
	{ "exclusive for two", { A_STREAM, .flags = UNTWIST_EXCLUSIVE, .opens_max = 2 } },
	{ "no plane", { .name = "a", .ops = &no_ops } },
	{ "opcodes counted but missing", { A_STREAM, .nr_opcodes = 1 } },
	{ "large rx", { A_STREAM, .rx_size = SZ_16M + 1 } },
	{ "large tx", { A_STREAM, .tx_size = SZ_16M + 1 } },
	{ "large rx maximum", { A_STREAM, .rx_size_max = SZ_16M + 1 } },
	{ "large tx maximum", { A_STREAM, .tx_size_max = SZ_16M + 1 } },
	{ "many requests", { A_STREAM, .requests_max = 4097 } },
	{ "large requests", { A_STREAM, .request_size = 4097 } },
	{ "large payload", { A_STREAM, .payload_max = SZ_64K + 1 } },
	{ "large record", { A_RECORD, .record_max = SZ_8M + 1 } },
	{ "mode with more", { A_STREAM, .mode = 01660 } },
	{ "unknown capability", { A_STREAM, .capability = CAP_LAST_CAP + 1 } },
	{ "negative capability", { A_STREAM, .capability = -1 } },
};

KUNIT_ARRAY_PARAM_DESC(fault, fault_cases, what);

static void description_refused(struct kunit *test)
{
	const struct fault_case *c = test->param_value;
	struct untwist_device *ud = fake_try_register(test, &c->config);

	KUNIT_EXPECT_EQ(test, -EINVAL, (int)PTR_ERR(ud));
}

struct filled_case {
	const char *what;
	struct untwist_config config;
	u32 rx_size;
	u32 tx_size;
	u32 record_max;
	u32 requests_max;
	u32 payload_max;
	umode_t mode;
};

static const struct filled_case filled_cases[] = {
	{ "stream", { A_STREAM }, SZ_64K, SZ_64K, 0, 128, SZ_4K, 0660 },
	{ "records", { A_RECORD }, SZ_64K, SZ_64K, SZ_4K, 128, SZ_4K, 0660 },
	{ "rx", { A_STREAM, .rx_size = SZ_16M }, SZ_16M, SZ_64K, 0, 128, SZ_4K, 0660 },
	{ "tx", { A_STREAM, .tx_size = SZ_16M }, SZ_64K, SZ_16M, 0, 128, SZ_4K, 0660 },
	{ "requests", { A_STREAM, .requests_max = 4096 }, SZ_64K, SZ_64K, 0, 4096, SZ_4K, 0660 },
	{ "payload", { A_STREAM, .payload_max = SZ_64K }, SZ_64K, SZ_64K, 0, 128, SZ_64K, 0660 },
	{ "mode", { A_STREAM, .mode = 0400 }, SZ_64K, SZ_64K, 0, 128, SZ_4K, 0400 },
	{ "rounded", { A_STREAM, .rx_size = 1, .tx_size = 4097 }, 2, SZ_8K, 0, 128, SZ_4K, 0660 },
	/* A record and its length always fit. */
	{ "long", { A_RECORD, .rx_size = 1, .record_max = 61 }, 128, SZ_64K, 61, 128, SZ_4K, 0660 },
	{ "longest", { A_RECORD, .record_max = SZ_8M }, SZ_16M, SZ_16M, SZ_8M, 128, SZ_4K, 0660 },
};

KUNIT_ARRAY_PARAM_DESC(filled, filled_cases, what);

static void description_completed(struct kunit *test)
{
	const struct filled_case *c = test->param_value;
	struct untwist_device *ud = fake_try_register(test, &c->config);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ud);
	KUNIT_EXPECT_EQ(test, c->rx_size, ud->config.rx_size);
	KUNIT_EXPECT_EQ(test, c->tx_size, ud->config.tx_size);
	KUNIT_EXPECT_EQ(test, c->record_max, ud->config.record_max);
	KUNIT_EXPECT_EQ(test, c->requests_max, ud->config.requests_max);
	KUNIT_EXPECT_EQ(test, c->payload_max, ud->config.payload_max);
	KUNIT_EXPECT_EQ(test, c->mode, ud->config.mode);
}

/* Names. */

static void name_is_taken_until_unregistered(struct kunit *test)
{
	const struct untwist_config config = { .name = "fake", STREAM };
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_STREAM);

	KUNIT_EXPECT_EQ(test, -EEXIST, (int)PTR_ERR(fake_try_register(test, &config)));
	fake_unregister(fake);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, fake_try_register(test, &config));
}

/* Whatever else is named after them must not be cut to the same. */
static void long_names_differ_in_the_end(struct kunit *test)
{
	const struct untwist_config one = { .name = "a-name-of-thirty-one-letters-01", STREAM };
	const struct untwist_config two = { .name = "a-name-of-thirty-one-letters-02", STREAM };

	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, fake_try_register(test, &one));
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, fake_try_register(test, &two));
}

static void name_returns_while_an_old_file_is_open(struct kunit *test)
{
	struct fake *old = fake_register_kind(test, UNTWIST_KIND_STREAM);
	struct program *p = program_start(test, old, O_NONBLOCK);
	struct program *q;
	struct fake *new;
	char c;

	untwist_push(p->ch, "o", 1);
	fake_unregister(old);
	new = fake_register_kind(test, UNTWIST_KIND_STREAM);
	q = program_start(test, new, O_NONBLOCK);
	untwist_push(q->ch, "n", 1);

	KUNIT_EXPECT_EQ(test, 1l, kernel_read(p->file, &c, 1, NULL));
	KUNIT_EXPECT_EQ(test, 'o', c);
	KUNIT_EXPECT_EQ(test, -ENODEV, (int)kernel_read(p->file, &c, 1, NULL));
	KUNIT_EXPECT_EQ(test, 1l, kernel_read(q->file, &c, 1, NULL));
	KUNIT_EXPECT_EQ(test, 'n', c);
	program_close(p);
	KUNIT_EXPECT_EQ(test, 0, fake_calls(new, FAKE_CLOSE));
}

static void many_lives_of_one_name(struct kunit *test)
{
	struct program *p = program_new(test);
	int i;

	for (i = 0; i < 20; i++) {
		struct fake *fake = fake_register_kind(test, UNTWIST_KIND_STREAM);

		KUNIT_ASSERT_EQ(test, 0, program_open(p, fake, 0));
		fake_unregister(fake);
		KUNIT_ASSERT_EQ(test, 1, fake_calls(fake, FAKE_CLOSE));
		program_close(p);
	}
}

/* The parent. */

static void managed_registration_ends_with_its_parent(struct kunit *test)
{
	struct device *parent = kunit_device_register(test, "untwist-parent");
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_STREAM);
	struct untwist_config config = fake->ud->config;
	struct program *p = program_new(test);
	struct untwist_device *ud;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, parent);
	config.name = "child";
	ud = devm_untwist_register(parent, &config);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ud);
	KUNIT_EXPECT_PTR_EQ(test, parent, untwist_device_dev(ud)->parent);
	KUNIT_EXPECT_PTR_EQ(test, ud, untwist_device_of(untwist_device_dev(ud)));
	KUNIT_EXPECT_PTR_EQ(test, (void *)fake, untwist_device_drvdata(ud));

	strscpy(fake->name, "child", sizeof(fake->name));
	KUNIT_ASSERT_EQ(test, 0, program_open(p, fake, 0));
	kunit_device_unregister(test, parent);
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_CLOSE));
	program_close(p);
	KUNIT_EXPECT_EQ(test, -ENOENT, program_open(p, fake, 0));
}

/* What the outside sees. */

static void node_has_mode_and_group(struct kunit *test)
{
	const struct untwist_config config = {
		.kind = UNTWIST_KIND_STREAM,
		.mode = 0640,
		.gid = 5,
	};
	struct program *p = program_start(test, fake_register(test, &config), 0);
	const struct inode *inode = file_inode(p->file);

	KUNIT_EXPECT_TRUE(test, S_ISCHR(inode->i_mode));
	KUNIT_EXPECT_EQ(test, 0640, inode->i_mode & 07777);
	KUNIT_EXPECT_EQ(test, 5u, from_kgid(&init_user_ns, inode->i_gid));
	KUNIT_EXPECT_EQ(test, 0u, from_kuid(&init_user_ns, inode->i_uid));
}

/* The end, with programs that wait. */

struct waiter {
	struct file *file;
	u8 buf[64];
};

static int read_blocking(void *arg)
{
	struct waiter *waiter = arg;

	return kernel_read(waiter->file, waiter->buf, sizeof(waiter->buf), NULL);
}

static int write_blocking(void *arg)
{
	struct waiter *waiter = arg;

	return kernel_write(waiter->file, waiter->buf, sizeof(waiter->buf), NULL);
}

static struct waiter *waiter_new(struct kunit *test, struct program *p)
{
	struct waiter *waiter = kunit_kzalloc(test, sizeof(*waiter), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, waiter);
	waiter->file = p->file;
	return waiter;
}

static void unregister_sends_all_home(struct kunit *test)
{
	const struct untwist_config config = { .kind = UNTWIST_KIND_STREAM, .tx_size = 64 };
	struct fake *fake = fake_register(test, &config);
	struct program *p = program_start(test, fake, 0);
	struct test_thread *reader, *writer;
	u8 full[64] = {};

	KUNIT_ASSERT_EQ(test, 64l, kernel_write(p->file, full, 64, NULL));
	reader = test_thread_start(test, read_blocking, waiter_new(test, p));
	writer = test_thread_start(test, write_blocking, waiter_new(test, p));
	watch_until_sleepers(test, p->ch, 2);

	fake_unregister(fake);
	KUNIT_EXPECT_EQ(test, -ENODEV, test_thread_join(test, reader));
	KUNIT_EXPECT_EQ(test, -ENODEV, test_thread_join(test, writer));
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_CLOSE));
}

/* clang-format off */
static struct kunit_case device_cases[] = {
	KUNIT_CASE_PARAM(description_refused, fault_gen_params),
	KUNIT_CASE_PARAM(description_completed, filled_gen_params),
	KUNIT_CASE(name_is_taken_until_unregistered),
	KUNIT_CASE(long_names_differ_in_the_end),
	KUNIT_CASE(name_returns_while_an_old_file_is_open),
	KUNIT_CASE(many_lives_of_one_name),
	KUNIT_CASE(managed_registration_ends_with_its_parent),
	KUNIT_CASE(node_has_mode_and_group),
	KUNIT_CASE(unregister_sends_all_home),
	{}
};

/* clang-format on */

static struct kunit_suite device_suite = {
	.name = "untwist_device",
	.test_cases = device_cases,
};

kunit_test_suite(device_suite);

MODULE_DESCRIPTION("KUnit suite of Untwist's devices");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
