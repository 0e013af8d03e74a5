// SPDX-License-Identifier: MIT
/*
 * The works of the benchmarks, for whatever subjects this program is made of.
 *
 * Usage: bench-LIBRARY SUBJECT WORK [ARGUMENT...]; without any: the subjects' names
 *
 *	dispatch PAIRS ACTIVE WRITES TIMERS	CPU ns an event
 *	timers COUNT				CPU ns a timer, in all and by phase; bytes
 *	pingpong SECONDS, flood SECONDS		calls to the other thread, a second
 *	lines SIZE PIECE BYTES			bytes a second, of lines of SIZE fed by PIECE
 *	echo					prints its port and serves until it is killed
 *
 * Results are lines of "name value", the first one being what is compared. The exit
 * code is 3 when the subject has nothing for this work.
 */
#include "subject.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define RANGE_MS 1000 /* of the timers' delays */
#define FAR_MS	 100000000 /* a timer that only lies there */
#define ROUNDS	 5

/* Calls that may wait to be made in a flood. */
#define MOST_WAITING 65536
/* Of a stream of lines, so much is in memory. */
#define LINES_HELD 65536

static const struct subject *subject;

void die_if(bool failed, const char *what)
{
	if (!failed)
		return;
	fprintf(stderr, "%s: %s: %s\n", subject ? subject->name : "bench", what, strerror(errno));
	exit(1);
}

void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	die_if(!memory, "memory");
	return memory;
}

static double clock_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* For what one thread does without a wait: other load on the machine does not count. */
static double cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static double wall_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static void result(const char *name, double value)
{
	printf("%s %.1f\n", name, value);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), by_value);
	return values[count / 2];
}

/* Descriptors enough for everything below, as far as one may. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Resident memory of this process; what statm tells may be some pages behind. */
static double resident_bytes(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "re");
	char line[128];
	double bytes = 0;

	die_if(!file, "smaps_rollup");
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, "Rss:", 4))
			bytes = strtod(line + 4, NULL) * 1024;
	fclose(file);
	return bytes;
}

/*
 * Dispatch: a byte goes round a ring of socket pairs, from as many places at once as
 * there are active ones. Who reads it writes one into the next pair.
 */
static struct {
	int *readers, *writers;
	unsigned int pairs;
	unsigned long to_write, written, read;
} chain;

static void chain_poke(unsigned int number)
{
	die_if(send(chain.writers[number], "x", 1, 0) != 1, "send");
	chain.written++;
}

bool chain_step(unsigned int number)
{
	char byte;

	die_if(recv(chain.readers[number], &byte, 1, 0) != 1, "recv");
	chain.read++;
	if (chain.to_write) {
		chain.to_write--;
		chain_poke((number + 1) % chain.pairs);
	}
	return chain.read == chain.written;
}

static void chain_open(unsigned int pairs)
{
	unsigned int i;
	int both[2];

	chain.pairs = pairs;
	chain.readers = allocate(pairs, sizeof(int));
	chain.writers = allocate(pairs, sizeof(int));
	for (i = 0; i < pairs; i++) {
		die_if(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, both), "socketpair");
		chain.readers[i] = both[0];
		chain.writers[i] = both[1];
	}
	subject->watch(chain.readers, pairs);
}

static double chain_round(unsigned int active, unsigned long writes)
{
	unsigned int i;
	double start;

	chain.to_write = writes;
	chain.read = 0;
	chain.written = 0;
	for (i = 0; i < active; i++)
		chain_poke(i * (chain.pairs / active));
	start = cpu_ns();
	subject->run(0);
	return (cpu_ns() - start) / (double)chain.read;
}

static void arm_far(unsigned int count)
{
	unsigned int *delays = allocate(count, sizeof(*delays));
	unsigned int i;

	for (i = 0; i < count; i++)
		delays[i] = FAR_MS + i;
	subject->make_timers(count);
	subject->arm(delays, count);
	free(delays);
}

