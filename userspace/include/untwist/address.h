/* SPDX-License-Identifier: MIT */
/*
 * Address: the name of one end of a connection, as a value.
 *
 * Addresses are plain values: copy them, compare them with
 * utw_address_equal(), keep them as long as you like. Numbers only are
 * understood, and the word "localhost": a look-up by name would block.
 */
#ifndef UNTWIST_ADDRESS_H
#define UNTWIST_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes that hold any address in text, its NUL included. */
#define UTW_ADDRESS_TEXT 128

/**
 * struct utw_address - a socket address
 * @length: bytes of @storage in use; 0: no address
 * @storage: what the kernel calls the address
 */
struct utw_address {
	socklen_t length;
	struct sockaddr_storage storage;
};

/**
 * utw_address_parse() - read an address from text
 * @ret: the address; untouched on failure
 * @text: "HOST:PORT": HOST is an IPv4 number, an IPv6 number in brackets,
 *	"localhost" (127.0.0.1), or "*" or nothing for all interfaces;
 *	PORT is 0 to 65535, where 0 lets the kernel choose a port to listen on.
 *	Or "unix:PATH": see utw_address_unix()
 *
 * May be called from any thread.
 *
 * Return: 0, -EINVAL for text of another form, -ENAMETOOLONG for a path that
 * no UNIX address can hold.
 */
UTW_API int utw_address_parse(struct utw_address *ret, const char *text);

/**
 * utw_address_unix() - make the address of a UNIX socket
 * @ret: the address; untouched on failure
 * @path: a path in the file system, of at most 107 bytes; or "@" and an
 *	abstract name of at most 107 bytes, which has no file
 *
 * May be called from any thread.
 *
 * Return: 0, -EINVAL for a path or name of no bytes, -ENAMETOOLONG.
 */
UTW_API int utw_address_unix(struct utw_address *ret, const char *path);

/**
 * utw_address_format() - write an address as text
 * @a: the address
 * @buf: receives the text that utw_address_parse() takes, always terminated;
 *	"unix" for the end of a UNIX connection that has no name
 * @size: bytes at @buf, of which UTW_ADDRESS_TEXT are always enough
 *
 * May be called from any thread.
 *
 * Return: the length of the whole text without its NUL, as snprintf() does.
 */
UTW_API int utw_address_format(const struct utw_address *a, char *buf, size_t size);

/**
 * utw_address_port() - the port of an address
 * @a: the address
 *
 * Return: the port in the order of the host, or 0 where there is none.
 */
UTW_API unsigned int utw_address_port(const struct utw_address *a);

/**
 * utw_address_equal() - compare two addresses
 * @a: one
 * @b: the other
 *
 * Return: true if both name the same end.
 */
UTW_API bool utw_address_equal(const struct utw_address *a, const struct utw_address *b);

#ifdef __cplusplus
}
#endif

#endif
