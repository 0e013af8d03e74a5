/* SPDX-License-Identifier: MIT */
/* Endpoints at work: every type, over real sockets. */
#include <untwist/endpoint.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "harness.h"
#include "meeting.h"

static void tcp_meets_tcp(void **state)
{
	struct utw_deferred *d;
	struct meeting m;
	char text[64];

	(void)state;
	meeting_open(&m);
	assert_int_equal(meeting_listen(&m, "tcp:0:interface=localhost"), 0);
	snprintf(text, sizeof(text), "tcp:%s", utw_port_name(m.port));
	d = meeting_connect(&m, text);
	turn_until(m.near.reactor, m.fired && m.far.count);
	assert_ptr_equal(m.protocol, &m.near.recorders[0].protocol);
	utw_transport_write(m.protocol->transport, "hello", 5);
	turn_until(m.near.reactor, m.far.recorders[0].data_len == 5);
	utw_deferred_unref(d);
	meeting_close(&m);
}

static void unix_meets_unix(void **state)
{
	struct utw_deferred *d;
	struct meeting m;
	char text[64];

	(void)state;
	meeting_open(&m);
	snprintf(text, sizeof(text), "unix:@untwist-endpoint-%d", getpid());
	assert_int_equal(meeting_listen(&m, text), 0);
	assert_string_equal(utw_port_name(m.port), text);
	d = meeting_connect(&m, text);
	turn_until(m.near.reactor, m.fired && m.far.count);
	assert_null(m.failure);
	utw_transport_write(m.protocol->transport, "hello", 5);
	turn_until(m.near.reactor, m.far.recorders[0].data_len == 5);
	utw_deferred_unref(d);
	meeting_close(&m);
}

static void serial_port_is_opened_as_told(void **state)
{
	struct utw_deferred *d;
	struct termios settings;
	struct meeting m;
	char text[64];
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	(void)state;
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	snprintf(text, sizeof(text), "serial:%s:9600:stop=2:flow=xonxoff", ptsname(master));
	meeting_open(&m);
	d = meeting_connect(&m, text);
	turn_until(m.near.reactor, m.fired);
	assert_null(m.failure);
	assert_int_equal(tcgetattr(master, &settings), 0);
	assert_true(settings.c_cflag & CSTOPB);
	assert_true(settings.c_iflag & IXON);
	utw_deferred_unref(d);
	meeting_close(&m);
	close(master);
}

static void refused_attempt_names_the_address(void **state)
{
	struct utw_deferred *d;
	struct meeting m;

	(void)state;
	meeting_open(&m);
	d = meeting_connect(&m, "tcp:127.0.0.1:1");
	turn_until(m.near.reactor, m.fired);
	assert_true(utw_failure_is(m.failure, &utw_domain_errno, ECONNREFUSED));
	assert_non_null(strstr(utw_failure_message(m.failure), "127.0.0.1:1"));
	utw_deferred_unref(d);
	meeting_close(&m);
}

static void taken_port_is_a_failure(void **state)
{
	struct meeting m, second;
	char text[64];

	(void)state;
	meeting_open(&m);
	meeting_open(&second);
	assert_int_equal(meeting_listen(&m, "tcp:0:interface=localhost"), 0);
	snprintf(text, sizeof(text), "tcp:interface=127.0.0.1:%s",
		 strchr(utw_port_name(m.port), ':') + 1);
	assert_int_equal(meeting_listen(&second, text), -EADDRINUSE);
	assert_true(utw_failure_is(second.failure, &utw_domain_errno, EADDRINUSE));
	assert_non_null(strstr(utw_failure_message(second.failure), text));
	meeting_close(&second);
	meeting_close(&m);
}

static void descriptor_is_taken_over(void **state)
{
	struct utw_deferred *d;
	struct meeting m;
	char text[32], got[8];
	int fd[2];

	(void)state;
	meeting_open(&m);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	snprintf(text, sizeof(text), "fd:%d", fd[1]);
	d = meeting_connect(&m, text);
	turn_until(m.near.reactor, m.fired);
	assert_story(&m.near.recorders[0], "M");
	utw_transport_write(m.protocol->transport, "hello", 5);
	turn_all(m.near.reactor);
	assert_int_equal(read(fd[0], got, sizeof(got)), 5);
	utw_deferred_unref(d);
	close(fd[0]);
	meeting_close(&m);
}

