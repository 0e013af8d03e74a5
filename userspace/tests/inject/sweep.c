// SPDX-License-Identifier: MIT
/*
 * Sweep: run each test once for every call that can fail in it, with that call
 * failing. The test may pass or fail, as the failure is borne or told; what it may
 * not do is crash, hang, leak, or leave a descriptor open.
 *
 * Each run is a process of its own, forked before the test. A test that fails does
 * so by abort(), and the search for leaks is made right there, from the handler:
 * what the test still holds is on its stack, and all else was lost by the library.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>

#include "../harness.h"
#include "plan.h"

/* A test that waits costs time, but no processor. */
#define JOBS 8

/* Most that wait wait in vain; what is to be called a hang gets more time, alone. */
#define PATIENCE_MS	 3000
#define PATIENCE_LAST_MS 30000

/* How a run ends, as its exit code. */
enum {
	RUN_PASSED = 0,
	RUN_TOLD = 60, /* the test failed */
	RUN_LEAKED,
	RUN_LEFT, /* the test passed, and the janitor found something */
	RUN_SKIPPED,
	RUN_BREACH,
	RUN_SIGPIPE,
	RUN_CARELESS, /* found out by the judge */
};

struct run {
	struct inject_plan *plan; /* shared with the process */
	pid_t pid;
	int pidfd;
	int output;
	uint64_t deadline;
};

struct group {
	const char *name;
	CMFixtureFunction setup;
	CMFixtureFunction teardown;
};

/* What the environment asks for. */
static struct {
	const char *name;
	enum inject_kind kind;
	unsigned int most; /* runs of a test; 0: all */
	unsigned int seed; /* which calls, if not all */
	unsigned int only; /* this call alone; 0: all */
	const char *test; /* this test alone; NULL: all */
} asked;

static struct {
	unsigned int passed, told, careless, missed, bad;
} sums;

int __real__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
				   CMFixtureFunction setup, CMFixtureFunction teardown);
int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
				   CMFixtureFunction setup, CMFixtureFunction teardown);
void __real__skip(const char *file, int line);
void __wrap__skip(const char *file, int line);

static struct inject_plan *current;

void __wrap__skip(const char *file, int line)
{
	if (current)
		_exit(RUN_SKIPPED);
	__real__skip(file, line);
}

