// SPDX-License-Identifier: MIT
/*
 * Throws system calls at the nodes, wild and half right, from threads of
 * processes that end in every way, while their rings' memory changes under them
 * and the devices come and go.
 *
 * Usage: fuzz [--seconds N] [--seed S]
 *
 * The seed is printed; with the same one, each thread makes the same choices in
 * the same order, but how the threads meet is another matter. The output is TAP.
 * What the kernel has to say comes in its log. Runs as root in a guest, and
 * nowhere else.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "calls.h"
#include "life.h"
#include "plug.h"
#include "watch.h"

#define LIVES	   2 /* processes at a time */
#define PLUG	   (LIVES * LIFE_ACTORS) /* who has this number comes after them */
#define ACTORS	   (PLUG + 1)
#define NUDGE	   0.02 /* seconds in one call until it is interrupted */
#define PATIENCE   2.0 /* and until the whole process is killed */
#define ALIVE_WAIT 60 /* seconds that the last words may take */

_Static_assert(ACTORS <= BOARD_ACTORS, "there is room on the board");

struct run {
	struct board *board;
	struct watch watch;
	uint64_t seed;
	pid_t lives[LIVES];
	unsigned long born[LIVES];
	pid_t plug;
	unsigned long ended_by_fault;
};

static void life_start(struct run *run, unsigned int who)
{
	unsigned long number = run->born[who]++;
	pid_t child = fork();

	if (!child)
		life_run(run->board, &run->board->actors[who * LIFE_ACTORS], run->seed, who,
			 number);
	run->lives[who] = child;
}

static void plug_start(struct run *run)
{
	run->plug = fork();
	if (!run->plug)
		plug_run(run->board, &run->board->actors[PLUG], run->seed);
}

/* A life that writes into its own memory is a bad shot and no more. */
static void lives_follow(struct run *run)
{
	unsigned int who;
	int status;

	for (who = 0; who < LIVES; who++) {
		if (run->lives[who] > 0 && waitpid(run->lives[who], &status, WNOHANG) <= 0)
			continue;
		if (run->lives[who] > 0 && WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL) {
			printf("# a life ended by signal %d\n", WTERMSIG(status));
			run->ended_by_fault++;
		}
		life_start(run, who);
	}
}

/* Out of a call that waits, or the whole process out of this world. */
static void nudge(struct run *run, unsigned int index)
{
	struct actor *actor = &run->board->actors[index];
	double still = watch_still(&run->watch, index);
	pid_t pid = atomic_load(&actor->pid);

	if (pid != run->lives[index / LIFE_ACTORS])
		return; /* it has not begun */
	if (still > PATIENCE)
		kill(pid, SIGKILL);
	else if (still > NUDGE)
		syscall(SYS_tgkill, pid, atomic_load(&actor->tid), SIGUSR1);
}

/* Returns false if something hangs. */
static bool look_after(struct run *run)
{
	unsigned int i;

	lives_follow(run);
	for (i = 0; i < ACTORS; i++) {
		if (watch_hangs(&run->watch, i)) {
			printf("# actor %u hangs\n", i);
			watch_show(&run->watch);
			return false;
		}
		if (i < PLUG)
			nudge(run, i);
	}
	return true;
}

static void rest(double seconds)
{
	struct timespec time = { .tv_nsec = (long)(seconds * 1e9) };

	nanosleep(&time, NULL);
}

/* Returns false if one of them does not end. */
static bool all_end(struct run *run)
{
	double start = watch_now();
	unsigned int who;

	atomic_store(&run->board->over, true);
	for (who = 0; who < LIVES; who++)
		kill(run->lives[who], SIGKILL);
	for (;;) {
		pid_t gone = waitpid(-1, NULL, WNOHANG);

		if (gone < 0)
			return true;
		if (!gone)
			rest(0.01);
		if (watch_now() - start > ALIVE_WAIT * 5) {
			watch_show(&run->watch);
			return false;
		}
	}
}

static bool throw_calls(struct run *run, double seconds)
{
	double start = watch_now();
	bool moves = true;

	plug_start(run);
	while (moves && watch_now() - start < seconds) {
		moves = look_after(run);
		rest(0.01);
	}
	return all_end(run) && moves;
}

