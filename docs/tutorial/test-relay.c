// SPDX-License-Identifier: MIT
/* Step 12: the relay without a device, a network, or a second to wait for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <untwist/testing/double.h>
#include <untwist/testing/janitor.h>

#include "relay.h"

#define CLIENTS 2

/* A relay whose source and clients are the test. */
struct scene {
	struct utw_janitor janitor;
	struct utw_reactor *reactor;
	struct relay relay;
	struct utw_double source;
	struct utw_double clients[CLIENTS];
};

static void turn(struct scene *s)
{
	while (utw_reactor_run_once(s->reactor, 0) > 0)
		;
}

static void come(struct scene *s, struct utw_double *d, struct utw_factory *f)
{
	struct utw_protocol *p = utw_factory_build(f, NULL);

	assert_non_null(p);
	assert_int_equal(utw_double_open(d, s->reactor, UTW_DOUBLE_STREAM, p), 0);
	turn(s);
}

static void say(struct scene *s, struct utw_double *d, const char *text)
{
	assert_int_equal(utw_double_feed(d, text, strlen(text)), 0);
	turn(s);
}

static void left_behind(const char *what, void *data)
{
	(void)data;
	print_error("left behind: %s\n", what);
}

static int scene_open(void **state)
{
	static struct scene scene;
	struct utw_reactor_options options = { .backend = UTW_BACKEND_FAKE };
	struct scene *s = &scene;

	memset(s, 0, sizeof(*s));
	utw_janitor_begin(&s->janitor, left_behind, NULL);
	if (utw_reactor_new_with(&s->reactor, &options))
		return -1;
	relay_init(&s->relay);
	come(s, &s->source, &s->relay.sources);
	for (int i = 0; i < CLIENTS; i++)
		come(s, &s->clients[i], &s->relay.clients);
	*state = s;
	return 0;
}

static int scene_close(void **state)
{
	struct scene *s = *state;

	relay_end(&s->relay);
	turn(s);
	utw_double_release(&s->source);
	for (int i = 0; i < CLIENTS; i++)
		utw_double_release(&s->clients[i]);
	utw_reactor_free(s->reactor);
	return utw_janitor_end(&s->janitor) ? -1 : 0;
}

static void each_line_goes_to_all(void **state)
{
	struct scene *s = *state;

	say(s, &s->source, "21.5\n21.");
	assert_string_equal(utw_double_written(&s->clients[0], NULL), "21.5\n");
	say(s, &s->source, "6\n");
	assert_string_equal(utw_double_written(&s->clients[0], NULL), "21.5\n21.6\n");
	assert_string_equal(utw_double_written(&s->clients[1], NULL), "21.5\n21.6\n");
}

static void questions_are_answered(void **state)
{
	struct scene *s = *state;

	say(s, &s->source, "21.5\n");
	say(s, &s->clients[0], "last\nclients\nwho\n");
	assert_string_equal(utw_double_written(&s->clients[0], NULL),
			    "21.5\n21.5\n2 clients\nsay \"last\" or \"clients\"\n");
}

/* The other client gets all; this one what there was room for, and the count of the rest. */
static void slow_client_misses_lines_and_is_told(void **state)
{
	struct scene *s = *state;
	unsigned int lines = UTW_HIGH_MARK / 5 + 100;
	char story[64];
	size_t got, all;

	utw_double_set_room(&s->clients[0], 0);
	for (unsigned int i = 0; i < lines; i++)
		say(s, &s->source, "21.5\n");
	utw_double_written(&s->clients[1], &all);
	assert_int_equal(all, lines * 5);
	utw_double_set_room(&s->clients[0], SIZE_MAX);
	turn(s);
	got = strcspn(utw_double_written(&s->clients[0], NULL), "(") / 5;
	assert_in_range(got, 1, lines - 1);
	snprintf(story, sizeof(story), "(%zu lines missed)\n", lines - got);
	assert_string_equal(utw_double_written(&s->clients[0], NULL) + got * 5, story);
}

static void lost_source_can_come_again(void **state)
{
	struct scene *s = *state;

	assert_null(utw_factory_build(&s->relay.sources, NULL));
	utw_double_lose(&s->source, UTW_GONE);
	turn(s);
	utw_double_release(&s->source);
	come(s, &s->source, &s->relay.sources);
	say(s, &s->source, "back\n");
	assert_string_equal(utw_double_written(&s->clients[0], NULL), "back\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_line_goes_to_all, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(questions_are_answered, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(slow_client_misses_lines_and_is_told, scene_open,
						scene_close),
		cmocka_unit_test_setup_teardown(lost_source_can_come_again, scene_open,
						scene_close),
	};

	return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
