/* SPDX-License-Identifier: MIT */
/* Every framing: what comes is told the same however it is cut, and no frame breaks the limit. */
#include <stdlib.h>

#include <untwist/failure.h>
#include <untwist/framed.h>
#include <untwist/framing.h>

#include "base/contract.h"
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct reader {
	struct utw_framed framed;
	struct wire_note note;
};

static const struct utw_framing *const framings[] = { &utw_netstring, &utw_prefix8, &utw_prefix16,
						      &utw_prefix32,  &utw_fixed,   &utw_cobs,
						      &utw_slip };

static void reader_frame(struct utw_framed *f, const void *data, size_t len)
{
	UTW_CONTRACT(f->framing == &utw_fixed ? len == f->size : len <= f->max);
	wire_tell(&utw_container_of(f, struct reader, framed)->note, 'F', data, len);
}

static void reader_bad(struct utw_framed *f, struct utw_failure *why)
{
	int code = utw_failure_code(why);

	wire_tell(&utw_container_of(f, struct reader, framed)->note, 'B', &code, sizeof(code));
}

static void reader_lost(struct utw_framed *f, struct utw_failure *reason)
{
	(void)f;
	(void)reason;
}

static const struct utw_framed_ops ops = { .frame = reader_frame,
					   .bad = reader_bad,
					   .lost = reader_lost };

static struct wire_note run(const struct utw_framing *framing, size_t max, const uint8_t *data,
			    size_t len, uint32_t cut)
{
	struct reader reader = { .note = { .hash = 1 } };

	utw_framed_init(&reader.framed, &ops, framing);
	utw_framed_set_max(&reader.framed, max);
	utw_framed_set_size(&reader.framed, max + 1);
	wire_take(&reader.framed.protocol);
	wire_feed(&reader.framed.protocol, data, len, cut);
	wire_drop(&reader.framed.protocol);
	return reader.note;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct wire_note whole, cut;
	const struct utw_framing *framing;

	if (len < 4)
		return 0;
	framing = framings[data[0] % (sizeof(framings) / sizeof(framings[0]))];
	whole = run(framing, data[1], data + 4, len - 4, 0);
	cut = run(framing, data[1], data + 4, len - 4, 1 + data[2] + 256u * data[3]);
	wire_compare(&whole, &cut);
	return 0;
}
