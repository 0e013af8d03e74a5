/* SPDX-License-Identifier: MIT */
/* DNS: a resolver asks a server over UDP that answers what the tests want. */
#include <untwist/dns.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/address.h>
#include <untwist/datagram.h>
#include <untwist/deferred.h>
#include <untwist/factory.h>
#include <untwist/tcp.h>
#include <untwist/udp.h>

#include "harness.h"
#include "recorder.h"

#define NAME_MAX_LEN 256
#define NXDOMAIN     3
#define SERVFAIL     2

/* A line of the zone: the data of the record as on the wire. */
struct zone_line {
	const char *name;
	int type;
	unsigned char ttl;
	unsigned char len;
	const char *data;
};

static const struct zone_line zone[] = {
	{ "both.test", 1, 60, 4, "\x7f\0\0\1" },
	{ "both.test", 28, 60, 16, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1" },
	{ "fourth.test", 1, 0, 4, "\x7f\0\0\1" },
	{ "_echo._tcp.test", 33, 60, 17, "\0\12\0\24\x1f\x90\4host\4test" },
	{ "_echo._tcp.test", 33, 60, 17, "\0\13\0\25\x1f\x91\4next\4test" },
	{ "words.test", 16, 60, 6, "\5hello" },
	{ "1.2.0.192.in-addr.arpa", 12, 60, 11, "\4name\4test" },
};

static struct {
	struct utw_reactor *reactor;
	struct utw_datagram_receiver receiver;
	struct utw_datagram *port;
	struct utw_dns *dns;
	unsigned int asked;
	char last[NAME_MAX_LEN];
	bool hold; /* the answers for the sixth version */
	unsigned char held[512];
	size_t held_len;
	struct utw_address held_to;
} server;

/* The name of the question in text; returns the bytes it takes. */
static size_t name_read(const unsigned char *from, char *to)
{
	size_t at = 0;

	while (from[at]) {
		memcpy(to + at, from + at + 1, from[at]);
		at += from[at] + 1U;
		to[at - 1] = '.';
	}
	to[at ? at - 1 : 0] = '\0';
	return at + 1;
}

/* Whatever else the machine's search list makes of a name is not there. */
static unsigned char rcode_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(zone); i++)
		if (!strcmp(zone[i].name, name))
			return 0;
	return NXDOMAIN;
}

static size_t answer_add(unsigned char *to, const struct zone_line *line)
{
	const unsigned char header[] = { 0xc0, 12,	  0, (unsigned char)line->type,
					 0,    1,	  0, 0,
					 0,    line->ttl, 0, line->len };

	memcpy(to, header, sizeof(header));
	memcpy(to + sizeof(header), line->data, line->len);
	return sizeof(header) + line->len;
}

static void server_received(struct utw_datagram_receiver *r, const void *data, size_t len,
			    size_t full_len, const struct utw_address *from)
{
	unsigned char reply[512] = { 0 };
	char name[NAME_MAX_LEN];
	size_t question = 12 + name_read((const unsigned char *)data + 12, name) + 4;
	size_t end = question;
	int type = ((const unsigned char *)data)[question - 3];

	(void)full_len;
	assert_true(len >= question);
	server.asked++;
	strcpy(server.last, name);
	if (!strcmp(name, "silent.test"))
		return;
	memcpy(reply, data, question);
	reply[2] = 0x84;
	reply[3] = strcmp(name, "fail.test") ? rcode_of(name) : SERVFAIL;
	memset(reply + 6, 0, 6);
	for (size_t i = 0; i < ARRAY_SIZE(zone); i++) {
		if (strcmp(zone[i].name, name) || zone[i].type != type)
			continue;
		end += answer_add(reply + end, &zone[i]);
		reply[7]++;
	}
	if (server.hold && type == 28) {
		memcpy(server.held, reply, end);
		server.held_len = end;
		server.held_to = *from;
		return;
	}
	utw_datagram_send(r->port, reply, end, from);
}

static const struct utw_datagram_ops server_ops = { .received = server_received };

