/* SPDX-License-Identifier: MIT */
/* Certificates: see tls-certificates.h. */
#include "tls-certificates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "harness.h"

#define DAY 86400

struct identity {
	EVP_PKEY *key;
	X509 *certificate;
};

static void add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(e);
	assert_int_equal(X509_add_ext(certificate, e, -1), 1);
	X509_EXTENSION_free(e);
}

/* `signer` NULL: signed by itself. `names` NULL: a root, to sign others with. */
static struct identity identity_make(const char *name, const char *names,
				     const struct identity *signer)
{
	struct identity id = { EVP_EC_gen("P-256"), X509_new() };
	X509_NAME *subject = X509_get_subject_name(id.certificate);
	static long serial;

	assert_non_null(id.key);
	X509_set_version(id.certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(id.certificate), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(id.certificate), -DAY);
	X509_gmtime_adj(X509_getm_notAfter(id.certificate), DAY);
	X509_set_pubkey(id.certificate, id.key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
				   0);
	X509_set_issuer_name(id.certificate,
			     signer ? X509_get_subject_name(signer->certificate) : subject);
	if (names)
		add_extension(id.certificate, NID_subject_alt_name, names);
	else
		add_extension(id.certificate, NID_basic_constraints, "critical,CA:TRUE");
	assert_true(X509_sign(id.certificate, signer ? signer->key : id.key, EVP_sha256()) > 0);
	return id;
}

static void identity_save(const struct identity *id, const char *folder, const char *name,
			  char *path, size_t size)
{
	FILE *file;

	snprintf(path, size, "%s/%s.pem", folder, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, id->certificate), 1);
	assert_int_equal(PEM_write_PrivateKey(file, id->key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(file);
}

static void identity_free(struct identity *id)
{
	EVP_PKEY_free(id->key);
	X509_free(id->certificate);
}

void certificates_make(struct certificates *c)
{
	static const char host[] = "DNS:" CERTIFICATE_HOST ",IP:127.0.0.1";
	struct identity root = identity_make("root", NULL, NULL);
	struct identity server = identity_make("server", host, &root);
	struct identity client = identity_make("client", "DNS:client.test", &root);
	struct identity stranger = identity_make("stranger", host, NULL);

	strcpy(c->folder, "/tmp/untwist-test-XXXXXX");
	assert_non_null(mkdtemp(c->folder));
	identity_save(&root, c->folder, "root", c->root, sizeof(c->root));
	identity_save(&server, c->folder, "server", c->server, sizeof(c->server));
	identity_save(&client, c->folder, "client", c->client, sizeof(c->client));
	identity_save(&stranger, c->folder, "stranger", c->stranger, sizeof(c->stranger));
	identity_free(&root);
	identity_free(&server);
	identity_free(&client);
	identity_free(&stranger);
}

void certificates_remove(struct certificates *c)
{
	unlink(c->root);
	unlink(c->server);
	unlink(c->client);
	unlink(c->stranger);
	rmdir(c->folder);
}
