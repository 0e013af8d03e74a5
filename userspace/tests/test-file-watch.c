/* SPDX-License-Identifier: MIT */
/* File watches: what happens in a folder and to a file, places that go, and a full queue. */
#include <untwist/file_watch.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <untwist/reactor.h>

#include "harness.h"
#include "recorder.h"

#define ALL (UTW_FILE_GONE - 1)

static struct {
	struct utw_reactor *reactor;
	struct utw_file_listener listener;
	struct utw_file_watch *watch;
	char folder[64];
	char path[2][96];
	char story[4096]; /* a word and a name for each event */
	unsigned int count;
	unsigned int overflows;
	uint32_t move;
	int place;
	bool close; /* in the first */
} scene;

static const char *word_of(enum utw_file_change change)
{
	switch (change) {
	case UTW_FILE_WRITTEN:
		return "written";
	case UTW_FILE_CLOSED:
		return "closed";
	case UTW_FILE_ATTRIBUTES:
		return "attributes";
	case UTW_FILE_CREATED:
		return "created";
	case UTW_FILE_REMOVED:
		return "removed";
	case UTW_FILE_MOVED_FROM:
		return "from";
	case UTW_FILE_MOVED_TO:
		return "to";
	case UTW_FILE_GONE:
		return "gone";
	}
	return "?";
}

static void happened(struct utw_file_listener *l, const struct utw_file_event *event)
{
	size_t used = strlen(scene.story);

	(void)l;
	assert_non_null(scene.watch);
	scene.count++;
	scene.place = event->place;
	if (event->change == UTW_FILE_MOVED_TO)
		assert_int_equal(event->move, scene.move);
	scene.move = event->move;
	if (used < sizeof(scene.story) - 64)
		snprintf(scene.story + used, 64, "%s %s%s;", word_of(event->change),
			 event->name ? event->name : "-", event->folder ? "/" : "");
	if (scene.close) {
		utw_file_watch_close(scene.watch);
		scene.watch = NULL;
	}
}

static void overflow(struct utw_file_listener *l)
{
	(void)l;
	scene.overflows++;
}

static const struct utw_file_listener_ops listener_ops = { .happened = happened,
							   .overflow = overflow };

static void begin(void)
{
	memset(&scene, 0, sizeof(scene));
	scene.listener.ops = &listener_ops;
	strcpy(scene.folder, "/tmp/untwist-test-XXXXXX");
	assert_non_null(mkdtemp(scene.folder));
	snprintf(scene.path[0], sizeof(scene.path[0]), "%s/a", scene.folder);
	snprintf(scene.path[1], sizeof(scene.path[1]), "%s/b", scene.folder);
	assert_int_equal(utw_reactor_new(&scene.reactor), 0);
	assert_int_equal(utw_file_watch_open(&scene.watch, scene.reactor, &scene.listener), 0);
}

static void end(void)
{
	utw_file_watch_close(scene.watch);
	turn_all(scene.reactor);
	utw_reactor_free(scene.reactor);
	unlink(scene.path[0]);
	unlink(scene.path[1]);
	rmdir(scene.folder);
}

static void touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
}

static void assert_told(const char *story)
{
	turn_all(scene.reactor);
	assert_string_equal(scene.story, story);
	scene.story[0] = '\0';
}

static void folder_tells_of_its_files(void **state)
{
	char below[96];

	(void)state;
	begin();
	assert_true(utw_file_watch_add(scene.watch, scene.folder, ALL) > 0);
	touch(scene.path[0]);
	assert_int_equal(scene.count, 0);
	assert_told("created a;written a;closed a;");
	rename(scene.path[0], scene.path[1]);
	assert_told("from a;to b;");
	assert_true(scene.move);
	chmod(scene.path[1], 0400);
	assert_told("attributes b;");
	unlink(scene.path[1]);
	assert_told("removed b;");
	snprintf(below, sizeof(below), "%s/c", scene.folder);
	mkdir(below, 0700);
	assert_told("created c/;");
	rmdir(below);
	end();
}

static void only_what_was_asked_for_is_told(void **state)
{
	(void)state;
	begin();
	touch(scene.path[0]);
	assert_true(utw_file_watch_add(scene.watch, scene.path[0], UTW_FILE_CLOSED) > 0);
	touch(scene.path[0]);
	assert_told("closed -;");
	assert_true(utw_file_watch_add(scene.watch, scene.path[0], UTW_FILE_WRITTEN) > 0);
	touch(scene.path[0]);
	assert_told("written -;");
	assert_int_equal(utw_file_watch_add(scene.watch, scene.path[0], 1 << 20), -EINVAL);
	assert_int_equal(utw_file_watch_add(scene.watch, scene.path[1], ALL), -ENOENT);
	end();
}

static void place_that_goes_is_told_once(void **state)
{
	int place;

	(void)state;
	begin();
	touch(scene.path[0]);
	place = utw_file_watch_add(scene.watch, scene.path[0], UTW_FILE_WRITTEN);
	unlink(scene.path[0]);
	assert_told("gone -;");
	assert_int_equal(scene.place, place);
	assert_int_equal(utw_file_watch_remove(scene.watch, place), -EINVAL);
	end();
}

static void removed_place_tells_nothing_more(void **state)
{
	int place;

	(void)state;
	begin();
	touch(scene.path[0]);
	touch(scene.path[1]);
	place = utw_file_watch_add(scene.watch, scene.path[0], ALL);
	assert_true(utw_file_watch_add(scene.watch, scene.path[1], UTW_FILE_CLOSED) > 0);
	touch(scene.path[0]);
	touch(scene.path[1]);
	assert_int_equal(utw_file_watch_remove(scene.watch, place), 0);
	assert_told("closed -;");
	assert_int_not_equal(scene.place, place);
	assert_int_equal(utw_file_watch_remove(scene.watch, place), -EINVAL);
	touch(scene.path[1]);
	assert_told("closed -;");
	end();
}

static void may_be_closed_from_its_callback(void **state)
{
	(void)state;
	begin();
	scene.close = true;
	utw_file_watch_add(scene.watch, scene.folder, ALL);
	touch(scene.path[0]);
	turn_all(scene.reactor);
	assert_int_equal(scene.count, 1);
	end();
}

/* More than the kernel's limit, of events that cannot be joined to one. */
static void too_many_are_told_as_such(void **state)
{
	unsigned int most = 0;
	FILE *limit = fopen("/proc/sys/fs/inotify/max_queued_events", "re");

	(void)state;
	assert_non_null(limit);
	assert_int_equal(fscanf(limit, "%u", &most), 1);
	fclose(limit);
	begin();
	touch(scene.path[0]);
	utw_file_watch_add(scene.watch, scene.folder, UTW_FILE_MOVED_FROM | UTW_FILE_MOVED_TO);
	for (unsigned int i = 0; i <= most / 2; i++)
		rename(scene.path[i & 1], scene.path[~i & 1]);
	turn_all(scene.reactor);
	assert_int_equal(scene.overflows, 1);
	assert_int_equal(scene.count, most);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(folder_tells_of_its_files),       TEST(only_what_was_asked_for_is_told),
		TEST(place_that_goes_is_told_once),    TEST(removed_place_tells_nothing_more),
		TEST(may_be_closed_from_its_callback), TEST(too_many_are_told_as_such),
	};

	return cmocka_run_group_tests_name("file watch", tests, NULL, NULL);
}
