/* SPDX-License-Identifier: MIT */
/* Interrupts: see interrupts.h. */
#include "interrupts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Handlers stand at the end of a line, as "untwist_edu" or "ahci, untwist_edu". */
static bool names_handler(const char *line, const char *driver)
{
	size_t len = strlen(driver);

	for (const char *at = strstr(line, driver); at; at = strstr(at + 1, driver)) {
		if (at == line || !strchr(" \t,", at[-1]))
			continue;
		if (at[len] == '\0' || strchr(", \n", at[len]))
			return true;
	}
	return false;
}

/* " 25:   10    3   PCI-MSI ...": the numbers after the colon, one for each processor. */
static uint64_t sum_counts(const char *line)
{
	const char *at = strchr(line, ':');
	uint64_t sum = 0;
	char *end;

	if (!at)
		return 0;
	at++;
	for (;;) {
		unsigned long long count = strtoull(at, &end, 10);

		/* What follows the counts begins with a word, though it may hold numbers. */
		if (end == at || !strchr(" \t\n", *end))
			return sum;
		sum += count;
		at = end;
	}
}

int interrupts_read(const char *driver, uint64_t *ret)
{
	FILE *file = fopen("/proc/interrupts", "re");
	bool found = false;
	uint64_t sum = 0;
	char *line = NULL;
	size_t size = 0;

	if (!file)
		return -errno;
	while (getline(&line, &size, file) >= 0) {
		if (!names_handler(line, driver))
			continue;
		found = true;
		sum += sum_counts(line);
	}
	free(line);
	fclose(file);
	if (!found)
		return -ENOENT;
	*ret = sum;
	return 0;
}
