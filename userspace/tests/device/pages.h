/* SPDX-License-Identifier: MIT */
/*
 * pages.c: memory that does not do what memory usually does. With an edge: the
 * bytes before it can be used, those from there on fault. Slow: its first use
 * waits.
 */
#ifndef PAGES_H
#define PAGES_H

#include <stddef.h>

/* Two pages, the second of them not accessible; returns the edge between them. */
unsigned char *pages_with_edge(void);

/* From now on, what is behind the edge can be used as well. */
void pages_open(unsigned char *edge);

/* Zero bytes that can be read and not written, a page of them. */
void *pages_read_only(void);

/* A page whose first use, by a program or by the kernel for it, waits for pages_go_on(). */
struct slow_page {
	void *memory;
	int uffd;
};

/* Leaves the test out where the kernel has no userfaultfd. */
struct slow_page pages_slow(void);
void pages_go_on(const struct slow_page *slow);

size_t page_size(void);

#endif /* PAGES_H */
