// SPDX-License-Identifier: MIT
/* Talk with the peripheral, and with what the driver shows of its lines. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "modules.h"
#include "peer.h"

static int control = -1;
static char answer[40000];

void peer_setup(void)
{
	if (!module_is_loaded("untwist_serdev"))
		module_load("untwist_serdev", "");
	if (control >= 0)
		close(control);
	control = line_open("control", O_RDWR);
	ASSERT_EQ(0, parameter_write("untwist_serdev", "drain_ms", "30000"));
	peer_do("echo slip off");
	peer_do("echo cobs off");
	peer_do("go slip");
	peer_do("go cobs");
	peer_do("forget slip");
	peer_do("forget cobs");
}

static void read_answer(void)
{
	size_t len = 0;
	ssize_t n;

	do {
		ASSERT_LT(len, sizeof(answer) - 1);
		n = read(control, answer + len, sizeof(answer) - 1 - len);
		ASSERT_LT(0, n);
		len += n;
	} while (answer[len - 1] != '\n');
	answer[len - 1] = '\0';
}

static const char *ask(const char *format, va_list args)
{
	char command[9000];
	int len = vsnprintf(command, sizeof(command) - 1, format, args);

	ASSERT_LT(len, (int)sizeof(command) - 1);
	strcpy(command + len, "\n");
	ASSERT_EQ(len + 1, write(control, command, len + 1));
	read_answer();
	if (strncmp(answer, "ok", 2))
		printf("# %s: %s\n", command, answer);
	ASSERT_EQ(0, strncmp(answer, "ok", 2));
	return answer + 2 + (answer[2] == ' ');
}

const char *peer_ask(const char *format, ...)
{
	const char *told;
	va_list args;

	va_start(args, format);
	told = ask(format, args);
	va_end(args);
	return told;
}

void peer_do(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	ask(format, args);
	va_end(args);
}

int line_open(const char *line, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/untwist/%s", line);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		printf("# %s: %s\n", path, strerror(errno));
	ASSERT_LE(0, fd);
	return fd;
}

long long line_count(const char *line, const char *attribute)
{
	char path[120];

	snprintf(path, sizeof(path), "/sys/class/untwist/%s/%s", line, attribute);
	return number_read(path);
}

void line_wait_for_count(const char *line, const char *attribute, long long wanted)
{
	while (line_count(line, attribute) < wanted)
		sched_yield();
}

void numbered_make(unsigned char *record, unsigned int number, size_t len)
{
	for (size_t i = 0; i < len; i++)
		record[i] = i < 4 ? number >> (24 - 8 * i) : number + i - 4;
}
