/* SPDX-License-Identifier: MIT */
/* Programs: options, signals, pid files, the background, systemd, exit codes; in real processes. */
#include <untwist/program.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

#define PATIENCE_MS 20000

/* A process, and what it has written to its standard error and output. */
struct process {
	pid_t pid;
	int out;
	char text[4096];
	size_t len;
};

static const char *folder; /* of the test's own */

static void process_run(struct process *p, const char *const *argv)
{
	int fd[2];

	memset(p, 0, sizeof(*p));
	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	p->pid = fork();
	assert_true(p->pid >= 0);
	if (p->pid == 0) {
		dup2(fd[1], STDOUT_FILENO);
		dup2(fd[1], STDERR_FILENO);
		execv(argv[0], (char **)argv);
		_exit(127);
	}
	close(fd[1]);
	p->out = fd[0];
}

#define run_child(p, ...) process_run(p, (const char *const[]){ PROGRAM_CHILD, __VA_ARGS__, NULL })

/* More of what it writes. False at the end. */
static bool process_read(struct process *p)
{
	struct pollfd wait = { .fd = p->out, .events = POLLIN };
	ssize_t got;

	if (poll(&wait, 1, PATIENCE_MS) != 1)
		fail_msg("waited in vain after: %s", p->text);
	assert_true(p->len < sizeof(p->text) - 1);
	got = read(p->out, p->text + p->len, sizeof(p->text) - 1 - p->len);
	if (got > 0)
		p->len += (size_t)got;
	return got > 0;
}

static void process_says(struct process *p, const char *text)
{
	while (!strstr(p->text, text))
		if (!process_read(p))
			fail_msg("never said \"%s\", but: %s", text, p->text);
}

/* Its exit code, or minus the signal that ended it. */
static int wait_for(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int process_end(struct process *p)
{
	while (process_read(p))
		;
	close(p->out);
	return wait_for(p->pid);
}

static void file_path(char *path, size_t size, const char *name)
{
	snprintf(path, size, "%s/%s", folder, name);
	unlink(path);
}

static void stops_as_asked(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT };
	struct process p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		run_child(&p, "serve");
		process_says(&p, "child: started as");
		kill(p.pid, signals[i]);
		assert_int_equal(process_end(&p), UTW_EXIT_OK);
		assert_non_null(strstr(p.text, "stopping\nchild: torn down\n"));
	}
}

static void second_signal_does_not_wait(void **state)
{
	struct process p;

	(void)state;
	run_child(&p, "hang");
	process_says(&p, "started");
	kill(p.pid, SIGTERM);
	process_says(&p, "stopping");
	kill(p.pid, SIGINT);
	assert_int_equal(process_end(&p), 128 + SIGINT);
}

static void stop_that_takes_too_long(void **state)
{
	struct process p;

	(void)state;
	run_child(&p, "--stop-timeout=0", "hang");
	process_says(&p, "started");
	kill(p.pid, SIGTERM);
	assert_int_equal(process_end(&p), UTW_EXIT_STOP);
	assert_non_null(strstr(p.text, "have not stopped in 0 s"));
}

static void ends_by_itself_with_its_code(void **state)
{
	struct process p;

	(void)state;
	run_child(&p, "end", "42");
	assert_int_equal(process_end(&p), 42);
	assert_non_null(strstr(p.text, "stopping\n"));
}

static void failed_start_says_why(void **state)
{
	struct process p;

	(void)state;
	run_child(&p, "refuse");
	assert_int_equal(process_end(&p), UTW_EXIT_START);
	assert_non_null(strstr(p.text, "child: setup: refused on purpose"));
	run_child(&p, "broken");
	assert_int_equal(process_end(&p), UTW_EXIT_START);
	assert_non_null(strstr(p.text, "broken on purpose"));
	assert_non_null(strstr(p.text, "stopping\nchild: torn down"));
	run_child(&p, "--chdir=/nowhere", "serve");
	assert_int_equal(process_end(&p), UTW_EXIT_START);
	assert_non_null(strstr(p.text, "/nowhere: No such file"));
	run_child(&p, "--user=nobody-of-that-name", "serve");
	assert_int_equal(process_end(&p), UTW_EXIT_START);
	assert_non_null(strstr(p.text, "nobody-of-that-name: No such"));
}

