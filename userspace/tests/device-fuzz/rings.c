// SPDX-License-Identifier: MIT
/*
 * The rings of nodes. Several threads use one at a time without a lock: what
 * that makes of the indices is one more thing that programs may write.
 */
#include <fcntl.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "entries.h"
#include "life.h"
#include "rings.h"
#include "window.h"

static struct window *any_window(struct fuzzer *fuzzer)
{
	return &fuzzer->life->windows[dice_below(&fuzzer->dice, LIFE_WINDOWS)];
}

/* Whoever sets up last has its sizes remembered; others then use the ring wrongly. */
long ring_setup(struct fuzzer *fuzzer)
{
	struct untwist_ring_setup setup = any_setup(&fuzzer->dice);
	unsigned long cmd = any_size(&fuzzer->dice, UNTWIST_IOC_RING_SETUP);
	struct window *window = any_window(fuzzer);
	int fd = life_file(fuzzer);

	if (cmd != UNTWIST_IOC_RING_SETUP)
		return ioctl(fd, cmd, ground_any(&fuzzer->dice, sizeof(setup)));
	if (ioctl(fd, cmd, &setup))
		return -1;
	window->setup = setup;
	if (setup.map_size > WINDOW_SIZE)
		return -1;
	return window_map(window, setup.map_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

static size_t any_map_size(struct fuzzer *fuzzer, const struct window *window)
{
	size_t size = window->setup.map_size;

	if (!size || dice_one_in(&fuzzer->dice, 4))
		size = dice_below(&fuzzer->dice, 40) * 4096 + 1;
	return size > WINDOW_SIZE ? WINDOW_SIZE : size;
}

long ring_map(struct fuzzer *fuzzer)
{
	struct window *window = any_window(fuzzer);
	size_t size = any_map_size(fuzzer, window);
	int prot = dice_one_in(&fuzzer->dice, 4) ? dice_below(&fuzzer->dice, 8)
						 : PROT_READ | PROT_WRITE;
	int kind = dice_one_in(&fuzzer->dice, 8) ? MAP_PRIVATE : MAP_SHARED;
	off_t offset = dice_one_in(&fuzzer->dice, 8) ? dice_below(&fuzzer->dice, 8) * 4096 : 0;

	return window_map(window, size, prot, kind, life_file(fuzzer), offset);
}

/* The whole, or a hole in it. */
long ring_unmap(struct fuzzer *fuzzer)
{
	struct window *window = any_window(fuzzer);
	size_t at = 0, size = WINDOW_SIZE;

	if (dice_one_in(&fuzzer->dice, 2)) {
		at = dice_below(&fuzzer->dice, 32) * 4096;
		size = (1 + dice_below(&fuzzer->dice, 8)) * 4096;
	}
	return window_unmap(window, at, size);
}

long ring_protect(struct fuzzer *fuzzer)
{
	struct window *window = any_window(fuzzer);
	static const int advice[] = { MADV_DONTNEED, MADV_WILLNEED, MADV_DOFORK, MADV_FREE };
	size_t size = (1 + dice_below(&fuzzer->dice, 32)) * 4096;

	if (dice_one_in(&fuzzer->dice, 2))
		return mprotect(window->base, size, dice_below(&fuzzer->dice, 8));
	return madvise(window->base, size, advice[dice_below(&fuzzer->dice, 4)]);
}

long ring_move(struct fuzzer *fuzzer)
{
	struct window *from = any_window(fuzzer);
	struct window *to = any_window(fuzzer);
	size_t size = (1 + dice_below(&fuzzer->dice, 16)) * 4096;
	size_t grown = dice_one_in(&fuzzer->dice, 2) ? size : 2 * size;

	return window_move(from, to, size, grown);
}

static __u32 *member(const struct window *window, size_t offset)
{
	return (__u32 *)(window->base + offset);
}

static long add_to(const struct window *window, size_t offset, __u32 n)
{
	__u32 value;

	if (window_copy(&value, member(window, offset), sizeof(value)))
		return -1;
	value += n;
	return window_copy(member(window, offset), &value, sizeof(value));
}

long ring_submit(struct fuzzer *fuzzer)
{
	struct window *window = any_window(fuzzer);
	__u32 entries = window->setup.sq_entries;
	__u32 count = 1 + dice_below(&fuzzer->dice, 8);
	__u32 tail, head, i;

	if (!entries ||
	    window_copy(&tail, member(window, offsetof(struct untwist_ring, sq_tail)), 4) ||
	    window_copy(&head, member(window, offsetof(struct untwist_ring, sq_head)), 4))
		return -1;
	if (fuzzer->life->hostility != SPOILS_ALL && tail - head + count > entries)
		return -1;
	for (i = 0; i < count; i++) {
		struct untwist_sqe sqe = any_sqe(&fuzzer->dice);
		size_t at = window->setup.sq_off + ((tail + i) & (entries - 1)) * sizeof(sqe);

		window_copy(window->base + at, &sqe, sizeof(sqe));
	}
	return add_to(window, offsetof(struct untwist_ring, sq_tail), count);
}

long ring_reap(struct fuzzer *fuzzer)
{
	struct window *window = any_window(fuzzer);
	__u32 tail;

	if (window_copy(&tail, member(window, offsetof(struct untwist_ring, cq_tail)), 4))
		return -1;
	return window_copy(member(window, offsetof(struct untwist_ring, cq_head)), &tail, 4);
}

long ring_enter(struct fuzzer *fuzzer)
{
	struct untwist_ring_enter enter = any_enter(&fuzzer->dice);

	return ioctl(life_file(fuzzer), any_size(&fuzzer->dice, UNTWIST_IOC_RING_ENTER), &enter);
}

static long scribble_entry(struct fuzzer *fuzzer, struct window *window)
{
	__u32 entries = window->setup.sq_entries;
	struct untwist_sqe sqe = any_sqe(&fuzzer->dice);
	size_t at;

	if (!entries)
		return -1;
	at = window->setup.sq_off + dice_below(&fuzzer->dice, entries) * sizeof(sqe);
	dice_mutate(&fuzzer->dice, &sqe, sizeof(sqe));
	return window_copy(window->base + at, &sqe, sizeof(sqe));
}

/* What tells the kernel whom to wake may be anything at any time, and breaks nothing. */
static long scribble_wishes(struct fuzzer *fuzzer, struct window *window)
{
	__u32 wishes[] = { dice_number(&fuzzer->dice), dice_below(&fuzzer->dice, 4) };

	return window_copy(member(window, offsetof(struct untwist_ring, cq_event)), wishes,
			   sizeof(wishes));
}

static long scribble_anything(struct fuzzer *fuzzer, struct window *window)
{
	__u64 number = dice_number(&fuzzer->dice);
	size_t at = dice_one_in(&fuzzer->dice, 2) ? dice_below(&fuzzer->dice, 128)
						  : dice_below(&fuzzer->dice, 16384);

	return window_copy(window->base + at, &number, dice_one_in(&fuzzer->dice, 2) ? 8 : 4);
}

long ring_scribble(struct fuzzer *fuzzer)
{
	struct window *window = any_window(fuzzer);

	if (dice_one_in(&fuzzer->dice, 4) || fuzzer->life->hostility == KEEPS_RULES)
		return scribble_wishes(fuzzer, window);
	/* An index that cannot be is the end of a ring: now and then will do. */
	if (fuzzer->life->hostility == SPOILS_ALL && dice_one_in(&fuzzer->dice, 16))
		return scribble_anything(fuzzer, window);
	return scribble_entry(fuzzer, window);
}
