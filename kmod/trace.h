/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints, under events/untwist in tracefs. A channel is named by its
 * device and the number of the open, a request by its user_data besides.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM untwist

#if !defined(UNTWIST_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define UNTWIST_TRACE_H

#include <linux/tracepoint.h>

#include "channel.h"
#include "compat.h"

TRACE_EVENT(untwist_submit,
	TP_PROTO(const struct untwist_channel *ch, u64 user_data, u32 opcode, u32 len),
	TP_ARGS(ch, user_data, opcode, len),
	TP_STRUCT__entry(
		__string(device, ch->ud->name)
		__field(unsigned int, channel)
		__field(u64, user_data)
		__field(u32, opcode)
		__field(u32, len)
	),
	TP_fast_assign(
		untwist_assign_str(device, ch->ud->name);
		__entry->channel = ch->id;
		__entry->user_data = user_data;
		__entry->opcode = opcode;
		__entry->len = len;
	),
	TP_printk("%s:%u user_data=%llu opcode=%u len=%u", __get_str(device),
		  __entry->channel, __entry->user_data, __entry->opcode, __entry->len)
);

TRACE_EVENT(untwist_complete,
	TP_PROTO(const struct untwist_channel *ch, u64 user_data, u32 opcode, s32 res),
	TP_ARGS(ch, user_data, opcode, res),
	TP_STRUCT__entry(
		__string(device, ch->ud->name)
		__field(unsigned int, channel)
		__field(u64, user_data)
		__field(u32, opcode)
		__field(s32, res)
	),
	TP_fast_assign(
		untwist_assign_str(device, ch->ud->name);
		__entry->channel = ch->id;
		__entry->user_data = user_data;
		__entry->opcode = opcode;
		__entry->res = res;
	),
	TP_printk("%s:%u user_data=%llu opcode=%u res=%d", __get_str(device),
		  __entry->channel, __entry->user_data, __entry->opcode, __entry->res)
);

TRACE_EVENT(untwist_push,
	TP_PROTO(const struct untwist_channel *ch, size_t len, size_t queued),
	TP_ARGS(ch, len, queued),
	TP_STRUCT__entry(
		__string(device, ch->ud->name)
		__field(unsigned int, channel)
		__field(size_t, len)
		__field(size_t, queued)
	),
	TP_fast_assign(
		untwist_assign_str(device, ch->ud->name);
		__entry->channel = ch->id;
		__entry->len = len;
		__entry->queued = queued;
	),
	TP_printk("%s:%u len=%zu lost=%zu", __get_str(device), __entry->channel,
		  __entry->len, __entry->len - __entry->queued)
);

TRACE_EVENT(untwist_wake,
	TP_PROTO(const struct untwist_channel *ch, unsigned int key),
	TP_ARGS(ch, key),
	TP_STRUCT__entry(
		__string(device, ch->ud->name)
		__field(unsigned int, channel)
		__field(unsigned int, key)
	),
	TP_fast_assign(
		untwist_assign_str(device, ch->ud->name);
		__entry->channel = ch->id;
		__entry->key = key;
	),
	TP_printk("%s:%u key=%#x", __get_str(device), __entry->channel, __entry->key)
);

TRACE_EVENT(untwist_unplug,
	TP_PROTO(const struct untwist_device *ud, unsigned int channels),
	TP_ARGS(ud, channels),
	TP_STRUCT__entry(
		__string(device, ud->name)
		__field(unsigned int, channels)
	),
	TP_fast_assign(
		untwist_assign_str(device, ud->name);
		__entry->channels = channels;
	),
	TP_printk("%s channels=%u", __get_str(device), __entry->channels)
);

#endif /* UNTWIST_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
