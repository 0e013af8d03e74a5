/* SPDX-License-Identifier: MIT */
/*
 * Play a recorded conversation to a protocol, without waiting for what took seconds:
 * cc replay.c $(pkg-config --cflags --libs untwist-testing)
 */
#include <stdio.h>
#include <string.h>
#include <untwist/testing/double.h>
#include <untwist/testing/recording.h>
#include <untwist/untwist.h>

/* Adds up what a scale says, a number in a line, and asks for the next one. */
struct scale {
	struct utw_line line;
	int sum;
};

static void scale_made(struct utw_line *l)
{
	utw_line_send(l, "weigh", 5);
}

static void scale_line(struct utw_line *l, const char *line, size_t len)
{
	struct scale *scale = utw_container_of(l, struct scale, line);
	int grams = 0;

	for (size_t i = 0; i < len && line[i] >= '0' && line[i] <= '9'; i++)
		grams = grams * 10 + line[i] - '0';
	scale->sum += grams;
	utw_line_send(l, "weigh", 5);
}

static void scale_lost(struct utw_line *l, struct utw_failure *reason)
{
	(void)reason;
	printf("%d grams in all\n", utw_container_of(l, struct scale, line)->sum);
}

static const struct utw_line_ops scale_ops = { .made = scale_made,
					       .line = scale_line,
					       .lost = scale_lost };

static struct scale scale;

static struct utw_protocol *scale_build(struct utw_factory *f, const struct utw_address *peer)
{
	(void)f;
	(void)peer;
	scale.sum = 0;
	utw_line_init(&scale.line, &scale_ops);
	utw_line_set_delimiter(&scale.line, "\n", 1);
	return &scale.line.protocol;
}

static const struct utw_factory_ops scale_factory_ops = { .build = scale_build };

static void turn(struct utw_reactor *r)
{
	while (utw_reactor_run_once(r, 0) > 0)
		;
}

/* Once with a device, which is a double here; seconds pass between its answers. */
static int record(struct utw_reactor *r, struct utw_factory *f, FILE *file)
{
	struct utw_recorder recorder;
	struct utw_double device;
	int error;

	utw_recorder_init(&recorder, f, file);
	error = utw_double_open(&device, r, UTW_DOUBLE_STREAM,
				utw_factory_build(&recorder.traffic.policy.factory, NULL));
	if (error)
		return error;
	turn(r);
	for (int i = 1; i <= 3; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%d\n", i * 100);
		utw_fake_advance(r, UINT64_C(1000000000));
		utw_double_feed(&device, text, strlen(text));
		turn(r);
	}
	utw_double_lose(&device, UTW_GONE);
	turn(r);
	utw_double_release(&device);
	return recorder.error;
}

int main(void)
{
	struct utw_reactor_options options = { .backend = UTW_BACKEND_FAKE };
	struct utw_factory factory;
	struct utw_player player;
	struct utw_reactor *reactor;
	FILE *file = tmpfile();

	utw_factory_init(&factory, &scale_factory_ops);
	if (!file || utw_reactor_new_with(&reactor, &options) || record(reactor, &factory, file))
		return 1;
	rewind(file);
	if (utw_player_open(&player, reactor, UTW_DOUBLE_STREAM, file, scale_build(&factory, NULL)))
		return 1;
	utw_player_hurry(&player);
	turn(reactor);
	utw_player_release(&player);
	utw_reactor_free(reactor);
	fclose(file);
	return player.done ? 0 : 1;
}
