/* SPDX-License-Identifier: MIT */
/*
 * Program: what a service program does besides its service. It reads options,
 * goes into the background or not, keeps a pid file, gives up privileges, tells
 * systemd how it is, reloads and stops when signals say so, and ends with an
 * exit code that means something.
 *
 * A program calls utw_main(); a shared object exports a struct utw_program by
 * the name utw_program, and untwist-run calls utw_main() for it.
 *
 * Signals: SIGTERM and SIGINT stop the services, a second one does not wait for
 * that; SIGHUP opens the log anew and reloads.
 */
#ifndef UNTWIST_PROGRAM_H
#define UNTWIST_PROGRAM_H

#include <stdint.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_failure;
struct utw_reactor;
struct utw_run;
struct utw_service;

/** How a program ends; after a second signal N: 128 + N. */
enum utw_exit {
	UTW_EXIT_OK = 0,
	UTW_EXIT_START = 1, /* it could not be started */
	UTW_EXIT_USAGE = 2,
	UTW_EXIT_RUNNING = 3, /* the pid file belongs to one that runs */
	UTW_EXIT_STOP = 4, /* the services did not stop in time */
};

/**
 * struct utw_program - what there is to run; @setup must be there
 * @name: for messages; NULL: from argv[0]
 * @version: for --version
 * @help: what follows the options: its arguments, and what it does
 * @setup: make services and add them to utw_run_root(). Gets what follows the
 *	options, argv[0] being the first. Returns 0, an enum utw_exit, or -errno,
 *	with the failure in *why if there is more to tell
 * @reload: SIGHUP; called from the reactor's turn
 * @teardown: all has stopped, or setup has failed: free what setup made
 */
struct utw_program {
	const char *name;
	const char *version;
	const char *help;
	int (*setup)(struct utw_run *run, int argc, char **argv, struct utw_failure **why);
	void (*reload)(struct utw_run *run);
	void (*teardown)(struct utw_run *run);
};

/**
 * utw_main() - run a program
 * @p: the program
 * @argc: of main()
 * @argv: of main()
 *
 * Return: the exit code, to be returned from main().
 */
UTW_API int utw_main(const struct utw_program *p, int argc, char **argv);

/**
 * utw_run_reactor() - the reactor that the program runs in
 * @run: given to its operations
 *
 * Return: the reactor, borrowed.
 */
UTW_API struct utw_reactor *utw_run_reactor(const struct utw_run *run);

/**
 * utw_run_root() - the service that all others are added to
 * @run: given to the program's operations
 *
 * Return: the service, borrowed.
 */
UTW_API struct utw_service *utw_run_root(struct utw_run *run);

/**
 * utw_run_set_data() - keep something for the other operations
 * @run: given to the program's operations
 * @data: NULL at first
 */
UTW_API void utw_run_set_data(struct utw_run *run, void *data);

/**
 * utw_run_data() - what was kept
 * @run: given to the program's operations
 *
 * Return: as set.
 */
UTW_API void *utw_run_data(const struct utw_run *run);

/**
 * utw_run_end() - stop the services, and end
 * @run: given to the program's operations
 * @code: the exit code
 */
UTW_API void utw_run_end(struct utw_run *run, int code);

/**
 * utw_run_log() - write a line to where the messages of the program go
 * @run: given to the program's operations
 * @fmt: the line without its end, as for printf()
 */
UTW_API void utw_run_log(struct utw_run *run, const char *fmt, ...) UTW_PRINTF(2, 3);

/**
 * utw_notify() - tell the service manager how things are
 * @state: as for sd_notify(3), as "STATUS=Ready to serve"
 *
 * May be called from any thread.
 *
 * Return: 1 when it was told, 0 when there is no service manager, or -errno.
 */
UTW_API int utw_notify(const char *state);

#ifdef __cplusplus
}
#endif

#endif
