// SPDX-License-Identifier: MIT
/* Devices and drivers that come and go, and the small files about them. */
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dice.h"
#include "plug.h"

#define LOOP "/sys/module/untwist_loop/parameters/"
#define EDU  "/sys/bus/pci/drivers/untwist_edu/"

/* Being refused is part of it. */
static bool text_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool taken;

	if (fd < 0)
		return false;
	taken = write(fd, text, strlen(text)) > 0;
	close(fd);
	return taken;
}

static bool text_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char text[4096];
	bool taken;

	if (fd < 0)
		return false;
	taken = read(fd, text, sizeof(text)) > 0;
	close(fd);
	return taken;
}

static void load(const char *module)
{
	pid_t child = fork();

	if (!child) {
		execlp("modprobe", "modprobe", module, NULL);
		_exit(127);
	}
	waitpid(child, NULL, 0);
}

static bool reload(const char *module)
{
	bool gone = !syscall(SYS_delete_module, module, O_NONBLOCK);

	load(module);
	return gone;
}

/* A path that the pattern matches, or false. */
static bool any_path(struct dice *dice, const char *pattern, char *path, size_t size)
{
	glob_t found;

	if (glob(pattern, 0, NULL, &found))
		return false;
	snprintf(path, size, "%s", found.gl_pathv[dice_below(dice, found.gl_pathc)]);
	globfree(&found);
	return true;
}

static bool turn_devices(struct dice *dice)
{
	static const char *const numbers[] = { "0", "1", "2", "3", "2" };

	return text_write(LOOP "devices", numbers[dice_below(dice, 5)]);
}

static bool turn_kinds(struct dice *dice)
{
	static const char *const kinds[] = { "stream,record", "record,stream", "record", "stream" };

	return text_write(LOOP "kinds", kinds[dice_below(dice, 4)]);
}

static bool turn_parameters(struct dice *dice)
{
	static const char *const names[] = { "hard_irq", "broadcast", "exclusive" };
	static const char *const delays[] = { "0", "50", "1000", "20000" };
	char path[80];

	text_write(LOOP "delay_us", delays[dice_below(dice, 4)]);
	snprintf(path, sizeof(path), LOOP "%s", names[dice_below(dice, 3)]);
	return text_write(path, dice_one_in(dice, 2) ? "Y" : "N");
}

static bool turn_limits(struct dice *dice)
{
	char path[256], number[24];

	if (!any_path(dice, "/sys/class/untwist/*/limits/*", path, sizeof(path)))
		return false;
	snprintf(number, sizeof(number), "%u",
		 dice_one_in(dice, 4) ? (uint32_t)dice_number(dice)
				      : 65536 + dice_below(dice, 4096));
	return text_write(path, number);
}

static bool turn_reading(struct dice *dice)
{
	char path[256];

	return any_path(dice, "/sys/class/untwist/*/*/*", path, sizeof(path)) && text_read(path);
}

/* Measured only on demand: that comes and goes as well. */
static bool turn_latency(struct dice *dice)
{
	char path[256];

	if (!any_path(dice, "/sys/kernel/debug/untwist/*/latency", path, sizeof(path)))
		return false;
	return dice_one_in(dice, 2) ? text_write(path, dice_one_in(dice, 2) ? "1" : "0")
				    : text_read(path);
}

static bool turn_hardware(struct dice *dice)
{
	char path[256];

	if (!any_path(dice, EDU "0000:*", path, sizeof(path)))
		return false;
	text_write(EDU "unbind", strrchr(path, '/') + 1);
	return text_write(EDU "bind", strrchr(path, '/') + 1);
}

static bool turn_drivers(struct dice *dice)
{
	static const char *const modules[] = { "untwist_loop", "untwist_tick", "untwist_edu" };

	return reload(modules[dice_below(dice, 3)]);
}

/* Nothing comes or goes for a while: what lives meanwhile gets somewhere. */
static bool turn_rest(struct dice *dice)
{
	struct timespec rest = { .tv_nsec = dice_below(dice, 400) * 1000000L };

	text_write(LOOP "exclusive", "N");
	text_write(LOOP "devices", "2");
	return !nanosleep(&rest, NULL);
}

void plug_run(struct board *board, struct actor *actor, uint64_t seed)
{
	static const struct {
		const char *name;
		bool (*take)(struct dice *dice);
	} turns[] = {
		{ "devices", turn_devices },
		{ "kinds", turn_kinds },
		{ "parameters", turn_parameters },
		{ "limits", turn_limits },
		{ "reading", turn_reading },
		{ "hardware", turn_hardware },
		{ "latency", turn_latency },
		{ "drivers", turn_drivers },
		{ "rest", turn_rest },
		{ "rest", turn_rest },
		{ "rest", turn_rest },
	};
	struct dice dice = dice_new(seed, ~0ULL, 0);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	atomic_store(&actor->pid, getpid());
	atomic_store(&actor->tid, gettid());
	while (!atomic_load(&board->over)) {
		unsigned int which = dice_below(&dice, sizeof(turns) / sizeof(turns[0]));

		atomic_store(&actor->doing, turns[which].name);
		atomic_fetch_add(&actor->calls, 1);
		if (turns[which].take(&dice))
			atomic_fetch_add(&board->good_turns, 1);
		atomic_fetch_add(&board->turns, 1);
	}
	_exit(0);
}