static int work_dispatch(const unsigned long *numbers)
{
	unsigned int pairs = (unsigned int)numbers[0], active = (unsigned int)numbers[1];
	unsigned int timers = (unsigned int)numbers[3];
	double rounds[ROUNDS];
	int i;

	if (!subject->watch || (timers && !subject->arm))
		return 3;
	subject->open(0);
	if (timers)
		arm_far(timers);
	chain_open(pairs);
	chain_round(active, numbers[2] / 10);
	for (i = 0; i < ROUNDS; i++)
		rounds[i] = chain_round(active, numbers[2]);
	result("ns", median(rounds, ROUNDS));
	return 0;
}

static struct {
	unsigned int expected, fired;
} timers;

bool timer_fired(void)
{
	return ++timers.fired == timers.expected;
}

static int work_timers(const unsigned long *numbers)
{
	unsigned int count = (unsigned int)numbers[0];
	unsigned int *delays = allocate(count, sizeof(*delays));
	double start, armed, cancelled, fired, before, held;
	unsigned int i;

	if (!subject->arm)
		return 3;
	srandom(1);
	for (i = 0; i < count; i++)
		delays[i] = 1 + (unsigned int)random() % RANGE_MS;
	subject->open(0);
	subject->make_timers(count);
	before = resident_bytes();
	start = cpu_ns();
	subject->arm(delays, count);
	armed = cpu_ns() - start;
	held = resident_bytes() - before;

	start = cpu_ns();
	for (i = 0; i < count; i += 2)
		subject->cancel(i);
	cancelled = cpu_ns() - start;

	/* Until the last deadline is over, so that all are due at once. */
	usleep((RANGE_MS + 20) * 1000);
	timers.expected = count / 2;
	start = cpu_ns();
	subject->run(0);
	fired = cpu_ns() - start;

	result("ns", (armed + cancelled + fired) / count);
	result("arm", armed / count);
	result("cancel", cancelled / count);
	result("fire", fired / count);
	result("bytes", held / count + (double)subject->timer_size);
	return 0;
}

/* Wake-ups: side 0 counts them; side 1 answers, or only makes them. */
static struct {
	bool answered;
	double end;
	atomic_ulong got;
	atomic_bool listening, over;
} wakes;

bool woken(int side)
{
	unsigned long got;

	if (side == 1) {
		subject->wake(0);
		return wakes.over;
	}
	got = atomic_load_explicit(&wakes.got, memory_order_relaxed) + 1;
	atomic_store_explicit(&wakes.got, got, memory_order_relaxed);
	if (got % 64 == 0 && wall_ns() > wakes.end)
		wakes.over = true;
	if (wakes.answered)
		subject->wake(1);
	return wakes.over;
}

static void pin(int processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	sched_setaffinity(0, sizeof(set), &set); /* on a machine with one there is no choice */
}

static void *wake_answer(void *unused)
{
	pin(1);
	subject->open(1);
	subject->listen(1);
	atomic_store(&wakes.listening, true);
	subject->run(1);
	return unused;
}

/* Who keeps every call must not be given more of them than it can make. */
static void flood_rest(unsigned long sent)
{
	while (!wakes.over && sent - wakes.got > MOST_WAITING)
		sched_yield();
}

static void *wake_flood(void *unused)
{
	unsigned long sent = 0;

	pin(1);
	atomic_store(&wakes.listening, true);
	while (!atomic_load_explicit(&wakes.over, memory_order_relaxed)) {
		subject->wake(0);
		if (++sent % 1024 == 0 && subject->keeps)
			flood_rest(sent);
	}
	return unused;
}

static int wake_work(unsigned long seconds, void *(*other)(void *))
{
	pthread_t thread;
	double start;

	if (!subject->wake)
		return 3;
	pin(0);
	subject->open(0);
	subject->listen(0);
	die_if(pthread_create(&thread, NULL, other, NULL), "pthread_create");
	while (!atomic_load(&wakes.listening))
		sched_yield();
	start = wall_ns();
	wakes.end = start + (double)seconds * 1e9;
	if (wakes.answered)
		subject->wake(1);
	subject->run(0);
	result("rate", (double)wakes.got * 1e9 / (wall_ns() - start));
	pthread_join(thread, NULL);
	return 0;
}

