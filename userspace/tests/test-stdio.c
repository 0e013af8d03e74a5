/* SPDX-License-Identifier: MIT */
/* Inherited descriptors: they are never made non-blocking, and SIGPIPE is never raised. */
#include <untwist/stdio.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "harness.h"
#include "recorder.h"

#define FILE_SIZE    (700 * 1024)
#define MASTER_BYTES 30000

static struct utw_reactor *reactor;
static struct recorder recorder;

static void begin(int in, int out)
{
	recorder_init(&recorder, true);
	assert_int_equal(utw_reactor_new(&reactor), 0);
	assert_int_equal(utw_stdio_transport_from(NULL, reactor, in, out, &recorder.protocol), 0);
}

static void end(void)
{
	utw_transport_close(recorder.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(reactor);
	recorder_release(&recorder);
	utw_reactor_free(reactor);
}

static int temporary_file(void)
{
	char path[] = "/tmp/untwist-test-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	return fd;
}

static void assert_blocking(int fd)
{
	assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static void pipes_stay_blocking(void **state)
{
	int in[2], out[2];
	char got[8];

	(void)state;
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	begin(in[0], out[1]);
	assert_int_equal(write(in[1], "in", 2), 2);
	utw_transport_write(recorder.protocol.transport, "out", 3);
	turn_until(reactor, recorder.data_len == 2);
	assert_int_equal(read(out[0], got, sizeof(got)), 3);
	assert_blocking(in[0]);
	assert_blocking(out[1]);
	close(in[1]);
	turn_until(reactor, strchr(recorder.story, 'E'));
	end();
	close(in[0]);
	close(out[0]);
	close(out[1]);
}

static void sockets_stay_blocking_and_open(void **state)
{
	int fd[2];
	char got[8];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	begin(fd[0], fd[0]);
	assert_int_equal(write(fd[1], "in", 2), 2);
	turn_until(reactor, recorder.data_len == 2);
	assert_blocking(fd[0]);
	utw_transport_close(recorder.protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(reactor, recorder_lost(&recorder));
	/* It was borrowed: whoever has it as well goes on. */
	assert_int_equal(write(fd[0], "still", 5), 5);
	assert_int_equal(read(fd[1], got, sizeof(got)), 5);
	end();
	close(fd[0]);
	close(fd[1]);
}

static void file_is_read_to_its_end(void **state)
{
	int fd = temporary_file();
	char *data = malloc(FILE_SIZE);

	(void)state;
	memset(data, 'f', FILE_SIZE);
	assert_int_equal(write(fd, data, FILE_SIZE), FILE_SIZE);
	lseek(fd, 100, SEEK_SET);
	begin(fd, -1);
	turn_until(reactor, recorder_lost(&recorder));
	assert_lost(&recorder, UTW_DONE);
	assert_int_equal(recorder.data_len, FILE_SIZE - 100);
	assert_story(&recorder, "MDEL");
	/* The offset is shared with whoever reads on after us. */
	assert_int_equal(lseek(fd, 0, SEEK_CUR), FILE_SIZE);
	end();
	free(data);
	close(fd);
}

static void file_is_written(void **state)
{
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int out = temporary_file();

	(void)state;
	begin(in, out);
	utw_transport_write(recorder.protocol.transport, "to a file", 9);
	turn_until(reactor, strchr(recorder.story, 'E'));
	utw_transport_close(recorder.protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(reactor, recorder_lost(&recorder));
	assert_lost(&recorder, UTW_DONE);
	assert_int_equal(lseek(out, 0, SEEK_END), 9);
	end();
	close(in);
	close(out);
}

static void paused_file_does_not_spin(void **state)
{
	int fd = temporary_file();

	(void)state;
	assert_int_equal(write(fd, "x", 1), 1);
	lseek(fd, 0, SEEK_SET);
	begin(fd, -1);
	utw_transport_pause(recorder.protocol.transport);
	turn_all(reactor);
	assert_int_equal(utw_reactor_run_once(reactor, 0), 0);
	assert_int_equal(recorder.data_len, 0);
	utw_transport_resume(recorder.protocol.transport);
	turn_until(reactor, recorder_lost(&recorder));
	assert_int_equal(recorder.data_len, 1);
	end();
	close(fd);
}

static unsigned int sigpipes;

static void count_sigpipe(int signo)
{
	(void)signo;
	sigpipes++;
}

static void write_to_closed_pipe_raises_nothing(void **state)
{
	struct sigaction count = { .sa_handler = count_sigpipe }, before, after;
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int out[2];

	(void)state;
	sigpipes = 0;
	sigaction(SIGPIPE, &count, &before);
	assert_int_equal(pipe(out), 0);
	begin(in, out[1]);
	turn_until(reactor, strchr(recorder.story, 'M'));
	close(out[0]);
	utw_transport_write(recorder.protocol.transport, "nobody reads this", 17);
	turn_until(reactor, recorder_lost(&recorder));
	assert_lost(&recorder, UTW_LOST);
	assert_true(utw_failure_has(recorder.reason, &utw_domain_errno, EPIPE));
	sigaction(SIGPIPE, &before, &after);
	assert_int_equal(sigpipes, 0);
	assert_ptr_equal(after.sa_handler, count_sigpipe);
	end();
	close(in);
	close(out[1]);
}

/* A description that cannot be opened anew, and may block: each step is polled first. */
static void master_terminal_is_polled(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	int slave;

	(void)state;
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	begin(master, -1);
	assert_int_equal(write(slave, "tty", 3), 3);
	turn_until(reactor, recorder.data_len == 3);
	turn_all(reactor);
	assert_blocking(master);
	end();
	close(slave);
	close(master);
}

static int raw_slave(int master)
{
	struct termios raw;
	int slave;

	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_NONBLOCK);
	assert_int_equal(tcgetattr(slave, &raw), 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(slave, TCSANOW, &raw), 0);
	return slave;
}

static void fill_master(size_t first, const char *data, char *got)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	int slave = raw_slave(master);
	size_t done = 0;

	begin(-1, master);
	utw_transport_write(recorder.protocol.transport, data, first);
	turn_all(reactor);
	utw_transport_write(recorder.protocol.transport, data + first, MASTER_BYTES - first);
	turn_all(reactor);
	assert_true(utw_transport_queued(recorder.protocol.transport) > 0);
	while (done < MASTER_BYTES) {
		ssize_t n = read(slave, got + done, MASTER_BYTES - done);

		if (n > 0)
			done += (size_t)n;
		else
			turn_all(reactor);
	}
	assert_memory_equal(got, data, MASTER_BYTES);
	assert_blocking(master);
	end();
	close(slave);
	close(master);
}

/*
 * A write of more than there is room for would block the reactor. How much room there is shows
 * in no number, so several beginnings are tried; the alarm ends a test that hangs.
 */
static void full_master_terminal_does_not_block(void **state)
{
	static char data[MASTER_BYTES], got[MASTER_BYTES];

	(void)state;
	for (size_t i = 0; i < MASTER_BYTES; i++)
		data[i] = (char)(i % 251);
	alarm(60);
	for (size_t first = 1; first < PIPE_BUF; first += 194)
		fill_master(first, data, got);
	alarm(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pipes_stay_blocking),	 TEST(sockets_stay_blocking_and_open),
		TEST(file_is_read_to_its_end),	 TEST(file_is_written),
		TEST(paused_file_does_not_spin), TEST(write_to_closed_pipe_raises_nothing),
		TEST(master_terminal_is_polled), TEST(full_master_terminal_does_not_block),
	};

	return cmocka_run_group_tests_name("stdio", tests, NULL, NULL);
}
