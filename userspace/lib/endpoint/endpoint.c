/* SPDX-License-Identifier: MIT */
/* Endpoint: see untwist/endpoint.h. */
#include <untwist/endpoint.h>

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <untwist/deferred.h>
#include <untwist/failure.h>

#include "arguments.h"
#include "endpoint-private.h"

struct utw_endpoint {
	const struct utw_endpoint_type *type;
	struct utw_arguments arguments;
	struct utw_resolver *resolver;
	char *text;
};

const struct utw_endpoint_type *const utw_endpoint_types[] = {
	&utw_endpoint_tcp_client,     &utw_endpoint_tcp_server,
	&utw_endpoint_tls_client,     &utw_endpoint_tls_server,
	&utw_endpoint_unix_client,    &utw_endpoint_unix_server,
	&utw_endpoint_udp_client,     &utw_endpoint_udp_server,
	&utw_endpoint_serial_client,  &utw_endpoint_serial_server,
	&utw_endpoint_device_client,  &utw_endpoint_device_server,
	&utw_endpoint_stdio_client,   &utw_endpoint_stdio_server,
	&utw_endpoint_process_client, &utw_endpoint_process_server,
	&utw_endpoint_fd_client,      &utw_endpoint_fd_server,
	&utw_endpoint_systemd_server, NULL,
};

static struct utw_failure *failure_at(const char *text, size_t column, const char *what)
{
	return utw_failure_from_errno(-EINVAL, "endpoint", "\"%s\", column %zu: %s", text, column,
				      what);
}

/* Which argument is the nth, from 0, with this key? After endpoint_name() every one has a key. */
static const struct utw_argument *argument_at(const struct utw_endpoint *e, const char *key,
					      size_t nth)
{
	for (size_t i = 1; i < e->arguments.count; i++) {
		const struct utw_argument *a = &e->arguments.list[i];

		if (a->key && strcmp(a->key, key) == 0 && nth-- == 0)
			return a;
	}
	return NULL;
}

static const struct utw_argument *argument_find(const struct utw_endpoint *e, const char *key)
{
	return argument_at(e, key, 0);
}

static const struct utw_endpoint_type *type_find(const struct utw_endpoint_type *const *types,
						 const char *name, enum utw_endpoint_role role)
{
	for (; types && *types; types++)
		if (strcmp((*types)->name, name) == 0 && (*types)->role == role)
			return *types;
	return NULL;
}

static const struct utw_endpoint_key *key_find(const struct utw_endpoint *e, const char *key)
{
	const struct utw_endpoint_key *k;

	for (k = e->type->keys; k->name; k++)
		if (strcmp(k->name, key) == 0)
			return k;
	return NULL;
}

/* Give each value alone the first key in order that values alone have not had, or that has many. */
static struct utw_failure *endpoint_name(struct utw_endpoint *e)
{
	const struct utw_endpoint_key *next = e->type->keys;

	for (size_t i = 1; i < e->arguments.count; i++) {
		struct utw_argument *a = &e->arguments.list[i];
		char what[128];

		if (a->key)
			continue;
		/* "stdio:" has no arguments, and not an empty one. */
		if (!*a->value && e->arguments.count == 2 && !next->name) {
			e->arguments.count = 1;
			break;
		}
		if (!next->name) {
			snprintf(what, sizeof(what), "%s takes no further argument", e->type->name);
			return failure_at(e->text, a->column, what);
		}
		a->key = next->name;
		next += !next->repeated;
	}
	return NULL;
}

static struct utw_failure *endpoint_check_keys(const struct utw_endpoint *e)
{
	const struct utw_endpoint_key *k;
	char what[128];

	for (size_t i = 1; i < e->arguments.count; i++) {
		const struct utw_argument *a = &e->arguments.list[i];

		k = key_find(e, a->key);
		snprintf(what, sizeof(what), "%s has no \"%s\"", e->type->name, a->key);
		if (!k)
			return failure_at(e->text, a->column, what);
		snprintf(what, sizeof(what), "\"%s\" is given twice", a->key);
		if (!k->repeated && argument_find(e, a->key) != a)
			return failure_at(e->text, a->column, what);
	}
	for (k = e->type->keys; k->name; k++) {
		snprintf(what, sizeof(what), "%s needs \"%s\"", e->type->name, k->name);
		if (k->required && !argument_find(e, k->name))
			return failure_at(e->text, strlen(e->text) + 1, what);
	}
	return NULL;
}

static struct utw_failure *endpoint_read(struct utw_endpoint *e, enum utw_endpoint_role role,
					 const struct utw_endpoint_type *const *more)
{
	const char *name = e->arguments.list[0].value;
	struct utw_failure *failure;
	char what[128];

	if (e->arguments.list[0].key)
		return failure_at(e->text, 1, "the type comes first");
	e->type = type_find(more, name, role);
	if (!e->type)
		e->type = type_find(utw_endpoint_types, name, role);
	if (!e->type) {
		snprintf(what, sizeof(what), "there is no type \"%.64s\" to %s", name,
			 role == UTW_ENDPOINT_CLIENT ? "connect to" : "listen at");
		return failure_at(e->text, 1, what);
	}
	failure = endpoint_name(e);
	if (!failure)
		failure = endpoint_check_keys(e);
	if (!failure && e->type->check)
		failure = e->type->check(e);
	return failure;
}

