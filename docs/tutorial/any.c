// SPDX-License-Identifier: MIT
/* Step 4: print the lines that come from anywhere. any ENDPOINT */
#include <stdio.h>
#include <untwist/untwist.h>

struct any {
	struct utw_line line;
	struct utw_factory factory;
	struct utw_reactor *reactor;
};

static void any_line(struct utw_line *l, const char *line, size_t len)
{
	(void)l;
	printf("%.*s\n", (int)len, line);
	fflush(stdout);
}

static void any_lost(struct utw_line *l, struct utw_failure *reason)
{
	(void)reason;
	utw_reactor_stop(utw_container_of(l, struct any, line)->reactor);
}

static const struct utw_line_ops any_ops = { .line = any_line, .lost = any_lost };

static struct utw_protocol *any_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct any *any = utw_container_of(f, struct any, factory);

	(void)peer;
	utw_line_init(&any->line, &any_ops);
	utw_line_set_delimiter(&any->line, "\n", 1);
	return &any->line.protocol;
}

static const struct utw_factory_ops any_factory_ops = { .build = any_build };

static struct utw_result any_failed(struct utw_failure *failure, void *data)
{
	struct any *any = data;
	char story[256];

	utw_failure_format(failure, story, sizeof(story));
	fprintf(stderr, "any: %s\n", story);
	utw_reactor_stop(any->reactor);
	return utw_result_value(NULL);
}

static int any_run(struct any *any, const struct utw_endpoint *endpoint)
{
	struct utw_deferred *d;
	int error;

	if (utw_reactor_new(&any->reactor))
		return 1;
	utw_factory_init(&any->factory, &any_factory_ops);
	d = utw_endpoint_connect(endpoint, any->reactor, &any->factory);
	utw_deferred_add_errback(d, any_failed, any);
	utw_deferred_unref(d);
	error = utw_reactor_run(any->reactor);
	utw_reactor_free(any->reactor);
	return error ? 1 : 0;
}

int main(int argc, char **argv)
{
	const char *text = argc > 1 ? argv[1] : "device:/dev/untwist/tick0";
	struct utw_failure *why = NULL;
	struct utw_endpoint *endpoint;
	struct any any;
	int code;

	if (utw_endpoint_parse(&endpoint, UTW_ENDPOINT_CLIENT, text, NULL, &why)) {
		fprintf(stderr, "any: %s\n", utw_failure_message(why));
		utw_failure_unref(why);
		return 2;
	}
	code = any_run(&any, endpoint);
	utw_endpoint_free(endpoint);
	return code;
}
