/* SPDX-License-Identifier: MIT */
/*
 * An observer that hands a log to systemd's journal, fields and all:
 *
 *	journalctl UTW_NAMESPACE=myapp.net UTW_PEER=10.0.0.1
 *
 * Each event is one datagram in the journal's own form, so that nothing that is logged can
 * forge a field, and lines may have newlines in them. The journal's fields are MESSAGE,
 * PRIORITY, SYSLOG_IDENTIFIER, CODE_FILE, CODE_LINE, UTW_NAMESPACE, and UTW_ with the name in
 * capitals for each field of the event.
 */
#ifndef UNTWIST_LOG_JOURNAL_H
#define UNTWIST_LOG_JOURNAL_H

#include <stdint.h>

#include <untwist/api.h>
#include <untwist/log.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where the journal listens. */
#define UTW_LOG_JOURNAL "/run/systemd/journal/socket"

/* Embedded by its owner; add &journal.observer to a log. The other members are private. */
struct utw_log_journal {
	struct utw_observer observer;
	const char *identifier;
	int fd;
	uint32_t reserved;
};

/*
 * Prepare the caller's storage. `path` is the journal's socket, NULL for UTW_LOG_JOURNAL;
 * `identifier` is the name of the program, and outlives the observer. Returns 0, or -errno:
 * -ENOENT or -ECONNREFUSED where there is no journal, -ENAMETOOLONG, -EMFILE. The observer
 * fails with what sending reports, and the event is lost: -EAGAIN when the journal is behind,
 * -EMSGSIZE for some hundred kilobytes, -ENOMEM. It never waits.
 */
UTW_API int utw_log_journal_init(struct utw_log_journal *journal, const char *path,
				 const char *identifier, enum utw_log_level level);

/* Remove the observer and close the socket. It may be initialized anew. */
UTW_API void utw_log_journal_release(struct utw_log_journal *journal);

#ifdef __cplusplus
}
#endif

#endif
