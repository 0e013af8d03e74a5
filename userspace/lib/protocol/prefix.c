/* SPDX-License-Identifier: MIT */
/* Frames whose length is known before they come: binary prefixes and fixed sizes. */
#include <errno.h>
#include <stdint.h>
#include <sys/uio.h>

#include <untwist/framed.h>
#include <untwist/framing.h>
#include <untwist/transport.h>

static size_t prefix_read(const uint8_t *data, size_t size)
{
	size_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | data[i];
	return value;
}

/* The limit is judged on the prefix alone: nothing over it is ever gathered. */
static enum utw_cut_kind prefix_decode(struct utw_framed *f, const uint8_t *data, size_t len,
				       struct utw_cut *cut, size_t size)
{
	if (len < size) {
		cut->need = size;
		return UTW_CUT_MORE;
	}
	cut->len = prefix_read(data, size);
	if (cut->len > f->max)
		return UTW_CUT_TOO_LONG;
	cut->need = size + cut->len;
	if (len < cut->need)
		return UTW_CUT_MORE;
	cut->used = cut->need;
	cut->data = data + size;
	return UTW_CUT_FRAME;
}

static int prefix_send(struct utw_framed *f, const void *data, size_t len, size_t size)
{
	uint8_t prefix[4];
	struct iovec iov[2] = {
		{ .iov_base = prefix, .iov_len = size },
		{ .iov_base = (void *)data, .iov_len = len },
	};

	if ((uint64_t)len >> (8 * size))
		return -EMSGSIZE;
	for (size_t i = 0; i < size; i++)
		prefix[i] = (uint8_t)(len >> (8 * (size - 1 - i)));
	return utw_transport_writev(f->protocol.transport, iov, 2);
}

static enum utw_cut_kind prefix8_decode(struct utw_framed *f, const uint8_t *data, size_t len,
					struct utw_cut *cut)
{
	return prefix_decode(f, data, len, cut, 1);
}

static enum utw_cut_kind prefix16_decode(struct utw_framed *f, const uint8_t *data, size_t len,
					 struct utw_cut *cut)
{
	return prefix_decode(f, data, len, cut, 2);
}

static enum utw_cut_kind prefix32_decode(struct utw_framed *f, const uint8_t *data, size_t len,
					 struct utw_cut *cut)
{
	return prefix_decode(f, data, len, cut, 4);
}

static int prefix8_send(struct utw_framed *f, const void *data, size_t len)
{
	return prefix_send(f, data, len, 1);
}

static int prefix16_send(struct utw_framed *f, const void *data, size_t len)
{
	return prefix_send(f, data, len, 2);
}

static int prefix32_send(struct utw_framed *f, const void *data, size_t len)
{
	return prefix_send(f, data, len, 4);
}

static enum utw_cut_kind fixed_decode(struct utw_framed *f, const uint8_t *data, size_t len,
				      struct utw_cut *cut)
{
	cut->need = f->size;
	if (len < f->size)
		return UTW_CUT_MORE;
	cut->used = f->size;
	cut->data = data;
	cut->len = f->size;
	return UTW_CUT_FRAME;
}

static int fixed_send(struct utw_framed *f, const void *data, size_t len)
{
	if (len != f->size)
		return -EMSGSIZE;
	return utw_transport_write(f->protocol.transport, data, len);
}

const struct utw_framing utw_prefix8 = {
	.name = "prefix8", .max = UINT8_MAX, .decode = prefix8_decode, .send = prefix8_send
};
const struct utw_framing utw_prefix16 = {
	.name = "prefix16", .max = UINT16_MAX, .decode = prefix16_decode, .send = prefix16_send
};
const struct utw_framing utw_prefix32 = {
	.name = "prefix32", .max = 99999, .decode = prefix32_decode, .send = prefix32_send
};
const struct utw_framing utw_fixed = {
	.name = "fixed", .max = SIZE_MAX, .decode = fixed_decode, .send = fixed_send
};
