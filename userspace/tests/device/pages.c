// SPDX-License-Identifier: MIT
/* Memory that faults, refuses or waits. */
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

#include "harness.h"
#include "pages.h"

size_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

static unsigned char *pages_map(size_t pages, int protection)
{
	void *map = mmap(NULL, pages * page_size(), protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_TRUE(map != MAP_FAILED);
	return map;
}

unsigned char *pages_with_edge(void)
{
	unsigned char *edge = pages_map(2, PROT_READ | PROT_WRITE) + page_size();

	ASSERT_EQ(0, mprotect(edge, page_size(), PROT_NONE));
	return edge;
}

void pages_open(unsigned char *edge)
{
	ASSERT_EQ(0, mprotect(edge, page_size(), PROT_READ | PROT_WRITE));
}

void *pages_read_only(void)
{
	return pages_map(1, PROT_READ);
}

struct slow_page pages_slow(void)
{
	struct slow_page slow = { .uffd = syscall(SYS_userfaultfd, O_CLOEXEC) };
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	if (slow.uffd < 0)
		SKIP("this kernel has no userfaultfd");
	slow.memory = pages_map(1, PROT_READ | PROT_WRITE);
	range.range.start = (uintptr_t)slow.memory;
	range.range.len = page_size();
	ASSERT_EQ(0, ioctl(slow.uffd, UFFDIO_API, &api));
	ASSERT_EQ(0, ioctl(slow.uffd, UFFDIO_REGISTER, &range));
	return slow;
}

void pages_go_on(const struct slow_page *slow)
{
	struct uffdio_zeropage page = {
		.range = { .start = (uintptr_t)slow->memory, .len = page_size() },
	};

	ASSERT_EQ(0, ioctl(slow->uffd, UFFDIO_ZEROPAGE, &page));
}
