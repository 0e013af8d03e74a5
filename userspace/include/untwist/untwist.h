/* SPDX-License-Identifier: MIT */
/* All of libuntwist's public headers at once. */
#ifndef UNTWIST_UNTWIST_H
#define UNTWIST_UNTWIST_H

#include <untwist/address.h>
#include <untwist/api.h>
#include <untwist/call.h>
#include <untwist/custom.h>
#include <untwist/cutter.h>
#include <untwist/datagram.h>
#include <untwist/child.h>
#include <untwist/cooperator.h>
#include <untwist/deferred.h>
#include <untwist/deferred_list.h>
#include <untwist/device.h>
#include <untwist/endpoint.h>
#include <untwist/factory.h>
#include <untwist/failure.h>
#include <untwist/fake.h>
#include <untwist/fd.h>
#include <untwist/file_lock.h>
#include <untwist/framed.h>
#include <untwist/framing.h>
#include <untwist/idle.h>
#include <untwist/layer.h>
#include <untwist/inspect.h>
#include <untwist/line.h>
#include <untwist/lock.h>
#include <untwist/log.h>
#include <untwist/log_output.h>
#include <untwist/memory.h>
#include <untwist/policy.h>
#include <untwist/pool.h>
#include <untwist/process.h>
#include <untwist/looping-call.h>
#include <untwist/producer.h>
#include <untwist/protocol.h>
#include <untwist/queue.h>
#include <untwist/reactor.h>
#include <untwist/semaphore.h>
#include <untwist/sender.h>
#include <untwist/serial.h>
#include <untwist/signal.h>
#include <untwist/stateful.h>
#include <untwist/stdio.h>
#include <untwist/task.h>
#include <untwist/tcp.h>
#include <untwist/timer.h>
#include <untwist/tls.h>
#include <untwist/transport.h>
#include <untwist/udp.h>
#include <untwist/unix.h>
#include <untwist/trigger.h>
#include <untwist/watch.h>

#endif
