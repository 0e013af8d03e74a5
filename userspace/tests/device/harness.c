// SPDX-License-Identifier: MIT
/*
 * Runs the registered tests one after another, each in a process of its own,
 * and says how they went. With arguments, only those whose name holds one.
 */
#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

/* How long a killed test may take to die before its calls count as stuck. */
#define DEATH_SECONDS 20

/* What the process of a test tells the one that waits for it. */
struct outcome {
	atomic_uint failures;
	bool skipped;
	char reason[200];
};

static struct test *tests;
static struct test **tests_end = &tests;
static struct outcome *outcome;

void harness_register(struct test *test)
{
	*tests_end = test;
	tests_end = &test->next;
}

unsigned long harness_rounds(const char *variable, unsigned long usual)
{
	const char *value = getenv(variable);
	char *end;
	unsigned long rounds;

	if (!value)
		return usual;
	rounds = strtoul(value, &end, 10);
	if (!*value || *end || !rounds) {
		printf("Bail out! %s=\"%s\" is not a number above 0\n", variable, value);
		exit(2);
	}
	return rounds;
}

/* Inside a test. */

void harness_skip(const char *reason, ...)
{
	va_list args;

	va_start(args, reason);
	vsnprintf(outcome->reason, sizeof(outcome->reason), reason, args);
	va_end(args);
	outcome->skipped = true;
	_exit(0);
}

static void fail(bool fatal)
{
	atomic_fetch_add(&outcome->failures, 1);
	fflush(stdout);
	if (fatal)
		_exit(1);
}

void harness_differs(bool fatal, const char *file, int line, const char *what, long long expected,
		     long long seen)
{
	int error = errno;

	printf("# %s:%d: %s: expected %lld (%#llx), saw %lld (%#llx)%s%s\n", file, line, what,
	       expected, (unsigned long long)expected, seen, (unsigned long long)seen,
	       seen == -1 ? ", errno " : "", seen == -1 ? strerrorname_np(error) : "");
	fail(fatal);
}

void harness_expect_text(const char *file, int line, const char *what, const char *expected,
			 const char *seen)
{
	if (!strcmp(expected, seen))
		return;
	printf("# %s:%d: %s: expected \"%s\", saw \"%s\"\n", file, line, what, expected, seen);
	fail(false);
}

void harness_expect_errno(const char *file, int line, const char *what, int expected, long ret)
{
	int error = errno;

	if (ret == -1 && error == expected)
		return;
	printf("# %s:%d: %s: expected %s, saw ", file, line, what, strerrorname_np(expected));
	if (ret == -1)
		printf("%s\n", strerrorname_np(error));
	else
		printf("result %ld\n", ret);
	fail(false);
}

/* Around a test. */

static pid_t test_start(const struct test *test)
{
	sigset_t none;
	pid_t child;

	memset(outcome, 0, sizeof(*outcome));
	fflush(stdout);
	child = fork();
	if (child < 0) {
		perror("Bail out! fork");
		exit(2);
	}
	if (child) {
		setpgid(child, child);
		return child;
	}
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	test->run();
	fflush(stdout);
	_exit(0);
}

/* Returns false if the child is still there after so many seconds. */
static bool child_ends(pid_t child, unsigned int seconds, int *status)
{
	struct timespec now, limit, left;
	sigset_t child_signal;

	sigemptyset(&child_signal);
	sigaddset(&child_signal, SIGCHLD);
	clock_gettime(CLOCK_MONOTONIC, &limit);
	limit.tv_sec += seconds;
	while (waitpid(child, status, WNOHANG) != child) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec >= limit.tv_sec)
			return false;
		left = (struct timespec){ .tv_sec = limit.tv_sec - now.tv_sec };
		sigtimedwait(&child_signal, NULL, &left);
	}
	return true;
}

/* The name as reports show it: the program's and the test's. */
static void report(bool ok, unsigned int number, const struct test *test, const char *directive)
{
	printf("%s %u - %s.%s%s\n", ok ? "ok" : "not ok", number, program_invocation_short_name,
	       test->name, directive);
	fflush(stdout);
}

static void show_stack(const char *path)
{
	FILE *stack = fopen(path, "r");
	char line[200];

	printf("# %s:\n", path);
	while (stack && fgets(line, sizeof(line), stack))
		printf("# %s", line);
	if (stack)
		fclose(stack);
}

/* Where the threads of a process that hangs are in the kernel. */
static void show_stacks(pid_t pid)
{
	char pattern[48];
	glob_t paths;
	size_t i;

	snprintf(pattern, sizeof(pattern), "/proc/%d/task/*/stack", pid);
	if (glob(pattern, 0, NULL, &paths))
		return;
	for (i = 0; i < paths.gl_pathc; i++)
		show_stack(paths.gl_pathv[i]);
	globfree(&paths);
}

static bool test_passed(int status)
{
	if (WIFSIGNALED(status))
		printf("# killed by signal %d (%s)\n", WTERMSIG(status),
		       strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) && !outcome->failures)
		printf("# exit code %d\n", WEXITSTATUS(status));
	return WIFEXITED(status) && !WEXITSTATUS(status) && !outcome->failures;
}

/* Returns whether the test passed or was left out. */
static bool test_run(const struct test *test, unsigned int number)
{
	unsigned int seconds = test->seconds * harness_rounds("TEST_TIME_FACTOR", 1);
	char directive[sizeof(outcome->reason) + 16] = "";
	pid_t child = test_start(test);
	int status;
	bool ok;

	if (child_ends(child, seconds, &status)) {
		ok = test_passed(status);
	} else {
		printf("# hangs: not done after %u s\n", seconds);
		show_stacks(child);
		ok = false;
		kill(-child, SIGKILL);
		if (!child_ends(child, DEATH_SECONDS, &status)) {
			report(false, number, test, "");
			printf("Bail out! %s does not die\n", test->name);
			exit(2);
		}
	}
	kill(-child, SIGKILL);
	if (ok && outcome->skipped)
		snprintf(directive, sizeof(directive), " # SKIP %s", outcome->reason);
	report(ok, number, test, directive);
	return ok;
}

static bool is_chosen(const struct test *test, char **words)
{
	bool chosen = !*words;

	for (; *words; words++)
		chosen |= strstr(test->name, *words) != NULL;
	return chosen;
}

int main(int argc, char **argv)
{
	unsigned int chosen = 0;
	unsigned int number = 0;
	bool ok = true;
	sigset_t child_signal;
	struct test *test;

	(void)argc;
	outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (outcome == MAP_FAILED) {
		perror("Bail out! mmap");
		return 2;
	}
	sigemptyset(&child_signal);
	sigaddset(&child_signal, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child_signal, NULL);

	for (test = tests; test; test = test->next)
		chosen += is_chosen(test, argv + 1);
	printf("1..%u\n", chosen);
	for (test = tests; test; test = test->next)
		if (is_chosen(test, argv + 1))
			ok &= test_run(test, ++number);
	return ok && chosen ? 0 : 1;
}
