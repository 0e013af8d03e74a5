// SPDX-License-Identifier: GPL-2.0-only
/*
 * untwist_counts: where the modules count which of their lines and branches are
 * reached, when they are built for that (UNTWIST_COVERAGE=y).
 *
 * The compiler lays counters out in each module and calls a few functions about
 * them, which here take the place of the C library's. A module's counts are
 * kept when it goes, and added up when it comes again. All that was counted is
 * in debugfs, one file of gcov's (.gcda) after another, each behind a line with
 * its size and its name.
 *
 * There is no way to unload this: what was counted would go with it.
 */
#include <linux/debugfs.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "counts.h"

#if !defined(CONFIG_CONSTRUCTORS)
#error "this kernel does not call the functions that announce a module's counters"
#endif
#if GCC_VERSION < 120000 || GCC_VERSION >= 140000
#error "counters are laid out here as by GCC 12 and 13"
#endif

#define NR_KINDS     8 /* of counters; the first are those of branches */
#define MAGIC_COUNTS 0x67636461u /* "gcda" */
#define TAG_FUNCTION 0x01000000u
#define TAG_KIND(n)  (0x01a10000u + ((n) << 17))

/* What the compiler lays out; the names of the members are ours. */

struct gcov_counters {
	unsigned int nr;
	s64 *values;
};

struct gcov_function {
	const struct gcov_info *of;
	unsigned int ident;
	unsigned int line_checksum;
	unsigned int graph_checksum;
	struct gcov_counters kinds[];
};

struct gcov_info {
	unsigned int version;
	struct gcov_info *next;
	unsigned int stamp;
	unsigned int checksum;
	const char *filename;
	const void *merge[NR_KINDS]; /* not NULL for a kind that there is */
	unsigned int nr_functions;
	const struct gcov_function *const *functions;
};

/**
 * struct counts - what one object file counted so far
 * @node: in counts_all
 * @info: its live counters; NULL while its module is not loaded
 * @name: of the file for gcov
 * @words: that file
 * @nr: number of @words
 */
struct counts {
	struct list_head node;
	struct gcov_info *info;
	char *name;
	u32 *words;
	size_t nr;
};

static DEFINE_MUTEX(counts_lock);
static LIST_HEAD(counts_all);

/* Puts down one word, or only counts it. */
static void put(struct counts *counts, size_t *at, u32 word)
{
	if (counts->words)
		counts->words[*at] = word;
	++*at;
}

/* Takes the live counts away, and adds them to those in the file. */
static void put_values(struct counts *counts, size_t *at, const struct gcov_counters *kind)
{
	unsigned int i;

	for (i = 0; i < kind->nr; i++, *at += 2) {
		u64 sum;

		if (!counts->words)
			continue;
		sum = counts->words[*at] | (u64)counts->words[*at + 1] << 32;
		sum += xchg(&kind->values[i], 0);
		counts->words[*at] = lower_32_bits(sum);
		counts->words[*at + 1] = upper_32_bits(sum);
	}
}

static void put_function(struct counts *counts, size_t *at, const struct gcov_function *function)
{
	const struct gcov_counters *kind = function->kinds;
	unsigned int i;

	put(counts, at, TAG_FUNCTION);
	put(counts, at, 3 * sizeof(u32));
	put(counts, at, function->ident);
	put(counts, at, function->line_checksum);
	put(counts, at, function->graph_checksum);
	for (i = 0; i < NR_KINDS; i++) {
		if (!counts->info->merge[i])
			continue;
		put(counts, at, TAG_KIND(i));
		put(counts, at, kind->nr * sizeof(u64));
		put_values(counts, at, kind);
		kind++;
	}
}

/* Brings the file up to date; without one, says how many words it takes. */
static size_t counts_fold(struct counts *counts)
{
	const struct gcov_info *info = counts->info;
	size_t at = 0;
	unsigned int i;

	put(counts, &at, MAGIC_COUNTS);
	put(counts, &at, info->version);
	put(counts, &at, info->stamp);
	put(counts, &at, info->checksum);
	for (i = 0; i < info->nr_functions; i++)
		/* One that another object file defines, too, is counted there. */
		if (info->functions[i] && info->functions[i]->of == info)
			put_function(counts, &at, info->functions[i]);
	return at;
}

static struct counts *counts_find(const char *name)
{
	struct counts *counts;

	list_for_each_entry(counts, &counts_all, node)
		if (!strcmp(counts->name, name))
			return counts;
	return NULL;
}

static struct counts *counts_new(struct gcov_info *info)
{
	struct counts *counts = kzalloc(sizeof(*counts), GFP_KERNEL | __GFP_NOFAIL);

	counts->info = info;
	counts->name = kstrdup(info->filename, GFP_KERNEL | __GFP_NOFAIL);
	counts->nr = counts_fold(counts);
	counts->words = kvcalloc(counts->nr, sizeof(u32), GFP_KERNEL | __GFP_NOFAIL);
	list_add_tail(&counts->node, &counts_all);
	return counts;
}

/* What the compiler calls, under the names that it wants. */

void __gcov_init(struct gcov_info *info)
{
	struct counts *counts;

	mutex_lock(&counts_lock);
	counts = counts_find(info->filename);
	if (!counts)
		counts = counts_new(info);
	counts->info = info;
	mutex_unlock(&counts_lock);
}
EXPORT_SYMBOL_GPL(__gcov_init);

void __gcov_exit(void)
{
}
EXPORT_SYMBOL_GPL(__gcov_exit);

/* It stands for a kind of counters, and is never called. */
void __gcov_merge_add(s64 *values, unsigned int nr)
{
}
EXPORT_SYMBOL_GPL(__gcov_merge_add);

static int module_changes(struct notifier_block *nb, unsigned long state, void *data)
{
	const struct module *module = data;
	struct counts *counts;

	if (state != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	mutex_lock(&counts_lock);
	list_for_each_entry(counts, &counts_all, node) {
		if (!counts->info || !within_module((unsigned long)counts->info, module))
			continue;
		counts_fold(counts);
		counts->info = NULL;
	}
	mutex_unlock(&counts_lock);
	return NOTIFY_OK;
}

static struct notifier_block module_notifier = { .notifier_call = module_changes };

/* The file in debugfs. */

static void *counts_start(struct seq_file *m, loff_t *pos)
{
	mutex_lock(&counts_lock);
	return seq_list_start(&counts_all, *pos);
}

static void *counts_next(struct seq_file *m, void *v, loff_t *pos)
{
	return seq_list_next(v, &counts_all, pos);
}

static void counts_stop(struct seq_file *m, void *v)
{
	mutex_unlock(&counts_lock);
}

static int counts_show(struct seq_file *m, void *v)
{
	struct counts *counts = list_entry(v, struct counts, node);

	if (counts->info)
		counts_fold(counts);
	seq_printf(m, "%zu %s\n", counts->nr * sizeof(u32), counts->name);
	seq_write(m, counts->words, counts->nr * sizeof(u32));
	return 0;
}

static const struct seq_operations counts_sops = {
	.start = counts_start,
	.next = counts_next,
	.stop = counts_stop,
	.show = counts_show,
};
DEFINE_SEQ_ATTRIBUTE(counts);

static int __init counts_init(void)
{
	int ret = register_module_notifier(&module_notifier);

	if (!ret)
		debugfs_create_file("untwist_counts", 0400, NULL, NULL, &counts_fops);
	return ret;
}
module_init(counts_init);

MODULE_DESCRIPTION("Counts of the lines and branches that Untwist's modules reach");
MODULE_LICENSE("GPL");
