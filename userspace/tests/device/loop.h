/* SPDX-License-Identifier: MIT */
/*
 * loop.c: the devices that return what they are given, as the tests want them.
 * In a test of the data plane, whatever is written to an open of a loop device
 * is received by that same open. A failure ends the test.
 */
#ifndef LOOP_H
#define LOOP_H

#include <stddef.h>

#define LOOP_STREAM	"/dev/untwist/loop0"
#define LOOP_RECORD	"/dev/untwist/loop1"
#define LOOP_QUEUE	65536 /* each of the two of an open */
#define LOOP_RECORD_MAX 4096

/*
 * Both devices above there, made anew: nothing of an earlier test is left, and
 * what is late comes after 0 us, from soft interrupts. With one parameter of the
 * module that is not as usual.
 */
void loop_setup(void);
void loop_setup_with(const char *parameter, const char *value);

/* What is written from now on comes back so late; in which context, later opens. */
void loop_delay(const char *us, const char *hard_irq);

/* All loop devices go, or come back; or only the first does. */
void loop_unplug(void);
void loop_plug(void);
void loop_plug_one(void);

int loop_open(const char *path, int flags);

/* Writes to an fd with O_NONBLOCK until it takes no more; how much that was. */
size_t loop_fill(int fd);

#endif /* LOOP_H */
