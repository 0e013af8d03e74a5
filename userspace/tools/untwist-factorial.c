/* SPDX-License-Identifier: MIT */
/*
 * untwist-factorial: factorials from a device's interrupts.
 *
 * Each line of input is a question to the device, each answer the callback of
 * a deferred that its interrupt fires. This file: options, signals, summary.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <langinfo.h>

#include <untwist/untwist.h>

#include "factorial/console.h"
#include "factorial/interrupts.h"
#include "factorial/service.h"
#include "factorial/unit.h"

#define PROGRAM "untwist-factorial"

enum exit_code {
	EXIT_ANSWERED = 0,
	EXIT_DEVICE = 1,
	EXIT_USAGE = 2,
};

struct options {
	const char *device;
	const char *stats;
	bool listen;
	struct utw_address at;
};

struct program {
	struct options options;
	struct utw_reactor *reactor;
	struct unit unit;
	struct service service;
	struct utw_signal interrupt;
	struct utw_signal terminate;
	uint64_t interrupts_before;
	int signo; /* that ended it, or 0 */
};

static const char help[] =
	"Usage: " PROGRAM " [OPTION]...\n"
	"Read numbers from standard input, one a line, and print their factorials in\n"
	"the same order, as computed by the device. What is no number, or is out of the\n"
	"device's range, is answered with an error that names the line. A summary with\n"
	"the latencies follows on standard error.\n"
	"\n"
	"  -d, --device PATH       the device (default: /dev/untwist/edu0)\n"
	"  -l, --listen HOST:PORT  serve TCP clients as well, until SIGINT or SIGTERM;\n"
	"                          HOST is a number, \"localhost\" or \"*\"\n"
	"  -s, --stats FILE        write the last line of the summary to FILE as well\n"
	"  -h, --help              show this and exit\n"
	"  -V, --version           show the version and exit\n"
	"\n"
	"Exit status: 0 all questions were answered (wrong lines are answered with an\n"
	"error); 1 the device failed or went away, or a callback was lost; 2 wrong usage;\n"
	"128 + N ended by signal N while reading standard input only.\n";

static int usage_error(void)
{
	fprintf(stderr, "Try '" PROGRAM " --help'.\n");
	exit(EXIT_USAGE);
}

