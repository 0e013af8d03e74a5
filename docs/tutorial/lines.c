// SPDX-License-Identifier: MIT
/* Step 2: lines, each with its number, until Ctrl-C. lines [NODE] */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <untwist/untwist.h>

struct reader {
	struct utw_line line;
	struct utw_signal interrupt;
	struct utw_reactor *reactor;
	unsigned int count;
};

static void reader_line(struct utw_line *l, const char *line, size_t len)
{
	struct reader *reader = utw_container_of(l, struct reader, line);

	printf("%u: %.*s\n", ++reader->count, (int)len, line);
	fflush(stdout);
}

/* Not in a signal handler, but in the reactor's turn: anything may be called. */
static void reader_interrupted(struct utw_signal *s, int signo)
{
	struct reader *reader = utw_container_of(s, struct reader, interrupt);

	(void)signo;
	utw_transport_close(reader->line.protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
}

static void reader_lost(struct utw_line *l, struct utw_failure *reason)
{
	struct reader *reader = utw_container_of(l, struct reader, line);
	char story[256];

	utw_failure_format(reason, story, sizeof(story));
	printf("%u lines, then %s\n", reader->count, story);
	utw_signal_stop(&reader->interrupt);
	utw_reactor_stop(reader->reactor);
}

static const struct utw_line_ops reader_ops = { .line = reader_line, .lost = reader_lost };

int main(int argc, char **argv)
{
	const char *node = argc > 1 ? argv[1] : "/dev/untwist/tick0";
	struct reader reader = { .count = 0 };
	int error = utw_reactor_new(&reader.reactor);

	utw_line_init(&reader.line, &reader_ops);
	utw_line_set_delimiter(&reader.line, "\n", 1);
	utw_signal_init(&reader.interrupt, reader_interrupted);
	if (!error)
		error = utw_signal_start(&reader.interrupt, reader.reactor, SIGINT);
	if (!error)
		error = utw_device_transport_open(NULL, reader.reactor, node, NULL,
						  &reader.line.protocol);
	if (!error)
		error = utw_reactor_run(reader.reactor);
	if (error)
		fprintf(stderr, "lines: %s: %s\n", node, strerror(-error));
	utw_reactor_free(reader.reactor);
	return error ? 1 : 0;
}
