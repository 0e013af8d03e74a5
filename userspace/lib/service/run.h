/* SPDX-License-Identifier: MIT */
/* Run: a program while it runs; what its options, its log and its life share. */
#ifndef UTW_SERVICE_RUN_H
#define UTW_SERVICE_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include <untwist/log_journal.h>
#include <untwist/program.h>
#include <untwist/service.h>
#include <untwist/signal.h>
#include <untwist/timer.h>

/* What the command line says. Strings lie in argv. */
struct utw_run_options {
	bool daemon;
	const char *pid_file;
	const char *user;
	const char *log; /* NULL: standard error; "syslog"; "journal"; or a file */
	const char *directory;
	uint64_t stop_timeout; /* in ns */
};

struct utw_run {
	const struct utw_program *program;
	const char *name;
	struct utw_run_options options;
	void *data;
	struct utw_reactor *reactor;
	struct utw_service root;
	struct utw_timer_service watchdog;
	struct utw_signal terminate;
	struct utw_signal interrupt;
	struct utw_signal hangup;
	struct utw_timer patience;
	int told; /* where to tell how the start went; -1: nobody waits */
	int pid_file; /* -1: none */
	int code;
	struct utw_log_journal journal;
	bool syslog;
	bool journaled; /* `journal` is open */
	bool running;
	bool stopping;
	bool stopped;
};

/*
 * options.c: read the options in front of the program's arguments. Returns the
 * index of the first of these, or -1 when the program is to end with *code.
 */
int utw_run_options_parse(struct utw_run *run, int argc, char **argv, int *code);

/* log.c: where messages go. Returns 0 or -errno; can be called again. */
int utw_run_log_open(struct utw_run *run);
void utw_run_log_close(struct utw_run *run);

#endif
