/* SPDX-License-Identifier: MIT */
/* A framed protocol on one end of a socket pair, which writes down what it is told. */
#ifndef UTW_TESTS_FRAME_WIRE_H
#define UTW_TESTS_FRAME_WIRE_H

#include <stddef.h>

#include <untwist/framed.h>
#include <untwist/framing.h>
#include <untwist/reactor.h>

struct frame_wire {
	struct utw_framed framed;
	struct utw_reactor *reactor;
	int fd; /* the other side */
	char text[8192]; /* "F:frame;" "B:offset or limit;" "X;" */
	size_t text_len;
	unsigned int frames;
	char why[256]; /* the last bad frame, or the reason of the loss */
	void (*on_frame)(struct frame_wire *w, const char *data, size_t len);
};

/* Without `bad`, the protocol has no such operation. */
void frame_wire_open(struct frame_wire *w, const struct utw_framing *framing, bool bad);
void frame_wire_close(struct frame_wire *w);

/* Let bytes arrive: in one piece, or one by one. */
void frame_wire_feed(struct frame_wire *w, const void *data, size_t len);
void frame_wire_trickle(struct frame_wire *w, const void *data, size_t len);

/* What was told since the last look. */
#define assert_told(w, expected)                          \
	do {                                              \
		assert_string_equal((w)->text, expected); \
		(w)->text_len = 0;                        \
		(w)->text[0] = '\0';                      \
	} while (0)

/* Feed the bytes cut at every place into two, and one by one: it is always told the same. */
void assert_any_cut_tells(const struct utw_framing *framing, size_t max, const void *data,
			  size_t len, const char *expected);

#endif
