/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls - which system calls the code of a sealed process needs
 *
 * Said beside the code that makes them, collected by the linker, and all that
 * the seal (host/seal.h) lets through.
 *
 *	NEEDS_CALL(sendmmsg)
 *
 * Owns:	 nothing.
 */
#ifndef BASE_CALLS_H
#define BASE_CALLS_H

#include <sys/syscall.h>

#include "base/base.h"

/** NEEDS_CALL() - This file makes system call @name also in a sealed process */
#define NEEDS_CALL(name) \
	__attribute__((used, section("needs_calls"))) \
	static const int needs_call_##name = SYS_##name;

#endif /* BASE_CALLS_H */
