// SPDX-License-Identifier: MIT
/* Memory, good and bad. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "window.h"

/* By way of a file the kernel does the copying, and says EFAULT where we would die. */
static int carrier = -1;
static unsigned char *field;
static unsigned char *reserve;
static size_t reserve_size;

/* Held as long as there may be a gap that the kernel could put something else into. */
static pthread_mutex_t map_lock = PTHREAD_MUTEX_INITIALIZER;

/*
 * In the middle of nothing, so that an address with a wrong bit is a bad one
 * and not our own stack.
 */
static unsigned char *nothing(void)
{
	size_t span = 1UL << (sizeof(void *) == 8 ? 36 : 28);
	unsigned char *base =
		mmap(NULL, 2 * span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		return NULL;
	return (unsigned char *)(((uintptr_t)base + span - 1) & ~(span - 1));
}

bool window_init(struct window *windows, unsigned int nr)
{
	unsigned int i;

	field = nothing();
	carrier = memfd_create("carrier", MFD_CLOEXEC);
	if (!field || carrier < 0 || mprotect(field, GROUND_SIZE, PROT_READ | PROT_WRITE))
		return false;
	reserve = field + GROUND_SIZE + WINDOW_SIZE;
	reserve_size = nr * WINDOW_SIZE;
	for (i = 0; i < nr; i++)
		windows[i].base = reserve + i * WINDOW_SIZE;
	return true;
}

unsigned char *ground(void)
{
	return field;
}

static void *bad_address(struct dice *dice)
{
	static const uintptr_t bad[] = { 0, 1, 4096, ~0UL, ~0UL << 12, ~0UL / 2, ~(~0UL / 2) };

	return (void *)bad[dice_below(dice, sizeof(bad) / sizeof(bad[0]))];
}

void *ground_any(struct dice *dice, size_t len)
{
	size_t fits = len < GROUND_SIZE ? GROUND_SIZE - len : 0;

	switch (dice_below(dice, 24)) {
	case 0:
		return bad_address(dice);
	case 1: /* its end is bad */
		return field + fits + dice_below(dice, 64);
	case 2: /* in a ring, or in the hole where one was */
		return reserve + dice_below(dice, reserve_size);
	default:
		return field + (fits ? dice_below(dice, fits) : 0);
	}
}

static void make_hole(void *at, size_t size)
{
	mmap(at, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

/* A mapping that fails may take away what was there before, even the hole. */
long window_map(const struct window *window, size_t size, int prot, int flags, int fd, off_t offset)
{
	void *at;

	pthread_mutex_lock(&map_lock);
	at = mmap(window->base, size, prot, flags | MAP_FIXED, fd, offset);
	if (at == MAP_FAILED)
		make_hole(window->base, size);
	pthread_mutex_unlock(&map_lock);
	return at == MAP_FAILED ? -1 : 0;
}

long window_move(const struct window *from, const struct window *to, size_t size, size_t grown)
{
	void *at;

	pthread_mutex_lock(&map_lock);
	at = mremap(from->base, size, grown, MREMAP_MAYMOVE | MREMAP_FIXED, to->base);
	if (at == MAP_FAILED)
		make_hole(to->base, grown);
	else
		make_hole(from->base, size);
	pthread_mutex_unlock(&map_lock);
	return at == MAP_FAILED ? -1 : 0;
}

long window_unmap(const struct window *window, size_t at, size_t size)
{
	make_hole(window->base + at, size);
	return 0;
}

void *window_outside(size_t size, int fd, off_t offset)
{
	void *at;

	pthread_mutex_lock(&map_lock);
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	pthread_mutex_unlock(&map_lock);
	return at == MAP_FAILED ? NULL : at;
}

/* Each thread copies by way of a page of its own. */
static off_t carrier_offset(void)
{
	static atomic_uint threads;
	static _Thread_local unsigned int own;

	if (!own)
		own = atomic_fetch_add(&threads, 1) + 1;
	return own * 4096L;
}

int window_copy(void *to, const void *from, size_t len)
{
	off_t at = carrier_offset();

	if (pwrite(carrier, from, len, at) != (ssize_t)len)
		return -1;
	return pread(carrier, to, len, at) == (ssize_t)len ? 0 : -1;
}
