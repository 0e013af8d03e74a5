// SPDX-License-Identifier: MIT
/* Step 7: answer each line with its number, for any number of clients. server ENDPOINT */
#include <stdio.h>
#include <stdlib.h>
#include <untwist/untwist.h>

struct visitor {
	struct utw_line line;
	unsigned int count;
};

static void visitor_line(struct utw_line *l, const char *line, size_t len)
{
	struct visitor *v = utw_container_of(l, struct visitor, line);
	char answer[256];
	int said = snprintf(answer, sizeof(answer), "%u: %.*s", ++v->count,
			    len < 200 ? (int)len : 200, line);

	/* Who does not read the answers is not listened to until they are on their way. */
	if (utw_line_send(l, answer, (size_t)said) == UTW_WRITE_OVER)
		utw_line_pause(l);
}

static void visitor_lost(struct utw_line *l, struct utw_failure *reason)
{
	(void)reason;
	free(utw_container_of(l, struct visitor, line));
}

static const struct utw_line_ops visitor_ops = { .line = visitor_line,
						 .resume = utw_line_resume,
						 .lost = visitor_lost };

static struct utw_protocol *visitor_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct visitor *v = calloc(1, sizeof(*v));

	(void)f;
	(void)peer;
	if (!v)
		return NULL;
	utw_line_init(&v->line, &visitor_ops);
	utw_line_set_delimiter(&v->line, "\n", 1);
	utw_line_set_max(&v->line, 200);
	return &v->line.protocol;
}

static const struct utw_factory_ops visitor_factory_ops = { .build = visitor_build };

int main(int argc, char **argv)
{
	const char *text = argc > 1 ? argv[1] : "tcp:7000:interface=localhost";
	struct utw_failure *why = NULL;
	struct utw_endpoint *endpoint;
	struct utw_factory factory;
	struct utw_reactor *reactor;
	struct utw_port *port;
	int error = utw_reactor_new(&reactor);

	utw_factory_init(&factory, &visitor_factory_ops);
	if (!error)
		error = utw_endpoint_parse(&endpoint, UTW_ENDPOINT_SERVER, text, NULL, &why);
	if (!error)
		error = utw_endpoint_listen(&port, endpoint, reactor, &factory, &why);
	if (error) {
		fprintf(stderr, "server: %s\n", why ? utw_failure_message(why) : "no reactor");
		return 1;
	}
	printf("listening at %s\n", utw_port_name(port));
	fflush(stdout);
	utw_reactor_run(reactor);
	return 0;
}
