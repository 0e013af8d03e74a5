/* SPDX-License-Identifier: MIT */
/* Send a file to who comes, and end: cc send-file.c $(pkg-config --cflags --libs untwist); ./a.out FILE ENDPOINT */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>
#include <untwist/untwist.h>

struct gift {
	struct utw_factory factory;
	struct utw_protocol protocol;
	struct utw_reactor *reactor;
	int file;
};

static struct utw_result gift_sent(void *value, struct utw_failure *failure, void *data)
{
	const struct utw_file_sent *sent = value;

	(void)data;
	if (failure)
		fprintf(stderr, "send-file: %s\n", utw_failure_message(failure));
	else
		printf("%" PRIu64 " bytes sent\n", sent->bytes);
	return utw_result_value(NULL);
}

static void gift_made(struct utw_protocol *p)
{
	struct gift *gift = utw_container_of(p, struct gift, protocol);
	struct utw_deferred *d = utw_file_send(p->transport, gift->file, 0);

	if (d)
		utw_deferred_add_both(d, gift_sent, NULL);
	utw_deferred_unref(d);
	utw_transport_close(p->transport, UTW_CLOSE_AFTER_PRODUCER, UTW_FOREVER);
}

static void gift_lost(struct utw_protocol *p, struct utw_failure *reason)
{
	(void)reason;
	utw_reactor_stop(utw_container_of(p, struct gift, protocol)->reactor);
}

static const struct utw_protocol_ops gift_ops = { .made = gift_made, .lost = gift_lost };

/* There is one to be had. */
static struct utw_protocol *gift_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct gift *gift = utw_container_of(f, struct gift, factory);

	(void)peer;
	if (gift->protocol.ops)
		return NULL;
	utw_protocol_init(&gift->protocol, &gift_ops);
	return &gift->protocol;
}

static const struct utw_factory_ops gift_factory_ops = { .build = gift_build };

int main(int argc, char **argv)
{
	struct gift gift = { .file = argc == 3 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1 };
	struct utw_failure *why = NULL;
	struct utw_endpoint *endpoint;
	struct utw_port *port;

	if (gift.file < 0) {
		fprintf(stderr, "usage: send-file FILE ENDPOINT\n");
		return 2;
	}
	utw_factory_init(&gift.factory, &gift_factory_ops);
	if (utw_reactor_new(&gift.reactor))
		return 1;
	if (utw_endpoint_parse(&endpoint, UTW_ENDPOINT_SERVER, argv[2], NULL, &why) ||
	    utw_endpoint_listen(&port, endpoint, gift.reactor, &gift.factory, &why)) {
		fprintf(stderr, "send-file: %s\n", utw_failure_message(why));
		return 1;
	}
	printf("listening at %s\n", utw_port_name(port));
	fflush(stdout);
	utw_reactor_run(gift.reactor);
	utw_port_close(port);
	utw_endpoint_free(endpoint);
	utw_reactor_free(gift.reactor);
	close(gift.file);
	return 0;
}
