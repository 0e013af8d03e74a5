// SPDX-License-Identifier: MIT
/* The observer for the journal, with a socket of the test's own in the journal's place. */
#include <untwist/log_journal.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "harness.h"

struct scene {
	struct sockaddr_un at;
	int fd; /* the journal's */
	struct utw_log *log;
	struct utw_log_journal journal;
	char entry[8192];
	ssize_t entry_len;
};

static void scene_open(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	s->at.sun_family = AF_UNIX;
	snprintf(s->at.sun_path, sizeof(s->at.sun_path), "/tmp/untwist-journal-%d", getpid());
	unlink(s->at.sun_path);
	s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&s->at, sizeof(s->at)), 0);
	assert_int_equal(utw_log_new(&s->log, 0), 0);
	utw_log_begin(s->log);
	assert_int_equal(utw_log_journal_init(&s->journal, s->at.sun_path, "prog", UTW_LOG_DEBUG),
			 0);
	utw_log_add_observer(s->log, &s->journal.observer);
}

static void scene_close(struct scene *s)
{
	utw_log_journal_release(&s->journal);
	utw_log_free(s->log);
	if (s->fd >= 0)
		close(s->fd);
	unlink(s->at.sun_path);
}

/* The value of a field of the entry, as the journal reads it; the whole must be sound. */
static void assert_field(const struct scene *s, const char *name, const char *expected)
{
	const char *at = s->entry, *end = s->entry + s->entry_len;
	bool found = false;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t length = 0, name_length;

		assert_non_null(newline);
		name_length = (size_t)(newline - at);
		assert_true(newline + 9 < end);
		for (int i = 0; i < 8; i++)
			length |= (size_t)(unsigned char)newline[1 + i] << (8 * i);
		assert_true(length < (size_t)(end - newline - 9));
		assert_int_equal(newline[9 + length], '\n');
		if (name_length == strlen(name) && !memcmp(at, name, name_length)) {
			found = true;
			assert_int_equal(length, strlen(expected));
			assert_memory_equal(newline + 9, expected, length);
		}
		at = newline + 9 + length + 1;
	}
	if (!found)
		fail_msg("no field %s", name);
}

static void receive(struct scene *s)
{
	s->entry_len = recv(s->fd, s->entry, sizeof(s->entry), MSG_DONTWAIT);
	assert_true(s->entry_len > 0);
}

static void event_is_an_entry_with_its_fields(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s);
	utw_log_emit(s.log, UTW_LOG_WARN, "my.net", "{peer} sent {excess-bytes}",
		     utw_field_text("peer", "10.0.0.1"), utw_field_int("excess-bytes", -3));
	receive(&s);
	assert_field(&s, "MESSAGE", "10.0.0.1 sent -3");
	assert_field(&s, "PRIORITY", "4");
	assert_field(&s, "SYSLOG_IDENTIFIER", "prog");
	assert_field(&s, "UTW_NAMESPACE", "my.net");
	assert_field(&s, "UTW_PEER", "10.0.0.1");
	assert_field(&s, "UTW_EXCESS_BYTES", "-3");
	assert_field(&s, "CODE_FILE", __FILE__);
	scene_close(&s);
}

static void newline_forges_nothing(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s);
	utw_log_emit(s.log, UTW_LOG_CRITICAL, "my", "{said}",
		     utw_field_text("said", "one\nPRIORITY=0\ntwo"));
	receive(&s);
	assert_field(&s, "MESSAGE", "one\nPRIORITY=0\ntwo");
	assert_field(&s, "PRIORITY", "2");
	scene_close(&s);
}

static void message_that_is_long_is_whole(void **state)
{
	char word[4000];
	struct scene s;

	(void)state;
	memset(word, 'w', sizeof(word));
	word[sizeof(word) - 1] = '\0';
	scene_open(&s);
	utw_log_emit(s.log, UTW_LOG_INFO, "my", "{word}", utw_field_text("word", word));
	s.entry_len = recv(s.fd, s.entry, sizeof(s.entry), MSG_DONTWAIT | MSG_TRUNC);
	assert_true(s.entry_len > 0 && (size_t)s.entry_len > 2 * sizeof(word) - 2);
	scene_close(&s);
}

static int failures;

static int note_failure(struct utw_observer *o, const struct utw_event *e)
{
	(void)o;
	failures += e->level >= UTW_LOG_ERROR;
	return 0;
}

static void journal_that_goes_away_is_told_to_the_others(void **state)
{
	struct utw_observer other;
	struct scene s;

	(void)state;
	failures = 0;
	scene_open(&s);
	utw_observer_init(&other, note_failure, UTW_LOG_DEBUG);
	utw_log_add_observer(s.log, &other);
	close(s.fd);
	s.fd = -1;
	utw_log_emit(s.log, UTW_LOG_INFO, "my", "into the void");
	assert_int_equal(failures, 1);
	utw_observer_remove(&other);
	scene_close(&s);
}

static void without_a_journal_init_fails(void **state)
{
	struct utw_log_journal j;
	char path[200];

	(void)state;
	assert_int_equal(utw_log_journal_init(&j, "/tmp/untwist-no-journal", "prog", UTW_LOG_INFO),
			 -ENOENT);
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(utw_log_journal_init(&j, path, "prog", UTW_LOG_INFO), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(event_is_an_entry_with_its_fields),
		TEST(newline_forges_nothing),
		TEST(message_that_is_long_is_whole),
		TEST(journal_that_goes_away_is_told_to_the_others),
		TEST(without_a_journal_init_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