/* Who looks for leaks opens files, and the test may have closed that door. */
static void open_doors(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void pipe_broken(int signo)
{
	(void)signo;
	inject_note_end();
	_exit(RUN_SIGPIPE);
}

static void test_failed(int signo)
{
	(void)signo;
	/* What the library gave up has been noted; else this is where the test is, or waits. */
	if (!current->breach)
		inject_note_end();
	inject_follow(NULL);
	open_doors();
	if (current->breach)
		_exit(RUN_BREACH);
	_exit(__lsan_do_recoverable_leak_check() ? RUN_LEAKED : RUN_TOLD);
}

static _Noreturn void test_alone(const struct group *group, const struct CMUnitTest *test,
				 const struct run *run)
{
	int failures;

	setsid();
	dup2(run->output, STDOUT_FILENO);
	dup2(run->output, STDERR_FILENO);
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	signal(SIGABRT, test_failed);
	signal(SIGPIPE, pipe_broken);
	current = run->plan;
	inject_follow(run->plan);
	failures =
		__real__cmocka_run_group_tests(group->name, test, 1, group->setup, group->teardown);
	inject_follow(NULL);
	fflush(NULL);
	if (failures)
		_exit(RUN_LEFT);
	_exit(__lsan_do_recoverable_leak_check() ? RUN_LEAKED : RUN_PASSED);
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void run_start(struct run *run, const struct group *group, const struct CMUnitTest *test,
		      unsigned int nth, unsigned int patience_ms)
{
	*run->plan = (struct inject_plan){ .kind = asked.kind, .nth = nth };
	run->output = memfd_create("output", MFD_CLOEXEC);
	fflush(NULL);
	run->pid = fork();
	if (run->pid == 0)
		test_alone(group, test, run);
	run->pidfd = pidfd_open(run->pid, 0);
	if (run->output < 0 || run->pid < 0 || run->pidfd < 0) {
		perror("inject: cannot start a test");
		exit(1);
	}
	run->deadline = now_ms() + patience_ms;
}

/* The status, or -1 if it hangs; an end that is not waited for tells the leaks as well. */
static int run_wait(struct run *run)
{
	struct pollfd pollfd = { .fd = run->pidfd, .events = POLLIN };
	uint64_t now = now_ms();
	int status = 0;
	bool ended;

	ended = poll(&pollfd, 1, now < run->deadline ? (int)(run->deadline - now) : 0);
	if (!ended)
		kill(run->pid, SIGABRT);
	if (!ended && !poll(&pollfd, 1, PATIENCE_LAST_MS))
		kill(run->pid, SIGKILL);
	waitpid(run->pid, &status, 0);
	/* And whatever it has forked itself. */
	kill(-run->pid, SIGKILL);
	close(run->pidfd);
	if (ended || (WIFEXITED(status) && WEXITSTATUS(status) != RUN_TOLD))
		return status;
	/* The test waits for one thing, and the library has told of the failure in another. */
	return WIFEXITED(status) && run->plan->told ? status : -1;
}

static void print_output(const struct run *run)
{
	char line[1024];
	FILE *file;

	lseek(run->output, 0, SEEK_SET);
	file = fdopen(run->output, "r");
	while (fgets(line, sizeof(line), file))
		printf("#   %s%s", line, strchr(line, '\n') ? "" : "\n");
	fclose(file);
}

static const char *trouble(int status)
{
	static char text[64];

	if (status < 0)
		return "hangs";
	if (WIFSIGNALED(status)) {
		snprintf(text, sizeof(text), "killed by %s", strsignal(WTERMSIG(status)));
		return text;
	}
	switch (WEXITSTATUS(status)) {
	case RUN_PASSED:
	case RUN_TOLD:
		return NULL;
	case RUN_LEAKED:
		return "leaks";
	case RUN_LEFT:
		return "leaves something behind";
	case RUN_BREACH:
		return "gives up by abort()";
	case RUN_SIGPIPE:
		return "raises SIGPIPE";
	}
	snprintf(text, sizeof(text), "exit code %d", WEXITSTATUS(status));
	return text;
}

/* The innermost place in that folder; the stand-ins are on the stack as well. */
static bool stack_place(void *const *stack, int depth, const char *folder, char *place, size_t size)
{
	for (int i = 0; i < depth; i++) {
		const char *pc = stack[i];

		__sanitizer_symbolize_pc((void *)(pc - 1), "%s:%l", place, size);
		if (strstr(place, folder) && !strstr(place, "/tests/inject/"))
			return true;
	}
	return false;
}

static void run_tell(const struct run *run, const char *test, const char *what)
{
	char place[512];

	if (!stack_place(run->plan->stack, run->plan->depth, "/lib/", place, sizeof(place)))
		snprintf(place, sizeof(place), "nowhere");
	printf("# %s: %s with call %u: %s() at %s\n", test, what, run->plan->nth,
	       run->plan->failed ? run->plan->failed : "none", place);
	if (stack_place(run->plan->end, run->plan->end_depth, "/tests/", place, sizeof(place)))
		printf("# the test was at %s\n", place);
	print_output(run);
}

/*
 * Did the test go on with what it was given, without a look? Then it is itself what
 * steps wide, or it hands a NULL to the library from another line than that of the call
 * that failed.
 */
static bool sanitizer_blames_test(const struct run *run, const char *place)
{
	bool careless = false, null = false;
	char line[1024];
	FILE *file;

	lseek(run->output, 0, SEEK_SET);
	file = fdopen(dup(run->output), "r");
	while (file && fgets(line, sizeof(line), file)) {
		/* A place, or a frame. */
		bool error = strstr(line, "runtime error:");
		bool of_test = (error || strstr(line, "    #")) && strstr(line, "/tests/");

		careless = of_test && (error || (null && !strstr(line, place)));
		if (of_test)
			break;
		null = null || strstr(line, "null pointer");
	}
	if (file)
		fclose(file);
	return careless;
}

/*
 * The same for what ended in a handler of ours. A test that waits at another line than
 * that of the call was told by what the call returned; one that waits at this very line,
 * in a turn of the reactor, was not.
 */
static bool end_blames_test(const struct run *run, int status, const char *place)
{
	const struct inject_plan *plan = run->plan;
	char end[512], inner[512];

	if (!stack_place(plan->end, plan->end_depth, "/tests/", end, sizeof(end)))
		return false;
	if (status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == RUN_SIGPIPE)
		return !stack_place(plan->end, plan->end_depth, "/lib/", inner, sizeof(inner));
	return (status < 0 || plan->breach) && strcmp(end, place);
}

static bool test_is_careless(const struct run *run, int status)
{
	char place[512];

	if (!stack_place(run->plan->stack, run->plan->depth, "/tests/", place, sizeof(place)))
		return false;
	return end_blames_test(run, status, place) || sanitizer_blames_test(run, place);
}

static const char *run_trouble(struct run *run, int *status)
{
	const char *what;

	*status = run_wait(run);
	what = trouble(*status);
	if (what && test_is_careless(run, *status)) {
		*status = RUN_CARELESS;
		return NULL;
	}
	/* An interruption is nothing that a test could notice. */
	if (!what && asked.kind == INJECT_INTERRUPT && *status)
		what = "fails";
	return what;
}

static void run_count(struct run *run, int status)
{
	close(run->output);
	if (!run->plan->failed)
		sums.missed++;
	else if (status == RUN_CARELESS)
		sums.careless++;
	else if (status)
		sums.told++;
	else
		sums.passed++;
}

/* Without a fault: the number of calls, or -1 if there is nothing to be learned from the test. */
static int calls_of(struct run *run, const struct group *group, const struct CMUnitTest *test)
{
	const char *what;
	int status;

	run_start(run, group, test, 0, PATIENCE_LAST_MS);
	status = run_wait(run);
	if (status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == RUN_SKIPPED) {
		close(run->output);
		return -1;
	}
	what = status && WIFEXITED(status) && WEXITSTATUS(status) == RUN_TOLD ? "fails"
									      : trouble(status);
	if (what) {
		sums.bad++;
		run_tell(run, test->name, what);
		return -1;
	}
	close(run->output);
	return (int)atomic_load(&run->plan->calls);
}

/*
 * The same calls of a test each time, spread over all of them. What goes wrong in one
 * beside others may have wanted their port, or time: those are put into `doubtful`.
 */
static unsigned int sweep(struct run *runs, const struct group *group,
			  const struct CMUnitTest *test, unsigned int calls, unsigned int count,
			  unsigned int *doubtful)
{
	unsigned int first = 0, last = 0, doubts = 0;
	int status;

	while (first < count) {
		struct run *run;

		if (last < count && last - first < JOBS) {
			uint64_t nth = asked.seed + (uint64_t)last * calls / count;

			run_start(&runs[last++ % JOBS], group, test,
				  1 + (unsigned int)(nth % calls), PATIENCE_MS);
			continue;
		}
		run = &runs[first++ % JOBS];
		if (run_trouble(run, &status)) {
			doubtful[doubts++] = run->plan->nth;
			close(run->output);
		} else {
			run_count(run, status);
		}
	}
	return doubts;
}

static void run_alone(struct run *run, const struct group *group, const struct CMUnitTest *test,
		      unsigned int nth)
{
	const char *what;
	int status;

	run_start(run, group, test, nth, PATIENCE_LAST_MS);
	what = run_trouble(run, &status);
	if (what) {
		sums.bad++;
		run_tell(run, test->name, what);
	} else {
		run_count(run, status);
	}
}

static void sweep_all(struct run *runs, const struct group *group, const struct CMUnitTest *test,
		      unsigned int calls)
{
	unsigned int count = asked.most && asked.most < calls ? asked.most : calls;
	unsigned int *doubtful = malloc(count * sizeof(*doubtful));
	unsigned int doubts, i;

	if (!doubtful) {
		sums.bad++;
		return;
	}
	doubts = sweep(runs, group, test, calls, count, doubtful);
	for (i = 0; i < doubts; i++)
		run_alone(&runs[0], group, test, doubtful[i]);
	free(doubtful);
}

static bool sweep_test(struct run *runs, const struct group *group, const struct CMUnitTest *test)
{
	int calls;

	memset(&sums, 0, sizeof(sums));
	calls = calls_of(&runs[0], group, test);
	if (calls > 0 && asked.only)
		run_alone(&runs[0], group, test, asked.only);
	else if (calls > 0)
		sweep_all(runs, group, test, (unsigned int)calls);
	if (calls > 0 || sums.bad)
		printf("%s - %s: %s: of %d calls %u borne, %u told, %u told to a test that did not look, "
		       "%u not come to, %u bad\n",
		       sums.bad ? "not ok" : "ok", asked.name, test->name, calls, sums.passed,
		       sums.told, sums.careless, sums.missed, sums.bad);
	fflush(NULL);
	return !sums.bad;
}

static unsigned int ask_number(const char *name)
{
	const char *value = getenv(name);

	return value ? (unsigned int)strtoul(value, NULL, 10) : 0;
}

static bool ask(void)
{
	static const struct {
		const char *name;
		enum inject_kind kind;
	} kinds[] = {
		{ "memory", INJECT_MEMORY },
		{ "errno", INJECT_ERRNO },
		{ "interrupt", INJECT_INTERRUPT },
	};
	size_t i;

	asked.name = getenv("UNTWIST_INJECT");
	asked.test = getenv("UNTWIST_INJECT_TEST");
	asked.most = ask_number("UNTWIST_INJECT_MOST");
	asked.seed = ask_number("UNTWIST_INJECT_SEED");
	asked.only = ask_number("UNTWIST_INJECT_ONLY");
	for (i = 0; asked.name && i < ARRAY_SIZE(kinds); i++) {
		if (!strcmp(kinds[i].name, asked.name)) {
			asked.kind = kinds[i].kind;
			return true;
		}
	}
	return false;
}

int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
				   CMFixtureFunction setup, CMFixtureFunction teardown)
{
	const struct group group = { name, setup, teardown };
	struct run runs[JOBS];
	int failures = 0;
	size_t i;

	if (!ask())
		return __real__cmocka_run_group_tests(name, tests, count, setup, teardown);
	for (i = 0; i < JOBS; i++) {
		runs[i].plan = mmap(NULL, sizeof(*runs[i].plan), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (runs[i].plan == MAP_FAILED)
			return 1;
	}
	printf("# %s\n", name);
	for (i = 0; i < count; i++) {
		if (!asked.test || !strcmp(asked.test, tests[i].name))
			failures += !sweep_test(runs, &group, &tests[i]);
	}
	for (i = 0; i < JOBS; i++)
		munmap(runs[i].plan, sizeof(*runs[i].plan));
	return failures;
}
