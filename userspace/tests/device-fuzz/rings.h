/* SPDX-License-Identifier: MIT */
/* rings.c: the rings of nodes: made, mapped, used, and treated badly. */
#ifndef RINGS_H
#define RINGS_H

struct fuzzer;

/* As system calls: what the last one returned. */
long ring_setup(struct fuzzer *fuzzer);
long ring_map(struct fuzzer *fuzzer);
long ring_unmap(struct fuzzer *fuzzer);
long ring_protect(struct fuzzer *fuzzer);
long ring_move(struct fuzzer *fuzzer);
long ring_submit(struct fuzzer *fuzzer);
long ring_reap(struct fuzzer *fuzzer);
long ring_enter(struct fuzzer *fuzzer);

/* Writes into some ring what its life's hostility allows. */
long ring_scribble(struct fuzzer *fuzzer);

#endif /* RINGS_H */
