// SPDX-License-Identifier: MIT
/* Levels by namespace: a short list, of which the longest name that fits counts. */
#include "log/levels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct utw_level_rule {
	char *space;
	size_t length;
	enum utw_log_level level;
};

void utw_levels_init(struct utw_levels *l)
{
	l->rules = NULL;
	l->count = 0;
	l->otherwise = UTW_LOG_INFO;
	atomic_init(&l->lowest, UTW_LOG_INFO);
}

void utw_levels_release(struct utw_levels *l)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		free(l->rules[i].space);
	free(l->rules);
}

static void levels_find_lowest(struct utw_levels *l)
{
	enum utw_log_level lowest = l->otherwise;
	size_t i;

	for (i = 0; i < l->count; i++)
		if (l->rules[i].level < lowest)
			lowest = l->rules[i].level;
	atomic_store_explicit(&l->lowest, (int)lowest, memory_order_relaxed);
}

static struct utw_level_rule *rule_of(const struct utw_levels *l, const char *space)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		if (strcmp(l->rules[i].space, space) == 0)
			return &l->rules[i];
	return NULL;
}

static struct utw_level_rule *rule_add(struct utw_levels *l, const char *space)
{
	struct utw_level_rule *rules = reallocarray(l->rules, l->count + 1, sizeof(*rules));
	size_t size = strlen(space) + 1;
	char *copy;

	if (!rules)
		return NULL;
	l->rules = rules;
	copy = malloc(size);
	if (!copy)
		return NULL;
	memcpy(copy, space, size);
	rules += l->count++;
	rules->space = copy;
	rules->length = size - 1;
	return rules;
}

int utw_levels_set(struct utw_levels *l, const char *space, enum utw_log_level level)
{
	if (!space || !space[0]) {
		l->otherwise = level;
	} else {
		struct utw_level_rule *rule = rule_of(l, space);

		if (!rule)
			rule = rule_add(l, space);
		if (!rule)
			return -ENOMEM;
		rule->level = level;
	}
	levels_find_lowest(l);
	return 0;
}

static bool rule_fits(const struct utw_level_rule *rule, const char *space)
{
	return strncmp(space, rule->space, rule->length) == 0 &&
		(space[rule->length] == '\0' || space[rule->length] == '.');
}

enum utw_log_level utw_levels_of(const struct utw_levels *l, const char *space)
{
	const struct utw_level_rule *best = NULL;
	size_t i;

	for (i = 0; i < l->count; i++)
		if (rule_fits(&l->rules[i], space) && (!best || l->rules[i].length > best->length))
			best = &l->rules[i];
	return best ? best->level : l->otherwise;
}
