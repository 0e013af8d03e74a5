/* SPDX-License-Identifier: MIT */
/* What TLS connections share: certificates, trust, what they agree to: see untwist/tls.h. */
#include <untwist/tls.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <untwist/failure.h>

#include "tls-private.h"

#define FLAGS_KNOWN                                                                \
	(UTW_TLS_UNVERIFIED | UTW_TLS_ASK_CERTIFICATE | UTW_TLS_NEED_CERTIFICATE | \
	 UTW_TLS_1_3_ONLY | UTW_TLS_NO_RESUMPTION)

struct utw_tls_memory {
	struct {
		char *host;
		SSL_SESSION *session;
	} known[UTW_TLS_SESSIONS];
	unsigned int next; /* to be forgotten when all are in use */
};

static const char *tls_describe(int code)
{
	switch ((enum utw_tls_error)code) {
	case UTW_TLS_SETUP:
		return "cannot be used";
	case UTW_TLS_PROTOCOL:
		return "no agreement";
	case UTW_TLS_CERTIFICATE:
		return "certificate not trusted";
	case UTW_TLS_CLOSED:
		return "closed during the handshake";
	case UTW_TLS_CLEAR_DATA:
		return "data in clear before the handshake";
	}
	return "unknown";
}

const struct utw_domain utw_domain_tls = { .name = "tls", .describe = tls_describe };

struct utw_failure *utw_tls_failure(int code, const char *operation, const char *what)
{
	unsigned long error = ERR_peek_last_error();
	const char *reason = error ? ERR_reason_error_string(error) : NULL;

	ERR_clear_error();
	return utw_failure_new(&utw_domain_tls, code, operation, NULL, "%s%s%s", what,
			       reason ? ": " : "", reason ? reason : "");
}

static int setup_failed(struct utw_failure **why, const char *operation, const char *what)
{
	unsigned long error = ERR_peek_error();
	int result = -EINVAL;

	if (ERR_GET_LIB(error) == ERR_LIB_SYS)
		result = -ERR_GET_REASON(error);
	if (why)
		*why = utw_tls_failure(UTW_TLS_SETUP, operation, what);
	ERR_clear_error();
	return result;
}

static void key_logged(const SSL *ssl, const char *line)
{
	struct utw_tls_context *c = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	fprintf(c->key_log, "%s\n", line);
	fflush(c->key_log);
}

static int context_key_log(struct utw_tls_context *c, const char *path, struct utw_failure **why)
{
	int error;

	if (!path)
		return 0;
	c->key_log = fopen(path, "ae");
	if (!c->key_log) {
		error = -errno;
		if (why)
			*why = utw_failure_from_errno(error, "key log", "%s", path);
		return error;
	}
	SSL_CTX_set_keylog_callback(c->ssl, key_logged);
	return 0;
}

