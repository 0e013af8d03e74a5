/* SPDX-License-Identifier: MIT */
/* The endpoint grammar: any text is read or refused, and any value can be quoted. */
#include <stdlib.h>
#include <string.h>

#include <untwist/endpoint.h>
#include <untwist/failure.h>

#include "base/contract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void read_as(enum utw_endpoint_role role, const char *text)
{
	struct utw_failure *why = NULL;
	struct utw_endpoint *e;

	if (utw_endpoint_parse(&e, role, text, NULL, &why)) {
		UTW_CONTRACT(strstr(utw_failure_message(why), "column "));
		utw_failure_unref(why);
		return;
	}
	UTW_CONTRACT(strcmp(utw_endpoint_text(e), text) == 0);
	utw_endpoint_free(e);
}

static void quote(const char *text)
{
	size_t size = 2 * strlen(text) + 1;
	char *quoted = malloc(size + 7);
	struct utw_endpoint *e;

	UTW_CONTRACT(quoted);
	memcpy(quoted, "device:", 7);
	UTW_CONTRACT(utw_endpoint_quote(text, quoted + 7, size) < size);
	UTW_CONTRACT(utw_endpoint_parse(&e, UTW_ENDPOINT_CLIENT, quoted, NULL, NULL) == 0);
	UTW_CONTRACT(strcmp(utw_endpoint_value(e, "path"), text) == 0);
	utw_endpoint_free(e);
	free(quoted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);

	UTW_CONTRACT(text);
	if (len)
		memcpy(text, data, len);
	text[len] = '\0';
	read_as(UTW_ENDPOINT_CLIENT, text);
	read_as(UTW_ENDPOINT_SERVER, text);
	quote(text);
	free(text);
	return 0;
}
