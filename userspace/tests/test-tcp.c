/* SPDX-License-Identifier: MIT */
/* TCP: listening, connecting, options, and a process out of descriptors. */
#include <untwist/tcp.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/deferred.h>
#include <untwist/factory.h>

#include "harness.h"
#include "recorder.h"
#include "transport/transport-private.h"

#define MOST 8

/* A listener and all that it built. */
struct server {
	struct utw_reactor *reactor;
	struct utw_factory factory;
	struct utw_tcp_listener *listener;
	struct recorder built[MOST];
	unsigned int count;
	unsigned int stops;
	bool refuse;
	bool close_listener; /* from inside build */
};

struct client {
	struct utw_factory factory;
	struct recorder recorder;
	struct utw_protocol *got;
	struct utw_failure *failure;
};

static struct utw_protocol *server_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct server *s = utw_container_of(f, struct server, factory);

	assert_true(utw_address_port(peer) != 0);
	if (s->close_listener) {
		utw_tcp_listener_close(s->listener);
		s->listener = NULL;
	}
	if (s->refuse)
		return NULL;
	assert_true(s->count < MOST);
	recorder_init(&s->built[s->count], true);
	return &s->built[s->count++].protocol;
}

static void server_stop(struct utw_factory *f)
{
	utw_container_of(f, struct server, factory)->stops++;
}

static const struct utw_factory_ops server_ops = { .build = server_build, .stop = server_stop };

static void server_open(struct server *s)
{
	struct utw_address at;

	memset(s, 0, sizeof(*s));
	utw_factory_init(&s->factory, &server_ops);
	assert_int_equal(utw_address_parse(&at, "127.0.0.1:0"), 0);
	assert_int_equal(utw_reactor_new(&s->reactor), 0);
	assert_int_equal(utw_tcp_listen(&s->listener, s->reactor, &at, &s->factory), 0);
}

static void server_close(struct server *s)
{
	utw_tcp_listener_close(s->listener);
	for (unsigned int i = 0; i < s->count; i++)
		utw_transport_close(s->built[i].protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(s->reactor);
	for (unsigned int i = 0; i < s->count; i++)
		recorder_release(&s->built[i]);
	assert_int_equal(s->stops, 1);
	utw_reactor_free(s->reactor);
}

static struct utw_protocol *client_build(struct utw_factory *f, const struct utw_address *peer)
{
	(void)peer;
	return &utw_container_of(f, struct client, factory)->recorder.protocol;
}

static const struct utw_factory_ops client_ops = { .build = client_build };

static struct utw_result client_both(void *value, struct utw_failure *failure, void *data)
{
	struct client *c = data;

	c->got = value;
	c->failure = failure ? utw_failure_ref(failure) : NULL;
	return utw_result_value(NULL);
}

static struct utw_deferred *client_connect(struct client *c, struct utw_reactor *r,
					   const struct utw_address *to, uint64_t timeout)
{
	struct utw_deferred *d;

	memset(c, 0, sizeof(*c));
	recorder_init(&c->recorder, true);
	utw_factory_init(&c->factory, &client_ops);
	d = utw_tcp_connect(r, to, &c->factory, timeout);
	assert_non_null(d);
	utw_deferred_add_both(d, client_both, c);
	return d;
}

static void client_close(struct client *c, struct utw_reactor *r)
{
	utw_transport_close(c->recorder.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(r);
	assert_int_equal(c->factory.users, 0);
	utw_failure_unref(c->failure);
	recorder_release(&c->recorder);
}

static int plain_connect(const struct server *s)
{
	const struct utw_address *at = utw_tcp_listener_host(s->listener);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&at->storage, at->length), 0);
	return fd;
}

static void connect_and_talk(void **state)
{
	struct server s;
	struct client c;

	(void)state;
	server_open(&s);
	utw_deferred_unref(client_connect(&c, s.reactor, utw_tcp_listener_host(s.listener), 0));
	assert_null(c.got);
	turn_until(s.reactor, c.got && s.count);
	assert_ptr_equal(c.got, &c.recorder.protocol);
	assert_non_null(utw_transport_peer(c.got->transport));
	assert_non_null(utw_transport_peer(s.built[0].protocol.transport));
	assert_true(utw_address_equal(utw_transport_peer(c.got->transport),
				      utw_tcp_listener_host(s.listener)));
	assert_true(utw_address_equal(utw_transport_host(c.got->transport),
				      utw_transport_peer(s.built[0].protocol.transport)));
	utw_transport_write(c.got->transport, "hello", 5);
	turn_until(s.reactor, s.built[0].data_len == 5);
	client_close(&c, s.reactor);
	server_close(&s);
}