static int work_pingpong(const unsigned long *numbers)
{
	wakes.answered = true;
	return wake_work(numbers[0], wake_answer);
}

static int work_flood(const unsigned long *numbers)
{
	return wake_work(numbers[0], wake_flood);
}

static unsigned long lines_cut;

void line_cut(const char *line, size_t len)
{
	(void)line;
	(void)len;
	lines_cut++;
}

/* A stream of equal lines, fed in equal pieces. */
static int work_lines(const unsigned long *numbers)
{
	size_t size = numbers[0], piece = numbers[1], left = numbers[2],
	       held = LINES_HELD / size * size;
	size_t at = 0;
	char *stream;
	double start;

	if (!subject->feed)
		return 3;
	if (held < size)
		held = size;
	stream = allocate(1, held);
	memset(stream, 'x', held);
	for (at = size; at <= held; at += size)
		stream[at - 1] = '\n';
	subject->open(0);
	start = cpu_ns();
	for (at = 0; left; at = at == held ? 0 : at) {
		size_t len = piece;

		len = len < held - at ? len : held - at;
		len = len < left ? len : left;
		subject->feed(stream + at, len);
		at += len;
		left -= len;
	}
	result("rate", (double)numbers[2] * 1e9 / (cpu_ns() - start));
	die_if(lines_cut != numbers[2] / size, "lines were lost");
	free(stream);
	return 0;
}

int accept_one(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	die_if(fd < 0 && errno != EAGAIN && errno != ECONNABORTED, "accept");
	return fd;
}

/* Messages are short and answers are waited for, so a socket is never full. */
bool echo_once(int fd)
{
	static _Thread_local char data[65536];
	ssize_t got = recv(fd, data, sizeof(data), 0);

	if (got > 0 && send(fd, data, (size_t)got, MSG_NOSIGNAL) == got)
		return true;
	if (got < 0 && errno == EAGAIN)
		return true;
	close(fd);
	return false;
}

static unsigned int echo_port;

void echo_served(void)
{
	printf("port %u\n", echo_port);
	fflush(stdout);
}

static int work_echo(const unsigned long *numbers)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	socklen_t size = sizeof(at);

	(void)numbers;
	if (!subject->echo)
		return 3;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	die_if(bind(fd, (struct sockaddr *)&at, size) || listen(fd, SOMAXCONN), "listen");
	getsockname(fd, (struct sockaddr *)&at, &size);
	echo_port = ntohs(at.sin_port);
	subject->open(0);
	subject->echo(fd);
	return 0;
}

static const struct work {
	const char *name;
	int count; /* of its numbers */
	int (*run)(const unsigned long *numbers);
} works[] = {
	{ "dispatch", 4, work_dispatch }, { "timers", 1, work_timers },
	{ "pingpong", 1, work_pingpong }, { "flood", 1, work_flood },
	{ "lines", 3, work_lines },	  { "echo", 0, work_echo },
};

static const struct work *work_find(const char *name, int count)
{
	size_t i;

	for (i = 0; i < sizeof(works) / sizeof(works[0]); i++)
		if (!strcmp(works[i].name, name) && works[i].count == count)
			return &works[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct work *work = argc < 3 ? NULL : work_find(argv[2], argc - 3);
	unsigned long numbers[4] = { 0 };
	int i;

	if (argc == 1) {
		for (subject = subjects; subject->name; subject++)
			puts(subject->name);
		return 0;
	}
	for (subject = subjects; subject->name && strcmp(subject->name, argv[1]); subject++)
		;
	if (!work || !subject->name) {
		fprintf(stderr, "bench: no such subject or work; frame.c tells which there are\n");
		return 2;
	}
	for (i = 3; i < argc; i++)
		numbers[i - 3] = strtoul(argv[i], NULL, 10);
	allow_descriptors();
	return work->run(numbers);
}