static void wrong_usage(void **state)
{
	struct process p;

	(void)state;
	run_child(&p, "--bogus");
	assert_int_equal(process_end(&p), UTW_EXIT_USAGE);
	assert_non_null(strstr(p.text, "Try 'child --help'"));
	run_child(&p, "--stop-timeout=-1", "serve");
	assert_int_equal(process_end(&p), UTW_EXIT_USAGE);
	assert_non_null(strstr(p.text, "\"-1\" is not a number of seconds"));
	process_run(&p, (const char *const[]){ PROGRAM_CHILD, NULL });
	assert_int_equal(process_end(&p), UTW_EXIT_USAGE);
}

static void shows_help_and_version(void **state)
{
	struct process p;

	(void)state;
	run_child(&p, "--help");
	assert_int_equal(process_end(&p), UTW_EXIT_OK);
	assert_non_null(strstr(p.text, "Usage: child [OPTION]... MODE"));
	run_child(&p, "-V");
	assert_int_equal(process_end(&p), UTW_EXIT_OK);
	assert_string_equal(p.text, "child 7\n");
}

static int read_pid(const char *path)
{
	FILE *file = fopen(path, "re");
	int pid = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &pid), 1);
	fclose(file);
	return pid;
}

static void pid_file_keeps_a_second_one_away(void **state)
{
	struct process first, second;
	char path[256];

	(void)state;
	file_path(path, sizeof(path), "pid");
	run_child(&first, "-p", path, "serve");
	process_says(&first, "started");
	assert_int_equal(read_pid(path), first.pid);
	run_child(&second, "-p", path, "serve");
	assert_int_equal(process_end(&second), UTW_EXIT_RUNNING);
	assert_non_null(strstr(second.text, "belongs to one that is running"));
	assert_int_equal(read_pid(path), first.pid);
	kill(first.pid, SIGTERM);
	assert_int_equal(process_end(&first), UTW_EXIT_OK);
	assert_int_equal(access(path, F_OK), -1);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void stale_pid_file_is_replaced_and_garbage_is_not(void **state)
{
	struct process p;
	char path[256], kept[16] = "";
	FILE *file;

	(void)state;
	file_path(path, sizeof(path), "pid");
	run_child(&p, "-p", path, "serve");
	process_says(&p, "started");
	kill(p.pid, SIGKILL);
	assert_int_equal(process_end(&p), -SIGKILL);
	assert_int_equal(access(path, F_OK), 0);
	run_child(&p, "-p", path, "serve");
	process_says(&p, "started");
	assert_int_equal(read_pid(path), p.pid);
	kill(p.pid, SIGTERM);
	process_end(&p);
	write_file(path, "precious");
	run_child(&p, "-p", path, "serve");
	assert_int_equal(process_end(&p), UTW_EXIT_START);
	assert_non_null(strstr(p.text, "File exists"));
	file = fopen(path, "re");
	assert_non_null(fgets(kept, sizeof(kept), file));
	fclose(file);
	assert_string_equal(kept, "precious");
	unlink(path);
}

/* The first process ends when the start has gone well, and not before. */
static void background_is_told_by_the_exit_code(void **state)
{
	struct process p;
	char pid_path[256], log_path[256], text[512] = "";
	int pid;
	FILE *log;

	(void)state;
	/* What goes on in the background becomes a child of ours, to be waited for. */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	file_path(pid_path, sizeof(pid_path), "pid");
	file_path(log_path, sizeof(log_path), "log");
	run_child(&p, "-d", "-p", pid_path, "-l", log_path, "serve");
	assert_int_equal(wait_for(p.pid), UTW_EXIT_OK);
	pid = read_pid(pid_path);
	assert_int_not_equal(pid, p.pid);
	assert_int_equal(getsid(pid) == getsid(0), 0);
	kill(pid, SIGTERM);
	assert_int_equal(wait_for(pid), UTW_EXIT_OK);
	assert_int_equal(process_read(&p), 0);
	close(p.out);
	log = fopen(log_path, "re");
	assert_true(fread(text, 1, sizeof(text) - 1, log) > 0);
	fclose(log);
	assert_non_null(strstr(text, "torn down"));
	unlink(log_path);

	run_child(&p, "-d", "-l", "stderr", "broken");
	process_says(&p, "broken on purpose");
	assert_int_equal(wait_for(p.pid), UTW_EXIT_START);
	close(p.out);
	/* The two in between. */
	while (waitpid(-1, NULL, 0) > 0)
		;
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

/* Wait until the file has it, by looking again and again: it is another process that writes. */
static void log_says(const char *path, const char *expected)
{
	char text[512] = "";

	while (!strstr(text, expected)) {
		FILE *log = fopen(path, "re");

		if (log) {
			text[fread(text, 1, sizeof(text) - 1, log)] = '\0';
			fclose(log);
		}
		sched_yield();
	}
}

static void hangup_opens_the_log_anew_and_reloads(void **state)
{
	struct process p;
	char path[256], moved[256];

	(void)state;
	file_path(path, sizeof(path), "log");
	file_path(moved, sizeof(moved), "log.1");
	run_child(&p, "-l", path, "serve");
	log_says(path, "started");
	assert_int_equal(rename(path, moved), 0);
	kill(p.pid, SIGHUP);
	log_says(path, "reloaded");
	kill(p.pid, SIGTERM);
	assert_int_equal(process_end(&p), UTW_EXIT_OK);
	unlink(path);
	unlink(moved);
}

/* The manager's socket; descriptor and environment. */
static int manager_open(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
	char path[sizeof(at.sun_path)];

	snprintf(path, sizeof(path), "@untwist-test-%d", getpid());
	memcpy(at.sun_path, path, sizeof(path));
	at.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&at,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))),
			 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setenv("NOTIFY_SOCKET", path, 1);
	return fd;
}

