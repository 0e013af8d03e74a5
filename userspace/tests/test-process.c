/* SPDX-License-Identifier: MIT */
/* Child processes: descriptors, both ends of a life, groups, terminals, and what cannot be started. */
#include <untwist/process.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "harness-alloc.h"
#include "recorder.h"

#define MOST 4

struct watched {
	struct utw_process_watcher watcher;
	struct utw_process_status status;
	unsigned int exited;
	unsigned int ended;
	bool abandon; /* when it exits */
};

static struct utw_reactor *reactor;
static struct watched child;
static struct recorder pipes[MOST];

static void watched_exited(struct utw_process_watcher *w, const struct utw_process_status *status)
{
	struct watched *c = utw_container_of(w, struct watched, watcher);

	assert_int_equal(c->ended, 0);
	c->exited++;
	c->status = *status;
	if (c->abandon)
		utw_process_abandon(w->process);
}

static void watched_ended(struct utw_process_watcher *w, const struct utw_process_status *status)
{
	struct watched *c = utw_container_of(w, struct watched, watcher);

	assert_int_equal(c->exited, 1);
	assert_memory_equal(status, &c->status, sizeof(*status));
	assert_null(w->process);
	c->ended++;
}

static const struct utw_process_ops watched_ops = { .exited = watched_exited,
						    .ended = watched_ended };

static void begin(void)
{
	memset(&child, 0, sizeof(child));
	utw_process_watcher_init(&child.watcher, &watched_ops);
	for (int i = 0; i < MOST; i++)
		recorder_init(&pipes[i], true);
	assert_int_equal(utw_reactor_new(&reactor), 0);
}

