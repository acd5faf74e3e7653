/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * base - what every file here may assume
 *
 * Attributes, the check that is never compiled out, and the few macros that
 * the compiler or libc lacks.
 *
 * Does not:	 allocate, or hold state.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MUST_USE	__attribute__((warn_unused_result))
#define NORETURN	__attribute__((noreturn))
#define PRINTF(f, a)	__attribute__((format(printf, f, a)))
#define CLEANUP(fn)	__attribute__((cleanup(fn)))
#define UNUSED		__attribute__((unused))

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)	((a) < (b) ? (a) : (b))
#define MAX(a, b)	((a) > (b) ? (a) : (b))

/**
 * BUG_IF() - Stop the program when an invariant does not hold
 * @cond:	What must never be true, whatever a user or a packet sends
 *
 * Always compiled in.  Prints file, line and condition on stderr and leaves
 * with exit status 70 (EX_SOFTWARE).
 */
#define BUG_IF(cond) \
	do { \
		if (__builtin_expect(!!(cond), 0)) \
			base_bug(__FILE__, __LINE__, #cond); \
	} while (0)

/** base_bug() - Say what BUG_IF() found, and leave */
NORETURN void base_bug(const char *file, int line, const char *what);

/**
 * base_fd_close() - Close a descriptor once; for CLEANUP()
 * @fd:		Descriptor, or -1 for none; -1 afterwards
 */
void base_fd_close(int *fd);

/**
 * base_file_close() - Close a stream once; for CLEANUP()
 * @f:		Stream, or NULL for none; NULL afterwards
 */
void base_file_close(FILE **f);

/**
 * base_free() - Free a pointer once; for CLEANUP()
 * @p:		Address of the pointer (of any type); NULL afterwards
 */
void base_free(void *p);

/**
 * TAKE() - Take a value out of a variable that has a cleanup attribute
 * @ptr:	The pointer variable; NULL afterwards
 */
#define TAKE(ptr) \
	({ \
		__typeof__(ptr) take_ = (ptr); \
		(ptr) = NULL; \
		take_; \
	})

/**
 * base_take_fd() - Take a descriptor out of a variable with a cleanup
 * @fd:		The variable; -1 afterwards
 *
 * Return: the descriptor
 */
int base_take_fd(int *fd);

#endif /* BASE_BASE_H */
