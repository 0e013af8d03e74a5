// SPDX-License-Identifier: MIT
/* The journal's own protocol: NAME, newline, 64 bits of length, the value, newline. */
#include <untwist/log_journal.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buffer.h"
#include "log/line.h"

/* The longest name of a field that the journal takes. */
#define NAME_SIZE 64

static int put_field(struct utw_buffer *b, const char *name, const char *value, size_t length)
{
	unsigned char size[8];
	int error;

	for (int i = 0; i < 8; i++)
		size[i] = (unsigned char)((uint64_t)length >> (8 * i));
	error = utw_buffer_append(b, name, strlen(name));
	if (!error)
		error = utw_buffer_append(b, "\n", 1);
	if (!error)
		error = utw_buffer_append(b, size, sizeof(size));
	if (!error)
		error = utw_buffer_append(b, value, length);
	return error ? error : utw_buffer_append(b, "\n", 1);
}

static int put_text(struct utw_buffer *b, const char *name, const char *value)
{
	return put_field(b, name, value, strlen(value));
}

static int put_number(struct utw_buffer *b, const char *name, int value)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", value);
	return put_text(b, name, text);
}

/* The text that the event's format makes. */
static int put_message(struct utw_buffer *b, const char *name, const struct utw_event *e)
{
	char small[512];
	char *message = utw_event_message(e, small, sizeof(small));
	int error = put_text(b, name, message);

	if (message != small)
		free(message);
	return error;
}

/* Capitals, digits and underscores: what else a name has becomes one of these. */
static void capitals(char *to, const char *name)
{
	size_t len = 0;

	memcpy(to, "UTW_", 4);
	for (len = 4; len < NAME_SIZE && *name; name++) {
		if (*name >= 'a' && *name <= 'z')
			to[len++] = (char)(*name - 'a' + 'A');
		else if ((*name >= 'A' && *name <= 'Z') || (*name >= '0' && *name <= '9'))
			to[len++] = *name;
		else
			to[len++] = '_';
	}
	to[len] = '\0';
}

static int put_event_field(struct utw_buffer *b, const struct utw_field *field)
{
	const struct utw_field alone = { .name = "value",
					 .kind = field->kind,
					 .natural = field->natural };
	const struct utw_event value = { .format = "{value}", .fields = &alone, .count = 1 };
	char name[NAME_SIZE + 1];

	capitals(name, field->name);
	return put_message(b, name, &value);
}

static int priority(enum utw_log_level level)
{
	static const int of[] = { [UTW_LOG_DEBUG] = 7,
				  [UTW_LOG_INFO] = 6,
				  [UTW_LOG_WARN] = 4,
				  [UTW_LOG_ERROR] = 3,
				  [UTW_LOG_CRITICAL] = 2 };

	return of[level];
}

static int put_event(struct utw_buffer *b, const char *identifier, const struct utw_event *e)
{
	int error = put_message(b, "MESSAGE", e);

	if (!error)
		error = put_number(b, "PRIORITY", priority(e->level));
	if (!error)
		error = put_text(b, "SYSLOG_IDENTIFIER", identifier);
	if (!error)
		error = put_text(b, "CODE_FILE", e->file);
	if (!error)
		error = put_number(b, "CODE_LINE", e->line);
	if (!error)
		error = put_text(b, "UTW_NAMESPACE", e->space);
	for (size_t i = 0; i < e->count && !error; i++)
		error = put_event_field(b, &e->fields[i]);
	return error;
}

static int journal_event(struct utw_observer *o, const struct utw_event *e)
{
	struct utw_log_journal *j = utw_container_of(o, struct utw_log_journal, observer);
	struct utw_buffer b;
	ssize_t put = 0;
	int error;

	utw_buffer_init(&b);
	error = put_event(&b, j->identifier, e);
	if (!error) {
		do {
			put = send(j->fd, utw_buffer_data(&b), utw_buffer_length(&b), MSG_NOSIGNAL);
		} while (put < 0 && errno == EINTR);
		error = put < 0 ? -errno : 0;
	}
	utw_buffer_release(&b);
	return error;
}

int utw_log_journal_init(struct utw_log_journal *journal, const char *path, const char *identifier,
			 enum utw_log_level level)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int error;
	int fd;

	if (!path)
		path = UTW_LOG_JOURNAL;
	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	memcpy(to.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to))) {
		error = -errno;
		close(fd);
		return error;
	}
	utw_observer_init(&journal->observer, journal_event, level);
	journal->identifier = identifier;
	journal->fd = fd;
	journal->reserved = 0;
	return 0;
}

void utw_log_journal_release(struct utw_log_journal *journal)
{
	utw_observer_remove(&journal->observer);
	close(journal->fd);
	journal->fd = -1;
}