static void begin(void)
{
	struct utw_dns_options options = { .timeout = 50, .tries = 2 };
	struct utw_address at;
	char text[UTW_ADDRESS_TEXT];

	memset(&server, 0, sizeof(server));
	assert_int_equal(utw_reactor_new(&server.reactor), 0);
	utw_datagram_receiver_init(&server.receiver, &server_ops);
	assert_int_equal(utw_address_parse(&at, "127.0.0.1:0"), 0);
	assert_int_equal(utw_udp_open(&server.port, server.reactor, &at, 0, &server.receiver), 0);
	utw_address_format(utw_datagram_host(server.port), text, sizeof(text));
	options.servers = text;
	assert_int_equal(utw_dns_new(&server.dns, server.reactor, &options), 0);
}

static void end(void)
{
	utw_dns_free(server.dns);
	utw_datagram_close(server.port);
	turn_all(server.reactor);
	utw_reactor_free(server.reactor);
}

struct looked {
	struct utw_lookup lookup;
	char found[256]; /* all of them, in order of the text */
	unsigned int count;
	bool done;
	struct utw_failure *failure;
	bool cancel; /* when the first is found */
};

static void looked_found(struct utw_lookup *l, const struct utw_address *address)
{
	struct looked *k = utw_container_of(l, struct looked, lookup);
	char text[UTW_ADDRESS_TEXT];

	assert_false(k->done);
	utw_address_format(address, text, sizeof(text));
	strcat(strcat(k->found, text), " ");
	k->count++;
	if (k->cancel)
		utw_lookup_cancel(l);
}

static void looked_done(struct utw_lookup *l, struct utw_failure *failure)
{
	struct looked *k = utw_container_of(l, struct looked, lookup);

	assert_false(k->done);
	assert_null(l->resolver);
	k->done = true;
	k->failure = utw_failure_ref(failure);
}

static const struct utw_lookup_ops looked_ops = { .found = looked_found, .done = looked_done };

static void look_up(struct looked *k, const char *host, int family)
{
	memset(k, 0, sizeof(*k));
	utw_lookup_init(&k->lookup, &looked_ops);
	assert_int_equal(utw_lookup_start(&k->lookup, utw_dns_resolver(server.dns), host, 80,
					  family),
			 0);
	assert_false(k->done || k->count);
}

static void look_up_all(struct looked *k, const char *host, int family)
{
	look_up(k, host, family);
	turn_until(server.reactor, k->done);
}

static void assert_lookup_fails(const char *host, int code)
{
	struct looked k;

	look_up_all(&k, host, AF_UNSPEC);
	assert_non_null(k.failure);
	if (!utw_failure_is(k.failure, &utw_domain_dns, code))
		fail_msg("%s", utw_failure_message(k.failure));
	utw_failure_unref(k.failure);
}

static void both_families_are_found(void **state)
{
	struct looked k;

	(void)state;
	begin();
	look_up_all(&k, "both.test", AF_UNSPEC);
	assert_null(k.failure);
	assert_int_equal(k.count, 2);
	assert_non_null(strstr(k.found, "127.0.0.1:80 "));
	assert_non_null(strstr(k.found, "[::1]:80 "));
	look_up_all(&k, "both.test", AF_INET6);
	assert_string_equal(k.found, "[::1]:80 ");
	look_up_all(&k, "fourth.test", AF_UNSPEC);
	assert_string_equal(k.found, "127.0.0.1:80 ");
	end();
}

static void one_family_does_not_wait_for_the_other(void **state)
{
	struct looked k;

	(void)state;
	begin();
	server.hold = true;
	look_up(&k, "both.test", AF_UNSPEC);
	turn_until(server.reactor, k.count && server.held_len);
	assert_string_equal(k.found, "127.0.0.1:80 ");
	assert_false(k.done);
	utw_datagram_send(server.port, server.held, server.held_len, &server.held_to);
	turn_until(server.reactor, k.done);
	assert_string_equal(k.found, "127.0.0.1:80 [::1]:80 ");
	end();
}

static void answers_are_remembered_as_long_as_they_say(void **state)
{
	struct looked k;

	(void)state;
	begin();
	look_up_all(&k, "both.test", AF_UNSPEC);
	assert_null(k.failure);
	assert_int_equal(server.asked, 2);
	look_up_all(&k, "BOTH.test", AF_UNSPEC);
	assert_null(k.failure);
	assert_int_equal(k.count, 2);
	assert_int_equal(server.asked, 2);
	/* Those that are good for no time are asked for each time. */
	look_up_all(&k, "fourth.test", AF_INET);
	assert_null(k.failure);
	look_up_all(&k, "fourth.test", AF_INET);
	assert_null(k.failure);
	assert_int_equal(server.asked, 4);
	end();
}

