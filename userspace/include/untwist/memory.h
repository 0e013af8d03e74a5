/* SPDX-License-Identifier: MIT */
/*
 * Transports without a kernel between them: what is written to one of a pair is
 * read from the other, within one reactor. For programs that speak with a part
 * of themselves, and for tests.
 *
 * They keep every promise of transport.h: each direction has room for
 * UTW_MEMORY_ROOM bytes, half closes and resets are seen by the other side.
 */
#ifndef UNTWIST_MEMORY_H
#define UNTWIST_MEMORY_H

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_protocol;
struct utw_reactor;
struct utw_transport;

/** Bytes that each direction holds before a writer has to wait. */
#define UTW_MEMORY_ROOM 65536

enum utw_memory_kind {
	UTW_MEMORY_STREAM,
	UTW_MEMORY_RECORD, /* each write is one record; one of any length fits when nothing waits */
};

/**
 * utw_memory_transport_pair() - make two transports that speak with each other
 * @ret: receives the caller's two references; may be NULL
 * @r: the reactor of both
 * @kind: bytes or records
 * @p: their protocols, each told made in a later callback
 *
 * Return: 0; -EINVAL when a protocol lacks lost; -EBUSY when one has a transport
 * or is given twice; -ENOMEM.
 */
UTW_API int utw_memory_transport_pair(struct utw_transport *ret[2], struct utw_reactor *r,
				      enum utw_memory_kind kind, struct utw_protocol *p[2]);

#ifdef __cplusplus
}
#endif

#endif
