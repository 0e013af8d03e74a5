/* SPDX-License-Identifier: MIT */
/* A UDP port that sends each datagram back: cc datagram-echo.c $(pkg-config --cflags --libs untwist) */
#include <stdio.h>
#include <string.h>
#include <untwist/untwist.h>

static void echo_received(struct utw_datagram_receiver *r, const void *data, size_t len,
			  size_t full_len, const struct utw_address *from)
{
	char who[UTW_ADDRESS_TEXT];
	int error = utw_datagram_send(r->port, data, len, from);

	(void)full_len;
	utw_address_format(from, who, sizeof(who));
	/* Nothing is queued: what became of it is known now. */
	printf("%zu bytes from %s: %s\n", len, who, error ? strerror(-error) : "sent back");
}

/* The network says of an answer that nobody was there to take it. */
static void echo_error(struct utw_datagram_receiver *r, struct utw_failure *failure,
		       const struct utw_address *to)
{
	char story[256];

	(void)r;
	(void)to;
	utw_failure_format(failure, story, sizeof(story));
	printf("%s\n", story);
}

static const struct utw_datagram_ops echo_ops = { .received = echo_received, .error = echo_error };

int main(int argc, char **argv)
{
	const char *text = argc > 1 ? argv[1] : "localhost:7000";
	struct utw_datagram_receiver receiver;
	struct utw_reactor *reactor;
	struct utw_datagram *port;
	struct utw_address at;
	int error;

	utw_datagram_receiver_init(&receiver, &echo_ops);
	error = utw_address_parse(&at, text);
	if (!error)
		error = utw_reactor_new(&reactor);
	if (!error)
		error = utw_udp_open(&port, reactor, &at, 0, &receiver);
	if (!error)
		error = utw_reactor_run(reactor);
	fprintf(stderr, "datagram-echo: %s: %s\n", text, strerror(-error));
	return 1;
}
