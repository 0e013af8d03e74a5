/* SPDX-License-Identifier: MIT */
/* A TCP server that says each line back, in capitals: cc line-server.c $(pkg-config --cflags --libs untwist) */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <untwist/untwist.h>

static void shout_line(struct utw_line *l, const char *line, size_t len)
{
	char loud[UTW_LINE_MAX];

	for (size_t i = 0; i < len; i++)
		loud[i] = (char)toupper((unsigned char)line[i]);
	/* A client that does not read its answers is not read from either. */
	if (utw_line_send(l, loud, len) == UTW_WRITE_OVER)
		utw_line_pause(l);
}

static void shout_lost(struct utw_line *l, struct utw_failure *reason)
{
	(void)reason;
	free(l);
}

static const struct utw_line_ops shout_ops = { .line = shout_line,
					       .resume = utw_line_resume,
					       .lost = shout_lost };

static struct utw_protocol *shout_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct utw_line *l = malloc(sizeof(*l));

	(void)f;
	(void)peer;
	if (!l)
		return NULL;
	utw_line_init(l, &shout_ops);
	return &l->protocol;
}

static const struct utw_factory_ops shout_factory_ops = { .build = shout_build };

int main(int argc, char **argv)
{
	const char *text = argc > 1 ? argv[1] : "localhost:7000";
	struct utw_reactor *reactor;
	struct utw_tcp_listener *listener;
	struct utw_factory factory;
	struct utw_address at;
	int error;

	utw_factory_init(&factory, &shout_factory_ops);
	error = utw_address_parse(&at, text);
	if (!error)
		error = utw_reactor_new(&reactor);
	if (!error)
		error = utw_tcp_listen(&listener, reactor, &at, &factory);
	if (!error)
		error = utw_reactor_run(reactor);
	fprintf(stderr, "line-server: %s: %s\n", text, strerror(-error));
	return 1;
}
