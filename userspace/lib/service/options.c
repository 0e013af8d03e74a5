/* SPDX-License-Identifier: MIT */
/* The options of every program: see untwist/program.h. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "run.h"

#define STOP_TIMEOUT 30

static const char help[] =
	"  -d, --daemon            go into the background once started\n"
	"  -p, --pid-file FILE     write the pid to FILE, and refuse to run twice\n"
	"  -u, --user NAME[:GROUP] become this user once what needs privileges is done\n"
	"  -l, --log WHERE         \"stderr\", \"syslog\", \"journal\", or a file, opened anew at\n"
	"                          SIGHUP\n"
	"                          (default: stderr, with --daemon: syslog)\n"
	"  -C, --chdir DIR         work there (default with --daemon: /)\n"
	"  -t, --stop-timeout SEC  how long stopping may take (default: 30)\n"
	"  -h, --help              show this and exit\n"
	"  -V, --version           show the version and exit\n"
	"\n"
	"Exit status: 0 stopped as asked; 1 could not be started; 2 wrong usage; 3 is\n"
	"running already; 4 did not stop in time; 128 + N ended by a second signal N.\n";

static const struct option known[] = {
	{ "daemon", no_argument, NULL, 'd' },
	{ "pid-file", required_argument, NULL, 'p' },
	{ "user", required_argument, NULL, 'u' },
	{ "log", required_argument, NULL, 'l' },
	{ "chdir", required_argument, NULL, 'C' },
	{ "stop-timeout", required_argument, NULL, 't' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static bool seconds_parse(const struct utw_run *run, const char *text, uint64_t *ret)
{
	char *end;
	unsigned long seconds;

	errno = 0;
	seconds = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || seconds > UINT32_MAX) {
		fprintf(stderr, "%s: --stop-timeout: \"%s\" is not a number of seconds\n",
			run->name, text);
		return false;
	}
	*ret = seconds * UTW_NSEC_PER_SEC;
	return true;
}

static int usage_error(const struct utw_run *run, int *code)
{
	fprintf(stderr, "Try '%s --help'.\n", run->name);
	*code = UTW_EXIT_USAGE;
	return -1;
}

static int show(const struct utw_run *run, int option, int *code)
{
	if (option == 'h')
		printf("Usage: %s [OPTION]... %s\n\n%s", run->name,
		       run->program->help ? run->program->help : "", help);
	else
		printf("%s %s\n", run->name, run->program->version ? run->program->version : "");
	*code = UTW_EXIT_OK;
	return -1;
}

int utw_run_options_parse(struct utw_run *run, int argc, char **argv, int *code)
{
	struct utw_run_options *o = &run->options;
	int c;

	o->stop_timeout = STOP_TIMEOUT * UTW_NSEC_PER_SEC;
	optind = 1;
	/* "+": what follows the first word is the program's. */
	while ((c = getopt_long(argc, argv, "+dp:u:l:C:t:hV", known, NULL)) != -1) {
		switch (c) {
		case 'd':
			o->daemon = true;
			break;
		case 'p':
			o->pid_file = optarg;
			break;
		case 'u':
			o->user = optarg;
			break;
		case 'l':
			o->log = optarg;
			break;
		case 'C':
			o->directory = optarg;
			break;
		case 't':
			if (!seconds_parse(run, optarg, &o->stop_timeout))
				return usage_error(run, code);
			break;
		case 'h':
		case 'V':
			return show(run, c, code);
		default:
			return usage_error(run, code);
		}
	}
	if (o->daemon && !o->log)
		o->log = "syslog";
	if (o->daemon && !o->directory)
		o->directory = "/";
	return optind;
}
