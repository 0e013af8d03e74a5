/* SPDX-License-Identifier: MIT */
/*
 * A transport for a protocol that is fed by hand, and a note of what it tells:
 * for checks that the same bytes tell the same, however they are cut.
 */
#ifndef UTW_FUZZ_WIRE_H
#define UTW_FUZZ_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include <untwist/protocol.h>

/* Tie `p` to a transport; wire_drop() ends it, and `p` is told lost. */
void wire_take(struct utw_protocol *p);
void wire_drop(struct utw_protocol *p);

/*
 * Feed `data`, in pieces of 1 + cut % 7 bytes with a cut of its own for each;
 * cut 0: in one piece.
 */
void wire_feed(struct utw_protocol *p, const uint8_t *data, size_t len, uint32_t cut);

/* What was told, so far that two runs can be compared. */
struct wire_note {
	uint64_t hash;
	unsigned int events;
};

void wire_tell(struct wire_note *note, char event, const void *data, size_t len);

/* Both told the same, or the process aborts. */
void wire_compare(const struct wire_note *a, const struct wire_note *b);

#endif
