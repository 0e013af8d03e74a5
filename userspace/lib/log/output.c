// SPDX-License-Identifier: MIT
/* Observers that write lines to a descriptor. */
#include <untwist/log_output.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "transport/silent-write.h"

typedef int (*line_fn)(const struct utw_event *e, char *buf, size_t size);

/* A line that has been begun is ended, or the next one would be spoilt as well. */
static int write_line(int fd, const char *line, size_t length)
{
	size_t done = 0;

	while (done < length) {
		ssize_t put = utw_silent_write(fd, line + done, length - done);
		struct pollfd room = { .fd = fd, .events = POLLOUT };

		if (put >= 0)
			done += (size_t)put;
		else if (put == -EAGAIN && done)
			poll(&room, 1, -1);
		else if (put != -EINTR)
			return (int)put;
	}
	return 0;
}

static int output_line(const struct utw_log_output *output, const struct utw_event *e, line_fn form)
{
	char small[1024];
	char *line = small;
	int length = form(e, small, sizeof(small)), err;

	if ((size_t)length + 1 >= sizeof(small)) {
		line = malloc((size_t)length + 2);
		if (!line)
			return -ENOMEM;
		form(e, line, (size_t)length + 1);
	}
	line[length] = '\n';
	err = write_line(output->fd, line, (size_t)length + 1);
	if (line != small)
		free(line);
	return err;
}

static const struct utw_log_output *output_of(struct utw_observer *o)
{
	return utw_container_of(o, struct utw_log_output, observer);
}

static int text_event(struct utw_observer *o, const struct utw_event *e)
{
	return output_line(output_of(o), e, utw_event_text);
}

static int json_event(struct utw_observer *o, const struct utw_event *e)
{
	return output_line(output_of(o), e, utw_event_json);
}

static void output_init(struct utw_log_output *output, int fd, enum utw_log_level level,
			utw_observer_fn fn)
{
	utw_observer_init(&output->observer, fn, level);
	output->fd = fd;
	output->reserved = 0;
}

void utw_log_text_init(struct utw_log_output *output, int fd, enum utw_log_level level)
{
	output_init(output, fd, level, text_event);
}

void utw_log_json_init(struct utw_log_output *output, int fd, enum utw_log_level level)
{
	output_init(output, fd, level, json_event);
}
