/* SPDX-License-Identifier: MIT */
/* echo.c: bytes that are written, waited for by epoll, and read. */
#ifndef ECHO_H
#define ECHO_H

struct work;

/* Through what: as work.data of these. */
const char *echo_eventfd_begin(struct work *work);
const char *echo_pipe_begin(struct work *work);
const char *echo_socket_begin(struct work *work);

/* As work.data: the path of a node whose device returns what it is given. */
const char *echo_node_begin(struct work *work);

/* An operation is one message of work.argument bytes there and back. */
void echo_run(struct work *work, unsigned int count);

const char *getppid_begin(struct work *work);
void getppid_run(struct work *work, unsigned int count);

#endif /* ECHO_H */
