// SPDX-License-Identifier: MIT
/*
 * The serial driver with a live peer: records go both ways as the framings
 * say, what is bad is dropped alone and counted, and nothing is lost unseen.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/untwist.h>

#include "harness.h"
#include "modules.h"
#include "peer.h"
#include "sleeper.h"

#define FLOOD_LEN 1000

/* More than all buffers between the program and the peer hold. */
#define FILL_MAX 2000u

static const char *const lines[] = { LINE_SLIP, LINE_COBS };

/* Longer than any test may take. */
#define FOREVER_MS "3600000"

#define FOR_EACH_LINE(line) for (const char *const *line = lines; line < lines + 2; line++)

static void expect_record(int fd, const void *record, ssize_t len)
{
	unsigned char buf[LINE_RECORD_MAX];

	ASSERT_EQ(len, read(fd, buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(buf, record, len));
}

static void expect_numbered(int fd, unsigned int number)
{
	unsigned char record[FLOOD_LEN];

	numbered_make(record, number, sizeof(record));
	expect_record(fd, record, sizeof(record));
}

static void expect_text(const char *expected, const char *line, const char *attribute)
{
	char path[120], text[60];

	snprintf(path, sizeof(path), "/sys/class/untwist/%s/%s", line, attribute);
	text_read(path, text, sizeof(text));
	EXPECT_STREQ(expected, text);
}

/* From the firmware's description to the node. */
TEST(lines_are_as_described)
{
	peer_setup();
	expect_text("slip", LINE_SLIP, "framing");
	expect_text("cobs", LINE_COBS, "framing");
	expect_text("none", "control", "framing");
	expect_text("57600", LINE_SLIP, "speed");
	expect_text("115200", LINE_COBS, "speed");
	expect_text("record", LINE_SLIP, "kind");
	expect_text("stream", "control", "kind");
}

TEST(slip_on_the_wire_is_that_of_the_rfc)
{
	int fd;

	peer_setup();
	fd = line_open(LINE_SLIP, O_RDWR);
	ASSERT_EQ(4, write(fd, "a\xc0\xdb\0", 4));
	EXPECT_STREQ("c061dbdcdbdd00c0", peer_ask("wire slip 8"));
}

TEST(cobs_on_the_wire_is_that_of_the_paper)
{
	int fd;

	peer_setup();
	fd = line_open(LINE_COBS, O_RDWR);
	ASSERT_EQ(4, write(fd, "a\0bc", 4));
	EXPECT_STREQ("026103626300", peer_ask("wire cobs 6"));
}

TEST(received_records_keep_their_boundaries)
{
	FOR_EACH_LINE(line)
	{
		int fd;

		peer_setup();
		fd = line_open(*line, O_RDWR);
		peer_do("frame %s 00c0dbdcdd", *line);
		peer_do("frame %s 78", *line);
		expect_record(fd, "\0\xc0\xdb\xdc\xdd", 5);
		expect_record(fd, "x", 1);
	}
}

/* There and back, of all lengths that are near a change of the framing. */
TEST(records_of_many_lengths_return_as_they_were)
{
	FOR_EACH_LINE(line)
	{
		unsigned char record[LINE_RECORD_MAX];
		int fd;

		peer_setup();
		fd = line_open(*line, O_RDWR);
		peer_do("echo %s on", *line);
		for (size_t len = 1; len <= sizeof(record); len += len < 520 ? 7 : 1192) {
			numbered_make(record, len * 0x01010101u, len);
			ASSERT_EQ(len, write(fd, record, len));
			expect_record(fd, record, len);
		}
	}
}

TEST(record_beyond_the_maximum_is_refused)
{
	static char record[LINE_RECORD_MAX + 1];

	peer_setup();
	EXPECT_ERRNO(EMSGSIZE, write(line_open(LINE_SLIP, O_RDWR), record, sizeof(record)));
}

/* A bad frame between two good ones: counted once, and they arrive. */
TEST(malformed_frame_is_dropped_alone)
{
	static const char *const bad[] = { "6162db78c0", "05616200" };

	for (int i = 0; i < 2; i++) {
		long long before;
		int fd;

		peer_setup();
		fd = line_open(lines[i], O_RDWR);
		before = line_count(lines[i], "malformed");
		peer_do("frame %s 6f6e65", lines[i]);
		peer_do("raw %s %s", lines[i], bad[i]);
		peer_do("frame %s 74776f", lines[i]);
		expect_record(fd, "one", 3);
		expect_record(fd, "two", 3);
		EXPECT_EQ(before + 1, line_count(lines[i], "malformed"));
	}
}

TEST(frame_beyond_the_maximum_is_dropped_alone)
{
	FOR_EACH_LINE(line)
	{
		long long before;
		int fd;

		peer_setup();
		fd = line_open(*line, O_RDWR);
		before = line_count(*line, "too_long");
		peer_do("flood %s 1 %d", *line, LINE_RECORD_MAX + 1);
		peer_do("frame %s 74776f", *line);
		expect_record(fd, "two", 3);
		EXPECT_EQ(before + 1, line_count(*line, "too_long"));
	}
}

TEST(what_nobody_hears_is_counted)
{
	FOR_EACH_LINE(line)
	{
		long long before;
		int fd;

		peer_setup();
		before = line_count(*line, "unheard");
		peer_do("frame %s 6e6f626f6479", *line);
		line_wait_for_count(*line, "unheard", before + 6);
		fd = line_open(*line, O_RDWR);
		peer_do("frame %s 78", *line);
		expect_record(fd, "x", 1);
		EXPECT_EQ(before + 6, line_count(*line, "unheard"));
	}
}

/* The file is opened in the middle of a frame, and half a frame is no record. */
TEST(record_begun_before_the_open_arrives_whole)
{
	long long before;
	int fd;

	peer_setup();
	before = line_count(LINE_SLIP, "unheard");
	peer_do("raw slip c078c06162");
	line_wait_for_count(LINE_SLIP, "unheard", before + 1);
	fd = line_open(LINE_SLIP, O_RDWR);
	peer_do("raw slip 63c0");
	expect_record(fd, "abc", 3);
}

TEST(line_is_for_one_at_a_time)
{
	int fd;

	peer_setup();
	fd = line_open(LINE_SLIP, O_RDWR);
	EXPECT_ERRNO(EBUSY, open("/dev/untwist/slip", O_RDWR));
	close(fd);
	line_open(LINE_SLIP, O_RDWR);
}

/* Everything that was written before a close is sent, as by a terminal. */
TEST(close_sends_what_was_written)
{
	unsigned char record[FLOOD_LEN];
	int fd;

	peer_setup();
	fd = line_open(LINE_COBS, O_RDWR);
	for (unsigned int i = 0; i < 40; i++) {
		numbered_make(record, i, sizeof(record));
		ASSERT_EQ(sizeof(record), write(fd, record, sizeof(record)));
	}
	close(fd);
	peer_do("flooded cobs 40 %d", FLOOD_LEN);
	EXPECT_EQ(0, line_count(LINE_COBS, "unsent"));
}

/* Returns how many records were taken until there was no room. */
static unsigned int fill_line(int fd)
{
	unsigned char record[FLOOD_LEN];
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	unsigned int n = 0;

	/*
	 * What lies between takes some, and then there is room again: the end is told only by time.
	 * Should the machine have slept, less is filled.
	 */
	while (poll(&pfd, 1, 3000) == 1) {
		ASSERT_LT(n, FILL_MAX);
		numbered_make(record, n, sizeof(record));
		ASSERT_EQ(sizeof(record), write(fd, record, sizeof(record)));
		n++;
	}
	return n;
}

TEST_TIMEOUT(peer_that_takes_nothing_stops_the_program, 120)
{
	struct pollfd pfd = { .events = POLLOUT };
	unsigned int n;
	int fd;

	peer_setup();
	fd = line_open(LINE_SLIP, O_RDWR | O_NONBLOCK);
	peer_do("stop slip");
	n = fill_line(fd);
	peer_do("go slip");
	pfd.fd = fd;
	EXPECT_EQ(1, poll(&pfd, 1, -1));
	peer_do("flooded slip %u %d", n, FLOOD_LEN);
}

/* Without handshake lines there is nothing to hold the peer with. */
TEST_TIMEOUT(what_finds_no_room_is_lost_by_the_record_and_told, 120)
{
	const unsigned int flood = 100;
	struct untwist_lost lost = {};
	struct pollfd pfd = { .events = POLLPRI };
	long long got, missed;
	int fd;

	peer_setup();
	fd = line_open(LINE_SLIP, O_RDWR | O_NONBLOCK);
	got = line_count(LINE_SLIP, "statistics/rx_records");
	missed = line_count(LINE_SLIP, "statistics/rx_lost_records");
	peer_do("flood slip %u %d", flood, FLOOD_LEN);
	while (line_count(LINE_SLIP, "statistics/rx_records") - got +
		       line_count(LINE_SLIP, "statistics/rx_lost_records") - missed <
	       flood)
		;
	pfd.fd = fd;
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	ASSERT_EQ(0, ioctl(fd, UNTWIST_IOC_GET_LOST, &lost));
	EXPECT_LT(0, lost.records);
	EXPECT_EQ(lost.records * FLOOD_LEN, lost.bytes);
	for (unsigned int i = 0; i < flood - lost.records; i++)
		expect_numbered(fd, i);
	EXPECT_ERRNO(EAGAIN, read(fd, &lost, sizeof(lost)));
}

/* Of the ports that are in use; only their state shows RTS. */
static unsigned int ports_with_rts(void)
{
	static char text[4000];
	unsigned int n = 0;
	const char *at;

	text_read("/proc/tty/driver/serial", text, sizeof(text));
	for (at = strstr(text, "RTS"); at; at = strstr(at + 1, "RTS"))
		n++;
	return n;
}

static void wait_for_rts(unsigned int ports)
{
	while (ports_with_rts() != ports)
		;
}

TEST_TIMEOUT(peer_is_held_by_rts_while_the_program_does_not_read, 120)
{
	const unsigned int flood = 62;
	unsigned int before;
	int fd;

	peer_setup();
	fd = line_open(LINE_COBS, O_RDWR);
	before = ports_with_rts();
	peer_do("flood cobs %u %d", flood, FLOOD_LEN);
	wait_for_rts(before - 1);
	for (unsigned int i = 0; i < flood; i++)
		expect_numbered(fd, i);
	wait_for_rts(before);
}

/* Bind and unbind, by the name of the place on the bus. */
static void rebind(const char *line, bool bind)
{
	static char place[64];
	char link[120], target[200];
	ssize_t len;

	if (!bind) {
		snprintf(link, sizeof(link), "/sys/class/untwist/%s/device", line);
		len = readlink(link, target, sizeof(target) - 1);
		ASSERT_LT(0, len);
		target[len] = '\0';
		strcpy(place, strrchr(target, '/') + 1);
	}
	ASSERT_EQ(0,
		  text_write(bind ? "/sys/bus/serial/drivers/untwist_serdev/bind"
				  : "/sys/bus/serial/drivers/untwist_serdev/unbind",
			     place));
}

TEST(unbinding_sends_readers_home_and_binding_brings_the_line_back)
{
	struct sleeper sleeper;
	char byte;
	int fd;

	peer_setup();
	sleeper_start(&sleeper, sleep_in_read, line_open(LINE_SLIP, O_RDWR), &byte, 1);
	rebind(LINE_SLIP, false);
	EXPECT_EQ(-ENODEV, sleeper_result(&sleeper));
	rebind(LINE_SLIP, true);
	fd = line_open(LINE_SLIP, O_RDWR);
	peer_do("frame slip 78");
	expect_record(fd, "x", 1);
}

static long sleep_in_close(struct sleeper *sleeper)
{
	return close(sleeper->fd);
}

/* The close waits for a peer that takes nothing; the driver that goes lets it go. */
TEST_TIMEOUT(unbinding_ends_the_wait_of_a_close, 120)
{
	struct sleeper sleeper;
	int fd;

	peer_setup();
	fd = line_open(LINE_SLIP, O_RDWR | O_NONBLOCK);
	peer_do("stop slip");
	fill_line(fd);
	ASSERT_EQ(0, parameter_write("untwist_serdev", "drain_ms", FOREVER_MS));
	sleeper_start(&sleeper, sleep_in_close, fd, NULL, 0);
	rebind(LINE_SLIP, false);
	EXPECT_EQ(0, sleeper_result(&sleeper));
	rebind(LINE_SLIP, true);
	peer_do("go slip");
	/* The line was cut off in a frame; the next test begins when the peer is past that. */
	ASSERT_EQ(4, write(line_open(LINE_SLIP, O_RDWR), "over", 4));
	peer_do("until slip 6f766572");
}

/* What a close gives up, it gives up by the record: what was begun is finished. */
TEST_TIMEOUT(close_that_gives_up_leaves_no_half_record, 120)
{
	long long unsent;
	unsigned int n;
	int fd;

	peer_setup();
	ASSERT_EQ(0, parameter_write("untwist_serdev", "drain_ms", "0"));
	unsent = line_count(LINE_SLIP, "unsent");
	fd = line_open(LINE_SLIP, O_RDWR | O_NONBLOCK);
	peer_do("stop slip");
	n = fill_line(fd);
	close(fd);
	unsent = line_count(LINE_SLIP, "unsent") - unsent;
	EXPECT_LT(0, unsent);
	peer_do("go slip");
	fd = line_open(LINE_SLIP, O_RDWR);
	ASSERT_EQ(4, write(fd, "last", 4));
	EXPECT_EQ(n - unsent / FLOOD_LEN, atoi(peer_ask("last slip 6c617374 %d", FLOOD_LEN)));
}

TEST(unloading_while_records_arrive_and_leave)
{
	unsigned char record[FLOOD_LEN];

	peer_setup();
	for (int i = 0; i < 5; i++) {
		int slip = line_open(LINE_SLIP, O_RDWR | O_NONBLOCK);
		int cobs = line_open(LINE_COBS, O_RDWR | O_NONBLOCK);

		peer_do("flood slip 20 %d", FLOOD_LEN);
		peer_do("flood cobs 20 %d", FLOOD_LEN);
		numbered_make(record, i, sizeof(record));
		ASSERT_EQ(sizeof(record), write(slip, record, sizeof(record)));
		ASSERT_EQ(sizeof(record), write(cobs, record, sizeof(record)));
		ASSERT_EQ(0, module_unload("untwist_serdev"));
		close(slip);
		close(cobs);
		peer_setup();
	}
}
