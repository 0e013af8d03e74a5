/* SPDX-License-Identifier: MIT */
/*
 * Tests and what they expect, in the words of the kernel's kselftest_harness.h.
 * A test is a function that registers itself:
 *
 *	TEST(read_of_nothing_would_block)
 *	{
 *		ASSERT_LE(0, fd);
 *		EXPECT_ERRNO(EAGAIN, read(fd, &byte, 1));
 *	}
 *
 * Each runs in a process of its own, which is killed when it takes too long: a
 * call that never returns is a failure with a name. What a test leaves open or
 * running ends with its process, so that tests clean nothing up; each begins by
 * putting what it needs into place. The results are TAP.
 *
 * EXPECT_* goes on after a failure, ASSERT_* ends the test. The expected value
 * comes first.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <stdbool.h>

struct test {
	const char *name;
	void (*run)(void);
	unsigned int seconds;
	struct test *next;
};

#define TEST_SECONDS 60

/* A test that may take longer than others. */
#define TEST_TIMEOUT(test_name, limit)                                      \
	static void test_name(void);                                        \
	__attribute__((constructor)) static void register_##test_name(void) \
	{                                                                   \
		static struct test test = {                                 \
			.name = #test_name,                                 \
			.run = test_name,                                   \
			.seconds = limit,                                   \
		};                                                          \
		harness_register(&test);                                    \
	}                                                                   \
	static void test_name(void)

#define TEST(test_name) TEST_TIMEOUT(test_name, TEST_SECONDS)

/* Leave the test out; the reason is told. */
#define SKIP(...) harness_skip(__VA_ARGS__)

#define HARNESS_COMPARE(fatal, expected, relation, seen)                                     \
	do {                                                                                 \
		long long harness_expected = (long long)(expected);                          \
		long long harness_seen = (long long)(seen);                                  \
		if (!(harness_expected relation harness_seen))                               \
			harness_differs(fatal, __FILE__, __LINE__,                           \
					#expected " " #relation " " #seen, harness_expected, \
					harness_seen);                                       \
	} while (0)

#define EXPECT_EQ(expected, seen) HARNESS_COMPARE(false, expected, ==, seen)
#define EXPECT_NE(expected, seen) HARNESS_COMPARE(false, expected, !=, seen)
#define EXPECT_LT(expected, seen) HARNESS_COMPARE(false, expected, <, seen)
#define EXPECT_LE(expected, seen) HARNESS_COMPARE(false, expected, <=, seen)
#define EXPECT_GE(expected, seen) HARNESS_COMPARE(false, expected, >=, seen)
#define EXPECT_TRUE(seen)	  HARNESS_COMPARE(false, true, ==, !!(seen))
#define EXPECT_FALSE(seen)	  HARNESS_COMPARE(false, false, ==, !!(seen))

#define ASSERT_EQ(expected, seen) HARNESS_COMPARE(true, expected, ==, seen)
#define ASSERT_NE(expected, seen) HARNESS_COMPARE(true, expected, !=, seen)
#define ASSERT_LT(expected, seen) HARNESS_COMPARE(true, expected, <, seen)
#define ASSERT_LE(expected, seen) HARNESS_COMPARE(true, expected, <=, seen)
#define ASSERT_TRUE(seen)	  HARNESS_COMPARE(true, true, ==, !!(seen))
#define ASSERT_FALSE(seen)	  HARNESS_COMPARE(true, false, ==, !!(seen))

#define EXPECT_STREQ(expected, seen) harness_expect_text(__FILE__, __LINE__, #seen, expected, seen)

/* A system call that fails, and why. */
#define EXPECT_ERRNO(expected, call) harness_expect_errno(__FILE__, __LINE__, #call, expected, call)

/* The rounds of a test, which a variable of the environment may change. */
unsigned long harness_rounds(const char *variable, unsigned long usual);

/* What the macros above stand for. */
void harness_register(struct test *test);
__attribute__((noreturn, format(printf, 1, 2))) void harness_skip(const char *reason, ...);
void harness_differs(bool fatal, const char *file, int line, const char *what, long long expected,
		     long long seen);
void harness_expect_text(const char *file, int line, const char *what, const char *expected,
			 const char *seen);
void harness_expect_errno(const char *file, int line, const char *what, int expected, long ret);

#endif /* HARNESS_H */