static void failures_are_told_apart(void **state)
{
	(void)state;
	begin();
	assert_lookup_fails("none.test", UTW_DNS_NO_NAME);
	assert_lookup_fails("words.test", UTW_DNS_NO_DATA);
	assert_lookup_fails("fail.test", UTW_DNS_FAILED);
	assert_lookup_fails("silent.test", UTW_DNS_TIMEOUT);
	end();
}

static void numbers_are_asked_of_nobody(void **state)
{
	struct looked k;

	(void)state;
	begin();
	look_up_all(&k, "192.0.2.7", AF_UNSPEC);
	assert_string_equal(k.found, "192.0.2.7:80 ");
	look_up_all(&k, "2001:db8::7", AF_INET6);
	assert_string_equal(k.found, "[2001:db8::7]:80 ");
	look_up_all(&k, "192.0.2.7", AF_INET6);
	assert_true(utw_failure_is(k.failure, &utw_domain_dns, UTW_DNS_NO_DATA));
	utw_failure_unref(k.failure);
	look_up_all(&k, "localhost", AF_INET);
	assert_string_equal(k.found, "127.0.0.1:80 ");
	assert_int_equal(server.asked, 0);
	end();
}

static void cancelled_lookup_hears_nothing(void **state)
{
	struct looked k;

	(void)state;
	begin();
	look_up(&k, "both.test", AF_UNSPEC);
	assert_int_equal(utw_lookup_start(&k.lookup, utw_dns_resolver(server.dns), "x", 1, 0),
			 -EBUSY);
	utw_lookup_cancel(&k.lookup);
	utw_lookup_cancel(&k.lookup);
	turn_until(server.reactor, server.asked == 2);
	turn_all(server.reactor);
	assert_false(k.done || k.count);
	assert_int_equal(utw_lookup_start(&k.lookup, utw_dns_resolver(server.dns), "x", 65536, 0),
			 -EINVAL);
	look_up(&k, "both.test", AF_UNSPEC);
	k.cancel = true;
	turn_until(server.reactor, k.count);
	turn_all(server.reactor);
	assert_false(k.done);
	assert_int_equal(k.count, 1);
	end();
}

static void freed_resolver_tells_nothing_more(void **state)
{
	struct looked k;
	struct utw_deferred *d;
	struct utw_result result;

	(void)state;
	begin();
	look_up(&k, "silent.test", AF_UNSPEC);
	d = utw_dns_query(server.dns, "silent.test", UTW_DNS_TXT);
	utw_dns_free(server.dns);
	server.dns = NULL;
	assert_null(k.lookup.resolver);
	assert_int_equal(utw_deferred_take(d, &result), 0);
	assert_true(utw_failure_is(result.failure, &utw_domain_reason, UTW_CANCELLED));
	utw_failure_unref(result.failure);
	utw_deferred_unref(d);
	end();
}

static struct utw_result ask(const char *name, enum utw_dns_type type)
{
	struct utw_deferred *d = utw_dns_query(server.dns, name, type);
	struct utw_result result;

	assert_non_null(d);
	assert_false(utw_deferred_fired(d));
	turn_until(server.reactor, utw_deferred_fired(d));
	assert_int_equal(utw_deferred_take(d, &result), 0);
	utw_deferred_unref(d);
	return result;
}

static void other_records_are_found(void **state)
{
	struct utw_result result;
	struct utw_dns_answer *a;

	(void)state;
	begin();
	result = ask("_echo._tcp.test", UTW_DNS_SRV);
	a = result.value.ptr;
	assert_int_equal(a->count, 2);
	assert_string_equal(a->records[0].text, "host.test");
	assert_int_equal(a->records[0].priority, 10);
	assert_int_equal(a->records[0].weight, 20);
	assert_int_equal(a->records[0].port, 8080);
	assert_string_equal(a->records[1].text, "next.test");
	result.value.free(a);
	result = ask("words.test", UTW_DNS_TXT);
	a = result.value.ptr;
	assert_int_equal(a->count, 1);
	assert_string_equal(a->records[0].text, "hello");
	assert_int_equal(a->records[0].len, 5);
	result.value.free(a);
	result = ask("192.0.2.1", UTW_DNS_PTR);
	a = result.value.ptr;
	assert_int_equal(a->count, 1);
	assert_string_equal(a->records[0].text, "name.test");
	result.value.free(a);
	result = ask("2001:db8::1", UTW_DNS_PTR);
	assert_true(utw_failure_is(result.failure, &utw_domain_dns, UTW_DNS_NO_NAME));
	assert_string_equal(server.last,
			    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
			    ".ip6.arpa");
	utw_failure_unref(result.failure);
	end();
}

