/* SPDX-License-Identifier: MIT */
/* Transport over a serial port: see untwist/serial.h. */
#include <untwist/serial.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <untwist/timer.h>

#include "base/open.h"
#include "fd-carrier.h"
#include "terminal.h"

/* How often a device is asked whether the last byte has left; it cannot be polled for that. */
#define DRAIN_NS UINT64_C(5000000)

#define LINES_OUT (UTW_LINE_DTR | UTW_LINE_RTS)

struct serial_carrier {
	struct utw_fd_carrier fd;
	struct utw_terminal_state before;
	struct utw_timer drain;
	struct utw_timer release; /* ends a break */
};

static struct serial_carrier *carrier_of(const struct utw_transport *t)
{
	return utw_container_of(t, struct serial_carrier, fd.transport);
}

/* A terminal has no end but its loss. */
static ssize_t serial_read(struct utw_transport *t, void *data, size_t size)
{
	ssize_t got = utw_fd_carrier_read(t, data, size);

	return got ? got : -ENODEV;
}

static int serial_hangup(struct utw_transport *t)
{
	(void)t;
	return -ENODEV;
}

static int unsent(int fd)
{
	int bytes;

	return ioctl(fd, TIOCOUTQ, &bytes) ? 0 : bytes;
}

static bool serial_busy(struct utw_transport *t)
{
	if (!unsent(utw_end_fd(&t->in)))
		return false;
	if (utw_timer_active(&carrier_of(t)->drain))
		return true;
	/* Without memory for the timer, the rest is left to the kernel. */
	return !utw_timer_start(&carrier_of(t)->drain, t->reactor, DRAIN_NS);
}

static void serial_drained(struct utw_timer *timer)
{
	utw_transport_schedule(
		&utw_container_of(timer, struct serial_carrier, drain)->fd.transport);
}

static void serial_release(struct utw_timer *timer)
{
	ioctl(utw_end_fd(&utw_container_of(timer, struct serial_carrier, release)->fd.transport.in),
	      TIOCCBRK);
}

/* The kernel's close() would wait for bytes that flow control holds back. */
static void serial_close(struct utw_transport *t, bool abort)
{
	struct serial_carrier *c = carrier_of(t);
	int fd = utw_end_fd(&t->in);

	utw_timer_cancel(&c->drain);
	if (utw_timer_active(&c->release)) {
		utw_timer_cancel(&c->release);
		ioctl(fd, TIOCCBRK);
	}
	if (abort || unsent(fd))
		ioctl(fd, TCFLSH, TCOFLUSH);
	utw_terminal_restore(fd, &c->before);
	ioctl(fd, TIOCNXCL);
	utw_end_close(&t->in);
}

static const struct utw_carrier_ops serial_ops = {
	.read = serial_read,
	.write = utw_fd_carrier_write,
	.busy = serial_busy,
	.hangup = serial_hangup,
	.close = serial_close,
	.free = utw_fd_carrier_free,
};

/* Open the device and set it up; what it was like before goes to *before. */
static int serial_open_device(const char *path, const struct utw_serial_settings *settings,
			      struct utw_terminal_state *before)
{
	int fd = utw_open(path, O_RDWR | O_NONBLOCK | O_NOCTTY);
	int error;

	if (fd < 0)
		return fd;
	error = utw_terminal_save(fd, before);
	if (!error)
		error = utw_terminal_set(fd, settings);
	if (!error && !settings->shared && ioctl(fd, TIOCEXCL)) {
		error = -errno;
		utw_terminal_restore(fd, before);
	}
	if (error)
		close(fd);
	return error ? error : fd;
}

static int serial_launch(struct utw_transport **ret, struct utw_reactor *r, int fd,
			 const struct utw_terminal_state *before, const char *path,
			 struct utw_protocol *p)
{
	struct utw_fd_side side = { .fd = fd, .how = { .kind = UTW_DESCRIPTOR_TERMINAL } };
	struct serial_carrier *c = calloc(1, sizeof(*c));
	int error;

	if (!c)
		return -ENOMEM;
	c->before = *before;
	utw_timer_init(&c->drain, serial_drained);
	utw_timer_init(&c->release, serial_release);
	error = utw_fd_carrier_init(&c->fd, &serial_ops, r, &side, &side, p, path);
	if (!error)
		utw_transport_launch(&c->fd.transport, ret);
	return error;
}

int utw_serial_open(struct utw_transport **ret, struct utw_reactor *r, const char *path,
		    const struct utw_serial_settings *settings, struct utw_protocol *p)
{
	static const struct utw_serial_settings defaults = UTW_SERIAL_DEFAULTS;
	struct utw_terminal_state before;
	int fd = serial_open_device(path, settings ? settings : &defaults, &before);
	int error;

	if (fd < 0)
		return fd;
	error = serial_launch(ret, r, fd, &before, path, p);
	if (error) {
		utw_terminal_restore(fd, &before);
		ioctl(fd, TIOCNXCL);
		close(fd);
	}
	return error;
}

/* The descriptor of a serial port, or -errno. */
static int serial_fd(const struct utw_transport *t)
{
	if (utw_transport_lost(t))
		return -EPIPE;
	return t->carrier == &serial_ops ? utw_end_fd(&t->in) : -EOPNOTSUPP;
}

int utw_serial_set(struct utw_transport *t, const struct utw_serial_settings *settings)
{
	int fd = serial_fd(t);

	return fd < 0 ? fd : utw_terminal_set(fd, settings);
}

/* What drivers without such a thing answer differs. */
static int line_error(void)
{
	return errno == ENOTTY || errno == EINVAL ? -EOPNOTSUPP : -errno;
}

int utw_serial_break(struct utw_transport *t, uint64_t duration)
{
	int fd = serial_fd(t);
	int error;

	if (fd < 0)
		return fd;
	utw_timer_cancel(&carrier_of(t)->release);
	error = utw_timer_start(&carrier_of(t)->release, t->reactor, duration);
	if (!error && ioctl(fd, TIOCSBRK)) {
		error = line_error();
		utw_timer_cancel(&carrier_of(t)->release);
	}
	return error;
}

static const struct {
	unsigned int ours;
	int theirs;
} lines[] = {
	{ UTW_LINE_DTR, TIOCM_DTR }, { UTW_LINE_RTS, TIOCM_RTS }, { UTW_LINE_CTS, TIOCM_CTS },
	{ UTW_LINE_DSR, TIOCM_DSR }, { UTW_LINE_DCD, TIOCM_CAR }, { UTW_LINE_RI, TIOCM_RNG },
};

int utw_serial_lines(const struct utw_transport *t)
{
	int fd = serial_fd(t);
	unsigned int ours = 0;
	int theirs;

	if (fd < 0)
		return fd;
	if (ioctl(fd, TIOCMGET, &theirs))
		return line_error();
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (theirs & lines[i].theirs)
			ours |= lines[i].ours;
	return (int)ours;
}

static int change_lines(int fd, unsigned long request, unsigned int ours)
{
	int theirs = 0;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (ours & lines[i].ours)
			theirs |= lines[i].theirs;
	return theirs && ioctl(fd, request, &theirs) ? line_error() : 0;
}

int utw_serial_set_lines(struct utw_transport *t, unsigned int raise, unsigned int lower)
{
	int fd = serial_fd(t);
	int error;

	if (fd < 0)
		return fd;
	if ((raise & lower) || ((raise | lower) & ~(unsigned int)LINES_OUT))
		return -EINVAL;
	error = change_lines(fd, TIOCMBIS, raise);
	return error ? error : change_lines(fd, TIOCMBIC, lower);
}
