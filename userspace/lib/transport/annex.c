/* SPDX-License-Identifier: MIT */
/*
 * The annex of a transport: what few connections need, so that the others do not pay
 * for it; and the name and addresses, which are mostly asked for when all is over.
 */
#include "transport-private.h"

#include <stdlib.h>
#include <string.h>

const struct utw_transport_annex utw_annex_of_most = {
	.low = UTW_LOW_MARK,
	.high = UTW_HIGH_MARK,
	.cap = UTW_CAP,
	.out = { .watch = { .fd = -1 } },
};

struct utw_transport_annex *utw_annex_make(struct utw_transport *t)
{
	struct utw_transport_annex *annex = t->annex;

	if (annex)
		return annex;
	annex = malloc(sizeof(*annex));
	if (!annex)
		return NULL;
	*annex = utw_annex_of_most;
	annex->transport = t;
	utw_transport_annex_init(annex);
	t->annex = annex;
	return annex;
}

void utw_annex_free(struct utw_transport *t)
{
	if (!t->annex)
		return;
	free(t->annex->name);
	free(t->annex->addresses);
	free(t->annex);
	t->annex = NULL;
}

void utw_annex_describe(struct utw_transport *t)
{
	char name[UTW_ADDRESS_TEXT + 8] = "";
	struct utw_ends_addresses *ends;

	if (!t->carrier->describe || utw_annex(t)->name || !utw_annex_make(t))
		return;
	ends = calloc(1, sizeof(*ends));
	if (!ends)
		return;
	t->carrier->describe(t, name, sizeof(name), ends);
	t->annex->name = strdup(name);
	if (t->annex->name)
		t->annex->addresses = ends;
	else
		free(ends);
}