static void query_may_be_cancelled(void **state)
{
	struct utw_deferred *d;
	struct utw_result result;

	(void)state;
	begin();
	d = utw_dns_query(server.dns, "words.test", UTW_DNS_TXT);
	utw_deferred_cancel(d);
	assert_int_equal(utw_deferred_take(d, &result), 0);
	assert_true(utw_failure_is(result.failure, &utw_domain_reason, UTW_CANCELLED));
	utw_failure_unref(result.failure);
	utw_deferred_unref(d);
	turn_until(server.reactor, server.asked);
	turn_all(server.reactor);
	end();
}

static void servers_are_checked(void **state)
{
	struct utw_dns_options options = { .servers = "not a server" };
	struct utw_dns *dns;

	(void)state;
	begin();
	assert_int_equal(utw_dns_new(&dns, server.reactor, &options), -EINVAL);
	end();
}

/* A listener of one family, for a name of both. */
static struct {
	struct utw_factory factory;
	struct recorder recorder;
} ends[2];

static struct utw_protocol *ends_build(struct utw_factory *f, const struct utw_address *peer)
{
	(void)peer;
	return f == &ends[0].factory ? &ends[0].recorder.protocol : &ends[1].recorder.protocol;
}

static const struct utw_factory_ops ends_ops = { .build = ends_build };

static void connection_by_name(void **state)
{
	struct utw_tcp_listener *l;
	struct utw_address at;
	struct utw_deferred *d;
	struct utw_result result;

	(void)state;
	begin();
	for (int i = 0; i < 2; i++) {
		recorder_init(&ends[i].recorder, true);
		utw_factory_init(&ends[i].factory, &ends_ops);
	}
	utw_address_parse(&at, "127.0.0.1:0");
	assert_int_equal(utw_tcp_listen(&l, server.reactor, &at, &ends[1].factory), 0);
	d = utw_tcp_connect_host(server.reactor, utw_dns_resolver(server.dns), "both.test",
				 utw_address_port(utw_tcp_listener_host(l)), &ends[0].factory, 0);
	turn_until(server.reactor, utw_deferred_fired(d));
	assert_int_equal(utw_deferred_take(d, &result), 0);
	assert_ptr_equal(result.value.ptr, &ends[0].recorder.protocol);
	utw_deferred_unref(d);
	d = utw_tcp_connect_host(server.reactor, utw_dns_resolver(server.dns), "none.test", 1,
				 &ends[0].factory, 0);
	turn_until(server.reactor, utw_deferred_fired(d));
	assert_int_equal(utw_deferred_take(d, &result), 0);
	assert_true(utw_failure_is(result.failure, &utw_domain_dns, UTW_DNS_NO_NAME));
	utw_failure_unref(result.failure);
	utw_deferred_unref(d);
	d = utw_tcp_connect_host(server.reactor, utw_dns_resolver(server.dns), "silent.test", 1,
				 &ends[0].factory, 0);
	turn_all(server.reactor);
	utw_deferred_cancel(d);
	assert_int_equal(utw_deferred_take(d, &result), 0);
	assert_true(utw_failure_is(result.failure, &utw_domain_reason, UTW_CANCELLED));
	utw_failure_unref(result.failure);
	utw_deferred_unref(d);
	utw_tcp_listener_close(l);
	for (int i = 0; i < 2; i++)
		utw_transport_close(ends[i].recorder.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(server.reactor);
	for (int i = 0; i < 2; i++)
		recorder_release(&ends[i].recorder);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_families_are_found),
		TEST(one_family_does_not_wait_for_the_other),
		TEST(answers_are_remembered_as_long_as_they_say),
		TEST(failures_are_told_apart),
		TEST(numbers_are_asked_of_nobody),
		TEST(cancelled_lookup_hears_nothing),
		TEST(freed_resolver_tells_nothing_more),
		TEST(other_records_are_found),
		TEST(query_may_be_cancelled),
		TEST(servers_are_checked),
		TEST(connection_by_name),
	};

	return cmocka_run_group_tests_name("dns", tests, NULL, NULL);
}
