/* SPDX-License-Identifier: MIT */
/* Endpoint: what the library's own types share. */
#ifndef UTW_ENDPOINT_PRIVATE_H
#define UTW_ENDPOINT_PRIVATE_H

#include <untwist/endpoint.h>

struct utw_address;
struct utw_protocol;
struct utw_transport;

/* The library's types, ended by NULL. */
extern const struct utw_endpoint_type *const utw_endpoint_types[];

extern const struct utw_endpoint_type utw_endpoint_tcp_client, utw_endpoint_tcp_server;
extern const struct utw_endpoint_type utw_endpoint_tls_client, utw_endpoint_tls_server;
extern const struct utw_endpoint_type utw_endpoint_fd_client, utw_endpoint_fd_server;
extern const struct utw_endpoint_type utw_endpoint_stdio_client, utw_endpoint_stdio_server;
extern const struct utw_endpoint_type utw_endpoint_device_client, utw_endpoint_device_server;
extern const struct utw_endpoint_type utw_endpoint_udp_client, utw_endpoint_udp_server;
extern const struct utw_endpoint_type utw_endpoint_unix_client, utw_endpoint_unix_server;
extern const struct utw_endpoint_type utw_endpoint_process_client, utw_endpoint_process_server;
extern const struct utw_endpoint_type utw_endpoint_serial_client, utw_endpoint_serial_server;
extern const struct utw_endpoint_type utw_endpoint_systemd_server;

/* tcp.c: what all that have a host and a port share. */

/* The address of a host that is a number or "localhost", or -EINVAL. */
int utw_endpoint_address(const char *host, unsigned int port, struct utw_address *ret);

/* Where to listen, of "interface" and "port"; or the failure that says what is wrong with them. */
struct utw_failure *utw_endpoint_interface(const struct utw_endpoint *e, struct utw_address *ret);

/* single.c: endpoints that are one connection. */

/* Make its transport for `p`; as utw_stdio_transport_new(). */
typedef int (*utw_single_fn)(struct utw_transport **ret, const struct utw_endpoint *e,
			     struct utw_reactor *r, struct utw_protocol *p);

struct utw_deferred *utw_single_connect(const struct utw_endpoint *e, struct utw_reactor *r,
					struct utw_factory *f, utw_single_fn make);
int utw_single_listen(struct utw_port **ret, const struct utw_endpoint *e, struct utw_reactor *r,
		      struct utw_factory *f, utw_single_fn make);

/* adopted.c: listen with a socket that listens already; taken over on success. */
int utw_adopted_listen(struct utw_port **ret, struct utw_reactor *r, int fd, struct utw_factory *f);

#endif