static void abort_resets_the_connection(void **state)
{
	struct server s;
	char byte;
	int fd;

	(void)state;
	server_open(&s);
	fd = plain_connect(&s);
	turn_until(s.reactor, s.count);
	utw_transport_close(s.built[0].protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_until(s.reactor, recorder_lost(&s.built[0]));
	assert_int_equal(read(fd, &byte, 1), -1);
	assert_int_equal(errno, ECONNRESET);
	close(fd);
	server_close(&s);
}

/* Unread bytes would make the kernel reset the connection and take the answer with it. */
static void close_with_unread_bytes_keeps_the_answer(void **state)
{
	struct server s;
	char got[8];
	int fd;

	(void)state;
	server_open(&s);
	fd = plain_connect(&s);
	turn_until(s.reactor, s.count);
	utw_transport_pause(s.built[0].protocol.transport);
	assert_int_equal(write(fd, "unread", 6), 6);
	utw_transport_write(s.built[0].protocol.transport, "answer", 6);
	utw_transport_close(s.built[0].protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(s.reactor, recorder_lost(&s.built[0]));
	assert_int_equal(read(fd, got, sizeof(got)), 6);
	assert_int_equal(read(fd, got, sizeof(got)), 0);
	close(fd);
	server_close(&s);
}

static void reset_by_the_peer_is_a_loss(void **state)
{
	struct linger now = { .l_onoff = 1 };
	struct server s;
	int fd;

	(void)state;
	server_open(&s);
	fd = plain_connect(&s);
	turn_until(s.reactor, s.count);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
	turn_until(s.reactor, recorder_lost(&s.built[0]));
	assert_lost(&s.built[0], UTW_LOST);
	assert_true(utw_failure_has(s.built[0].reason, &utw_domain_errno, ECONNRESET));
	server_close(&s);
}

static void refused_by_the_factory_is_closed(void **state)
{
	struct server s;
	char byte;
	int fd;

	(void)state;
	server_open(&s);
	s.refuse = true;
	fd = plain_connect(&s);
	turn_all(s.reactor);
	assert_int_equal(read(fd, &byte, 1), 0);
	close(fd);
	server_close(&s);
}

static void listener_may_be_closed_while_it_accepts(void **state)
{
	struct server s;
	int fd[2];

	(void)state;
	server_open(&s);
	s.close_listener = true;
	fd[0] = plain_connect(&s);
	fd[1] = plain_connect(&s);
	turn_until(s.reactor, s.count);
	turn_all(s.reactor);
	assert_int_equal(s.count, 1);
	close(fd[0]);
	close(fd[1]);
	server_close(&s);
}

static void connect_refused_is_an_errno(void **state)
{
	struct server s;
	struct client c;
	struct utw_address closed;

	(void)state;
	server_open(&s);
	closed = *utw_tcp_listener_host(s.listener);
	utw_tcp_listener_close(s.listener);
	s.listener = NULL;
	utw_deferred_unref(client_connect(&c, s.reactor, &closed, 0));
	turn_until(s.reactor, c.failure);
	assert_true(utw_failure_is(c.failure, &utw_domain_errno, ECONNREFUSED));
	client_close(&c, s.reactor);
	server_close(&s);
}

static void connect_cancelled_leaves_nothing(void **state)
{
	struct server s;
	struct client c;
	struct utw_deferred *d;

	(void)state;
	server_open(&s);
	d = client_connect(&c, s.reactor, utw_tcp_listener_host(s.listener), 0);
	utw_deferred_cancel(d);
	utw_deferred_unref(d);
	assert_true(utw_failure_is(c.failure, &utw_domain_reason, UTW_CANCELLED));
	turn_all(s.reactor);
	assert_story(&c.recorder, "");
	client_close(&c, s.reactor);
	server_close(&s);
}

/* A listener whose queue is full answers nobody: Linux drops the SYN. */
static void connect_without_answer_is_a_timeout(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	struct utw_address full = { .length = sizeof(at) };
	struct utw_reactor *reactor;
	struct client c;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int filler[2];

	(void)state;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 0), 0);
	getsockname(listener, (struct sockaddr *)&full.storage, &full.length);
	for (int i = 0; i < 2; i++) {
		filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		connect(filler[i], (struct sockaddr *)&full.storage, full.length);
	}
	assert_int_equal(utw_reactor_new(&reactor), 0);
	utw_deferred_unref(client_connect(&c, reactor, &full, 1000000));
	turn_until(reactor, c.failure || c.got);
	assert_non_null(c.failure);
	assert_true(utw_failure_is(c.failure, &utw_domain_reason, UTW_TIMEOUT));
	client_close(&c, reactor);
	utw_reactor_free(reactor);
	close(filler[0]);
	close(filler[1]);
	close(listener);
}

