// SPDX-License-Identifier: MIT
/* Stand-ins for what OpenSSL makes for the library, and cannot without memory. */
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include "plan.h"

#define MAKER(type, name, parameters, arguments)                     \
	type *inject_##name parameters;                              \
	type *inject_##name parameters                               \
	{                                                            \
		return inject_memory(#name) ? NULL : name arguments; \
	}

MAKER(BIO, BIO_new, (const BIO_METHOD *method), (method))
MAKER(SSL, SSL_new, (SSL_CTX * context), (context))
MAKER(SSL_CTX, SSL_CTX_new, (const SSL_METHOD *method), (method))
