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
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	/* As long as somebody waits for the start, that is who wants to read it. */
	if (run->syslog)
		syslog(LOG_NOTICE, "%s", line);
	if (!run->syslog || run->told >= 0)
		fprintf(stderr, "%s: %s\n", run->name, line);
}
