/* SPDX-License-Identifier: MIT */
/* Serial ports, over pairs of pseudo terminals, which have settings but neither parity nor lines. */
#include <untwist/serial.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "harness.h"
#include "harness-alloc.h"
#include "recorder.h"
#include "transport/terminal.h"
#include "transport/transport-private.h"

static struct utw_reactor *reactor;
static struct recorder recorder;
static int master;
static char path[64];

static void begin(void)
{
	recorder_init(&recorder, true);
	assert_int_equal(utw_reactor_new(&reactor), 0);
	master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	assert_int_equal(ptsname_r(master, path, sizeof(path)), 0);
}

static int serial_open(const struct utw_serial_settings *settings)
{
	return utw_serial_open(NULL, reactor, path, settings, &recorder.protocol);
}

static struct utw_transport *transport(void)
{
	return recorder.protocol.transport;
}

static void end(void)
{
	utw_transport_close(transport(), UTW_CLOSE_ABORT, 0);
	turn_all(reactor);
	recorder_release(&recorder);
	utw_reactor_free(reactor);
	if (master >= 0)
		close(master);
}

static struct termios settings_now(void)
{
	struct termios now;

	/* Compared as bytes, padding and all. */
	memset(&now, 0, sizeof(now));

	/* A master answers for its pair. */
	assert_int_equal(tcgetattr(master, &now), 0);
	return now;
}

