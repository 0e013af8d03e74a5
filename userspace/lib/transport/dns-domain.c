/* SPDX-License-Identifier: MIT */
/* The failures of resolvers, whichever of them the library was built with. */
#include <untwist/dns.h>

#include <untwist/failure.h>

static const char *dns_describe(int code)
{
	switch ((enum utw_dns_error)code) {
	case UTW_DNS_NO_NAME:
		return "no such name";
	case UTW_DNS_NO_DATA:
		return "no such record";
	case UTW_DNS_BAD_NAME:
		return "not a name";
	case UTW_DNS_TIMEOUT:
		return "no answer";
	case UTW_DNS_REFUSED:
		return "refused by the server";
	case UTW_DNS_FAILED:
		return "no server could answer";
	}
	return "unknown";
}

const struct utw_domain utw_domain_dns = { .name = "dns", .describe = dns_describe };
