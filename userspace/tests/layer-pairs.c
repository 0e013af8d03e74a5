/* SPDX-License-Identifier: MIT */
/* Pairs with a layer that does nothing between the near protocol and its descriptor. */
#include <untwist/layer.h>

#include <stdlib.h>
#include <sys/socket.h>

#include <untwist/fd.h>

#include "harness.h"
#include "transport-pairs.h"

static void plain_free(struct utw_layer *l)
{
	free(l);
}

static const struct utw_layer_ops plain_ops = { .free = plain_free };

static void open_layer(struct pair *pair, int type)
{
	struct utw_layer *l = malloc(sizeof(*l));
	int fd[2];

	assert_non_null(l);
	utw_layer_init(l, &plain_ops, &pair->near.protocol);
	assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fd), 0);
	assert_int_equal(utw_fd_transport_new(NULL, pair->reactor, fd[0], fd[0], &l->below), 0);
	turn_until(pair->reactor, pair->near.protocol.transport);
	pair->near_transport = utw_transport_ref(pair->near.protocol.transport);
	assert_int_equal(utw_fd_transport_new(&pair->far_transport, pair->reactor, fd[1], fd[1],
					      &pair->far.protocol),
			 0);
}

static void open_layer_stream(struct pair *pair)
{
	open_layer(pair, SOCK_STREAM);
}

static void open_layer_record(struct pair *pair)
{
	open_layer(pair, SOCK_SEQPACKET);
}

const struct pair_kind pair_layer = { .name = "layer",
				      .half_close = true,
				      .open = open_layer_stream };
const struct pair_kind pair_layer_record = {
	.name = "layer over records", .record = true, .half_close = true, .open = open_layer_record
};
