/* SPDX-License-Identifier: MIT */
/* Say something to a device and print what it says back: cc device-echo.c $(pkg-config --cflags --libs untwist) */
#include <stdio.h>
#include <string.h>
#include <untwist/untwist.h>

struct echo {
	struct utw_protocol protocol;
	struct utw_reactor *reactor;
};

static void echo_made(struct utw_protocol *p)
{
	utw_transport_write(p->transport, "hello, device\n", 14);
}

static void echo_data(struct utw_protocol *p, const void *data, size_t len)
{
	fwrite(data, 1, len, stdout);
	if (memchr(data, '\n', len))
		utw_transport_close(p->transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
}

static void echo_lost(struct utw_protocol *p, struct utw_failure *reason)
{
	if (!utw_failure_is(reason, &utw_domain_reason, UTW_DONE))
		fprintf(stderr, "device-echo: %s\n", utw_failure_message(reason));
	utw_reactor_stop(utw_container_of(p, struct echo, protocol)->reactor);
}

static const struct utw_protocol_ops echo_ops = { .made = echo_made,
						  .data = echo_data,
						  .lost = echo_lost };

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "/dev/untwist/loop0";
	struct echo echo;
	int error = utw_reactor_new(&echo.reactor);

	utw_protocol_init(&echo.protocol, &echo_ops);
	if (!error)
		error = utw_device_transport_open(NULL, echo.reactor, path, NULL, &echo.protocol);
	if (!error)
		error = utw_reactor_run(echo.reactor);
	if (error)
		fprintf(stderr, "device-echo: %s: %s\n", path, strerror(-error));
	return error ? 1 : 0;
}
