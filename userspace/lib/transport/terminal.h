/* SPDX-License-Identifier: MIT */
/*
 * Terminal settings with speeds of any number. A file of its own, because the
 * kernel's structure for them and the C library's do not go into one source.
 */
#ifndef UTW_TRANSPORT_TERMINAL_H
#define UTW_TRANSPORT_TERMINAL_H

#include <stddef.h>

#include <untwist/serial.h>

/* Room for the settings of a terminal, to be put back later. */
struct utw_terminal_state {
	_Alignas(8) unsigned char bytes[64];
};

/* -ENOTTY for what is no terminal. */
int utw_terminal_save(int fd, struct utw_terminal_state *ret);
void utw_terminal_restore(int fd, const struct utw_terminal_state *state);

/* Set it up raw. Errors of utw_serial_set(), after which it is as it was. */
int utw_terminal_set(int fd, const struct utw_serial_settings *settings);

#endif
