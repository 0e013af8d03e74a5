/* SPDX-License-Identifier: MIT */
/* Certificates for the tests of TLS, made anew in a folder of their own. */
#ifndef UTW_TESTS_TLS_CERTIFICATES_H
#define UTW_TESTS_TLS_CERTIFICATES_H

/* The name that the server's certificate is for; it is good for 127.0.0.1, too. */
#define CERTIFICATE_HOST "server.test"

/* PEM files. The servers' and clients' have their private keys in them. */
struct certificates {
	char folder[64];
	char root[96]; /* signs the next two */
	char server[96];
	char client[96];
	char stranger[96]; /* signed by nobody but itself, for the same host */
};

void certificates_make(struct certificates *c);
void certificates_remove(struct certificates *c);

#endif
