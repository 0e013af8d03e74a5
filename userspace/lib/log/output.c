// SPDX-License-Identifier: MIT
/* Observers that write lines to a descriptor. */
#include <untwist/log_output.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transport/silent-write.h"

typedef int (*line_fn)(const struct utw_event *e, char *buf, size_t size);

/* Write as much as is taken. Returns how much that was, or -errno if it was nothing. */
static ssize_t write_some(int fd, const char *bytes, size_t length)
{
	size_t done = 0;

	while (done < length) {
		ssize_t put = utw_silent_write(fd, bytes + done, length - done);

		if (put > 0)
			done += (size_t)put;
		else if (put != -EINTR)
			return done ? (ssize_t)done : put ?: -EIO;
	}
	return (ssize_t)done;
}

/* The end of a line that was begun comes before all others. */
static int rest_write(struct utw_log_output *output)
{
	ssize_t put;

	if (!output->rest)
		return 0;
	put = write_some(output->fd, output->rest + output->rest_done,
			 output->rest_length - output->rest_done);
	if (put < 0)
		return (int)put;
	output->rest_done += (size_t)put;
	if (output->rest_done < output->rest_length)
		return -EAGAIN;
	free(output->rest);
	output->rest = NULL;
	return 0;
}

static int rest_keep(struct utw_log_output *output, const char *bytes, size_t length)
{
	output->rest = malloc(length);
	if (!output->rest)
		return -ENOMEM;
	memcpy(output->rest, bytes, length);
	output->rest_length = length;
	output->rest_done = 0;
	return 0;
}

static int write_line(struct utw_log_output *output, const char *line, size_t length)
{
	int err = rest_write(output);
	ssize_t put;

	if (err < 0)
		return err;
	put = write_some(output->fd, line, length);
	if (put < 0)
		return (int)put;
	if ((size_t)put == length)
		return 0;
	return rest_keep(output, line + put, length - (size_t)put);
}

static int output_line(struct utw_log_output *output, const struct utw_event *e, line_fn form)
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
	err = write_line(output, line, (size_t)length + 1);
	if (line != small)
		free(line);
	return err;
}

static struct utw_log_output *output_of(struct utw_observer *o)
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
	output->rest = NULL;
	output->rest_length = 0;
	output->rest_done = 0;
}

void utw_log_text_init(struct utw_log_output *output, int fd, enum utw_log_level level)
{
	output_init(output, fd, level, text_event);
}

void utw_log_json_init(struct utw_log_output *output, int fd, enum utw_log_level level)
{
	output_init(output, fd, level, json_event);
}

void utw_log_output_release(struct utw_log_output *output)
{
	utw_observer_remove(&output->observer);
	(void)rest_write(output);
	free(output->rest);
	output->rest = NULL;
}