/* The server's order decides. */
static int alpn_chosen(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		       const unsigned char *in, unsigned int in_len, void *data)
{
	struct utw_tls_context *c = data;

	(void)ssl;
	if (SSL_select_next_proto((unsigned char **)out, out_len, c->alpn, c->alpn_len, in,
				  in_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	return SSL_TLSEXT_ERR_OK;
}

static size_t alpn_length(const char *const *names)
{
	size_t total = 0;

	for (; *names; names++) {
		size_t len = strlen(*names);

		if (!len || len > 255)
			return 0;
		total += len + 1;
	}
	return total;
}

static int context_alpn(struct utw_tls_context *c, const char *const *names,
			struct utw_failure **why)
{
	size_t total;
	unsigned char *to;

	if (!names)
		return 0;
	total = alpn_length(names);
	if (!total)
		return setup_failed(why, "alpn", "each name has 1 to 255 bytes");
	c->alpn = malloc(total);
	if (!c->alpn)
		return -ENOMEM;
	c->alpn_len = (unsigned int)total;
	to = c->alpn;
	for (; *names; names++) {
		*to++ = (unsigned char)strlen(*names);
		memcpy(to, *names, strlen(*names));
		to += strlen(*names);
	}
	if (c->role == UTW_TLS_SERVER)
		SSL_CTX_set_alpn_select_cb(c->ssl, alpn_chosen, c);
	else if (SSL_CTX_set_alpn_protos(c->ssl, c->alpn, c->alpn_len))
		return -ENOMEM;
	return 0;
}

static int context_files(struct utw_tls_context *c, const struct utw_tls_options *o,
			 struct utw_failure **why)
{
	const char *key = o->key ? o->key : o->certificate;

	if (o->trust ? !SSL_CTX_load_verify_file(c->ssl, o->trust)
		     : !SSL_CTX_set_default_verify_paths(c->ssl))
		return setup_failed(why, "trust", o->trust ? o->trust : "the system's");
	if (!o->certificate && c->role == UTW_TLS_SERVER)
		return setup_failed(why, "certificate", "a server needs one");
	if (!o->certificate)
		return 0;
	if (SSL_CTX_use_certificate_chain_file(c->ssl, o->certificate) != 1)
		return setup_failed(why, "certificate", o->certificate);
	if (SSL_CTX_use_PrivateKey_file(c->ssl, key, SSL_FILETYPE_PEM) != 1)
		return setup_failed(why, "key", key);
	return 0;
}

static void context_verify(struct utw_tls_context *c)
{
	int mode = SSL_VERIFY_NONE;

	if (c->role == UTW_TLS_CLIENT && !(c->flags & UTW_TLS_UNVERIFIED))
		mode = SSL_VERIFY_PEER;
	if (c->role == UTW_TLS_SERVER && (c->flags & UTW_TLS_ASK_CERTIFICATE))
		mode = SSL_VERIFY_PEER;
	if (c->role == UTW_TLS_SERVER && (c->flags & UTW_TLS_NEED_CERTIFICATE))
		mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	SSL_CTX_set_verify(c->ssl, mode, NULL);
}

/* The slot of a name: its own, an empty one, or the oldest. */
static unsigned int memory_slot(struct utw_tls_memory *m, const char *host)
{
	for (unsigned int i = 0; i < UTW_TLS_SESSIONS; i++)
		if (!m->known[i].host || !strcmp(m->known[i].host, host))
			return i;
	m->next = (m->next + 1) % UTW_TLS_SESSIONS;
	return m->next;
}

/* Returns 1 when it has kept the session. */
static int session_came(SSL *ssl, SSL_SESSION *session)
{
	struct utw_tls_context *c = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	const struct utw_tls_layer *l = SSL_get_app_data(ssl);
	unsigned int slot;
	char *host;

	if (!l->host)
		return 0;
	host = strdup(l->host);
	if (!host)
		return 0;
	slot = memory_slot(c->memory, host);
	free(c->memory->known[slot].host);
	SSL_SESSION_free(c->memory->known[slot].session);
	c->memory->known[slot].host = host;
	c->memory->known[slot].session = session;
	return 1;
}

SSL_SESSION *utw_tls_session_find(const struct utw_tls_context *c, const char *host)
{
	if (!c->memory || !host)
		return NULL;
	for (unsigned int i = 0; i < UTW_TLS_SESSIONS && c->memory->known[i].host; i++)
		if (!strcmp(c->memory->known[i].host, host))
			return c->memory->known[i].session;
	return NULL;
}

static void memory_free(struct utw_tls_memory *m)
{
	for (unsigned int i = 0; m && i < UTW_TLS_SESSIONS; i++) {
		free(m->known[i].host);
		SSL_SESSION_free(m->known[i].session);
	}
	free(m);
}

static int context_sessions(struct utw_tls_context *c)
{
	static const unsigned char name[] = "untwist";

	if (c->flags & UTW_TLS_NO_RESUMPTION) {
		SSL_CTX_set_session_cache_mode(c->ssl, SSL_SESS_CACHE_OFF);
		SSL_CTX_set_options(c->ssl, SSL_OP_NO_TICKET);
		SSL_CTX_set_num_tickets(c->ssl, 0);
		return 0;
	}
	/* Without a name, sessions of clients with certificates are not taken up again. */
	SSL_CTX_set_session_id_context(c->ssl, name, sizeof(name) - 1);
	if (c->role == UTW_TLS_SERVER)
		return 0;
	c->memory = calloc(1, sizeof(*c->memory));
	if (!c->memory)
		return -ENOMEM;
	SSL_CTX_set_session_cache_mode(c->ssl,
				       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
	SSL_CTX_sess_set_new_cb(c->ssl, session_came);
	return 0;
}

static int context_set_up(struct utw_tls_context *c, const struct utw_tls_options *o,
			  struct utw_failure **why)
{
	int error;

	SSL_CTX_set_app_data(c->ssl, c);
	SSL_CTX_set_min_proto_version(c->ssl,
				      c->flags & UTW_TLS_1_3_ONLY ? TLS1_3_VERSION
								  : TLS1_2_VERSION);
	SSL_CTX_set_options(c->ssl, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(c->ssl,
			 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				 SSL_MODE_RELEASE_BUFFERS);
	context_verify(c);
	error = context_files(c, o, why);
	if (!error)
		error = context_alpn(c, o->alpn, why);
	if (!error)
		error = context_key_log(c, o->key_log, why);
	return error ? error : context_sessions(c);
}

int utw_tls_context_new(struct utw_tls_context **ret, enum utw_tls_role role,
			const struct utw_tls_options *options, struct utw_failure **why)
{
	static const struct utw_tls_options defaults = { .flags = 0 };
	const struct utw_tls_options *o = options ? options : &defaults;
	struct utw_tls_context *c;
	int error;

	ERR_clear_error();
	if (why)
		*why = NULL;
	if (o->flags & ~(unsigned int)FLAGS_KNOWN)
		return setup_failed(why, "flags", "unknown ones");
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->role = role;
	c->flags = o->flags;
	c->refs = 1;
	c->ssl = SSL_CTX_new(role == UTW_TLS_SERVER ? TLS_server_method() : TLS_client_method());
	error = c->ssl ? context_set_up(c, o, why) : -ENOMEM;
	if (error)
		utw_tls_context_unref(c);
	else
		*ret = c;
	return error;
}

struct utw_tls_context *utw_tls_context_ref(struct utw_tls_context *c)
{
	if (c)
		c->refs++;
	return c;
}

void utw_tls_context_unref(struct utw_tls_context *c)
{
	if (!c || --c->refs)
		return;
	memory_free(c->memory);
	if (c->key_log)
		fclose(c->key_log);
	SSL_CTX_free(c->ssl);
	free(c->alpn);
	free(c);
}
