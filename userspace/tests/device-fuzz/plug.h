/* SPDX-License-Identifier: MIT */
/* plug.c: devices and drivers that come and go, and the small files about them. */
#ifndef PLUG_H
#define PLUG_H

#include <stdint.h>

#include "board.h"

/* Until board->over. Does not return. */
__attribute__((noreturn)) void plug_run(struct board *board, struct actor *actor, uint64_t seed);

#endif /* PLUG_H */
