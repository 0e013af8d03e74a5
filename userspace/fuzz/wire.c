/* SPDX-License-Identifier: MIT */
/* Wire: see wire.h. */
#include "wire.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <untwist/fd.h>
#include <untwist/reactor.h>
#include <untwist/transport.h>

#include "base/contract.h"

static struct utw_reactor *reactor;

void wire_take(struct utw_protocol *p)
{
	int fd[2];

	if (!reactor)
		UTW_CONTRACT(utw_reactor_new(&reactor) == 0);
	UTW_CONTRACT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
	UTW_CONTRACT(utw_fd_transport_new(NULL, reactor, fd[0], fd[1], p) == 0);
	while (utw_reactor_run_once(reactor, 0) > 0)
		;
}

void wire_drop(struct utw_protocol *p)
{
	utw_transport_close(p->transport, UTW_CLOSE_ABORT, 0);
	while (utw_reactor_run_once(reactor, 0) > 0)
		;
}

void wire_feed(struct utw_protocol *p, const uint8_t *data, size_t len, uint32_t cut)
{
	while (len && !utw_transport_closing(p->transport)) {
		size_t piece = cut ? 1 + cut % 7 : len;
		uint8_t *copy;

		if (piece > len)
			piece = len;
		/* Of its very size, so that a read beyond it is caught. */
		copy = malloc(piece);
		UTW_CONTRACT(copy);
		memcpy(copy, data, piece);
		p->ops->data(p, copy, piece);
		free(copy);
		data += piece;
		len -= piece;
		cut = cut * 1664525u + (cut != 0);
	}
}

void wire_tell(struct wire_note *note, char event, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	note->events++;
	note->hash = (note->hash ^ (uint8_t)event) * UINT64_C(0x100000001b3);
	note->hash = (note->hash ^ len) * UINT64_C(0x100000001b3);
	for (size_t i = 0; i < len; i++)
		note->hash = (note->hash ^ bytes[i]) * UINT64_C(0x100000001b3);
}

void wire_compare(const struct wire_note *a, const struct wire_note *b)
{
	UTW_CONTRACT(a->events == b->events && a->hash == b->hash);
}
