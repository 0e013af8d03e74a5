/* SPDX-License-Identifier: MIT */
/* The PROXY header: what is whole was not whole a byte before, and says the same with more behind. */
#include <errno.h>
#include <string.h>

#include <untwist/proxy.h>

#include "base/contract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct utw_proxy_header whole, part;
	const char *why = NULL;
	int result = utw_proxy_parse(&whole, data, len, &why);

	UTW_CONTRACT(result == -EBADMSG ? why != NULL : result == 0 || result == 1);
	if (result != 1)
		return 0;
	UTW_CONTRACT(whole.len <= len && whole.len <= UTW_PROXY_MAX);
	UTW_CONTRACT(utw_proxy_parse(&part, data, whole.len - 1, &why) == 0);
	UTW_CONTRACT(utw_proxy_parse(&part, data, whole.len, &why) == 1);
	UTW_CONTRACT(memcmp(&whole, &part, sizeof(whole)) == 0);
	return 0;
}
