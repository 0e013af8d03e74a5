// SPDX-License-Identifier: MIT
/*
 * What commands and messages on an Untwist device cost, beside what the
 * kernel's own means and devices written by hand do; see scripts/bench-device,
 * which sets a guest up for this.
 *
 * Usage: bench-device [SUBSTRING]	(only works with that in their names)
 */
#include <linux/untwist.h>
#include <linux/untwist_loop.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "echo.h"
#include "growth.h"
#include "request.h"
#include "uring.h"

#define LOOP	   "/dev/untwist/loop0"
#define LOOP_DEFER "/dev/untwist/loop1"
#define MISC	   "/dev/bench-misc"
#define CUSE	   "/dev/bench-cuse"

#define SMALL 64
#define PAGE  4096
#define LARGE (1 << 20)

/* clang-format off */
#define ECHO(called, begins, of, bytes, against, limit)                           \
	{ .name = called, .depth = 1, .begin = begins, .run = echo_run, .data = of, \
	  .argument = bytes, .peer = against, .most = limit,                        \
	  .count = (bytes) == LARGE ? 4 : 1000 }
#define BATCHES(called, begins, runs, of, opcode, against, at_1, at_more)       \
	BATCH(1, called, begins, runs, of, opcode, against, at_1),              \
	BATCH(8, called, begins, runs, of, opcode, against, 0),                 \
	BATCH(32, called, begins, runs, of, opcode, against, at_more),          \
	BATCH(128, called, begins, runs, of, opcode, against, at_more)
#define BATCH(deep, called, begins, runs, of, opcode, against, limit)           \
	{ .name = called, .depth = deep, .begin = begins, .run = runs,          \
	  .data = of, .argument = opcode, .peer = against, .most = limit }

static struct work works[] = {
	BATCH(1, "getppid", getppid_begin, getppid_run, NULL, 0, NULL, 0),
	BATCHES("io_uring NOP", uring_nop_begin, uring_run, NULL, 0, NULL, 0, 0),
	BATCHES("ring, empty command", ring_begin, ring_run, LOOP, UNTWIST_OP_NOP,
		"io_uring NOP", 1.0, 0.5),
	BATCHES("ring, driver's command", ring_begin, ring_run, LOOP, UNTWIST_LOOP_OP_VALUE,
		"io_uring NOP", 0, 0),
	BATCHES("ioctl and read, empty command", ioctl_begin, ioctl_run, LOOP, UNTWIST_OP_NOP,
		"io_uring NOP", 0, 0),
	BATCHES("io_uring command, bare misc device", uring_command_begin, uring_run, MISC, 0,
		"io_uring NOP", 0, 0),
	BATCHES("io_uring command", uring_command_begin, uring_run, LOOP, 0,
		"io_uring command, bare misc device", 0, 1.5),
	BATCHES("io_uring command by pointer", uring_pointer_begin, uring_run, LOOP, 0,
		"io_uring command, bare misc device", 0, 0),

	ECHO("eventfd, 8 bytes", echo_eventfd_begin, NULL, 8, NULL, 0),
	ECHO("pipe, 64 bytes", echo_pipe_begin, NULL, SMALL, "eventfd, 8 bytes", 0),
	ECHO("socket pair, 64 bytes", echo_socket_begin, NULL, SMALL, "eventfd, 8 bytes", 0),
	ECHO("loop in the caller, 64 bytes", echo_node_begin, LOOP, SMALL,
	     "eventfd, 8 bytes", 1.3),
	ECHO("misc device by work, 64 bytes", echo_node_begin, MISC, SMALL, NULL, 0),
	ECHO("loop by work, 64 bytes", echo_node_begin, LOOP_DEFER, SMALL,
	     "misc device by work, 64 bytes", 1.2),
	ECHO("CUSE, 64 bytes", echo_node_begin, CUSE, SMALL,
	     "misc device by work, 64 bytes", 0),
	ECHO("pipe, 4 KiB", echo_pipe_begin, NULL, PAGE, NULL, 0),
	ECHO("socket pair, 4 KiB", echo_socket_begin, NULL, PAGE, "pipe, 4 KiB", 0),
	ECHO("loop in the caller, 4 KiB", echo_node_begin, LOOP, PAGE, "pipe, 4 KiB", 0),
	ECHO("loop by work, 4 KiB", echo_node_begin, LOOP_DEFER, PAGE, "pipe, 4 KiB", 0),
	ECHO("CUSE, 4 KiB", echo_node_begin, CUSE, PAGE, "pipe, 4 KiB", 0),
	ECHO("pipe, 1 MiB", echo_pipe_begin, NULL, LARGE, NULL, 0),
	ECHO("socket pair, 1 MiB", echo_socket_begin, NULL, LARGE, "pipe, 1 MiB", 0),
	ECHO("loop in the caller, 1 MiB", echo_node_begin, LOOP, LARGE, "pipe, 1 MiB", 0),
	ECHO("loop by work, 1 MiB", echo_node_begin, LOOP_DEFER, LARGE, "pipe, 1 MiB", 0),
	ECHO("CUSE, 1 MiB", echo_node_begin, CUSE, LARGE, "pipe, 1 MiB", 0),
};
/* clang-format on */

#define NR_WORKS (sizeof(works) / sizeof(works[0]))

/* Keep those with the word in their names, and their peers. */
static unsigned int select_works(const char *word)
{
	unsigned int i, j, kept = 0;

	for (i = 0; i < NR_WORKS; i++) {
		bool wanted = strstr(works[i].name, word);

		for (j = i; !wanted && j < NR_WORKS; j++)
			wanted = works[j].peer && strstr(works[j].name, word) &&
				!strcmp(works[i].name, works[j].peer) &&
				works[i].depth == works[j].depth;
		if (wanted)
			works[kept++] = works[i];
	}
	return kept;
}

int main(int argc, char **argv)
{
	if (argc > 2) {
		fputs("Usage: bench-device [SUBSTRING]\n", stderr);
		return 2;
	}
	bench_run(works, argc == 2 ? select_works(argv[1]) : NR_WORKS);
	if (argc == 1)
		growth_print(LOOP);
	return 0;
}
