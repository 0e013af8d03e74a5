/* SPDX-License-Identifier: MIT */
/* TCP in trouble: no memory at each step, and factories that build what cannot be used. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/deferred.h>
#include <untwist/factory.h>
#include <untwist/tcp.h>

#include "harness.h"
#include "harness-alloc.h"
#include "recorder.h"

/* More allocations than any of the sweeps meets. */
#define SWEEP_END 60

/* Builds the same protocol for every connection. */
struct maker {
	struct utw_factory factory;
	struct utw_protocol *protocol;
	unsigned int built;
};

static struct utw_protocol *maker_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct maker *m = utw_container_of(f, struct maker, factory);

	(void)peer;
	m->built++;
	return m->protocol;
}

static const struct utw_factory_ops maker_ops = { .build = maker_build };

static void maker_init(struct maker *m, struct utw_protocol *protocol)
{
	memset(m, 0, sizeof(*m));
	utw_factory_init(&m->factory, &maker_ops);
	m->protocol = protocol;
}

static int listen_on_any(struct utw_tcp_listener **l, struct utw_reactor *r, struct maker *m)
{
	struct utw_address at;

	assert_int_equal(utw_address_parse(&at, "127.0.0.1:0"), 0);
	return utw_tcp_listen(l, r, &at, &m->factory);
}

static int plain_connect(const struct utw_tcp_listener *l)
{
	const struct utw_address *at = utw_tcp_listener_host(l);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&at->storage, at->length), 0);
	return fd;
}

static void listen_without_memory(void **state)
{
	struct utw_tcp_listener *l = NULL;
	struct utw_reactor *r;
	struct maker m;
	int error = -ENOMEM;

	(void)state;
	maker_init(&m, NULL);
	assert_int_equal(utw_reactor_new(&r), 0);
	for (unsigned int nth = 1; error; nth++) {
		unsigned int before = harness_open_fds();

		assert_true(nth < SWEEP_END);
		alloc_fail_at(nth);
		error = listen_on_any(&l, r, &m);
		alloc_fail_at(0);
		assert_true(error == 0 || error == -ENOMEM);
		assert_int_equal(m.factory.users, error ? 0 : 1);
		assert_true(error == 0 || harness_open_fds() == before);
	}
	utw_tcp_listener_close(l);
	utw_reactor_free(r);
}

/* What was accepted is told lost or never was; the listener lives on either way. */
static void accept_without_memory(void **state)
{
	struct utw_tcp_listener *l;
	struct utw_reactor *r;
	struct recorder rec;
	struct maker m;
	bool refused = true;

	(void)state;
	maker_init(&m, &rec.protocol);
	assert_int_equal(utw_reactor_new(&r), 0);
	assert_int_equal(listen_on_any(&l, r, &m), 0);
	for (unsigned int nth = 1; refused; nth++) {
		int fd = plain_connect(l);

		assert_true(nth < SWEEP_END);
		recorder_init(&rec, true);
		m.built = 0;
		alloc_fail_at(nth);
		turn_until(r, m.built);
		refused = alloc_failed();
		alloc_fail_at(0);
		close(fd);
		turn_until(r, strpbrk(rec.story, "EL"));
		utw_transport_close(rec.protocol.transport, UTW_CLOSE_ABORT, 0);
		turn_all(r);
		assert_true(recorder_lost(&rec));
		recorder_release(&rec);
	}
	utw_tcp_listener_close(l);
	utw_reactor_free(r);
}

struct outcome {
	unsigned int fired;
	struct utw_protocol *protocol;
};

static struct utw_result note(void *value, struct utw_failure *failure, void *data)
{
	struct outcome *o = data;

	(void)failure;
	o->fired++;
	o->protocol = value;
	return utw_result_value(NULL);
}

/* The attempt with the nth allocation refused; returns whether there were so many. */
static bool connect_refusing(struct utw_reactor *r, const struct utw_address *to, unsigned int nth)
{
	struct outcome o = { .fired = 0 };
	struct utw_deferred *d;
	struct recorder rec;
	struct maker m;
	bool refused;

	recorder_init(&rec, true);
	maker_init(&m, &rec.protocol);
	alloc_fail_at(nth);
	d = utw_tcp_connect(r, to, &m.factory, 0);
	if (d) {
		assert_int_equal(utw_deferred_add_both(d, note, &o), 0);
		turn_until(r, o.fired);
	}
	refused = alloc_failed();
	alloc_fail_at(0);
	utw_deferred_unref(d);
	utw_transport_close(rec.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(r);
	assert_int_equal(o.fired, d ? 1 : 0);
	assert_true(refused || o.protocol == &rec.protocol);
	assert_int_equal(m.factory.users, 0);
	/* Whatever was built has heard of its end. */
	assert_int_equal(recorder_lost(&rec), m.built > 0);
	recorder_release(&rec);
	return refused;
}

static void connect_without_memory(void **state)
{
	struct sockaddr_in *in;
	struct utw_address to = { .length = sizeof(to.storage) };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct utw_reactor *r;
	unsigned int nth = 1;

	(void)state;
	in = (struct sockaddr_in *)&to.storage;
	assert_int_equal(listen(listener, SWEEP_END), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)in, &to.length), 0);
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(utw_reactor_new(&r), 0);
	while (connect_refusing(r, &to, nth))
		assert_true(++nth < SWEEP_END);
	assert_true(nth > 5);
	utw_reactor_free(r);
	close(listener);
}

/* Serve one connection with this protocol; the client must see it closed at once. */
static void assert_turned_away(struct utw_protocol *protocol)
{
	struct utw_tcp_listener *l;
	struct utw_reactor *r;
	struct maker m;
	char byte;
	int fd;

	maker_init(&m, protocol);
	assert_int_equal(utw_reactor_new(&r), 0);
	assert_int_equal(listen_on_any(&l, r, &m), 0);
	fd = plain_connect(l);
	turn_until(r, m.built);
	assert_int_equal(read(fd, &byte, 1), 0);
	close(fd);
	utw_tcp_listener_close(l);
	utw_reactor_free(r);
}

static void protocol_without_lost_is_turned_away(void **state)
{
	static const struct utw_protocol_ops deaf = { .made = NULL };
	struct utw_protocol protocol;

	(void)state;
	utw_protocol_init(&protocol, &deaf);
	assert_turned_away(&protocol);
	assert_null(protocol.transport);
}

static void protocol_in_use_keeps_its_transport(void **state)
{
	struct utw_tcp_listener *l;
	struct utw_reactor *r;
	struct recorder rec;
	struct maker m;
	int fd;

	(void)state;
	recorder_init(&rec, true);
	maker_init(&m, &rec.protocol);
	assert_int_equal(utw_reactor_new(&r), 0);
	assert_int_equal(listen_on_any(&l, r, &m), 0);
	fd = plain_connect(l);
	turn_until(r, rec.story_len);
	assert_turned_away(&rec.protocol);
	assert_false(recorder_lost(&rec));
	assert_int_equal(write(fd, "still", 5), 5);
	turn_until(r, rec.data_len == 5);
	utw_transport_close(rec.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(r);
	assert_story(&rec, "MDL");
	close(fd);
	utw_tcp_listener_close(l);
	recorder_release(&rec);
	utw_reactor_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(listen_without_memory),
		TEST(accept_without_memory),
		TEST(connect_without_memory),
		TEST(protocol_without_lost_is_turned_away),
		TEST(protocol_in_use_keeps_its_transport),
	};

	return cmocka_run_group_tests_name("tcp-trouble", tests, NULL, NULL);
}
