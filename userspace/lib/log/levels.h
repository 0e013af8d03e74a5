/* SPDX-License-Identifier: MIT */
/* Which level is wanted of which namespace. Locked by its user, but for `lowest`. */
#ifndef UTW_LOG_LEVELS_H
#define UTW_LOG_LEVELS_H

#include <stdatomic.h>
#include <stdbool.h>

#include <untwist/log.h>

struct utw_level_rule;

struct utw_levels {
	struct utw_level_rule *rules;
	size_t count;
	enum utw_log_level otherwise; /* where no rule fits */
	atomic_int lowest; /* of all of them: what is below is wanted nowhere */
};

void utw_levels_init(struct utw_levels *l);
void utw_levels_release(struct utw_levels *l);
/* Returns 0, or -ENOMEM with nothing changed. */
int utw_levels_set(struct utw_levels *l, const char *space, enum utw_log_level level);
enum utw_log_level utw_levels_of(const struct utw_levels *l, const char *space);

#endif
