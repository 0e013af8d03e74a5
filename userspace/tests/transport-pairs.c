/* SPDX-License-Identifier: MIT */
/* Pairs: see transport-pairs.h. */
#include "transport-pairs.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <untwist/device.h>
#include <untwist/fd.h>
#include <untwist/memory.h>
#include <untwist/serial.h>
#include <untwist/unix.h>

#include "harness.h"

static void pair_adopt(struct pair *pair, int near_in, int near_out, int far_in, int far_out)
{
	assert_int_equal(utw_fd_transport_new(&pair->near_transport, pair->reactor, near_in,
					      near_out, &pair->near.protocol),
			 0);
	assert_int_equal(utw_fd_transport_new(&pair->far_transport, pair->reactor, far_in, far_out,
					      &pair->far.protocol),
			 0);
}

static void open_pipes(struct pair *pair)
{
	int there[2], back[2];

	assert_int_equal(pipe2(there, O_CLOEXEC), 0);
	assert_int_equal(pipe2(back, O_CLOEXEC), 0);
	pair_adopt(pair, back[0], there[1], there[0], back[1]);
}

static void open_sockets(struct pair *pair, int type)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fd), 0);
	pair_adopt(pair, fd[0], fd[0], fd[1], fd[1]);
}

static void open_socket(struct pair *pair)
{
	open_sockets(pair, SOCK_STREAM);
}

static void open_seqpacket(struct pair *pair)
{
	open_sockets(pair, SOCK_SEQPACKET);
}

void tcp_socketpair(int fd[2])
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t size = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &size), 0);
	fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd[0], (struct sockaddr *)&at, sizeof(at)), 0);
	fd[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd[1] >= 0);
	close(listener);
}

static void open_tcp(struct pair *pair)
{
	int fd[2];

	tcp_socketpair(fd);
	pair_adopt(pair, fd[0], fd[0], fd[1], fd[1]);
}

/* Through a carrier of its own, which takes descriptors out of the stream of bytes. */
static void open_unix(struct pair *pair)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	assert_int_equal(utw_unix_transport_new(&pair->near_transport, pair->reactor, fd[0],
						&pair->near.protocol),
			 0);
	assert_int_equal(utw_unix_transport_new(&pair->far_transport, pair->reactor, fd[1],
						&pair->far.protocol),
			 0);
	assert_int_equal(utw_unix_accept_fds(pair->near_transport, 1), 0);
	assert_int_equal(utw_unix_accept_fds(pair->far_transport, 1), 0);
}

static void open_memory(struct pair *pair)
{
	struct utw_protocol *protocols[] = { &pair->near.protocol, &pair->far.protocol };
	struct utw_transport *transports[2];

	assert_int_equal(utw_memory_transport_pair(transports, pair->reactor,
						   pair->kind->record ? UTW_MEMORY_RECORD
								      : UTW_MEMORY_STREAM,
						   protocols),
			 0);
	pair->near_transport = transports[0];
	pair->far_transport = transports[1];
}

static int master_open(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	return master;
}

/* A cable, with a plain terminal at its far end. */
static void open_serial(struct pair *pair)
{
	int master = master_open();

	assert_int_equal(utw_serial_open(&pair->near_transport, pair->reactor, ptsname(master),
					 NULL, &pair->near.protocol),
			 0);
	assert_int_equal(utw_fd_transport_new(&pair->far_transport, pair->reactor, master, master,
					      &pair->far.protocol),
			 0);
}

static void open_terminal(struct pair *pair)
{
	struct termios raw;
	int master = master_open();
	int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);

	assert_true(slave >= 0);
	assert_int_equal(tcgetattr(slave, &raw), 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(slave, TCSANOW, &raw), 0);
	pair_adopt(pair, slave, slave, master, master);
}

static void open_device(struct pair *pair)
{
	assert_int_equal(utw_device_transport_open(&pair->near_transport, pair->reactor,
						   getenv("UNTWIST_TEST_DEVICE"), NULL,
						   &pair->near.protocol),
			 0);
}

bool pair_probe_device(struct pair_kind *ret)
{
	struct pair_kind kind = { .name = "device", .echoes = true, .open = open_device };
	struct pair pair = { .kind = &kind };

	if (!getenv("UNTWIST_TEST_DEVICE")) {
		print_message("device: not run, UNTWIST_TEST_DEVICE names none\n");
		return false;
	}
	assert_int_equal(utw_reactor_new(&pair.reactor), 0);
	recorder_init(&pair.near, true);
	open_device(&pair);
	kind.record = utw_transport_is_record(pair.near_transport);
	utw_transport_close(pair.near_transport, UTW_CLOSE_ABORT, 0);
	turn_all(pair.reactor);
	utw_transport_unref(pair.near_transport);
	recorder_release(&pair.near);
	utw_reactor_free(pair.reactor);
	*ret = kind;
	return true;
}

const struct pair_kind pair_pipe = { .name = "pipe", .half_close = true, .open = open_pipes };
const struct pair_kind pair_socket = { .name = "socket", .half_close = true, .open = open_socket };
const struct pair_kind pair_seqpacket = {
	.name = "seqpacket", .record = true, .half_close = true, .open = open_seqpacket
};
const struct pair_kind pair_tcp = { .name = "tcp", .half_close = true, .open = open_tcp };
const struct pair_kind pair_unix = { .name = "unix", .half_close = true, .open = open_unix };
const struct pair_kind pair_memory = { .name = "memory", .half_close = true, .open = open_memory };
const struct pair_kind pair_memory_record = {
	.name = "memory record", .record = true, .half_close = true, .open = open_memory
};
const struct pair_kind pair_serial = { .name = "serial", .open = open_serial };
const struct pair_kind pair_terminal = { .name = "terminal", .open = open_terminal };

int pair_setup(void **state)
{
	const struct pair_kind *kind = *state;
	struct pair *pair;

	harness_setup(state);
	pair = calloc(1, sizeof(*pair));
	assert_non_null(pair);
	assert_int_equal(utw_reactor_new(&pair->reactor), 0);
	pair->kind = kind;
	recorder_init(&pair->near, true);
	recorder_init(&pair->far, true);
	*state = pair;
	kind->open(pair);
	return 0;
}

int pair_teardown(void **state)
{
	struct pair *pair = *state;

	utw_transport_close(pair->near.protocol.transport, UTW_CLOSE_ABORT, 0);
	utw_transport_close(pair->far.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(pair->reactor);
	utw_transport_unref(pair->near_transport);
	utw_transport_unref(pair->far_transport);
	recorder_release(&pair->near);
	recorder_release(&pair->far);
	utw_reactor_free(pair->reactor);
	free(pair);
	return harness_teardown(state);
}