static void options_parse(struct options *o, int argc, char **argv)
{
	static const struct option known[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "listen", required_argument, NULL, 'l' },
		{ "stats", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	o->device = "/dev/untwist/edu0";
	while ((c = getopt_long(argc, argv, "d:l:s:hV", known, NULL)) != -1) {
		switch (c) {
		case 'd':
			o->device = optarg;
			break;
		case 'l':
			o->listen = true;
			if (utw_address_parse(&o->at, optarg) == 0)
				break;
			fprintf(stderr, PROGRAM ": --listen: \"%s\" is not HOST:PORT\n", optarg);
			usage_error();
			break;
		case 's':
			o->stats = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			exit(EXIT_ANSWERED);
		case 'V':
			puts(PROGRAM " " UNTWIST_VERSION);
			exit(EXIT_ANSWERED);
		default:
			usage_error();
		}
	}
	if (optind < argc) {
		fprintf(stderr, PROGRAM ": \"%s\" is not an option\n", argv[optind]);
		usage_error();
	}
}

/* The first signal lets what was asked be answered; the second does not wait for it. */
static void program_end(struct program *p, int signo)
{
	if (p->signo) {
		utw_reactor_stop(p->reactor);
		return;
	}
	p->signo = signo;
	service_close(&p->service);
	unit_finish(&p->unit);
}

static void program_interrupted(struct utw_signal *s, int signo)
{
	program_end(utw_container_of(s, struct program, interrupt), signo);
}

static void program_terminated(struct utw_signal *s, int signo)
{
	program_end(utw_container_of(s, struct program, terminate), signo);
}

static int complain(const char *what, int error)
{
	fprintf(stderr, PROGRAM ": %s: %s\n", what, strerror(-error));
	return EXIT_DEVICE;
}

static int program_listen(struct program *p)
{
	char text[UTW_ADDRESS_TEXT];
	int error = service_open(&p->service, &p->unit, &p->options.at);

	utw_address_format(error ? &p->options.at : utw_tcp_listener_host(p->service.listener),
			   text, sizeof(text));
	if (error)
		return complain(text, error);
	fprintf(stderr, PROGRAM ": listening on %s\n", text);
	return 0;
}

static int program_open(struct program *p)
{
	int error = utw_reactor_new(&p->reactor);

	if (error)
		return complain("reactor", error);
	error = unit_open(&p->unit, p->reactor, p->options.device);
	if (error)
		return complain(p->options.device, error);
	if (interrupts_read(utw_device_driver(p->unit.device), &p->interrupts_before))
		p->interrupts_before = 0;
	utw_signal_init(&p->interrupt, program_interrupted);
	utw_signal_init(&p->terminate, program_terminated);
	error = utw_signal_start(&p->interrupt, p->reactor, SIGINT);
	if (!error)
		error = utw_signal_start(&p->terminate, p->reactor, SIGTERM);
	if (error)
		return complain("signals", error);
	if (p->options.listen && program_listen(p))
		return EXIT_DEVICE;
	error = console_open(&p->unit);
	return error ? complain("standard streams", error) : 0;
}

static void stats_write(const struct program *p, FILE *to, uint64_t interrupts, uint64_t lost)
{
	const struct unit *u = &p->unit;

	fprintf(to,
		PROGRAM ": %" PRIu64 " requests, %" PRIu64 " interrupts, %" PRIu64
			" callbacks, %" PRIu64 " lost\n",
		u->requests, interrupts, u->callbacks, lost);
}

static int stats_save(const struct program *p, uint64_t interrupts, uint64_t lost)
{
	FILE *file;

	if (!p->options.stats)
		return 0;
	file = fopen(p->options.stats, "we");
	if (!file)
		return complain(p->options.stats, -errno);
	stats_write(p, file, interrupts, lost);
	return fclose(file) ? complain(p->options.stats, -errno) : 0;
}

static void summary_draw(const struct unit *u)
{
	if (!u->latency.count)
		return;
	fprintf(stderr, "\nLatency, from the question to its callback (%s, %s, by %s):\n",
		utw_device_name(u->device), utw_device_driver(u->device),
		utw_device_door_name(u->device));
	histogram_draw(&u->latency, stderr, strcmp(nl_langinfo(CODESET), "UTF-8") == 0);
	fputc('\n', stderr);
}

/* Each interrupt is counted by the kernel, each callback by us: they had better agree. */
static int program_summary(const struct program *p)
{
	const struct unit *u = &p->unit;
	uint64_t lost = u->requests - u->callbacks;
	uint64_t interrupts;
	int result = 0;

	if (interrupts_read(utw_device_driver(u->device), &interrupts) ||
	    interrupts < p->interrupts_before)
		interrupts = p->interrupts_before;
	interrupts -= p->interrupts_before;

	summary_draw(u);
	if (u->gone) {
		fprintf(stderr,
			PROGRAM ": %s is gone: %" PRIu64 " answered, %" PRIu64 " not answered\n",
			p->options.device, u->callbacks - u->failed, u->failed);
		result = EXIT_DEVICE;
	}
	stats_write(p, stderr, interrupts, lost);
	if (stats_save(p, interrupts, lost) || lost || u->failed)
		result = EXIT_DEVICE;
	return result;
}

static int program_run(struct program *p)
{
	int result = program_open(p);
	int error;

	if (result)
		return result;
	error = utw_reactor_run(p->reactor);
	if (error)
		return complain("reactor", error);
	result = program_summary(p);
	if (!result && p->signo && !p->options.listen)
		result = 128 + p->signo;
	return result;
}

int main(int argc, char **argv)
{
	static struct program program;
	int result;

	setlocale(LC_ALL, "");
	options_parse(&program.options, argc, argv);
	result = program_run(&program);
	utw_signal_stop(&program.interrupt);
	utw_signal_stop(&program.terminate);
	service_close(&program.service);
	unit_close(&program.unit);
	utw_reactor_free(program.reactor);
	return result;
}
