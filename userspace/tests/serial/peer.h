/* SPDX-License-Identifier: MIT */
/*
 * peer.c: the peripheral at the other end of the lines. It does as it is told
 * over a line of its own, the raw stream /dev/untwist/control; its commands are
 * in scripts/lib/serial/peer.py. What fails ends the test.
 */
#ifndef PEER_H
#define PEER_H

#include <stddef.h>

#define LINE_SLIP "slip"
#define LINE_COBS "cobs"

#define LINE_RECORD_MAX 4096

/* Loads the driver and brings the peer to a known state. */
void peer_setup(void);

/* Gives a command and waits until it is done. */
__attribute__((format(printf, 1, 2))) void peer_do(const char *format, ...);

/* The same, and returns what follows the "ok" of the answer, until the next call. */
__attribute__((format(printf, 1, 2))) const char *peer_ask(const char *format, ...);

int line_open(const char *line, int flags);
long long line_count(const char *line, const char *attribute);

/* Returns when the number in a file of the line in sysfs is at least that. */
void line_wait_for_count(const char *line, const char *attribute, long long wanted);

/* The record that the peer's flood sends at that place. */
void numbered_make(unsigned char *record, unsigned int number, size_t len);

#endif /* PEER_H */
