/* SPDX-License-Identifier: MIT */
/* UNIX stream sockets: names, stale files, who is there, and descriptors that travel. */
#include <untwist/unix.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <untwist/address.h>
#include <untwist/deferred.h>
#include <untwist/factory.h>

#include "harness.h"
#include "recorder.h"

/* One of each side; the client's protocol is the first, the server's the second. */
struct scene {
	struct utw_reactor *reactor;
	struct utw_factory factory[2];
	struct recorder side[2];
	struct utw_unix_listener *listener;
	char folder[64];
	char path[80];
	struct utw_address at;
};

static struct scene scene;

static struct utw_protocol *build(struct utw_factory *f, const struct utw_address *peer)
{
	(void)peer;
	return &scene.side[f - scene.factory].protocol;
}

static const struct utw_factory_ops factory_ops = { .build = build };

static void begin(void)
{
	memset(&scene, 0, sizeof(scene));
	strcpy(scene.folder, "/tmp/untwist-test-XXXXXX");
	assert_non_null(mkdtemp(scene.folder));
	snprintf(scene.path, sizeof(scene.path), "%s/socket", scene.folder);
	assert_int_equal(utw_address_unix(&scene.at, scene.path), 0);
	assert_int_equal(utw_reactor_new(&scene.reactor), 0);
	for (int i = 0; i < 2; i++) {
		utw_factory_init(&scene.factory[i], &factory_ops);
		recorder_init(&scene.side[i], true);
	}
}

static int scene_listen(mode_t mode)
{
	return utw_unix_listen(&scene.listener, scene.reactor, &scene.at, mode, &scene.factory[1]);
}

static void scene_connect(void)
{
	struct utw_deferred *d = utw_unix_connect(scene.reactor, &scene.at, &scene.factory[0], 0);

	turn_until(scene.reactor, scene.side[0].story_len && scene.side[1].story_len);
	utw_deferred_unref(d);
	for (int i = 0; i < 2; i++)
		assert_non_null(scene.side[i].protocol.transport);
}

/* Two transports over a pair of sockets, without a listener. */
static void scene_pair(void)
{
	int fd[2];

	begin();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(utw_unix_transport_new(NULL, scene.reactor, fd[i],
							&scene.side[i].protocol),
				 0);
}

static struct utw_transport *transport(int side)
{
	return scene.side[side].protocol.transport;
}

/* Every test ends with an empty folder: neither socket nor lock is left. */
static void end(void)
{
	utw_unix_listener_close(scene.listener);
	for (int i = 0; i < 2; i++)
		utw_transport_close(transport(i), UTW_CLOSE_ABORT, 0);
	turn_all(scene.reactor);
	for (int i = 0; i < 2; i++)
		recorder_release(&scene.side[i]);
	utw_reactor_free(scene.reactor);
	assert_int_equal(rmdir(scene.folder), 0);
}

static int foreign_socket(bool listening)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&scene.at.storage, scene.at.length), 0);
	if (listening)
		assert_int_equal(listen(fd, 0), 0);
	return fd;
}

static void connection_carries_both_ways(void **state)
{
	char name[100];

	(void)state;
	begin();
	assert_int_equal(scene_listen(0), 0);
	scene_connect();
	utw_transport_write(transport(0), "there", 5);
	utw_transport_write(transport(1), "back", 4);
	turn_until(scene.reactor, scene.side[0].data_len == 4 && scene.side[1].data_len == 5);
	snprintf(name, sizeof(name), "unix:%s", scene.path);
	assert_string_equal(utw_transport_name(transport(0)), name);
	assert_string_equal(utw_transport_name(transport(1)), name);
	end();
}

static void abstract_name_has_no_file(void **state)
{
	char name[32];

	(void)state;
	begin();
	snprintf(name, sizeof(name), "@untwist-test-%d", (int)getpid());
	assert_int_equal(utw_address_unix(&scene.at, name), 0);
	assert_int_equal(scene_listen(0), 0);
	scene_connect();
	assert_int_equal(access(name, F_OK), -1);
	end();
}