static void line_is_raw_and_restored(void **state)
{
	struct termios before, during, after;
	char got[8];

	(void)state;
	begin();
	before = settings_now();
	assert_true(before.c_lflag & ECHO);
	assert_int_equal(serial_open(NULL), 0);
	during = settings_now();
	assert_int_equal(during.c_lflag & (ECHO | ICANON | ISIG), 0);
	assert_int_equal(during.c_oflag & OPOST, 0);
	assert_string_equal(utw_transport_name(transport()), path);
	assert_int_equal(write(master, "\003\r\n", 3), 3);
	turn_until(reactor, recorder.data_len == 3);
	assert_memory_equal(recorder.data, "\003\r\n", 3);
	utw_transport_write(transport(), "\n", 1);
	utw_transport_close(transport(), UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(reactor, recorder_lost(&recorder));
	assert_lost(&recorder, UTW_DONE);
	assert_int_equal(read(master, got, sizeof(got)), 1);
	after = settings_now();
	assert_memory_equal(&after, &before, sizeof(after));
	end();
}

/* The C library's structure has the speed as a number only when it is one of its table. */
static void speed_may_be_any_number(void **state)
{
	struct utw_serial_settings s = UTW_SERIAL_DEFAULTS;
	struct utw_terminal_state terminal;
	uint32_t speed;

	(void)state;
	begin();
	s.baud = 9600;
	assert_int_equal(serial_open(&s), 0);
	for (uint32_t baud = 31250; baud < 4000000; baud = baud * 3 + 1) {
		s.baud = baud;
		assert_int_equal(utw_serial_set(transport(), &s), 0);
		assert_int_equal(utw_terminal_save(utw_end_fd(&transport()->in), &terminal), 0);
		/* The last member of the kernel's structure, on every architecture here. */
		memcpy(&speed, terminal.bytes + 40, sizeof(speed));
		assert_int_equal(speed, baud);
	}
	end();
}

static void settings_are_checked(void **state)
{
	static const struct utw_serial_settings wrong[] = {
		{ .baud = 0, .data_bits = 8, .stop_bits = 1 },
		{ .baud = 9600, .data_bits = 4, .stop_bits = 1 },
		{ .baud = 9600, .data_bits = 9, .stop_bits = 1 },
		{ .baud = 9600, .data_bits = 8, .stop_bits = 0 },
		{ .baud = 9600, .data_bits = 8, .stop_bits = 3 },
		{ .baud = 9600, .data_bits = 8, .stop_bits = 1, .flow = 3 },
		{ .baud = 9600, .data_bits = 8, .stop_bits = 1, .parity = 5 },
	};
	struct utw_serial_settings even = { 9600, 7, 2, UTW_PARITY_EVEN, UTW_FLOW_RTS_CTS, false };
	struct termios before, after;

	(void)state;
	begin();
	before = settings_now();
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(serial_open(&wrong[i]), -EINVAL);
	/* The driver of pseudo terminals drops parity and size without a word: we do not. */
	assert_int_equal(serial_open(&even), -EOPNOTSUPP);
	after = settings_now();
	assert_memory_equal(&after, &before, sizeof(after));
	end();
}

static void flow_control_is_set(void **state)
{
	struct utw_serial_settings s = UTW_SERIAL_DEFAULTS;

	(void)state;
	begin();
	s.flow = UTW_FLOW_XON_XOFF;
	assert_int_equal(serial_open(&s), 0);
	assert_int_equal(settings_now().c_iflag & (IXON | IXOFF), IXON | IXOFF);
	s.flow = UTW_FLOW_RTS_CTS;
	s.stop_bits = 2;
	assert_int_equal(utw_serial_set(transport(), &s), 0);
	assert_int_equal(settings_now().c_iflag & (IXON | IXOFF), 0);
	assert_int_equal(settings_now().c_cflag & (CRTSCTS | CSTOPB), CRTSCTS | CSTOPB);
	end();
}

static void device_is_ours_alone(void **state)
{
	struct utw_serial_settings shared = UTW_SERIAL_DEFAULTS;
	struct recorder second;

	(void)state;
	begin();
	recorder_init(&second, true);
	assert_int_equal(serial_open(NULL), 0);
	/* Root may, with CAP_SYS_ADMIN. */
	if (geteuid())
		assert_int_equal(open(path, O_RDWR | O_NOCTTY), -1);
	utw_transport_close(transport(), UTW_CLOSE_ABORT, 0);
	turn_until(reactor, recorder_lost(&recorder));
	recorder_release(&recorder);
	recorder_init(&recorder, true);
	shared.shared = true;
	assert_int_equal(serial_open(&shared), 0);
	assert_int_equal(utw_serial_open(NULL, reactor, path, &shared, &second.protocol), 0);
	utw_transport_close(second.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_until(reactor, recorder_lost(&second));
	recorder_release(&second);
	end();
}

static void lost_device_is_gone(void **state)
{
	(void)state;
	begin();
	assert_int_equal(serial_open(NULL), 0);
	assert_int_equal(write(master, "last", 4), 4);
	turn_until(reactor, recorder.data_len == 4);
	close(master);
	master = -1;
	turn_until(reactor, recorder_lost(&recorder));
	assert_lost(&recorder, UTW_GONE);
	end();
}

static void lines_are_refused_where_there_are_none(void **state)
{
	(void)state;
	begin();
	assert_int_equal(utw_serial_lines(transport()), -EPIPE);
	assert_int_equal(serial_open(NULL), 0);
	assert_int_equal(utw_serial_lines(transport()), -EOPNOTSUPP);
	assert_int_equal(utw_serial_set_lines(transport(), UTW_LINE_DTR, 0), -EOPNOTSUPP);
	assert_int_equal(utw_serial_set_lines(transport(), UTW_LINE_CTS, 0), -EINVAL);
	assert_int_equal(utw_serial_set_lines(transport(), UTW_LINE_RTS, UTW_LINE_RTS), -EINVAL);
	end();
}

static void break_ends_with_the_transport(void **state)
{
	(void)state;
	begin();
	assert_int_equal(serial_open(NULL), 0);
	assert_int_equal(utw_serial_break(transport(), 1), 0);
	turn_once(reactor, "the end of the break", __FILE__, __LINE__);
	assert_int_equal(utw_serial_break(transport(), UINT64_C(3600000000000)), 0);
	assert_int_equal(utw_serial_break(transport(), UINT64_C(3600000000000)), 0);
	end();
}

static void what_is_no_terminal_is_refused(void **state)
{
	(void)state;
	begin();
	strcpy(path, "/dev/null");
	assert_int_equal(serial_open(NULL), -ENOTTY);
	strcpy(path, "/nonexistent");
	assert_int_equal(serial_open(NULL), -ENOENT);
	end();
}

static void open_without_memory_restores(void **state)
{
	struct termios before, after;
	int error = -ENOMEM;

	(void)state;
	begin();
	before = settings_now();
	for (unsigned int nth = 1; error == -ENOMEM; nth++) {
		assert_true(nth < 10);
		after = settings_now();
		assert_memory_equal(&after, &before, sizeof(after));
		alloc_fail_at(nth);
		error = serial_open(NULL);
		alloc_fail_at(0);
	}
	assert_int_equal(error, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(line_is_raw_and_restored),
		TEST(speed_may_be_any_number),
		TEST(settings_are_checked),
		TEST(flow_control_is_set),
		TEST(device_is_ours_alone),
		TEST(lost_device_is_gone),
		TEST(lines_are_refused_where_there_are_none),
		TEST(break_ends_with_the_transport),
		TEST(what_is_no_terminal_is_refused),
		TEST(open_without_memory_restores),
	};

	return cmocka_run_group_tests_name("serial", tests, NULL, NULL);
}
