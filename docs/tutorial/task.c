// SPDX-License-Identifier: MIT
/* Step 6: ask each question in turn, in a straight line. task ENDPOINT TEXT... */
#include <stdio.h>

#include "session.h"

struct interview {
	struct session session;
	const struct utw_endpoint *endpoint;
	char **questions; /* ended by NULL */
	int code;
};

static struct utw_result interview_run(struct utw_task *task, void *data)
{
	struct interview *i = data;
	struct session *s = &i->session;
	struct utw_result r;

	r = utw_task_await(task, utw_endpoint_connect(i->endpoint, s->reactor, &s->factory));
	if (r.kind == UTW_RESULT_FAILURE)
		return r;
	for (char **question = i->questions; *question; question++) {
		r = utw_task_await(task, session_ask(s, *question));
		if (r.kind == UTW_RESULT_FAILURE)
			return r;
		printf("%s: %s\n", *question, (const char *)r.value.ptr);
		utw_result_drop(&r);
	}
	return utw_result_value(NULL);
}

static struct utw_result interview_ended(void *value, struct utw_failure *failure, void *data)
{
	struct interview *i = data;

	(void)value;
	if (failure)
		fprintf(stderr, "task: %s\n", utw_failure_message(failure));
	i->code = failure ? 1 : 0;
	session_end(&i->session);
	return utw_result_value(NULL);
}

static void interview_begin(struct interview *i)
{
	struct utw_deferred *d = utw_task_start(interview_run, i);

	utw_deferred_add_both(d, interview_ended, i);
	utw_deferred_unref(d);
}

int main(int argc, char **argv)
{
	struct interview i = { .code = 1 };
	struct utw_endpoint *endpoint;
	struct utw_reactor *r;

	if (argc < 3 || utw_endpoint_parse(&endpoint, UTW_ENDPOINT_CLIENT, argv[1], NULL, NULL)) {
		fprintf(stderr, "usage: task ENDPOINT TEXT...\n");
		return 2;
	}
	if (utw_reactor_new(&r) == 0) {
		session_init(&i.session, r);
		i.endpoint = endpoint;
		i.questions = argv + 2;
		interview_begin(&i);
		utw_reactor_run(r);
		utw_reactor_free(r);
	}
	utw_endpoint_free(endpoint);
	return i.code;
}