static void tell_calls(const struct run *run)
{
	unsigned int i;

	for (i = 0; i < calls_count(); i++)
		printf("# %8lu %s, of which %lu did something\n", atomic_load(&run->board->made[i]),
		       calls[i].name, atomic_load(&run->board->good[i]));
	printf("# %lu lives, %lu of them ended by a fault of their own\n",
	       run->born[0] + run->born[1], run->ended_by_fault);
	printf("# %lu turns of the devices, of which %lu did something\n",
	       atomic_load(&run->board->turns), atomic_load(&run->board->good_turns));
}

/* Afterwards. */

static bool parameter_write(const char *name, const char *value)
{
	char path[100];
	bool ok;
	int fd;

	snprintf(path, sizeof(path), "/sys/module/untwist_loop/parameters/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ok = fd >= 0 && write(fd, value, strlen(value)) > 0;
	if (!ok)
		printf("# %s=%s: %s\n", name, value, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool load_all(void)
{
	return !system("modprobe -a untwist_loop untwist_tick untwist_edu");
}

static bool echoes(void)
{
	struct pollfd pfd = { .fd = open("/dev/untwist/loop0", O_RDWR), .events = POLLIN };
	char said[] = "still there?", heard[sizeof(said)] = "";

	if (pfd.fd < 0 || write(pfd.fd, said, sizeof(said)) != sizeof(said) ||
	    poll(&pfd, 1, ALIVE_WAIT * 1000) != 1 ||
	    read(pfd.fd, heard, sizeof(heard)) != sizeof(heard))
		printf("# %s\n", strerror(errno));
	close(pfd.fd);
	return !strcmp(said, heard);
}

static bool still_works(void)
{
	static const char *const usual[][2] = {
		{ "broadcast", "N" }, { "exclusive", "N" },	    { "hard_irq", "N" },
		{ "delay_us", "0" },  { "kinds", "stream,record" }, { "devices", "0" },
		{ "devices", "2" },
	};
	bool ok = load_all();
	unsigned int i;

	for (i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		ok &= parameter_write(usual[i][0], usual[i][1]);
	return ok && echoes();
}

/* What was opened by those who are dead may be let go of a little later. */
static bool unloads(void)
{
	static const char *const modules[] = { "untwist_loop", "untwist_tick", "untwist_edu",
					       "untwist" };
	double start = watch_now();
	unsigned int i = 0;

	while (i < sizeof(modules) / sizeof(modules[0])) {
		if (!syscall(SYS_delete_module, modules[i], O_NONBLOCK)) {
			i++;
		} else if (watch_now() - start > ALIVE_WAIT) {
			printf("# %s: %s\n", modules[i], strerror(errno));
			return false;
		} else {
			rest(0.01);
		}
	}
	return true;
}

static bool report(unsigned int number, bool ok, const char *what)
{
	printf("%sok %u - %s\n", ok ? "" : "not ", number, what);
	fflush(stdout);
	return ok;
}

static int run_all(struct run *run, double seconds)
{
	bool ok;

	printf("# seed %llu\n1..3\n", (unsigned long long)run->seed);
	fflush(stdout);
	if (!load_all())
		return 2;
	watch_init(&run->watch, run->board, ACTORS);
	ok = report(1, throw_calls(run, seconds), "nothing hangs");
	tell_calls(run);
	if (!ok)
		return 1;
	ok &= report(2, still_works(), "the devices do what they should");
	ok &= report(3, unloads(), "the modules can go");
	return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct run run = {};
	double seconds = 30;
	int i;

	if (argc == 2 && !strcmp(argv[1], "--nothing"))
		return 0;
	if (getrandom(&run.seed, 4, 0) != 4)
		return 2;
	for (i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--seconds"))
			seconds = atof(argv[i + 1]);
		else if (!strcmp(argv[i], "--seed"))
			run.seed = strtoull(argv[i + 1], NULL, 0);
		else
			break;
	}
	if (i != argc || seconds <= 0) {
		fprintf(stderr, "usage: fuzz [--seconds N] [--seed S]\n");
		return 2;
	}
	run.board = mmap(NULL, sizeof(*run.board), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run.board == MAP_FAILED)
		return 2;
	return run_all(&run, seconds);
}
