/* SPDX-License-Identifier: MIT */
/* Ask once and hear many times, at the program's own pace: cc device-ticks.c $(pkg-config --cflags --libs untwist) */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <untwist/untwist.h>

#define OPCODE_TICKS 18 /* UNTWIST_LOOP_OP_TICKS: every arg[0] ns, arg[1] times */
#define MILLISECOND  UINT64_C(1000000)

static void ticked(struct utw_subscription *s, const struct utw_completion *tick, void *data)
{
	(void)s;
	(void)data;
	printf("tick %" PRIu64 "\n", tick->value[0]);
}

static void lost(struct utw_subscription *s, uint32_t count, void *data)
{
	(void)s;
	(void)data;
	printf("%" PRIu32 " ticks found no room\n", count);
}

static void ended(struct utw_subscription *s, const struct utw_completion *last,
		  struct utw_failure *reason, void *data)
{
	char story[256];

	(void)s;
	if (last) {
		printf("the last of %" PRId32 "\n", last->result);
	} else {
		utw_failure_format(reason, story, sizeof(story));
		fprintf(stderr, "device-ticks: %s\n", story);
	}
	utw_reactor_stop(data);
}

int main(int argc, char **argv)
{
	const struct utw_subscriber subscriber = { .shot = ticked, .lost = lost, .ended = ended };
	const char *path = argc > 1 ? argv[1] : "/dev/untwist/loop0";
	struct utw_request question = { .opcode = OPCODE_TICKS, .arg = { 10 * MILLISECOND, 5 } };
	struct utw_subscription *subscription;
	struct utw_reactor *reactor = NULL;
	struct utw_device *device = NULL;
	int error = utw_reactor_new(&reactor);

	if (!error)
		error = utw_device_open(&device, reactor, path);
	if (!error)
		error = utw_device_subscribe(&subscription, device, &question, &subscriber,
					     reactor);
	if (!error)
		error = utw_reactor_run(reactor);
	if (error)
		fprintf(stderr, "device-ticks: %s: %s\n", path, strerror(-error));
	utw_device_close(device);
	utw_reactor_free(reactor);
	return error ? 1 : 0;
}
