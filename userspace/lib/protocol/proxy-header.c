/* SPDX-License-Identifier: MIT */
/* The header of the PROXY protocol, without any connection: see untwist/proxy.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <untwist/proxy.h>

/* Longest line of version 1, with its end. */
#define LINE_MAX_V1 107

#define FIXED_V2 16

static const uint8_t signature_v2[12] = "\r\n\r\n\0\r\nQUIT\n";

static int header_bad(const char **why, const char *what)
{
	*why = what;
	return -EBADMSG;
}

static bool port_parse(const char *text, in_port_t *ret)
{
	unsigned int port = 0;
	size_t i;

	for (i = 0; text[i] >= '0' && text[i] <= '9' && i < 5; i++)
		port = port * 10 + (unsigned int)(text[i] - '0');
	if (!i || text[i] || port > UINT16_MAX || (i > 1 && text[0] == '0'))
		return false;
	*ret = htons((in_port_t)port);
	return true;
}

static bool address_parse(int family, const char *host, const char *port, struct utw_address *ret)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&ret->storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ret->storage;

	memset(ret, 0, sizeof(*ret));
	ret->storage.ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		ret->length = sizeof(*in);
		return inet_pton(family, host, &in->sin_addr) == 1 &&
			port_parse(port, &in->sin_port);
	}
	ret->length = sizeof(*in6);
	return inet_pton(family, host, &in6->sin6_addr) == 1 && port_parse(port, &in6->sin6_port);
}

/* "TCP4 FROM TO PORT PORT" or "UNKNOWN...", one blank between each two. */
static int line_parse(struct utw_proxy_header *ret, char *line, const char **why)
{
	char *word[5];
	int family;

	if (strncmp(line, "UNKNOWN", 7) == 0 && (!line[7] || line[7] == ' '))
		return 1;
	for (int i = 0; i < 5; i++) {
		word[i] = line;
		if (i < 4) {
			line = strchr(line, ' ');
			if (!line)
				return header_bad(why, "a line with too few words");
			*line++ = '\0';
		}
	}
	if (strcmp(word[0], "TCP4") != 0 && strcmp(word[0], "TCP6") != 0)
		return header_bad(why, "a line about neither TCP4 nor TCP6");
	family = word[0][3] == '4' ? AF_INET : AF_INET6;
	ret->known = true;
	if (!address_parse(family, word[1], word[3], &ret->peer) ||
	    !address_parse(family, word[2], word[4], &ret->host))
		return header_bad(why, "a line with a wrong address or port");
	return 1;
}

static int parse_v1(struct utw_proxy_header *ret, const uint8_t *data, size_t len, const char **why)
{
	size_t seen = len < LINE_MAX_V1 ? len : LINE_MAX_V1;
	const uint8_t *end = memchr(data, '\n', seen);
	char line[LINE_MAX_V1];
	size_t line_len;

	if (!end)
		return len < LINE_MAX_V1 ? 0 : header_bad(why, "a line that is too long");
	line_len = (size_t)(end - data);
	if (end[-1] != '\r' || memchr(data, '\0', line_len))
		return header_bad(why, "a line that does not end in CR LF");
	ret->len = line_len + 1;
	/* Without "PROXY " and CR. */
	memcpy(line, data + 6, line_len - 7);
	line[line_len - 7] = '\0';
	return line_parse(ret, line, why);
}

static void address_take(struct utw_address *ret, int family, const uint8_t *host,
			 const uint8_t *port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&ret->storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ret->storage;

	memset(ret, 0, sizeof(*ret));
	ret->storage.ss_family = (sa_family_t)family;
	ret->length = family == AF_INET ? sizeof(*in) : sizeof(*in6);
	if (family == AF_INET) {
		memcpy(&in->sin_addr, host, 4);
		memcpy(&in->sin_port, port, 2);
	} else {
		memcpy(&in6->sin6_addr, host, 16);
		memcpy(&in6->sin6_port, port, 2);
	}
}

/* What follows the fixed part; other families than IP say nothing that we can use. */
static int addresses_v2(struct utw_proxy_header *ret, uint8_t family, const uint8_t *data,
			size_t len, const char **why)
{
	size_t size = family == 1 ? 4 : 16;

	if (family != 1 && family != 2)
		return family <= 3 ? 1 : header_bad(why, "an unknown family");
	if (len < 2 * size + 4)
		return header_bad(why, "less than its addresses need");
	ret->known = true;
	address_take(&ret->peer, family == 1 ? AF_INET : AF_INET6, data, data + 2 * size);
	address_take(&ret->host, family == 1 ? AF_INET : AF_INET6, data + size,
		     data + 2 * size + 2);
	return 1;
}

static int parse_v2(struct utw_proxy_header *ret, const uint8_t *data, size_t len, const char **why)
{
	size_t rest;

	if (len < FIXED_V2)
		return 0;
	if (data[12] >> 4 != 2)
		return header_bad(why, "an unknown version");
	if ((data[12] & 15) > 1)
		return header_bad(why, "an unknown command");
	rest = (size_t)data[14] << 8 | data[15];
	if (FIXED_V2 + rest > UTW_PROXY_MAX)
		return header_bad(why, "a header that is too long");
	if (len < FIXED_V2 + rest)
		return 0;
	ret->len = FIXED_V2 + rest;
	/* LOCAL: the proxy itself, to see whether we live. */
	if ((data[12] & 15) == 0)
		return 1;
	return addresses_v2(ret, data[13] >> 4, data + FIXED_V2, rest, why);
}

int utw_proxy_parse(struct utw_proxy_header *ret, const void *data, size_t len, const char **why)
{
	const size_t v1 = 6, v2 = sizeof(signature_v2);

	memset(ret, 0, sizeof(*ret));
	/* Refused at the first byte that is neither's. */
	if (memcmp(data, "PROXY ", len < v1 ? len : v1) == 0)
		return len < v1 ? 0 : parse_v1(ret, data, len, why);
	if (memcmp(data, signature_v2, len < v2 ? len : v2) == 0)
		return len < v2 ? 0 : parse_v2(ret, data, len, why);
	return header_bad(why, "no header");
}