static void stale_file_is_replaced(void **state)
{
	(void)state;
	begin();
	close(foreign_socket(true));
	assert_int_equal(scene_listen(0), 0);
	scene_connect();
	end();
}

static void lock_of_a_dead_process_is_no_obstacle(void **state)
{
	char lock[96];

	(void)state;
	begin();
	snprintf(lock, sizeof(lock), "%s.lock", scene.path);
	close(open(lock, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(scene_listen(0), 0);
	end();
}

static void served_path_is_left_alone(void **state)
{
	struct utw_unix_listener *second;
	int fd;

	(void)state;
	begin();
	assert_int_equal(scene_listen(0), 0);
	assert_int_equal(utw_unix_listen(&second, scene.reactor, &scene.at, 0, &scene.factory[0]),
			 -EADDRINUSE);
	scene_connect();
	utw_unix_listener_close(scene.listener);
	scene.listener = NULL;
	fd = foreign_socket(true);
	assert_int_equal(scene_listen(0), -EADDRINUSE);
	assert_int_equal(access(scene.path, F_OK), 0);
	close(fd);
	unlink(scene.path);
	end();
}

static void other_file_is_left_alone(void **state)
{
	(void)state;
	begin();
	close(open(scene.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(scene_listen(0), -EADDRINUSE);
	assert_int_equal(unlink(scene.path), 0);
	end();
}

/* Closing removes the listener's own file, and not one that was put in its place. */
static void file_of_another_is_not_removed(void **state)
{
	int fd;

	(void)state;
	begin();
	assert_int_equal(scene_listen(0), 0);
	assert_int_equal(unlink(scene.path), 0);
	fd = foreign_socket(false);
	utw_unix_listener_close(scene.listener);
	scene.listener = NULL;
	assert_int_equal(unlink(scene.path), 0);
	close(fd);
	end();
}

static void mode_is_that_of_the_file(void **state)
{
	struct stat st;

	(void)state;
	begin();
	assert_int_equal(scene_listen(0662), 0);
	assert_int_equal(stat(scene.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0662);
	end();
}

static void peer_is_known(void **state)
{
	struct utw_unix_credentials who;

	(void)state;
	begin();
	assert_int_equal(scene_listen(0), 0);
	scene_connect();
	for (int i = 0; i < 2; i++) {
		assert_int_equal(utw_unix_peer_credentials(transport(i), &who), 0);
		assert_int_equal(who.pid, getpid());
		assert_int_equal(who.uid, geteuid());
		assert_int_equal(who.gid, getegid());
	}
	assert_int_equal(utw_unix_peer_credentials(NULL, &who), -EPIPE);
	end();
}

static void full_queue_is_tried_again(void **state)
{
	struct utw_deferred *d;
	int listener, first, accepted[2];

	(void)state;
	begin();
	listener = foreign_socket(true);
	first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(first, (struct sockaddr *)&scene.at.storage, scene.at.length), 0);
	d = utw_unix_connect(scene.reactor, &scene.at, &scene.factory[0], 0);
	turn_all(scene.reactor);
	assert_int_equal(scene.side[0].story_len, 0);
	accepted[0] = accept(listener, NULL, NULL);
	turn_until(scene.reactor, scene.side[0].story_len);
	assert_non_null(transport(0));
	accepted[1] = accept(listener, NULL, NULL);
	utw_deferred_unref(d);
	close(first);
	close(listener);
	close(accepted[0]);
	close(accepted[1]);
	unlink(scene.path);
	end();
}

static void nobody_there_is_refused(void **state)
{
	struct utw_deferred *d;
	struct utw_result result;

	(void)state;
	begin();
	d = utw_unix_connect(scene.reactor, &scene.at, &scene.factory[0], 0);
	turn_until(scene.reactor, utw_deferred_fired(d));
	assert_int_equal(utw_deferred_take(d, &result), 0);
	assert_true(utw_failure_is(result.failure, &utw_domain_errno, ENOENT));
	utw_failure_unref(result.failure);
	utw_deferred_unref(d);
	end();
}

/* Send one end of a pipe, and return the other. */
static int send_pipe(int side, const char *text)
{
	int fd[2];

	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	assert_true(utw_unix_write_fds(transport(side), text, strlen(text), &fd[1], 1) >= 0);
	return fd[0];
}

static void assert_comes_through(int taken, int pipe, const char *text)
{
	char got[16] = "";

	assert_true(taken >= 0);
	assert_true(fcntl(taken, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(taken, text, strlen(text)), strlen(text));
	close(taken);
	assert_int_equal(read(pipe, got, sizeof(got)), strlen(text));
	assert_string_equal(got, text);
	/* Ours was closed when it had been sent: with the one just closed, this is the end. */
	assert_int_equal(read(pipe, got, sizeof(got)), 0);
	close(pipe);
}

static int taken_at[2];

static void take_when_told(struct recorder *r)
{
	for (int i = 0; i < 2; i++)
		if (taken_at[i] < 0)
			taken_at[i] = utw_unix_take_fd(r->protocol.transport);
}

static void descriptors_arrive_with_their_bytes(void **state)
{
	int first, second;

	(void)state;
	scene_pair();
	taken_at[0] = taken_at[1] = -1;
	assert_int_equal(utw_unix_accept_fds(transport(1), 2), 0);
	scene.side[1].on_data = take_when_told;
	utw_transport_write(transport(0), "a", 1);
	first = send_pipe(0, "b");
	utw_transport_write(transport(0), "c", 1);
	second = send_pipe(0, "de");
	utw_transport_write(transport(0), "f", 1);
	turn_until(scene.reactor, scene.side[1].data_len == 6);
	assert_memory_equal(scene.side[1].data, "abcdef", 6);
	assert_comes_through(taken_at[0], first, "first");
	assert_comes_through(taken_at[1], second, "second");
	assert_int_equal(utw_unix_take_fd(transport(1)), -EAGAIN);
	end();
}

/* Behind more bytes than the kernel takes at once, they keep their place. */
static void descriptors_wait_for_their_turn(void **state)
{
	static char much[600000];
	int fd;

	(void)state;
	scene_pair();
	assert_int_equal(utw_unix_accept_fds(transport(1), 1), 0);
	turn_until(scene.reactor, scene.side[1].story_len);
	utw_transport_pause(transport(1));
	assert_true(utw_transport_write(transport(0), much, sizeof(much)) >= 0);
	fd = send_pipe(0, "x");
	utw_transport_write(transport(0), much, sizeof(much));
	turn_all(scene.reactor);
	assert_true(utw_transport_queued(transport(0)) > sizeof(much));
	utw_transport_resume(transport(1));
	turn_until(scene.reactor, scene.side[1].data_len > sizeof(much));
	assert_comes_through(utw_unix_take_fd(transport(1)), fd, "in place");
	turn_until(scene.reactor, scene.side[1].data_len == 2 * sizeof(much) + 1);
	end();
}

static void descriptors_not_asked_for_are_dropped(void **state)
{
	char got;
	int fd;

	(void)state;
	scene_pair();
	fd = send_pipe(0, "x");
	turn_until(scene.reactor, scene.side[1].data_len == 1);
	assert_int_equal(utw_unix_take_fd(transport(1)), -EAGAIN);
	assert_int_equal(read(fd, &got, 1), 0);
	close(fd);
	end();
}

static void descriptors_not_taken_are_closed(void **state)
{
	char got;
	int fd;

	(void)state;
	scene_pair();
	assert_int_equal(utw_unix_accept_fds(transport(1), 8), 0);
	fd = send_pipe(0, "x");
	turn_until(scene.reactor, scene.side[1].data_len == 1);
	utw_transport_close(transport(1), UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(scene.reactor, recorder_lost(&scene.side[1]));
	assert_int_equal(read(fd, &got, 1), 0);
	close(fd);
	end();
}

static void too_many_descriptors_end_the_transport(void **state)
{
	int fd[2];

	(void)state;
	scene_pair();
	assert_int_equal(utw_unix_accept_fds(transport(1), 1), 0);
	fd[0] = send_pipe(0, "x");
	fd[1] = send_pipe(0, "y");
	turn_until(scene.reactor, recorder_lost(&scene.side[1]));
	assert_lost(&scene.side[1], UTW_LOST);
	assert_true(utw_failure_has(scene.side[1].reason, &utw_domain_errno, ENOBUFS));
	close(fd[0]);
	close(fd[1]);
	end();
}

static void refused_write_leaves_descriptors(void **state)
{
	int none = -1;
	int fd[2];

	(void)state;
	scene_pair();
	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	assert_int_equal(utw_unix_accept_fds(transport(1), 1), 0);
	utw_transport_set_watermarks(transport(0), 0, 3, 3, UTW_CAP_FAIL);
	assert_int_equal(utw_unix_write_fds(transport(0), "long", 4, fd, 2), -ENOBUFS);
	assert_int_equal(utw_unix_write_fds(transport(0), "", 0, fd, 2), -EINVAL);
	assert_int_equal(utw_unix_write_fds(transport(0), "x", 1, fd, 0), -EINVAL);
	assert_int_equal(utw_unix_write_fds(transport(0), "x", 1, fd, UTW_UNIX_FDS + 1), -EINVAL);
	assert_int_equal(utw_unix_write_fds(NULL, "x", 1, fd, 1), -EPIPE);
	assert_true(fcntl(fd[0], F_GETFD) >= 0 && fcntl(fd[1], F_GETFD) >= 0);
	assert_int_equal(utw_unix_write_fds(transport(0), "x", 1, &fd[1], 1), 0);
	turn_until(scene.reactor, scene.side[1].data_len == 1);
	assert_comes_through(utw_unix_take_fd(transport(1)), fd[0], "only this");
	/* What cannot be sent at all ends the transport, and is told with its errno. */
	assert_int_equal(utw_unix_write_fds(transport(0), "x", 1, &none, 1), 0);
	turn_until(scene.reactor, recorder_lost(&scene.side[0]));
	assert_true(utw_failure_has(scene.side[0].reason, &utw_domain_errno, EBADF));
	end();
}

static void aborted_transport_closes_what_it_has(void **state)
{
	char got;
	int fd;

	(void)state;
	scene_pair();
	fd = send_pipe(0, "never sent");
	utw_transport_close(transport(0), UTW_CLOSE_ABORT, 0);
	turn_until(scene.reactor, recorder_lost(&scene.side[0]));
	assert_int_equal(read(fd, &got, 1), 0);
	close(fd);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(connection_carries_both_ways),
		TEST(abstract_name_has_no_file),
		TEST(stale_file_is_replaced),
		TEST(lock_of_a_dead_process_is_no_obstacle),
		TEST(served_path_is_left_alone),
		TEST(other_file_is_left_alone),
		TEST(file_of_another_is_not_removed),
		TEST(mode_is_that_of_the_file),
		TEST(peer_is_known),
		TEST(full_queue_is_tried_again),
		TEST(nobody_there_is_refused),
		TEST(descriptors_arrive_with_their_bytes),
		TEST(descriptors_wait_for_their_turn),
		TEST(descriptors_not_asked_for_are_dropped),
		TEST(descriptors_not_taken_are_closed),
		TEST(too_many_descriptors_end_the_transport),
		TEST(refused_write_leaves_descriptors),
		TEST(aborted_transport_closes_what_it_has),
	};

	return cmocka_run_group_tests_name("unix", tests, NULL, NULL);
}
