// SPDX-License-Identifier: MIT
/* Step 3: say a line to a device, and wait a second for an answer. ask [NODE [TEXT]] */
#include <stdio.h>
#include <string.h>
#include <untwist/untwist.h>

#define PATIENCE UINT64_C(1000000000)

struct question {
	struct utw_line line;
	struct utw_timer patience;
	struct utw_reactor *reactor;
	const char *text;
	bool answered;
};

static void question_made(struct utw_line *l)
{
	struct question *q = utw_container_of(l, struct question, line);

	utw_line_send(l, q->text, strlen(q->text));
	utw_timer_start(&q->patience, q->reactor, PATIENCE);
}

static void question_line(struct utw_line *l, const char *line, size_t len)
{
	struct question *q = utw_container_of(l, struct question, line);

	printf("%.*s\n", (int)len, line);
	q->answered = true;
	utw_transport_close(l->protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
}

static void question_late(struct utw_timer *t)
{
	struct question *q = utw_container_of(t, struct question, patience);

	utw_transport_close(q->line.protocol.transport, UTW_CLOSE_ABORT, 0);
}

static void question_lost(struct utw_line *l, struct utw_failure *reason)
{
	struct question *q = utw_container_of(l, struct question, line);

	if (!q->answered)
		fprintf(stderr, "ask: no answer: %s\n", utw_failure_message(reason));
	utw_timer_cancel(&q->patience);
	utw_reactor_stop(q->reactor);
}

static const struct utw_line_ops question_ops = { .made = question_made,
						  .line = question_line,
						  .lost = question_lost };

int main(int argc, char **argv)
{
	const char *node = argc > 1 ? argv[1] : "/dev/untwist/loop0";
	struct question q = { .text = argc > 2 ? argv[2] : "hello, device" };
	int error = utw_reactor_new(&q.reactor);

	utw_line_init(&q.line, &question_ops);
	utw_line_set_delimiter(&q.line, "\n", 1);
	utw_timer_init(&q.patience, question_late);
	if (!error)
		error = utw_device_transport_open(NULL, q.reactor, node, NULL, &q.line.protocol);
	if (!error)
		error = utw_reactor_run(q.reactor);
	if (error)
		fprintf(stderr, "ask: %s: %s\n", node, strerror(-error));
	utw_reactor_free(q.reactor);
	return q.answered ? 0 : 1;
}
