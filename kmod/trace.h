/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints, under events/untwist in tracefs. A channel is named by its
 * device and the number of the open, a request by its tag and its user_data
 * besides.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM untwist

#if !defined(UNTWIST_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define UNTWIST_TRACE_H

#include <linux/tracepoint.h>

#include "channel.h"
#include "compat.h"

/* Without waiting there is no slot, and so no tag: it is 0 then. */
DECLARE_EVENT_CLASS(untwist_request,
	TP_PROTO(const struct untwist_channel *ch, u32 tag, u64 user_data, u32 opcode, s32 value),
	TP_ARGS(ch, tag, user_data, opcode, value),
	TP_STRUCT__entry(
		__string(device, ch->ud->name)
		__field(unsigned int, channel)
		__field(u32, tag)
		__field(u64, user_data)
		__field(u32, opcode)
		__field(s32, value)
	),
	TP_fast_assign(
		untwist_assign_str(device, ch->ud->name);
		__entry->channel = ch->id;
		__entry->tag = tag;
		__entry->user_data = user_data;
		__entry->opcode = opcode;
		__entry->value = value;
	),
	TP_printk("%s:%u tag=%#x user_data=%llu opcode=%u value=%d", __get_str(device),
		  __entry->channel, __entry->tag, __entry->user_data, __entry->opcode,
		  __entry->value)
);

/* Taken from the program; the value is the length of the payload. */
DEFINE_EVENT_PRINT(untwist_request, untwist_submit,
	TP_PROTO(const struct untwist_channel *ch, u32 tag, u64 user_data, u32 opcode, s32 value),
	TP_ARGS(ch, tag, user_data, opcode, value),
	TP_printk("%s:%u tag=%#x user_data=%llu opcode=%u len=%d", __get_str(device),
		  __entry->channel, __entry->tag, __entry->user_data, __entry->opcode,
		  __entry->value)
);

/* Given to the driver. */
DEFINE_EVENT(untwist_request, untwist_issue,
	TP_PROTO(const struct untwist_channel *ch, u32 tag, u64 user_data, u32 opcode, s32 value),
	TP_ARGS(ch, tag, user_data, opcode, value)
);

/* Completed by the driver; the value is its result. */
DEFINE_EVENT_PRINT(untwist_request, untwist_complete,
	TP_PROTO(const struct untwist_channel *ch, u32 tag, u64 user_data, u32 opcode, s32 value),
	TP_ARGS(ch, tag, user_data, opcode, value),
	TP_printk("%s:%u tag=%#x user_data=%llu opcode=%u res=%d", __get_str(device),
		  __entry->channel, __entry->tag, __entry->user_data, __entry->opcode,
		  __entry->value)
);

/* On its way to the program; the value is the result as that is told. */
DEFINE_EVENT_PRINT(untwist_request, untwist_post,
	TP_PROTO(const struct untwist_channel *ch, u32 tag, u64 user_data, u32 opcode, s32 value),
	TP_ARGS(ch, tag, user_data, opcode, value),
	TP_printk("%s:%u tag=%#x user_data=%llu opcode=%u res=%d", __get_str(device),
		  __entry->channel, __entry->tag, __entry->user_data, __entry->opcode,
		  __entry->value)
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
	TP_printk("%s:%u len=%zu queued=%zu", __get_str(device), __entry->channel,
		  __entry->len, __entry->queued)
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
