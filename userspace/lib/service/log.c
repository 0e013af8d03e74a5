/* SPDX-License-Identifier: MIT */
/*
 * Where the messages of a program go. A log file takes the place of standard
 * error, so that everything else which is printed there is kept as well.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/open.h"
#include "run.h"

/* Once: the journal may be started anew, but its socket stays. */
static int journal_open(struct utw_run *run)
{
	int error;

	if (run->journaled)
		return 0;
	error = utw_log_journal_init(&run->journal, NULL, run->name, UTW_LOG_INFO);
	run->journaled = !error;
	return error;
}

/* Returns -errno if the journal has not got it. */
static int journal_line(struct utw_run *run, const char *line)
{
	const struct utw_field field = utw_field_text("line", line);
	const struct utw_event event = {
		.level = UTW_LOG_INFO,
		.space = run->name,
		.format = "{line}",
		.fields = &field,
		.count = 1,
		.file = __FILE__,
		.line = __LINE__,
	};

	return run->journal.observer.fn(&run->journal.observer, &event);
}

void utw_run_log_close(struct utw_run *run)
{
	if (run->journaled)
		utw_log_journal_release(&run->journal);
	run->journaled = false;
}

int utw_run_log_open(struct utw_run *run)
{
	const char *log = run->options.log;
	int error = 0;
	int fd;

	if (!log || strcmp(log, "stderr") == 0)
		return 0;
	if (strcmp(log, "syslog") == 0) {
		openlog(run->name, LOG_PID, LOG_DAEMON);
		run->syslog = true;
		return 0;
	}
	if (strcmp(log, "journal") == 0)
		return journal_open(run);
	fd = utw_open_made(log, O_WRONLY | O_APPEND | O_CREAT, 0640);
	if (fd < 0)
		return fd;
	if (dup2(fd, STDERR_FILENO) < 0)
		error = -errno;
	close(fd);
	return error;
}

void utw_run_log(struct utw_run *run, const char *fmt, ...)
{
	char line[1024];
	bool kept = true;
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	/* As long as somebody waits for the start, that is who wants to read it. */
	if (run->syslog)
		syslog(LOG_NOTICE, "%s", line);
	else if (run->journaled)
		kept = journal_line(run, line) == 0;
	if (!kept || (!run->syslog && !run->journaled) || run->told >= 0)
		fprintf(stderr, "%s: %s\n", run->name, line);
}
