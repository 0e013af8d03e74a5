// SPDX-License-Identifier: MIT
/* move DEVICE TEXT: the text into the device's memory, and what is there then. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/untwist.h>

/* One request, whose payload stays where it is until it is complete. */
static int move(int fd, __u32 opcode, void *bytes, __u32 len)
{
	struct untwist_sqe sqe = {
		.opcode = opcode,
		.addr = (unsigned long)bytes,
		.len = len,
	};
	struct untwist_submit submit = {
		.entries = (unsigned long)&sqe,
		.count = 1,
		.entry_size = sizeof(sqe),
	};
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct untwist_cqe cqe;

	if (ioctl(fd, UNTWIST_IOC_SUBMIT, &submit) != 1 || poll(&pfd, 1, -1) != 1 ||
	    read(fd, &cqe, sizeof(cqe)) != sizeof(cqe))
		return -1;
	return cqe.res;
}

int main(int argc, char **argv)
{
	char bytes[4000] = "";
	int len, fd;

	if (argc != 3) {
		fprintf(stderr, "usage: move DEVICE TEXT\n");
		return 2;
	}
	fd = open(argv[1], O_RDWR);
	len = strlen(argv[2]);
	if (fd < 0 || move(fd, UNTWIST_OP_DRIVER, argv[2], len) != len ||
	    move(fd, UNTWIST_OP_DRIVER + 1, bytes, len) != len) {
		perror("move");
		return 1;
	}
	puts(bytes);
	return 0;
}
