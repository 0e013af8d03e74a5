// SPDX-License-Identifier: MIT
/* The examples that need no device say what they should. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <untwist/file_lock.h>
#include <untwist/reactor.h>

#include "harness.h"

/* All that a command says; the test fails if it does. */
static const char *said_by(const char *command)
{
	static char text[8192];
	FILE *program = popen(command, "r");
	size_t length;

	assert_non_null(program);
	length = fread(text, 1, sizeof(text) - 1, program);
	text[length] = '\0';
	assert_int_equal(pclose(program), 0);
	return text;
}

static void tasks_run_side_by_side_until_the_deadline(void **state)
{
	const char *text = said_by(EXAMPLES "/tasks");

	(void)state;
	assert_memory_equal(text, "hare has done round 1\ntortoise has done round 1\n", 48);
	assert_non_null(strstr(text, "\ntortoise gives up in round "));
	assert_non_null(
		strstr(text, "\ntimeout: no result within 0.200 s (timed out), caused by "));
}

static void threads_count_primes(void **state)
{
	(void)state;
	assert_string_equal(said_by(EXAMPLES "/threads"), "2262 primes below 20000\n");
}

static void logging_tells_each_event_in_its_form(void **state)
{
	const char *text = said_by(EXAMPLES "/logging");

	(void)state;
	assert_non_null(strstr(text, " info     shop: opening with 3 apples\n"));
	assert_non_null(strstr(text, " debug    shop.till: apple for 0.5\n"));
	assert_null(strstr(text, "not wanted"));
	assert_non_null(strstr(text, " error    untwist.deferred: unhandled failure"));
	assert_non_null(strstr(text, "\"namespace\":\"untwist.deferred\""));
	assert_null(strstr(text, "\"namespace\":\"shop\""));
}

/* Read a line of the example's as it comes. */
static void expect_line(FILE *program, const char *expected)
{
	char line[128];

	assert_non_null(fgets(line, sizeof(line), program));
	assert_string_equal(line, expected);
}

static void only_one_waits_for_the_other(void **state)
{
	char folder[] = "/tmp/untwist-only-XXXXXX", path[64], command[512], expected[64];
	struct utw_file_lock *lock = NULL;
	FILE *program;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/lock", folder);
	snprintf(command, sizeof(command), EXAMPLES "/only-one %s", path);
	snprintf(expected, sizeof(expected), "process %d has it\n", (int)getpid());
	assert_int_equal(utw_file_lock_new(&lock, NULL, path), 0);
	assert_int_equal(utw_file_lock_try(lock), 0);
	program = popen(command, "r");
	assert_non_null(program);
	expect_line(program, expected);
	utw_file_lock_release(lock);
	expect_line(program, "it is mine\n");
	assert_int_equal(pclose(program), 0);
	utw_file_lock_free(lock);
	unlink(path);
	rmdir(folder);
}

static void fake_clock_lets_a_day_pass(void **state)
{
	(void)state;
	assert_string_equal(said_by(EXAMPLES "/fake-clock"),
			    "11 rounds before breakfast\n24 hours have passed\n");
}

static void inspect_names_who_is_slow(void **state)
{
	const char *text = said_by(EXAMPLES "/inspect");

	(void)state;
	assert_non_null(strstr(text, "slow: the timer of "));
	assert_non_null(
		strstr(text, "1 timer has run, and the longest turn took more than 20 ms\n"));
	/* The one that waits, by where it was started. */
	assert_non_null(strstr(strstr(text, "20 ms\n"), "inspect.c:"));
}

static void replay_says_the_same_again(void **state)
{
	(void)state;
	assert_string_equal(said_by(EXAMPLES "/replay"), "600 grams in all\n600 grams in all\n");
}

static void policies_let_one_in_and_refuse_the_next(void **state)
{
	(void)state;
	/* Two from one address: the second is refused, and the first is served. */
	assert_string_equal(said_by("bash -c 'exec 3< <(exec " EXAMPLES
				    "/policies tcp:0:interface=localhost);"
				    "server=$!; read -u 3 _ _ at; exec 4<>/dev/tcp/${at/:/\\/};"
				    "echo first >&4; read -u 4 said; echo $said;"
				    "exec 5<>/dev/tcp/${at/:/\\/}; read -u 5 said || echo refused;"
				    "kill $server'"),
			    "first\nrefused\n");
}

static void send_file_sends_all_of_it(void **state)
{
	(void)state;
	assert_string_equal(said_by("bash -c 'file=" EXAMPLES "/send-file;"
				    "exec 3< <(exec $file $file tcp:0:interface=localhost);"
				    "read -u 3 _ _ at; exec 4<>/dev/tcp/${at/:/\\/};"
				    "cmp - $file <&4 && echo same;"
				    "read -u 3 bytes _; [ $bytes = $(wc -c <$file) ] && echo counted'"),
			    "same\ncounted\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tasks_run_side_by_side_until_the_deadline),
		TEST(threads_count_primes),
		TEST(logging_tells_each_event_in_its_form),
		TEST(fake_clock_lets_a_day_pass),
		TEST(inspect_names_who_is_slow),
		TEST(replay_says_the_same_again),
		TEST(policies_let_one_in_and_refuse_the_next),
		TEST(send_file_sends_all_of_it),
		TEST(only_one_waits_for_the_other),
	};

	return cmocka_run_group_tests_name("examples-alone", tests, NULL, NULL);
}
