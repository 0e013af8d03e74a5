/* SPDX-License-Identifier: MIT */
/* Netstrings: refused as early as the first byte that none can have. */
#include <stdio.h>
#include <sys/uio.h>

#include <untwist/framed.h>
#include <untwist/framing.h>
#include <untwist/transport.h>

static enum utw_cut_kind netstring_bad(struct utw_cut *cut, size_t at, const char *why)
{
	cut->at = at;
	cut->why = why;
	return UTW_CUT_BAD;
}

/* What follows the `digits` digits of a length. */
static enum utw_cut_kind netstring_body(const uint8_t *data, size_t len, size_t digits,
					struct utw_cut *cut)
{
	size_t body = digits + 1;

	cut->need = body + cut->len + 1;
	if (len < cut->need)
		return UTW_CUT_MORE;
	if (data[body + cut->len] != ',')
		return netstring_bad(cut, body + cut->len, "no comma behind the text");
	cut->used = cut->need;
	cut->data = data + body;
	return UTW_CUT_FRAME;
}

static enum utw_cut_kind netstring_decode(struct utw_framed *f, const uint8_t *data, size_t len,
					  struct utw_cut *cut)
{
	size_t i;

	cut->len = 0;
	for (i = 0; i < len && data[i] >= '0' && data[i] <= '9'; i++) {
		if (i == 1 && data[0] == '0')
			return netstring_bad(cut, 0, "a length that begins with zero");
		cut->len = cut->len * 10 + (data[i] - '0');
		/* Also what bounds the number of digits. */
		if (cut->len > f->max)
			return UTW_CUT_TOO_LONG;
	}
	if (i == len) {
		cut->need = len + 1;
		return UTW_CUT_MORE;
	}
	if (i == 0)
		return netstring_bad(cut, 0, "no length");
	if (data[i] != ':')
		return netstring_bad(cut, i, "no colon behind the length");
	return netstring_body(data, len, i, cut);
}

static int netstring_send(struct utw_framed *f, const void *data, size_t len)
{
	char length[24];
	struct iovec iov[3] = {
		{ .iov_base = length },
		{ .iov_base = (void *)data, .iov_len = len },
		{ .iov_base = ",", .iov_len = 1 },
	};

	iov[0].iov_len = (size_t)snprintf(length, sizeof(length), "%zu:", len);
	return utw_transport_writev(f->protocol.transport, iov, 3);
}

const struct utw_framing utw_netstring = {
	.name = "netstring", .max = 99999, .decode = netstring_decode, .send = netstring_send
};
