// SPDX-License-Identifier: GPL-2.0-only
/*
 * Untwist: asynchronous character devices that are right the first time.
 *
 * What lives where:
 *   device.c   registration, the node, unplug
 *   channel.c  one open file: lifetime, wake-ups, the work
 *   file.c     the system calls
 *   client.c   the calls of other modules
 *   stream.c   the data plane: two queues, and what a program may choose about
 *              them
 *   push.c     what the driver pushes, and tells besides
 *   receive.c  what the program reads of that
 *   transmit.c what the program writes and the driver pulls
 *   fifo.c     the queue under both
 *   submit.c   how entries of programs become requests
 *   execute.c  the short way of those that need no waiting
 *   request.c  the request plane: starting and posting them
 *   complete.c what the driver tells of them
 *   cancel.c   their early end
 *   deadline.c their timeouts
 *   chain.c    which of them may start when
 *   shots.c    the many completions of one
 *   slot.c     their memory
 *   cq.c       completions on their way to the program, and the room for them
 *   ring.c     entries and completions in shared memory
 *   uring.c    requests as commands of io_uring
 *   payload.c  the bytes that travel with a request
 *   limits.c   what the administrator allows
 *   power.c    devices and systems that sleep
 *   holdup.c   who holds up the end of a channel
 *   stats.c    counters;  trace.h  tracepoints;  compat.h  other kernels
 *   latency.c  how long requests take
 */
#include <linux/module.h>

#include "device.h"

static int __init untwist_init(void)
{
	return untwist_device_init();
}
module_init(untwist_init);

static void __exit untwist_exit(void)
{
	untwist_device_exit();
}
module_exit(untwist_exit);

MODULE_DESCRIPTION("Asynchronous character devices");
MODULE_LICENSE("GPL");