static void end(void)
{
	for (int i = 0; i < MOST; i++)
		utw_transport_close(pipes[i].protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_until(reactor, !child.watcher.process || child.ended);
	turn_all(reactor);
	for (int i = 0; i < MOST; i++)
		recorder_release(&pipes[i]);
	utw_reactor_free(reactor);
}

/* Run a line of shell; the map has `count` entries, and protocols where it needs them. */
static int spawn(const char *line, struct utw_process_fd *fds, unsigned int count,
		 const struct utw_process_options *more)
{
	const char *argv[] = { "sh", "-c", line, NULL };
	struct utw_process_options options = { 0 };

	if (more)
		options = *more;
	options.path = "/bin/sh";
	options.argv = argv;
	options.fds = fds;
	options.fd_count = count;
	for (unsigned int i = 0; i < count; i++)
		if (fds[i].kind <= UTW_PROCESS_BOTH)
			fds[i].protocol = &pipes[i].protocol;
	return utw_process_spawn(reactor, &options, &child.watcher, NULL);
}

static void assert_said(int pipe, const char *text)
{
	assert_int_equal(pipes[pipe].data_len, strlen(text));
	assert_memory_equal(pipes[pipe].data, text, strlen(text));
}

static void pipes_carry_what_they_should(void **state)
{
	struct utw_process_fd fds[] = {
		{ 0, UTW_PROCESS_WRITE, 0, NULL },
		{ 1, UTW_PROCESS_READ, 0, NULL },
		{ 2, UTW_PROCESS_READ, 0, NULL },
	};

	(void)state;
	begin();
	assert_int_equal(spawn("cat; echo done >&2; exit 7", fds, 3, NULL), 0);
	assert_true(utw_process_pid(child.watcher.process) > 0);
	utw_transport_write(pipes[0].protocol.transport, "through", 7);
	turn_until(reactor, pipes[1].data_len == 7);
	utw_transport_close(pipes[0].protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(reactor, strchr(pipes[1].story, 'L') && strchr(pipes[2].story, 'L'));
	turn_until(reactor, child.ended);
	assert_said(1, "through");
	assert_said(2, "done\n");
	assert_lost(&pipes[1], UTW_DONE);
	assert_true(child.status.known);
	assert_int_equal(child.status.code, 7);
	assert_int_equal(child.status.signal, 0);
	end();
}

static void socket_carries_both_ways(void **state)
{
	struct utw_process_fd fds[] = { { 5, UTW_PROCESS_BOTH, 0, NULL } };

	(void)state;
	begin();
	assert_int_equal(spawn("read x <&5; echo got $x >&5", fds, 1, NULL), 0);
	utw_transport_write(pipes[0].protocol.transport, "this\n", 5);
	turn_until(reactor, strchr(pipes[0].story, 'E'));
	assert_said(0, "got this\n");
	end();
}

/* Numbers that take the place of one another, and a gap. */
static void descriptors_may_change_places(void **state)
{
	int first[2], second[2];
	struct utw_process_fd fds[] = {
		{ 0, UTW_PROCESS_SHARE, 0, NULL },
		{ 0, UTW_PROCESS_SHARE, 0, NULL },
		{ 1, UTW_PROCESS_READ, 0, NULL },
		{ 9, UTW_PROCESS_NULL, 0, NULL },
	};

	(void)state;
	begin();
	assert_int_equal(pipe2(first, O_CLOEXEC), 0);
	assert_int_equal(pipe2(second, O_CLOEXEC), 0);
	assert_int_equal(write(first[1], "first", 5), 5);
	assert_int_equal(write(second[1], "second", 6), 6);
	close(first[1]);
	close(second[1]);
	fds[0].fd = first[0];
	fds[0].child = second[0];
	fds[1].fd = second[0];
	fds[1].child = first[0];
	/* The shell has them under each other's number. */
	char line[80];

	snprintf(line, sizeof(line), "cat <&%d; cat <&%d; echo x >&9; exit $?", first[0],
		 second[0]);
	assert_int_equal(spawn(line, fds, 4, NULL), 0);
	turn_until(reactor, child.ended);
	assert_said(2, "secondfirst");
	assert_int_equal(child.status.code, 0);
	close(first[0]);
	close(second[0]);
	end();
}

static void nothing_else_is_inherited(void **state)
{
	struct utw_process_fd fds[] = { { 1, UTW_PROCESS_READ, 0, NULL } };
	int leak = open("/dev/null", O_RDONLY);

	(void)state;
	begin();
	assert_int_equal(spawn("for i in 0 1 2 3 4 5 6 7 8 9; do test -e /proc/$$/fd/$i && "
			       "echo -n $i; done",
			       fds, 1, NULL),
			 0);
	turn_until(reactor, child.ended);
	assert_said(0, "012");
	close(leak);
	end();
}

static void signals_are_as_new(void **state)
{
	struct utw_process_fd fds[] = { { 1, UTW_PROCESS_READ, 0, NULL } };
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	sigset_t usr1, mask;

	(void)state;
	begin();
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigaction(SIGPIPE, &ignore, &before);
	pthread_sigmask(SIG_BLOCK, &usr1, &mask);
	assert_int_equal(spawn("grep -E 'Sig(Blk|Ign)' /proc/self/status", fds, 1, NULL), 0);
	turn_until(reactor, child.ended);
	assert_said(0, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGPIPE, &before, NULL);
	end();
}

/* A grandchild holds the pipe: the child has exited and not yet ended. */
static void exit_is_not_the_end(void **state)
{
	struct utw_process_fd fds[] = {
		{ 1, UTW_PROCESS_READ, 0, NULL },
		{ 3, UTW_PROCESS_WRITE, 0, NULL },
	};

	(void)state;
	begin();
	assert_int_equal(spawn("(read x <&3; echo late) & exit 3", fds, 2, NULL), 0);
	turn_until(reactor, child.exited);
	turn_all(reactor);
	assert_int_equal(child.ended, 0);
	assert_int_equal(utw_process_signal(child.watcher.process, SIGTERM), -ESRCH);
	utw_transport_write(pipes[1].protocol.transport, "go\n", 3);
	utw_transport_close(pipes[1].protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(reactor, child.ended);
	assert_said(0, "late\n");
	assert_int_equal(child.status.code, 3);
	end();
}

static void signal_ends_it(void **state)
{
	(void)state;
	begin();
	assert_int_equal(spawn("exec sleep 1000", NULL, 0, NULL), 0);
	assert_int_equal(utw_process_signal(child.watcher.process, 0), 0);
	assert_int_equal(utw_process_signal_group(child.watcher.process, SIGTERM), -EOPNOTSUPP);
	assert_int_equal(utw_process_signal(child.watcher.process, SIGTERM), 0);
	turn_until(reactor, child.ended);
	assert_int_equal(child.status.signal, SIGTERM);
	assert_int_equal(child.status.code, 0);
	assert_int_equal(utw_process_signal(NULL, SIGTERM), -ESRCH);
	end();
}

static void group_is_signalled_whole(void **state)
{
	struct utw_process_options options = { .flags = UTW_PROCESS_GROUP };
	struct utw_process_fd fds[] = { { 1, UTW_PROCESS_READ, 0, NULL } };

	(void)state;
	begin();
	/* The pipe ends when the grandchild is gone, too. */
	assert_int_equal(spawn("sleep 1000 & echo; wait", fds, 1, &options), 0);
	turn_until(reactor, pipes[0].data_len == 1);
	assert_int_equal(utw_process_signal_group(child.watcher.process, SIGKILL), 0);
	turn_until(reactor, child.ended);
	assert_int_equal(child.status.signal, SIGKILL);
	end();
}

static void resources_are_told(void **state)
{
	(void)state;
	begin();
	assert_int_equal(spawn("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done", NULL, 0, NULL),
			 0);
	turn_until(reactor, child.ended);
	assert_true(child.status.user_ns + child.status.system_ns > 0);
	assert_true(child.status.memory > 100000);
	end();
}

static void folder_environment_and_user(void **state)
{
	const char *env[] = { "WORD=said", "PATH=/usr/bin:/bin", NULL };
	struct utw_process_options options = { .env = env, .folder = "/usr" };
	struct utw_process_fd fds[] = { { 1, UTW_PROCESS_READ, 0, NULL } };
	const char *expected = "said /usr\n";

	(void)state;
	begin();
	if (!geteuid()) {
		options.flags = UTW_PROCESS_USER;
		options.uid = 65534;
		options.gid = 65534;
		expected = "said /usr 65534 65534 65534\n";
	}
	assert_int_equal(spawn(geteuid() ? "echo $WORD $PWD"
					 : "echo $WORD $PWD $(id -u) $(id -g) $(id -G)",
			       fds, 1, &options),
			 0);
	turn_until(reactor, child.ended);
	assert_said(0, expected);
	end();
}

static void terminal_is_its_own(void **state)
{
	struct utw_process_options options = { .terminal = &pipes[0].protocol,
					       .rows = 11,
					       .columns = 22 };

	(void)state;
	begin();
	assert_int_equal(spawn("stty -echo; stty size; read x; stty size; test -t 0 -a -t 1 -a -t 2",
			       NULL, 0, &options),
			 0);
	turn_until(reactor, pipes[0].data_len == 7);
	assert_said(0, "11 22\r\n");
	assert_int_equal(utw_process_resize(child.watcher.process, 33, 44), 0);
	utw_transport_write(pipes[0].protocol.transport, "\n", 1);
	turn_until(reactor, child.ended);
	assert_said(0, "11 22\r\n33 44\r\n");
	assert_int_equal(child.status.code, 0);
	assert_lost(&pipes[0], UTW_DONE);
	end();
}

static void control_c_reaches_it(void **state)
{
	struct utw_process_options options = { .terminal = &pipes[0].protocol };

	(void)state;
	begin();
	assert_int_equal(spawn("echo; exec sleep 1000", NULL, 0, &options), 0);
	turn_until(reactor, pipes[0].data_len);
	utw_transport_write(pipes[0].protocol.transport, "\003", 1);
	turn_until(reactor, child.ended);
	assert_int_equal(child.status.signal, SIGINT);
	end();
}

static void assert_refused(const struct utw_process_options *options, int error, const char *story)
{
	struct utw_failure *why = NULL;
	char text[256];

	assert_int_equal(utw_process_spawn(reactor, options, &child.watcher, &why), error);
	assert_null(child.watcher.process);
	utw_failure_format(why, text, sizeof(text));
	assert_string_equal(text, story);
	utw_failure_unref(why);
}

static void error_names_the_step(void **state)
{
	struct utw_process_fd fds[] = { { 1, UTW_PROCESS_READ, 0, &pipes[0].protocol },
					{ 1, UTW_PROCESS_READ, 0, &pipes[1].protocol } };
	struct utw_process_fd none[] = { { 3, UTW_PROCESS_SHARE, 99, NULL } };
	struct utw_process_options options = { .path = "/nonexistent" };

	(void)state;
	begin();
	assert_refused(&options, -ENOENT, "exec: /nonexistent (No such file or directory)");
	options.path = "/etc/passwd";
	assert_refused(&options, -EACCES, "exec: /etc/passwd (Permission denied)");
	options.path = "/bin/sh";
	options.folder = "/nonexistent";
	assert_refused(&options, -ENOENT, "chdir: /bin/sh (No such file or directory)");
	options.fds = none;
	options.fd_count = 1;
	assert_refused(&options, -EBADF, "descriptors: /bin/sh (Bad file descriptor)");
	options.fds = fds;
	options.fd_count = 2;
	assert_refused(&options, -EINVAL, "descriptors: /bin/sh (Invalid argument)");
	fds[1].child = 2;
	fds[1].protocol = &pipes[0].protocol;
	assert_refused(&options, -EBUSY, "options: /bin/sh (Device or resource busy)");
	options.path = NULL;
	assert_refused(&options, -EINVAL, "options: no path (Invalid argument)");
	assert_story(&pipes[0], "");
	end();
}

static void abandoned_process_tells_nothing(void **state)
{
	struct utw_process_fd fds[] = { { 1, UTW_PROCESS_READ, 0, NULL } };
	pid_t pid;

	(void)state;
	begin();
	assert_int_equal(spawn("echo still here", fds, 1, NULL), 0);
	pid = utw_process_pid(child.watcher.process);
	utw_process_abandon(child.watcher.process);
	assert_null(child.watcher.process);
	turn_until(reactor, strchr(pipes[0].story, 'E'));
	assert_said(0, "still here\n");
	assert_int_equal(child.exited, 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	end();
}

static void may_be_abandoned_when_it_exits(void **state)
{
	(void)state;
	begin();
	child.abandon = true;
	assert_int_equal(spawn("exit 0", NULL, 0, NULL), 0);
	turn_until(reactor, child.exited);
	turn_all(reactor);
	assert_int_equal(child.ended, 0);
	end();
}

static void somebody_else_waited_for_it(void **state)
{
	(void)state;
	begin();
	assert_int_equal(spawn("exit 0", NULL, 0, NULL), 0);
	assert_int_equal(waitpid(utw_process_pid(child.watcher.process), NULL, 0),
			 utw_process_pid(child.watcher.process));
	turn_until(reactor, child.ended);
	assert_false(child.status.known);
	end();
}

static void spawn_without_memory_leaves_nothing(void **state)
{
	struct utw_process_fd fds[] = {
		{ 0, UTW_PROCESS_WRITE, 0, NULL },
		{ 1, UTW_PROCESS_READ, 0, NULL },
		{ 3, UTW_PROCESS_BOTH, 0, NULL },
	};
	struct utw_process_options options = { .terminal = &pipes[3].protocol };
	int error = -ENOMEM;

	(void)state;
	begin();
	for (unsigned int nth = 1; error == -ENOMEM; nth++) {
		assert_true(nth < 40);
		alloc_fail_at(nth);
		error = spawn("exit 0", fds, 3, &options);
		alloc_fail_at(0);
		assert_true(!error == !!child.watcher.process);
	}
	assert_int_equal(error, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pipes_carry_what_they_should),
		TEST(socket_carries_both_ways),
		TEST(descriptors_may_change_places),
		TEST(nothing_else_is_inherited),
		TEST(signals_are_as_new),
		TEST(exit_is_not_the_end),
		TEST(signal_ends_it),
		TEST(group_is_signalled_whole),
		TEST(resources_are_told),
		TEST(folder_environment_and_user),
		TEST(terminal_is_its_own),
		TEST(control_c_reaches_it),
		TEST(error_names_the_step),
		TEST(abandoned_process_tells_nothing),
		TEST(may_be_abandoned_when_it_exits),
		TEST(somebody_else_waited_for_it),
		TEST(spawn_without_memory_leaves_nothing),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
