/* SPDX-License-Identifier: MIT */
/* Terminal settings: see terminal.h. */
#include "terminal.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>

#include <asm/termbits.h>

_Static_assert(sizeof(struct termios2) <= sizeof(struct utw_terminal_state),
	       "the state has room for the kernel's structure");

/* What settings say, and so what is looked at when they have been made. */
#define SETTINGS_CFLAG (CSIZE | CSTOPB | PARENB | PARODD | CMSPAR | CRTSCTS)

int utw_terminal_save(int fd, struct utw_terminal_state *ret)
{
	return ioctl(fd, TCGETS2, ret->bytes) ? -errno : 0;
}

void utw_terminal_restore(int fd, const struct utw_terminal_state *state)
{
	ioctl(fd, TCSETS2, state->bytes);
}

static bool settings_make_sense(const struct utw_serial_settings *s)
{
	return s->baud && s->data_bits >= 5 && s->data_bits <= 8 && s->stop_bits >= 1 &&
		s->stop_bits <= 2 && s->parity <= UTW_PARITY_SPACE && s->flow <= UTW_FLOW_XON_XOFF;
}

static tcflag_t parity_flags(enum utw_parity parity)
{
	switch (parity) {
	case UTW_PARITY_ODD:
		return PARENB | PARODD;
	case UTW_PARITY_EVEN:
		return PARENB;
	case UTW_PARITY_MARK:
		return PARENB | PARODD | CMSPAR;
	case UTW_PARITY_SPACE:
		return PARENB | CMSPAR;
	case UTW_PARITY_NONE:
		break;
	}
	return 0;
}

static tcflag_t settings_cflag(const struct utw_serial_settings *s)
{
	static const tcflag_t sizes[] = { CS5, CS6, CS7, CS8 };
	tcflag_t flags = sizes[s->data_bits - 5] | parity_flags(s->parity);

	if (s->stop_bits == 2)
		flags |= CSTOPB;
	if (s->flow == UTW_FLOW_RTS_CTS)
		flags |= CRTSCTS;
	return flags;
}

/* Raw; the speed is a number of its own, not one of the table. */
static void settings_apply(const struct utw_serial_settings *s, struct termios2 *to)
{
	to->c_iflag = s->flow == UTW_FLOW_XON_XOFF ? IXON | IXOFF : 0;
	if (s->parity != UTW_PARITY_NONE)
		to->c_iflag |= INPCK;
	to->c_oflag = 0;
	to->c_lflag = 0;
	to->c_cflag = CREAD | CLOCAL | BOTHER | settings_cflag(s);
	to->c_ispeed = s->baud;
	to->c_ospeed = s->baud;
	to->c_cc[VMIN] = 1;
	to->c_cc[VTIME] = 0;
}

/* The kernel takes what the driver can do and says nothing of the rest. */
static int settings_taken(int fd, const struct utw_serial_settings *s)
{
	unsigned int margin = s->baud / 32;
	struct termios2 now;

	if (ioctl(fd, TCGETS2, &now))
		return -errno;
	if ((now.c_cflag & SETTINGS_CFLAG) != settings_cflag(s))
		return -EOPNOTSUPP;
	if (now.c_ospeed + margin < s->baud || now.c_ospeed > s->baud + margin)
		return -ERANGE;
	return 0;
}

int utw_terminal_set(int fd, const struct utw_serial_settings *settings)
{
	struct termios2 before, after;
	int error;

	if (!settings_make_sense(settings))
		return -EINVAL;
	if (ioctl(fd, TCGETS2, &before))
		return -errno;
	after = before;
	settings_apply(settings, &after);
	if (ioctl(fd, TCSETS2, &after))
		return -errno;
	error = settings_taken(fd, settings);
	if (error)
		ioctl(fd, TCSETS2, &before);
	return error;
}
