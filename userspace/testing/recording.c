/* SPDX-License-Identifier: MIT */
/* Recording: see untwist/testing/recording.h. */
#include <untwist/testing/recording.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <untwist/reactor.h>

static void recorder_write(struct utw_recorder *r, uint64_t time, char kind, const uint8_t *bytes,
			   size_t len)
{
	fprintf(r->file, "%" PRIu64 " %c", time - r->begun, kind);
	if (len)
		fputc(' ', r->file);
	for (size_t i = 0; i < len; i++)
		fprintf(r->file, "%02x", bytes[i]);
	/* A recording is worth the more the worse it ended: so each line is written at once. */
	if (fputc('\n', r->file) == EOF || fflush(r->file))
		r->error = -errno;
}

static void recorder_told(const struct utw_traffic *traffic, void *data)
{
	struct utw_recorder *r = data;

	if (traffic->connection != 1)
		return;
	switch (traffic->event) {
	case UTW_TRAFFIC_MADE:
		r->begun = traffic->time;
		fprintf(r->file, "# %s\n", traffic->name);
		break;
	case UTW_TRAFFIC_READ:
		recorder_write(r, traffic->time, '<', traffic->bytes, traffic->len);
		break;
	case UTW_TRAFFIC_WRITTEN:
		recorder_write(r, traffic->time, '>', traffic->bytes, traffic->len);
		break;
	case UTW_TRAFFIC_LOST:
		fprintf(r->file, "# %.*s\n", (int)traffic->len, (const char *)traffic->bytes);
		recorder_write(r, traffic->time, 'x', NULL, 0);
		break;
	}
}

void utw_recorder_init(struct utw_recorder *r, struct utw_factory *inner, FILE *file)
{
	utw_traffic_policy_init(&r->traffic, inner, recorder_told, r);
	r->file = file;
	r->error = 0;
	r->begun = 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes of a line into p->bytes, which has room for them. False: no hexadecimal. */
static bool player_bytes(struct utw_player *p, const char *hex)
{
	size_t i;

	for (i = 0; hex[i] && hex[i] != '\n'; i += 2) {
		int high = hex_digit(hex[i]), low = hex_digit(hex[i + 1]);

		if (high < 0 || low < 0)
			return false;
		p->bytes[i / 2] = (uint8_t)(high << 4 | low);
	}
	p->len = i / 2;
	return true;
}

static int player_parse(struct utw_player *p, const char *line)
{
	char *at;

	errno = 0;
	p->due = strtoull(line, &at, 10);
	if (errno || at == line || *at != ' ' || !strchr("<>x", at[1]) || !at[1])
		return -EBADMSG;
	p->kind = (unsigned char)at[1];
	at += 2;
	free(p->bytes);
	p->bytes = malloc(strlen(at) / 2 + 1);
	if (!p->bytes)
		return -ENOMEM;
	return player_bytes(p, at + (*at == ' ')) ? 0 : -EBADMSG;
}

/* Read the next event. 0 at the end; otherwise it is there, or -errno. */
static int player_next(struct utw_player *p)
{
	char *line = NULL;
	size_t size = 0;
	int result = 0;

	while (!result && getline(&line, &size, p->file) > 0) {
		p->line++;
		if (*line == '#' || *line == '\n')
			continue;
		result = player_parse(p, line);
		result = result ? result : 1;
	}
	free(line);
	return result;
}

static void player_wait(struct utw_player *p);

static void player_play(struct utw_player *p)
{
	if (p->kind == '<')
		p->error = utw_double_feed(&p->shown, p->bytes, p->len);
	else if (p->kind == 'x')
		utw_double_end(&p->shown);
}

static void player_due(struct utw_timer *timer)
{
	struct utw_player *p = utw_container_of(timer, struct utw_player, timer);

	player_play(p);
	player_wait(p);
}

/* Read on, and wait until that is due. */
static void player_wait(struct utw_player *p)
{
	uint64_t now = utw_reactor_now(p->reactor);
	int next = p->error ? p->error : player_next(p);

	if (next <= 0) {
		p->error = next;
		p->done = true;
		return;
	}
	p->error =
		utw_timer_start(&p->timer, p->reactor,
				p->fast || p->begun + p->due <= now ? 0 : p->begun + p->due - now);
	p->done = p->error;
}

int utw_player_open(struct utw_player *p, struct utw_reactor *r, enum utw_double_kind kind,
		    FILE *file, struct utw_protocol *protocol)
{
	int error;

	memset(p, 0, sizeof(*p));
	p->file = file;
	p->reactor = r;
	p->begun = utw_reactor_now(r);
	utw_timer_init(&p->timer, player_due);
	error = utw_double_open(&p->shown, r, kind, protocol);
	if (!error)
		player_wait(p);
	return error;
}

void utw_player_hurry(struct utw_player *p)
{
	p->fast = true;
	if (utw_timer_active(&p->timer))
		utw_timer_reset(&p->timer, 0);
}

void utw_player_release(struct utw_player *p)
{
	utw_timer_cancel(&p->timer);
	utw_double_release(&p->shown);
	free(p->bytes);
	p->bytes = NULL;
}
