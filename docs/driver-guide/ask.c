// SPDX-License-Identifier: MIT
/* ask DEVICE NUMBER: one request with the device's first opcode, and its answer. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/untwist.h>

static int fail(const char *what)
{
	fprintf(stderr, "ask: %s: %s\n", what, strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	struct untwist_sqe sqe = { .opcode = UNTWIST_OP_DRIVER };
	struct untwist_submit submit = {
		.entries = (unsigned long)&sqe,
		.count = 1,
		.entry_size = sizeof(sqe),
	};
	struct pollfd pfd = { .events = POLLIN };
	struct untwist_cqe cqe;

	if (argc != 3) {
		fprintf(stderr, "usage: ask DEVICE NUMBER\n");
		return 2;
	}
	sqe.arg[0] = strtoull(argv[2], NULL, 0);
	pfd.fd = open(argv[1], O_RDWR);
	if (pfd.fd < 0)
		return fail(argv[1]);
	if (ioctl(pfd.fd, UNTWIST_IOC_SUBMIT, &submit) != 1)
		return fail("submit");
	if (poll(&pfd, 1, -1) != 1 || read(pfd.fd, &cqe, sizeof(cqe)) != sizeof(cqe))
		return fail("read");
	errno = -cqe.res;
	if (cqe.res < 0)
		return fail("the device says");
	printf("%llu\n", (unsigned long long)cqe.value[0]);
	return 0;
}