static void cancelled_descriptor_is_closed(void **state)
{
	struct utw_deferred *d;
	struct meeting m;
	char text[32], got;
	int fd[2];

	(void)state;
	meeting_open(&m);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	snprintf(text, sizeof(text), "fd:%d", fd[1]);
	d = meeting_connect(&m, text);
	utw_deferred_cancel(d);
	assert_true(m.fired);
	turn_all(m.near.reactor);
	assert_lost(&m.near.recorders[0], UTW_ABORTED);
	assert_int_equal(read(fd[0], &got, 1), 0);
	utw_deferred_unref(d);
	close(fd[0]);
	meeting_close(&m);
}

static void missing_device_fails_and_tells_its_protocol(void **state)
{
	struct utw_deferred *d;
	struct meeting m;

	(void)state;
	meeting_open(&m);
	d = meeting_connect(&m, "device:/dev/untwist/missing");
	assert_lost(&m.near.recorders[0], UTW_LOST);
	turn_until(m.near.reactor, m.fired);
	assert_true(utw_failure_is(m.failure, &utw_domain_errno, ENOENT));
	utw_deferred_unref(d);
	utw_failure_unref(m.failure);
	m.failure = NULL;
	assert_int_equal(meeting_listen(&m, "device:/dev/untwist/missing"), -ENOENT);
	meeting_close(&m);
}

static void standard_streams_are_one_connection(void **state)
{
	struct meeting m;

	(void)state;
	meeting_open(&m);
	assert_int_equal(meeting_listen(&m, "stdio:"), 0);
	assert_string_equal(utw_port_name(m.port), "stdio:");
	turn_until(m.near.reactor, m.far.count);
	assert_int_equal(m.far.factory.users, 1);
	meeting_close(&m);
}

/* It is done when its transports are lost; who waits for the child is not seen from here. */
static void no_child_is_left(struct meeting *m)
{
	while (waitid(P_ALL, 0, &(siginfo_t){ .si_pid = 0 }, WEXITED | WNOHANG | WNOWAIT) == 0)
		utw_reactor_run_once(m->near.reactor, UINT64_C(1000000000));
	assert_int_equal(errno, ECHILD);
}

static void process_is_spoken_with(void **state)
{
	struct utw_deferred *d;
	struct meeting m;

	(void)state;
	meeting_open(&m);
	d = meeting_connect(&m, "process:sh:-c:pwd; sort:folder=/");
	turn_until(m.near.reactor, m.fired);
	assert_null(m.failure);
	utw_transport_write(m.protocol->transport, "b\na\n", 4);
	assert_int_equal(utw_transport_close_write(m.protocol->transport), 0);
	turn_until(m.near.reactor, recorder_lost(&m.near.recorders[0]));
	assert_lost(&m.near.recorders[0], UTW_DONE);
	assert_int_equal(m.near.recorders[0].data_len, 6);
	assert_memory_equal(m.near.recorders[0].data, "/\na\nb\n", 6);
	no_child_is_left(&m);
	utw_deferred_unref(d);
	meeting_close(&m);
}

static void process_that_is_not_there_is_named(void **state)
{
	struct utw_deferred *d;
	struct meeting m;

	(void)state;
	meeting_open(&m);
	d = meeting_connect(&m, "process:/missing/program");
	turn_until(m.near.reactor, m.fired);
	assert_true(utw_failure_is(m.failure, &utw_domain_errno, ENOENT));
	assert_non_null(strstr(utw_failure_message(m.failure), "/missing/program"));
	assert_lost(&m.near.recorders[0], UTW_LOST);
	utw_deferred_unref(d);
	meeting_close(&m);
}

static int listening_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, &(struct sockaddr){ .sa_family = AF_UNIX }, sizeof(sa_family_t)),
			 0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static int connect_peer(int listener)
{
	struct sockaddr_storage at;
	socklen_t size = sizeof(at);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &size), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, size), 0);
	return fd;
}

