/* SPDX-License-Identifier: MIT */
/* The descriptors of a child process: transports at this end, a map for the other. */
#include "process-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/open.h"

static void channel_close(struct utw_transport *t, bool abort)
{
	struct utw_process_channel *c =
		utw_container_of(t, struct utw_process_channel, fd.transport);

	utw_fd_carrier_close(t, abort);
	if (c->process)
		utw_process_channel_lost(c->process, c);
}

#define CHANNEL_COMMON                                              \
	.read = utw_fd_carrier_read, .write = utw_fd_carrier_write, \
	.hangup = utw_fd_carrier_hangup, .close = channel_close, .free = utw_fd_carrier_free

static const struct utw_carrier_ops channel_ops = { CHANNEL_COMMON,
						    .shut_write = utw_fd_carrier_shut_write };
static const struct utw_carrier_ops terminal_ops = { CHANNEL_COMMON };

static const struct utw_fd_side no_side = { .fd = -1 };

/* Takes `in` and `out` in any case. */
static int channel_new(struct utw_process *p, const struct utw_carrier_ops *ops, int in, int out,
		       enum utw_descriptor_kind kind, struct utw_protocol *protocol,
		       const char *name)
{
	struct utw_fd_side from = { .fd = in, .how = { .kind = kind } };
	struct utw_fd_side to = { .fd = out, .how = { .kind = kind } };
	struct utw_process_channel *c = calloc(1, sizeof(*c));
	int error = c ? 0 : -ENOMEM;

	if (!error)
		error = utw_fd_carrier_init(&c->fd, ops, p->reactor, in < 0 ? &no_side : &from,
					    out < 0 ? &no_side : &to, protocol, name);
	if (error) {
		close(in < 0 ? out : in);
		return error;
	}
	c->process = p;
	c->next = p->channels;
	p->channels = c;
	return 0;
}

static void plan_move(struct utw_process_plan *plan, int from, int to, bool ours)
{
	plan->moves[plan->count++] =
		(struct utw_process_fd_move){ .from = from, .to = to, .ours = ours };
}

static int unblock(int fd)
{
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) ? -errno : 0;
}

/* Only our end is non-blocking: a program does not expect that of its own. */
static int open_pipe(struct utw_process *p, struct utw_process_plan *plan,
		     const struct utw_process_fd *map)
{
	bool read = map->kind == UTW_PROCESS_READ;
	int fd[2];
	int error;

	if (pipe2(fd, O_CLOEXEC))
		return -errno;
	plan_move(plan, fd[read ? 1 : 0], map->child, true);
	error = unblock(fd[read ? 0 : 1]);
	if (error) {
		close(fd[read ? 0 : 1]);
		return error;
	}
	return channel_new(p, &channel_ops, read ? fd[0] : -1, read ? -1 : fd[1],
			   UTW_DESCRIPTOR_PIPE, map->protocol, "process pipe");
}

static int open_socket(struct utw_process *p, struct utw_process_plan *plan,
		       const struct utw_process_fd *map)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd))
		return -errno;
	plan_move(plan, fd[1], map->child, true);
	return channel_new(p, &channel_ops, fd[0], fd[0], UTW_DESCRIPTOR_SOCKET, map->protocol,
			   "process socket");
}

static int open_null(struct utw_process_plan *plan, const struct utw_process_fd *map)
{
	int fd = utw_open("/dev/null", O_RDWR);

	if (fd < 0)
		return fd;
	plan_move(plan, fd, map->child, true);
	return 0;
}

static int open_one(struct utw_process *p, struct utw_process_plan *plan,
		    const struct utw_process_fd *map)
{
	switch (map->kind) {
	case UTW_PROCESS_READ:
	case UTW_PROCESS_WRITE:
		return map->protocol ? open_pipe(p, plan, map) : -EINVAL;
	case UTW_PROCESS_BOTH:
		return map->protocol ? open_socket(p, plan, map) : -EINVAL;
	case UTW_PROCESS_SHARE:
		if (fcntl(map->fd, F_GETFD) < 0)
			return -errno;
		plan_move(plan, map->fd, map->child, false);
		return 0;
	case UTW_PROCESS_NULL:
		return open_null(plan, map);
	}
	return -EINVAL;
}

static bool is_mapped(const struct utw_process_plan *plan, int child)
{
	for (unsigned int i = 0; i < plan->count; i++)
		if (plan->moves[i].to == child)
			return true;
	return false;
}

static int open_pty(int *master, int *slave, const struct utw_process_options *options)
{
	struct winsize size = { .ws_row = options->rows, .ws_col = options->columns };
	int error;

	*master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (*master < 0)
		return -errno;
	*slave = -1;
	if (!grantpt(*master) && !unlockpt(*master))
		*slave = ioctl(*master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave >= 0) {
		ioctl(*slave, TIOCSWINSZ, &size);
		return 0;
	}
	error = -errno;
	close(*master);
	return error;
}

static int open_terminal(struct utw_process *p, struct utw_process_plan *plan)
{
	bool closes = true;
	int master = -1, slave = -1;
	int error = open_pty(&master, &slave, plan->options);

	if (error)
		return error;
	plan->slave = slave;
	for (int child = 0; child <= 2; child++) {
		if (is_mapped(plan, child))
			continue;
		plan_move(plan, slave, child, closes);
		closes = false;
	}
	if (closes)
		plan_move(plan, slave, -1, true);
	error = channel_new(p, &terminal_ops, master, master, UTW_DESCRIPTOR_TERMINAL,
			    plan->options->terminal, "process terminal");
	if (!error)
		p->terminal = p->channels;
	return error;
}

int utw_process_channels_open(struct utw_process *p, struct utw_process_plan *plan)
{
	const struct utw_process_options *o = plan->options;
	int error = 0;

	plan->slave = -1;
	for (unsigned int i = 0; !error && i < o->fd_count; i++) {
		if (o->fds[i].child < 0 || is_mapped(plan, o->fds[i].child))
			error = -EINVAL;
		else
			error = open_one(p, plan, &o->fds[i]);
	}
	if (!error && o->terminal)
		error = open_terminal(p, plan);
	return error;
}

void utw_process_plan_close(struct utw_process_plan *plan)
{
	for (unsigned int i = 0; i < plan->count; i++)
		if (plan->moves[i].ours)
			close(plan->moves[i].from);
}

void utw_process_channels_launch(struct utw_process *p)
{
	for (struct utw_process_channel *c = p->channels; c; c = c->next)
		utw_transport_launch(&c->fd.transport, NULL);
}

void utw_process_channels_discard(struct utw_process *p)
{
	while (p->channels) {
		struct utw_process_channel *c = p->channels;

		p->channels = c->next;
		utw_end_close(&c->fd.transport.in);
		if (utw_transport_out(&c->fd.transport))
			utw_end_close(utw_transport_out(&c->fd.transport));
		utw_transport_discard(&c->fd.transport);
	}
}

void utw_process_channels_abandon(struct utw_process *p)
{
	for (struct utw_process_channel *c = p->channels; c; c = c->next)
		c->process = NULL;
}
