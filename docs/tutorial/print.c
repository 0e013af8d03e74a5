// SPDX-License-Identifier: MIT
/* Step 1: print what a device says. print [NODE] */
#include <stdio.h>
#include <string.h>
#include <untwist/untwist.h>

static struct utw_reactor *reactor;

static void print_data(struct utw_protocol *p, const void *data, size_t len)
{
	(void)p;
	fwrite(data, 1, len, stdout);
	fflush(stdout);
}

static void print_lost(struct utw_protocol *p, struct utw_failure *reason)
{
	(void)p;
	fprintf(stderr, "print: %s\n", utw_failure_message(reason));
	utw_reactor_stop(reactor);
}

static const struct utw_protocol_ops print_ops = { .data = print_data, .lost = print_lost };

int main(int argc, char **argv)
{
	const char *node = argc > 1 ? argv[1] : "/dev/untwist/tick0";
	struct utw_protocol protocol;
	int error = utw_reactor_new(&reactor);

	utw_protocol_init(&protocol, &print_ops);
	if (!error)
		error = utw_device_transport_open(NULL, reactor, node, NULL, &protocol);
	if (!error)
		error = utw_reactor_run(reactor);
	if (error)
		fprintf(stderr, "print: %s: %s\n", node, strerror(-error));
	utw_reactor_free(reactor);
	return error ? 1 : 0;
}
