/* SPDX-License-Identifier: MIT */
/*
 * Serial port: a terminal device as a stream of plain bytes.
 *
 * The line is set up raw: no echo, no editing, no signals, eight bits pass as
 * they are. What the device was set to before is restored when the transport
 * ends. A device that goes away, by unplugging as a rule, is UTW_GONE.
 *
 * A close that flushes waits until the bytes have left the device, not only the
 * program, within its deadline; a line that is held by flow control never blocks
 * the reactor.
 */
#ifndef UNTWIST_SERIAL_H
#define UNTWIST_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_protocol;
struct utw_reactor;
struct utw_transport;

enum utw_parity {
	UTW_PARITY_NONE,
	UTW_PARITY_ODD,
	UTW_PARITY_EVEN,
	UTW_PARITY_MARK,
	UTW_PARITY_SPACE,
};

enum utw_flow_control {
	UTW_FLOW_NONE,
	UTW_FLOW_RTS_CTS, /* by lines of their own */
	UTW_FLOW_XON_XOFF, /* by the bytes 0x11 and 0x13, which cannot be data then */
};

/**
 * struct utw_serial_settings - how bytes are put on the line
 * @baud: bits in a second: any number, not only the usual ones
 * @data_bits: 5 to 8
 * @stop_bits: 1 or 2
 * @parity: the check bit, if there is one
 * @flow: how a receiver without room says so
 * @shared: let others open the device while we have it
 */
struct utw_serial_settings {
	unsigned int baud;
	unsigned int data_bits;
	unsigned int stop_bits;
	enum utw_parity parity;
	enum utw_flow_control flow;
	bool shared;
};

/** What utw_serial_open() does when told NULL: 115200 baud, 8 bits, no parity, 1 stop bit. */
#define UTW_SERIAL_DEFAULTS                                         \
	{                                                           \
		115200, 8, 1, UTW_PARITY_NONE, UTW_FLOW_NONE, false \
	}

/** Lines beside the data: for utw_serial_lines(). */
enum utw_serial_line {
	UTW_LINE_DTR = 1 << 0, /* out: we are here */
	UTW_LINE_RTS = 1 << 1, /* out: we would send, or can receive */
	UTW_LINE_CTS = 1 << 2, /* in: the other side can receive */
	UTW_LINE_DSR = 1 << 3, /* in: it is here */
	UTW_LINE_DCD = 1 << 4, /* in: it has a carrier */
	UTW_LINE_RI = 1 << 5, /* in: it rings */
};

/**
 * utw_serial_open() - open a serial port as a transport
 * @ret: receives the caller's reference; may be NULL
 * @r: the reactor
 * @path: the device node
 * @settings: how to set it up, copied; NULL for UTW_SERIAL_DEFAULTS
 * @p: the protocol, told made in a later callback
 *
 * Return: 0; -ENOENT, -EACCES, -EBUSY (somebody has it to himself) and others
 * of open(); -ENOTTY for what is no terminal; errors of utw_serial_set();
 * -EINVAL when @p lacks lost, -EBUSY when it has a transport; -ENOMEM. After an
 * error the device is as it was.
 */
UTW_API int utw_serial_open(struct utw_transport **ret, struct utw_reactor *r, const char *path,
			    const struct utw_serial_settings *settings, struct utw_protocol *p);

/**
 * utw_serial_set() - change how bytes are put on the line
 * @t: a transport over a serial port
 * @settings: the new settings, from the next byte on; @shared is ignored
 *
 * Return: 0; -EINVAL for settings that no line has; -EOPNOTSUPP for those that
 * this device does not take; -ERANGE for a speed that it misses by more than
 * 3 %, after each of which the old ones are in force; -EOPNOTSUPP for another
 * kind of transport; -EPIPE.
 */
UTW_API int utw_serial_set(struct utw_transport *t, const struct utw_serial_settings *settings);

/**
 * utw_serial_break() - hold the line in its break state for a while
 * @t: a transport over a serial port
 * @duration: how long, in nanoseconds
 *
 * Returns at once; the line is released later. One that is called during a
 * break replaces its duration.
 *
 * Return: 0, -EOPNOTSUPP for another kind of transport or device, -ENOMEM, -EPIPE.
 */
UTW_API int utw_serial_break(struct utw_transport *t, uint64_t duration);

/**
 * utw_serial_lines() - the state of the lines beside the data
 * @t: a transport over a serial port
 *
 * Return: bits of enum utw_serial_line; -EOPNOTSUPP for another kind of
 * transport or a device without such lines, -EPIPE.
 */
UTW_API int utw_serial_lines(const struct utw_transport *t);

/**
 * utw_serial_set_lines() - raise and lower the lines that go out
 * @t: a transport over a serial port
 * @raise: UTW_LINE_DTR, UTW_LINE_RTS, both or 0
 * @lower: likewise
 *
 * Return: 0, -EINVAL for other lines or one in both, and as utw_serial_lines().
 */
UTW_API int utw_serial_set_lines(struct utw_transport *t, unsigned int raise, unsigned int lower);

#ifdef __cplusplus
}
#endif

#endif