static void assert_notified(int fd, const char *expected)
{
	char got[256];
	ssize_t len = recv(fd, got, sizeof(got) - 1, 0);

	assert_true(len > 0);
	got[len] = '\0';
	if (strncmp(got, expected, strlen(expected)) != 0)
		fail_msg("%s, not %s", got, expected);
}

static void manager_is_told(void **state)
{
	int manager = manager_open();
	struct process p;

	(void)state;
	run_child(&p, "serve");
	assert_notified(manager, "READY=1");
	kill(p.pid, SIGHUP);
	assert_notified(manager, "RELOADING=1\nMONOTONIC_USEC=");
	assert_notified(manager, "READY=1");
	kill(p.pid, SIGTERM);
	assert_notified(manager, "STOPPING=1");
	assert_int_equal(process_end(&p), UTW_EXIT_OK);
	setenv("WATCHDOG_USEC", "2000", 1);
	run_child(&p, "serve");
	assert_notified(manager, "READY=1");
	assert_notified(manager, "WATCHDOG=1");
	assert_notified(manager, "WATCHDOG=1");
	kill(p.pid, SIGKILL);
	process_end(&p);
	unsetenv("WATCHDOG_USEC");
	unsetenv("NOTIFY_SOCKET");
	close(manager);
	assert_int_equal(utw_notify("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(utw_notify("READY=1"), -EAFNOSUPPORT);
	unsetenv("NOTIFY_SOCKET");
}

static void privileges_are_given_up(void **state)
{
	struct process p;

	(void)state;
	if (getuid())
		skip();
	run_child(&p, "--user=nobody:nogroup", "serve");
	process_says(&p, "started as 65534");
	kill(p.pid, SIGTERM);
	assert_int_equal(process_end(&p), UTW_EXIT_OK);
}

static void shared_object_is_run(void **state)
{
	struct process p;

	(void)state;
	process_run(&p, (const char *const[]){ UNTWIST_RUN, PROGRAM_MODULE, "end", "5", NULL });
	assert_int_equal(process_end(&p), 5);
	assert_non_null(strstr(p.text, "untwist-run: started as"));
	process_run(&p, (const char *const[]){ UNTWIST_RUN, "./nothing.so", NULL });
	assert_int_equal(process_end(&p), UTW_EXIT_START);
	assert_non_null(strstr(p.text, "./nothing.so"));
	process_run(&p, (const char *const[]){ UNTWIST_RUN, NULL });
	assert_int_equal(process_end(&p), UTW_EXIT_USAGE);
}

int main(void)
{
	char path[] = "/tmp/untwist-test-XXXXXX";
	const struct CMUnitTest tests[] = {
		TEST(stops_as_asked),
		TEST(second_signal_does_not_wait),
		TEST(stop_that_takes_too_long),
		TEST(ends_by_itself_with_its_code),
		TEST(failed_start_says_why),
		TEST(wrong_usage),
		TEST(shows_help_and_version),
		TEST(pid_file_keeps_a_second_one_away),
		TEST(stale_pid_file_is_replaced_and_garbage_is_not),
		TEST(background_is_told_by_the_exit_code),
		TEST(hangup_opens_the_log_anew_and_reloads),
		TEST(manager_is_told),
		TEST(privileges_are_given_up),
		TEST(shared_object_is_run),
	};
	int failed;

	folder = mkdtemp(path);
	failed = cmocka_run_group_tests_name("program", tests, NULL, NULL);
	rmdir(path);
	return failed;
}
