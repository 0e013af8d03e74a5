// SPDX-License-Identifier: MIT
/* QEMU's edu device, as the tests want it. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edu_device.h"
#include "harness.h"
#include "modules.h"

#define EDU_CLASS  "/sys/class/untwist/edu0"
#define EDU_DRIVER "/sys/bus/pci/drivers/untwist_edu"

/* Its name on the bus, found while it is bound. */
static char pci_name[32];

static void find_pci_name(void)
{
	char link[256];
	const char *name;
	ssize_t len = readlink(EDU_CLASS "/device", link, sizeof(link) - 1);

	ASSERT_LE(1, len);
	link[len] = '\0';
	name = strrchr(link, '/');
	ASSERT_TRUE(name && strlen(name + 1) < sizeof(pci_name));
	strcpy(pci_name, name + 1);
}

void edu_setup(const char *option)
{
	const char *bits = getenv("EDU_DMA_BITS");
	char options[64];

	if (module_is_loaded("untwist_edu"))
		ASSERT_EQ(0, module_unload("untwist_edu"));
	snprintf(options, sizeof(options), "%s%s %s", bits ? "dma_bits=" : "", bits ? bits : "",
		 option);
	module_load("untwist_edu", options);
	if (access(EDU_NODE, F_OK))
		SKIP("the machine has no edu device");
	find_pci_name();
}

int edu_open(int flags)
{
	int fd = open(EDU_NODE, O_RDWR | O_CLOEXEC | flags);

	ASSERT_LE(0, fd);
	return fd;
}

void edu_unbind(void)
{
	ASSERT_EQ(0, text_write(EDU_DRIVER "/unbind", pci_name));
}

void edu_bind(void)
{
	ASSERT_EQ(0, text_write(EDU_DRIVER "/bind", pci_name));
}

long long edu_interrupts(void)
{
	return number_read(EDU_CLASS "/interrupts");
}

struct untwist_sqe edu_factorial(__u64 user_data, __u64 n)
{
	return (struct untwist_sqe){
		.user_data = user_data,
		.opcode = UNTWIST_EDU_OP_FACTORIAL,
		.arg = { n },
	};
}

struct untwist_sqe edu_transfer(__u32 opcode, __u64 offset, const void *payload, __u32 len)
{
	return (struct untwist_sqe){
		.opcode = opcode,
		.addr = (uintptr_t)payload,
		.len = len,
		.arg = { offset },
	};
}

__u64 factorial(unsigned int n)
{
	return n ? n * factorial(n - 1) : 1;
}
