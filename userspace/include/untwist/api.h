/* SPDX-License-Identifier: MIT */
/*
 * What every public header needs: symbol visibility, compiler hints, and the
 * means by which caller-owned objects join a reactor's lists.
 */
#ifndef UNTWIST_API_H
#define UNTWIST_API_H

#include <stddef.h>
#include <stdint.h>

/* Marks an exported function; everything else in the library is hidden. */
#define UTW_API __attribute__((visibility("default")))

/* Lets the compiler check format strings: FMT and ARGS count from one. */
#define UTW_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/*
 * The structure of TYPE whose MEMBER is at PTR. Callbacks are given a pointer
 * to the embedded object and find their own state with this.
 */
#define utw_container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* The place where it stands, as "file:line". */
#define UTW_PLACE	    __FILE__ ":" UTW_STRING_OF(__LINE__)
#define UTW_STRING_OF(x)    UTW_STRING_OF_IT(x)
#define UTW_STRING_OF_IT(x) #x

#ifdef __cplusplus
extern "C" {
#endif

/* Private: it is here because the sources callers embed hold it. */

/* A place in a ring of objects. */
struct utw_link {
	struct utw_link *next;
	struct utw_link *prev;
};

#ifdef __cplusplus
}
#endif

#endif
