// SPDX-License-Identifier: MIT
/*
 * The other end of the echo servers, the same for all: as many connections as asked
 * for, and on each of the active ones a message of 64 bytes that is sent again as
 * soon as its echo is there.
 *
 * Usage: bench-client rate PORT PID CONNECTIONS ACTIVE SECONDS
 *	prints "rate" (echoes a second) and "cpu" (ns of the server's time an echo)
 * Usage: bench-client memory PORT PID CONNECTIONS
 *	prints "bytes" by which the server has grown for each, after one echo on each
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE 64
#define BATCH	1024
#define WARM_UP 0.2 /* seconds that are not counted */

struct connection {
	int fd;
	size_t got;
};

static const char message[MESSAGE] = "sixty-four bytes, of which most are naught";
static struct connection *connections;
static const char *server;

static void die_if(bool failed, const char *what)
{
	if (!failed)
		return;
	fprintf(stderr, "bench-client: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* A line of a file of the server's in /proc, or all of it if it has but one. */
static void server_file(const char *name, const char *start, char *line, int size)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/%s", server, name);
	file = fopen(path, "re");
	die_if(!file, path);
	do
		die_if(!fgets(line, size, file), path);
	while (strncmp(line, start, strlen(start)) != 0);
	fclose(file);
}

/* Its first thread's time on a processor, in ns; its others do nothing. */
static double server_time(void)
{
	char line[128];

	server_file("schedstat", "", line, sizeof(line));
	return strtod(line, NULL);
}

static double server_memory(void)
{
	char line[128];

	server_file("smaps_rollup", "Rss:", line, sizeof(line));
	return strtod(line + 4, NULL) * 1024;
}

static int connect_to(const char *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	at.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	die_if(fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)), "connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void say(const struct connection *c)
{
	die_if(send(c->fd, message, MESSAGE, MSG_NOSIGNAL) != MESSAGE, "send");
}

/* Returns whether the echo is complete. */
static bool hear(struct connection *c)
{
	char data[MESSAGE];
	ssize_t got = recv(c->fd, data, sizeof(data) - c->got, 0);

	if (got < 0 && errno == EAGAIN)
		return false;
	die_if(got <= 0, "recv");
	c->got += (size_t)got;
	if (c->got < MESSAGE)
		return false;
	c->got = 0;
	return true;
}

static void connect_all(const char *port, unsigned int count)
{
	unsigned int i;

	connections = calloc(count, sizeof(*connections));
	die_if(!connections, "memory");
	for (i = 0; i < count; i++)
		connections[i].fd = connect_to(port);
}

static void echo_on(struct connection *c)
{
	say(c);
	while (!hear(c))
		;
}

static unsigned long serve_ready(int epoll)
{
	struct epoll_event events[BATCH];
	int count = epoll_wait(epoll, events, BATCH, 10000), i;
	unsigned long echoes = 0;

	die_if(count <= 0, "the server does not answer");
	for (i = 0; i < count; i++) {
		struct connection *c = events[i].data.ptr;

		if (hear(c)) {
			echoes++;
			say(c);
		}
	}
	return echoes;
}

static void rate(unsigned int active, double seconds)
{
	double start = now(), until = start + WARM_UP, used;
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	unsigned long echoes = 0;
	unsigned int i;

	for (i = 0; i < active; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = &connections[i] };

		die_if(epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &event), "epoll_ctl");
		say(&connections[i]);
	}
	while (now() < until)
		serve_ready(epoll);
	used = server_time();
	start = now();
	while (now() < start + seconds)
		echoes += serve_ready(epoll);
	seconds = now() - start;
	used = server_time() - used;
	printf("rate %.0f\n", (double)echoes / seconds);
	printf("cpu %.1f\n", used / (double)echoes);
}

static void memory(const char *port, unsigned int count)
{
	struct connection first = { .fd = connect_to(port) };
	double before;
	unsigned int i;

	echo_on(&first);
	before = server_memory();
	connect_all(port, count);
	for (i = 0; i < count; i++)
		echo_on(&connections[i]);
	echo_on(&first);
	printf("bytes %.1f\n", (server_memory() - before) / count);
}

int main(int argc, char **argv)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	server = argc > 3 ? argv[3] : "self";
	if (argc == 7 && !strcmp(argv[1], "rate")) {
		connect_all(argv[2], (unsigned int)strtoul(argv[4], NULL, 10));
		rate((unsigned int)strtoul(argv[5], NULL, 10), strtod(argv[6], NULL));
	} else if (argc == 5 && !strcmp(argv[1], "memory")) {
		memory(argv[2], (unsigned int)strtoul(argv[4], NULL, 10));
	} else {
		fprintf(stderr, "usage: see the first lines of client.c\n");
		return 2;
	}
	return 0;
}
