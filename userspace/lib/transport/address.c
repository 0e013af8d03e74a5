/* SPDX-License-Identifier: MIT */
/* Address: see untwist/address.h. */
#include <untwist/address.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static int parse_port(const char *text, in_port_t *ret)
{
	unsigned long port;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	port = strtoul(text, &end, 10);
	if (errno || *end || port > 65535)
		return -EINVAL;
	*ret = htons((in_port_t)port);
	return 0;
}

static int parse_v4(struct utw_address *a, const char *host, in_port_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = port };

	if (!*host || !strcmp(host, "*"))
		sin.sin_addr.s_addr = htonl(INADDR_ANY);
	else if (!strcmp(host, "localhost"))
		sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (inet_pton(AF_INET, host, &sin.sin_addr) != 1)
		return -EINVAL;
	a->length = sizeof(sin);
	memcpy(&a->storage, &sin, sizeof(sin));
	return 0;
}

static int parse_v6(struct utw_address *a, const char *host, in_port_t port)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = port };

	if (inet_pton(AF_INET6, host, &sin6.sin6_addr) != 1)
		return -EINVAL;
	a->length = sizeof(sin6);
	memcpy(&a->storage, &sin6, sizeof(sin6));
	return 0;
}

int utw_address_unix(struct utw_address *ret, const char *path)
{
	struct utw_address a = { .length = 0 };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	bool abstract = path[0] == '@';

	if (!len || (abstract && len == 1))
		return -EINVAL;
	/* A path needs its NUL; an abstract name has one in front instead. */
	if (len + !abstract > sizeof(un.sun_path))
		return -ENAMETOOLONG;
	memcpy(un.sun_path, path, len);
	if (abstract)
		un.sun_path[0] = '\0';
	a.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + !abstract);
	memcpy(&a.storage, &un, sizeof(un));
	*ret = a;
	return 0;
}

int utw_address_parse(struct utw_address *ret, const char *text)
{
	struct utw_address a = { .length = 0 };
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2];
	size_t len;
	in_port_t port;
	int error;

	if (!strncmp(text, "unix:", 5))
		return utw_address_unix(ret, text + 5);
	if (!colon || (size_t)(colon - text) >= sizeof(host) || parse_port(colon + 1, &port))
		return -EINVAL;
	len = (size_t)(colon - text);
	memcpy(host, text, len);
	host[len] = '\0';
	if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		error = parse_v6(&a, host + 1, port);
	} else {
		error = parse_v4(&a, host, port);
	}
	if (!error)
		*ret = a;
	return error;
}

static int format_v4(const struct utw_address *a, char *buf, size_t size)
{
	struct sockaddr_in sin;
	char host[INET_ADDRSTRLEN];

	memcpy(&sin, &a->storage, sizeof(sin));
	inet_ntop(AF_INET, &sin.sin_addr, host, sizeof(host));
	return snprintf(buf, size, "%s:%u", host, ntohs(sin.sin_port));
}

static int format_v6(const struct utw_address *a, char *buf, size_t size)
{
	struct sockaddr_in6 sin6;
	char host[INET6_ADDRSTRLEN];

	memcpy(&sin6, &a->storage, sizeof(sin6));
	inet_ntop(AF_INET6, &sin6.sin6_addr, host, sizeof(host));
	return snprintf(buf, size, "[%s]:%u", host, ntohs(sin6.sin6_port));
}

/* Bytes that text cannot carry are shown as '?'. */
static int format_unix(const struct utw_address *a, char *buf, size_t size)
{
	const char *from = ((const struct sockaddr_un *)&a->storage)->sun_path;
	size_t len = a->length - offsetof(struct sockaddr_un, sun_path);
	char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];

	if (a->length <= sizeof(sa_family_t))
		return snprintf(buf, size, "unix");
	if (from[0])
		len = strnlen(from, len);
	for (size_t i = 0; i < len; i++)
		path[i] = iscntrl((unsigned char)from[i]) ? (char)'?' : from[i];
	if (!from[0])
		path[0] = '@';
	path[len] = '\0';
	return snprintf(buf, size, "unix:%s", path);
}

int utw_address_format(const struct utw_address *a, char *buf, size_t size)
{
	if (!a->length)
		return snprintf(buf, size, "none");
	switch (a->storage.ss_family) {
	case AF_INET:
		return format_v4(a, buf, size);
	case AF_INET6:
		return format_v6(a, buf, size);
	case AF_UNIX:
		return format_unix(a, buf, size);
	}
	return snprintf(buf, size, "family %d", a->storage.ss_family);
}

unsigned int utw_address_port(const struct utw_address *a)
{
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;

	if (!a->length)
		return 0;
	switch (a->storage.ss_family) {
	case AF_INET:
		memcpy(&sin, &a->storage, sizeof(sin));
		return ntohs(sin.sin_port);
	case AF_INET6:
		memcpy(&sin6, &a->storage, sizeof(sin6));
		return ntohs(sin6.sin6_port);
	}
	return 0;
}

bool utw_address_equal(const struct utw_address *a, const struct utw_address *b)
{
	return a->length == b->length && !memcmp(&a->storage, &b->storage, a->length);
}
