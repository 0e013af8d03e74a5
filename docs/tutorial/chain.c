// SPDX-License-Identifier: MIT
/* Step 5: ask two questions, the second with the first answer in it. chain ENDPOINT TEXT */
#include <stdio.h>

#include "session.h"

#define PATIENCE UINT64_C(2000000000)

struct talk {
	struct session session;
	const char *text;
	int code;
};

static struct utw_result talk_connected(void *value, void *data)
{
	struct talk *talk = data;

	(void)value;
	return utw_result_wait(session_ask(&talk->session, talk->text));
}

static struct utw_result talk_answered(void *value, void *data)
{
	struct talk *talk = data;
	char again[256];

	printf("first: %s\n", (const char *)value);
	snprintf(again, sizeof(again), "what is %.200s", (const char *)value);
	return utw_result_wait(session_ask(&talk->session, again));
}

static struct utw_result talk_ended(void *value, struct utw_failure *failure, void *data)
{
	struct talk *talk = data;
	char story[256];

	if (failure) {
		utw_failure_format(failure, story, sizeof(story));
		fprintf(stderr, "chain: %s\n", story);
	} else {
		printf("second: %s\n", (const char *)value);
		talk->code = 0;
	}
	session_end(&talk->session);
	return utw_result_value(NULL);
}

static void talk_begin(struct talk *talk, const struct utw_endpoint *endpoint)
{
	struct utw_reactor *r = talk->session.reactor;
	struct utw_deferred *d = utw_endpoint_connect(endpoint, r, &talk->session.factory);

	utw_deferred_add_callback(d, talk_connected, talk);
	utw_deferred_add_callback(d, talk_answered, talk);
	utw_deferred_add_timeout(d, r, PATIENCE);
	utw_deferred_add_both(d, talk_ended, talk);
	utw_deferred_unref(d);
}

int main(int argc, char **argv)
{
	struct talk talk = { .text = argc > 2 ? argv[2] : "hello", .code = 1 };
	const char *text = argc > 1 ? argv[1] : "device:/dev/untwist/loop0";
	struct utw_endpoint *endpoint;
	struct utw_reactor *r;

	if (utw_endpoint_parse(&endpoint, UTW_ENDPOINT_CLIENT, text, NULL, NULL)) {
		fprintf(stderr, "chain: %s is no endpoint\n", text);
		return 2;
	}
	if (utw_reactor_new(&r) == 0) {
		session_init(&talk.session, r);
		talk_begin(&talk, endpoint);
		utw_reactor_run(r);
		utw_reactor_free(r);
	}
	utw_endpoint_free(endpoint);
	return talk.code;
}
