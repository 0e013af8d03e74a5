/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * client.c APIs: opens of a device by other modules, as the channel under them
 * sees them.
 */
#ifndef UNTWIST_CLIENT_H
#define UNTWIST_CLIENT_H

#include <linux/untwist_client.h>

struct untwist_channel;

void untwist_client_attach(struct untwist_client *client, struct untwist_channel *ch);
void untwist_client_run(struct untwist_client *client);
void untwist_client_free(struct untwist_client *client);

#endif /* UNTWIST_CLIENT_H */
