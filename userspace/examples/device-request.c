/* SPDX-License-Identifier: MIT */
/* Ask a device something and give up after a second: cc device-request.c $(pkg-config --cflags --libs untwist) */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <untwist/untwist.h>

#define OPCODE_ECHO 16 /* UNTWIST_LOOP_OP_ECHO: wait arg[0] ns, then return arg[1] */
#define SECOND	    UINT64_C(1000000000)

static struct utw_result answered(void *value, void *data)
{
	const struct utw_completion *completion = value;

	(void)data;
	printf("the device says %" PRIu64 "\n", completion->value[0]);
	return utw_result_value(NULL);
}

static struct utw_result failed(struct utw_failure *failure, void *data)
{
	char story[256];

	(void)data;
	utw_failure_format(failure, story, sizeof(story));
	fprintf(stderr, "device-request: %s\n", story);
	return utw_result_value(NULL);
}

static struct utw_result stop(void *value, struct utw_failure *failure, void *data)
{
	(void)value;
	(void)failure;
	utw_reactor_stop(data);
	return utw_result_pass();
}

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "/dev/untwist/loop0";
	struct utw_request question = { .opcode = OPCODE_ECHO, .arg = { SECOND / 1000, 42 } };
	struct utw_reactor *reactor = NULL;
	struct utw_device *device = NULL;
	struct utw_deferred *answer;
	int error = utw_reactor_new(&reactor);

	if (!error)
		error = utw_device_open(&device, reactor, path);
	if (error) {
		fprintf(stderr, "device-request: %s: %s\n", path, strerror(-error));
		return 1;
	}
	answer = utw_device_submit(device, &question);
	if (answer) {
		utw_deferred_add_timeout(answer, reactor, SECOND);
		utw_deferred_add_callbacks(answer, answered, failed, NULL);
		utw_deferred_add_both(answer, stop, reactor);
		utw_deferred_unref(answer);
		utw_reactor_run(reactor);
	}
	utw_device_close(device);
	utw_reactor_free(reactor);
	return 0;
}