static int failure_give(struct utw_failure **why, struct utw_failure *failure)
{
	int error = -utw_failure_code(failure);

	if (why)
		*why = failure;
	else
		utw_failure_unref(failure);
	return error;
}

int utw_endpoint_parse(struct utw_endpoint **ret, enum utw_endpoint_role role, const char *text,
		       const struct utw_endpoint_type *const *more, struct utw_failure **why)
{
	struct utw_endpoint *e = calloc(1, sizeof(*e));
	struct utw_failure *failure = NULL;
	const char *what;
	size_t column;
	int error = -ENOMEM;

	if (e)
		e->text = strdup(text);
	if (e && e->text)
		error = utw_arguments_parse(&e->arguments, text, &what, &column);
	if (error == -EINVAL)
		failure = failure_at(text, column, what);
	else if (error)
		failure = utw_failure_from_errno(error, "endpoint", "\"%s\"", text);
	else
		failure = endpoint_read(e, role, more);
	if (failure) {
		utw_endpoint_free(e);
		return failure_give(why, failure);
	}
	*ret = e;
	return 0;
}

void utw_endpoint_free(struct utw_endpoint *e)
{
	if (!e)
		return;
	utw_arguments_release(&e->arguments);
	free(e->text);
	free(e);
}

const char *utw_endpoint_text(const struct utw_endpoint *e)
{
	return e->text;
}

const char *utw_endpoint_value(const struct utw_endpoint *e, const char *key)
{
	const struct utw_argument *a = argument_find(e, key);

	return a ? a->value : NULL;
}

const char *utw_endpoint_value_at(const struct utw_endpoint *e, const char *key, size_t nth)
{
	const struct utw_argument *a = argument_at(e, key, nth);

	return a ? a->value : NULL;
}

struct utw_failure *utw_endpoint_number(const struct utw_endpoint *e, const char *key, uint64_t max,
					uint64_t *ret)
{
	const char *value = utw_endpoint_value(e, key);
	uint64_t number = 0;
	const char *c;

	if (!value)
		return NULL;
	for (c = value; *c >= '0' && *c <= '9' && number <= max; c++) {
		uint64_t digit = (uint64_t)(*c - '0');

		if (number > (UINT64_MAX - digit) / 10)
			break;
		number = number * 10 + digit;
	}
	if (!*value || *c || number > max)
		return utw_endpoint_complain(e, key, "%s is not a number from 0 to %" PRIu64, key,
					     max);
	*ret = number;
	return NULL;
}

struct utw_failure *utw_endpoint_complain(const struct utw_endpoint *e, const char *key,
					  const char *fmt, ...)
{
	const struct utw_argument *a = key ? argument_find(e, key) : NULL;
	char what[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	return failure_at(e->text, a ? a->column : 1, what);
}

void utw_endpoint_set_resolver(struct utw_endpoint *e, struct utw_resolver *resolver)
{
	e->resolver = resolver;
}

struct utw_resolver *utw_endpoint_resolver(const struct utw_endpoint *e)
{
	return e->resolver;
}

size_t utw_endpoint_quote(const char *text, char *buf, size_t size)
{
	size_t len = 0;

	for (; *text; text++) {
		if (strchr(":\\=[", *text)) {
			if (len + 1 < size)
				buf[len] = '\\';
			len++;
		}
		if (len + 1 < size)
			buf[len] = *text;
		len++;
	}
	if (size)
		buf[len < size ? len : size - 1] = '\0';
	return len;
}

struct utw_deferred *utw_endpoint_connect(const struct utw_endpoint *e, struct utw_reactor *r,
					  struct utw_factory *f)
{
	if (!e->type->connect)
		return utw_deferred_fail(
			utw_failure_from_errno(-EOPNOTSUPP, "connect", "%s", e->text));
	return e->type->connect(e, r, f);
}

int utw_endpoint_listen(struct utw_port **ret, const struct utw_endpoint *e, struct utw_reactor *r,
			struct utw_factory *f, struct utw_failure **why)
{
	struct utw_failure *story = NULL;
	int error = e->type->listen ? e->type->listen(ret, e, r, f, &story) : -EOPNOTSUPP;

	if (error)
		failure_give(why,
			     utw_failure_new(&utw_domain_errno, -error, "listen", story, "%s",
					     e->text));
	return error;
}

void utw_port_close(struct utw_port *p)
{
	if (p)
		p->ops->close(p);
}

const char *utw_port_name(const struct utw_port *p)
{
	return p->ops->name(p);
}
