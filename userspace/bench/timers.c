// SPDX-License-Identifier: MIT
/*
 * A million timers, on libuntwist and on libev, in turns: all are armed, half of
 * them is cancelled, the others fire. Prints the medians in CPU nanoseconds.
 *
 * Usage: timers [NUMBER [RUNS]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <ev.h>

#include <untwist/reactor.h>
#include <untwist/timer.h>

#define RANGE_MS  1000
#define MOST_RUNS 99

enum phase {
	ARM,
	CANCEL,
	FIRE,
	PHASES,
};

static const char *const phase_names[PHASES] = { "arm", "cancel", "fire" };

static unsigned int number = 1000000;
static unsigned int runs = 5;
static unsigned int *delays; /* in ms */
static unsigned int fired;
static struct utw_reactor *reactor;

static double cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory) {
		fputs("timers: out of memory\n", stderr);
		exit(1);
	}
	return memory;
}

/* Until the last deadline is over, so that all are due at once. */
static void let_them_come(void)
{
	usleep((RANGE_MS + 20) * 1000);
}

/* In a turn, as most timers are: both sides then go by the turn's time. */
static void utw_arm(void *data)
{
	struct utw_timer *timers = data;
	unsigned int i;

	for (i = 0; i < number; i++)
		if (utw_timer_start(&timers[i], reactor, delays[i] * UINT64_C(1000000)))
			exit(1);
}

static void utw_fired(struct utw_timer *t)
{
	(void)t;
	fired++;
}

static void run_untwist(double *spent)
{
	struct utw_timer *timers = allocate(number, sizeof(*timers));
	unsigned int i;
	double start;

	if (utw_reactor_new(&reactor))
		exit(1);
	for (i = 0; i < number; i++)
		utw_timer_init(&timers[i], utw_fired);

	start = cpu_ns();
	if (utw_reactor_call_soon(reactor, utw_arm, timers))
		exit(1);
	utw_reactor_run_once(reactor, 0);
	spent[ARM] = cpu_ns() - start;

	start = cpu_ns();
	for (i = 0; i < number; i += 2)
		utw_timer_cancel(&timers[i]);
	spent[CANCEL] = cpu_ns() - start;

	let_them_come();
	fired = 0;
	start = cpu_ns();
	while (fired < number / 2)
		utw_reactor_run_once(reactor, UTW_FOREVER);
	spent[FIRE] = cpu_ns() - start;

	utw_reactor_free(reactor);
	free(timers);
}

static void ev_fired(struct ev_loop *loop, ev_timer *t, int events)
{
	(void)loop;
	(void)t;
	(void)events;
	fired++;
}

static void run_libev(double *spent)
{
	ev_timer *timers = allocate(number, sizeof(*timers));
	struct ev_loop *loop = ev_loop_new(EVBACKEND_EPOLL);
	unsigned int i;
	double start;

	for (i = 0; i < number; i++)
		ev_timer_init(&timers[i], ev_fired, delays[i] / 1000.0, 0);

	start = cpu_ns();
	for (i = 0; i < number; i++)
		ev_timer_start(loop, &timers[i]);
	spent[ARM] = cpu_ns() - start;

	start = cpu_ns();
	for (i = 0; i < number; i += 2)
		ev_timer_stop(loop, &timers[i]);
	spent[CANCEL] = cpu_ns() - start;

	let_them_come();
	fired = 0;
	start = cpu_ns();
	while (fired < number / 2)
		ev_run(loop, EVRUN_ONCE);
	spent[FIRE] = cpu_ns() - start;

	ev_loop_destroy(loop);
	free(timers);
}

static int compare(const void *a, const void *b)
{
	double difference = *(const double *)a - *(const double *)b;

	return (difference > 0) - (difference < 0);
}

static double median(double *values)
{
	qsort(values, runs, sizeof(*values), compare);
	return values[runs / 2];
}

/* [0] is ours, [1] is libev's; behind the phases comes their sum. */
static double results[2][PHASES + 1][MOST_RUNS];

static void run_both(unsigned int run)
{
	double spent[2][PHASES];
	int library, phase;

	run_untwist(spent[0]);
	run_libev(spent[1]);
	for (library = 0; library < 2; library++) {
		for (phase = 0; phase < PHASES; phase++) {
			results[library][phase][run] = spent[library][phase] / number;
			results[library][PHASES][run] += spent[library][phase] / number;
		}
	}
}

int main(int argc, char **argv)
{
	unsigned int i;
	int phase;

	if (argc > 1)
		number = (unsigned int)strtoul(argv[1], NULL, 10);
	if (argc > 2)
		runs = (unsigned int)strtoul(argv[2], NULL, 10);
	if (argc > 3 || number < 2 || runs < 1 || runs > MOST_RUNS) {
		fprintf(stderr, "Usage: timers [NUMBER [RUNS]], at most %d runs\n", MOST_RUNS);
		return 2;
	}
	delays = allocate(number, sizeof(*delays));
	srandom(1);
	for (i = 0; i < number; i++)
		delays[i] = 1 + (unsigned int)random() % RANGE_MS;
	for (i = 0; i < runs; i++)
		run_both(i);

	printf("%u timers, medians of %u runs, CPU ns a timer\n", number, runs);
	printf("%-10s %10s %10s %10s\n", "", "untwist", "libev", "ratio");
	for (phase = 0; phase <= PHASES; phase++) {
		double ours = median(results[0][phase]), theirs = median(results[1][phase]);

		printf("%-10s %10.1f %10.1f %10.2f\n", phase < PHASES ? phase_names[phase] : "all",
		       ours, theirs, ours / theirs);
	}
	printf("%-10s %10zu %10zu   bytes of the program's\n", "size", sizeof(struct utw_timer),
	       sizeof(ev_timer));
	free(delays);
	return 0;
}