static void listening_descriptor_is_adopted(void **state)
{
	struct meeting m;
	char text[32];
	int listener = listening_socket(), peer[2];

	(void)state;
	meeting_open(&m);
	snprintf(text, sizeof(text), "fd:%d", listener);
	assert_int_equal(meeting_listen(&m, text), 0);
	assert_true(fcntl(listener, F_GETFL) & O_NONBLOCK);
	peer[0] = connect_peer(listener);
	peer[1] = connect_peer(listener);
	turn_until(m.near.reactor, m.far.count == 2);
	assert_int_equal(write(peer[1], "x", 1), 1);
	turn_until(m.near.reactor, m.far.recorders[1].data_len);
	close(peer[0]);
	close(peer[1]);
	meeting_close(&m);
	assert_int_equal(fcntl(listener, F_GETFD), -1);
}

static void what_does_not_listen_is_refused(void **state)
{
	struct meeting m;
	int fd[2];
	char text[32];

	(void)state;
	meeting_open(&m);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	snprintf(text, sizeof(text), "fd:%d", fd[0]);
	assert_int_equal(meeting_listen(&m, text), -EINVAL);
	close(fd[0]);
	close(fd[1]);
	meeting_close(&m);
}

/* What sd_listen_fds(3) describes. Descriptor 3 is put there before anybody takes it. */
static void systemd_listens(const char *text, const char *pid, int expected)
{
	int listener = listening_socket();
	int guard = listener == 3 ? -1 : dup2(listener, 3);
	struct meeting m;

	meeting_open(&m);
	setenv("LISTEN_PID", pid, 1);
	assert_int_equal(meeting_listen(&m, text), expected);
	meeting_close(&m);
	if (guard >= 0)
		close(listener);
	if (expected)
		close(3);
	unsetenv("LISTEN_PID");
}

static void systemd_hands_over_by_index_and_name(void **state)
{
	char pid[16];

	(void)state;
	/* A debugger or a shell may have left something there. */
	if (fcntl(3, F_GETFD) != -1)
		skip();
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_FDNAMES", "web", 1);
	systemd_listens("systemd:0", pid, 0);
	systemd_listens("systemd:name=web", pid, 0);
	systemd_listens("systemd:1", pid, -ENOENT);
	systemd_listens("systemd:name=other", pid, -ENOENT);
	systemd_listens("systemd:0", "1", -ESRCH);
	unsetenv("LISTEN_FDS");
	systemd_listens("systemd:0", pid, -ESRCH);
	unsetenv("LISTEN_FDNAMES");
}

/* A type of the program's own comes before those of the library. */
static struct utw_failure *own_check(const struct utw_endpoint *e)
{
	if (strcmp(utw_endpoint_value(e, "colour"), "blue") == 0)
		return NULL;
	return utw_endpoint_complain(e, "colour", "only blue will do");
}

static void own_types(void **state)
{
	static const struct utw_endpoint_key keys[] = { { .name = "colour", .required = true },
							{ .name = NULL } };
	static const struct utw_endpoint_type own = {
		.name = "tcp", .role = UTW_ENDPOINT_CLIENT, .keys = keys, .check = own_check
	};
	static const struct utw_endpoint_type *const more[] = { &own, NULL };
	struct utw_failure *why;
	struct utw_endpoint *e;

	(void)state;
	assert_int_equal(utw_endpoint_parse(&e, UTW_ENDPOINT_CLIENT, "tcp:red", more, &why),
			 -EINVAL);
	assert_non_null(strstr(utw_failure_message(why), "column 5: only blue will do"));
	utw_failure_unref(why);
	assert_int_equal(utw_endpoint_parse(&e, UTW_ENDPOINT_CLIENT, "tcp:blue", more, &why), 0);
	utw_endpoint_free(e);
	assert_int_equal(utw_endpoint_parse(&e, UTW_ENDPOINT_SERVER, "tcp:80", more, &why), 0);
	utw_endpoint_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tcp_meets_tcp),
		TEST(unix_meets_unix),
		TEST(serial_port_is_opened_as_told),
		TEST(refused_attempt_names_the_address),
		TEST(taken_port_is_a_failure),
		TEST(descriptor_is_taken_over),
		TEST(cancelled_descriptor_is_closed),
		TEST(missing_device_fails_and_tells_its_protocol),
		TEST(standard_streams_are_one_connection),
		TEST(process_is_spoken_with),
		TEST(process_that_is_not_there_is_named),
		TEST(listening_descriptor_is_adopted),
		TEST(what_does_not_listen_is_refused),
		TEST(systemd_hands_over_by_index_and_name),
		TEST(own_types),
	};

	return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