/* The clients are told, and the reactor has nothing to do any more: it does not spin. */
static void out_of_descriptors_closes_clients(void **state)
{
	struct rlimit before, none;
	struct server s;
	int fd[2];
	char byte;

	(void)state;
	server_open(&s);
	fd[0] = plain_connect(&s);
	fd[1] = plain_connect(&s);
	getrlimit(RLIMIT_NOFILE, &before);
	none = before;
	none.rlim_cur = (rlim_t)fd[1] + 1;
	setrlimit(RLIMIT_NOFILE, &none);
	turn_all(s.reactor);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_int_equal(s.count, 0);
	assert_int_equal(read(fd[0], &byte, 1), 0);
	assert_int_equal(read(fd[1], &byte, 1), 0);
	close(fd[0]);
	fd[0] = plain_connect(&s);
	turn_until(s.reactor, s.count == 1);
	close(fd[0]);
	close(fd[1]);
	server_close(&s);
}

static void options_are_set(void **state)
{
	struct server s;
	struct utw_transport *t;
	int fd;

	(void)state;
	server_open(&s);
	fd = plain_connect(&s);
	turn_until(s.reactor, s.count);
	t = s.built[0].protocol.transport;
	assert_int_equal(utw_tcp_set_nodelay(t, 1), 0);
	assert_int_equal(utw_tcp_set_keepalive(t, 60), 0);
	assert_int_equal(utw_tcp_set_keepalive(t, 0), 0);
	assert_int_equal(utw_tcp_set_keepalive(t, 4000000000U), -EINVAL);
	assert_int_equal(utw_tcp_set_nodelay(NULL, 1), -EPIPE);
	close(fd);
	server_close(&s);
}

static void listen_tells_what_is_wrong(void **state)
{
	struct server s;
	struct utw_tcp_listener *second = NULL;
	struct utw_address none = { .length = 0 };

	(void)state;
	server_open(&s);
	assert_int_equal(utw_tcp_listen(&second, s.reactor, utw_tcp_listener_host(s.listener),
					&s.factory),
			 -EADDRINUSE);
	assert_int_equal(utw_tcp_listen(&second, s.reactor, &none, &s.factory), -EINVAL);
	assert_null(second);
	assert_int_equal(s.factory.users, 1);
	server_close(&s);
}

static int option_of(const struct utw_transport *t, int level, int name)
{
	socklen_t size = sizeof(int);
	int value = -1;

	getsockopt(utw_end_fd(&t->in), level, name, &value, &size);
	return value;
}

static void options_reach_the_socket(void **state)
{
	static const struct utw_tcp_options all = { true, 7, 5, 3, 9000, 10000, 20000 };
	static const struct utw_tcp_options too_much = { .keep_idle = 1000000 };
	struct utw_tcp_options none = { .nodelay = false };
	struct utw_transport *t;
	struct server s;
	struct client c;

	(void)state;
	server_open(&s);
	utw_deferred_unref(client_connect(&c, s.reactor, utw_tcp_listener_host(s.listener), 0));
	turn_until(s.reactor, c.got);
	t = c.recorder.protocol.transport;
	assert_int_equal(utw_tcp_set_options(t, &none), 0);
	assert_int_equal(option_of(t, IPPROTO_TCP, TCP_NODELAY), 0);
	assert_int_equal(utw_tcp_set_options(t, &all), 0);
	assert_int_equal(option_of(t, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(option_of(t, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(option_of(t, IPPROTO_TCP, TCP_KEEPIDLE), 7);
	assert_int_equal(option_of(t, IPPROTO_TCP, TCP_KEEPINTVL), 5);
	assert_int_equal(option_of(t, IPPROTO_TCP, TCP_KEEPCNT), 3);
	assert_int_equal(option_of(t, IPPROTO_TCP, TCP_USER_TIMEOUT), 9000);
	/* The kernel doubles them, for its own needs. */
	assert_int_equal(option_of(t, SOL_SOCKET, SO_SNDBUF), 20000);
	assert_int_equal(option_of(t, SOL_SOCKET, SO_RCVBUF), 40000);
	assert_int_equal(utw_tcp_set_options(t, &too_much), -EINVAL);
	assert_int_equal(utw_tcp_set_options(NULL, &all), -EPIPE);
	client_close(&c, s.reactor);
	server_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(connect_and_talk),
		TEST(abort_resets_the_connection),
		TEST(close_with_unread_bytes_keeps_the_answer),
		TEST(reset_by_the_peer_is_a_loss),
		TEST(refused_by_the_factory_is_closed),
		TEST(listener_may_be_closed_while_it_accepts),
		TEST(connect_refused_is_an_errno),
		TEST(connect_cancelled_leaves_nothing),
		TEST(connect_without_answer_is_a_timeout),
		TEST(options_reach_the_socket),
		TEST(out_of_descriptors_closes_clients),
		TEST(options_are_set),
		TEST(listen_tells_what_is_wrong),
	};

	return cmocka_run_group_tests_name("tcp", tests, NULL, NULL);
}
