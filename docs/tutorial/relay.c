// SPDX-License-Identifier: MIT
/* Steps 8 to 12: see relay.h. */
#include "relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct relay_client {
	struct utw_line line;
	struct relay *relay;
	struct relay_client *next;
	struct relay_client **place;
	unsigned int missed; /* lines that it was too slow for */
	bool slow;
};

/* What is said now is of no use later: a slow client misses it, and is told so. */
static void client_tell(struct relay_client *c, const char *text)
{
	if (c->slow)
		c->missed++;
	else if (utw_line_send(&c->line, text, strlen(text)) == UTW_WRITE_OVER)
		c->slow = true;
}

static void client_resume(struct utw_line *l)
{
	struct relay_client *c = utw_container_of(l, struct relay_client, line);
	char text[64];

	c->slow = false;
	if (!c->missed)
		return;
	snprintf(text, sizeof(text), "(%u lines missed)", c->missed);
	c->missed = 0;
	client_tell(c, text);
}

static void client_line(struct utw_line *l, const char *line, size_t len)
{
	struct relay_client *c = utw_container_of(l, struct relay_client, line);
	char text[64];

	if (len == 4 && memcmp(line, "last", 4) == 0) {
		client_tell(c, c->relay->last);
	} else if (len == 7 && memcmp(line, "clients", 7) == 0) {
		snprintf(text, sizeof(text), "%u clients", c->relay->count);
		client_tell(c, text);
	} else {
		client_tell(c, "say \"last\" or \"clients\"");
	}
}

static void client_made(struct utw_line *l)
{
	struct relay_client *c = utw_container_of(l, struct relay_client, line);

	c->next = c->relay->first;
	c->place = &c->relay->first;
	if (c->next)
		c->next->place = &c->next;
	c->relay->first = c;
	c->relay->count++;
}

/* Lost may come without made before it. */
static void client_lost(struct utw_line *l, struct utw_failure *reason)
{
	struct relay_client *c = utw_container_of(l, struct relay_client, line);

	(void)reason;
	if (c->place) {
		*c->place = c->next;
		if (c->next)
			c->next->place = c->place;
		c->relay->count--;
	}
	free(c);
}

static const struct utw_line_ops client_ops = {
	.made = client_made, .line = client_line, .resume = client_resume, .lost = client_lost
};

static struct utw_protocol *client_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct relay_client *c = calloc(1, sizeof(*c));

	(void)peer;
	if (!c)
		return NULL;
	c->relay = utw_container_of(f, struct relay, clients);
	utw_line_init(&c->line, &client_ops);
	utw_line_set_delimiter(&c->line, "\n", 1);
	utw_line_set_max(&c->line, RELAY_LINE);
	return &c->line.protocol;
}

static const struct utw_factory_ops client_factory_ops = { .build = client_build };

static void source_line(struct utw_line *l, const char *line, size_t len)
{
	struct relay *relay = utw_container_of(l, struct relay, source);

	snprintf(relay->last, sizeof(relay->last), "%.*s", (int)len, line);
	for (struct relay_client *c = relay->first; c; c = c->next)
		client_tell(c, relay->last);
}

static void source_lost(struct utw_line *l, struct utw_failure *reason)
{
	(void)reason;
	utw_container_of(l, struct relay, source)->source_lost = true;
}

static const struct utw_line_ops source_ops = { .line = source_line, .lost = source_lost };

static struct utw_protocol *source_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct relay *relay = utw_container_of(f, struct relay, sources);

	(void)peer;
	if (!relay->source_lost)
		return NULL;
	relay->source_lost = false;
	utw_line_init(&relay->source, &source_ops);
	utw_line_set_delimiter(&relay->source, "\n", 1);
	utw_line_set_max(&relay->source, RELAY_LINE);
	return &relay->source.protocol;
}

static const struct utw_factory_ops source_factory_ops = { .build = source_build };

void relay_init(struct relay *relay)
{
	memset(relay, 0, sizeof(*relay));
	utw_factory_init(&relay->sources, &source_factory_ops);
	utw_factory_init(&relay->clients, &client_factory_ops);
	relay->source_lost = true;
}

void relay_end(struct relay *relay)
{
	utw_transport_close(relay->source.protocol.transport, UTW_CLOSE_ABORT, 0);
	for (struct relay_client *c = relay->first; c; c = c->next)
		utw_transport_close(c->line.protocol.transport, UTW_CLOSE_ABORT, 0);
}
