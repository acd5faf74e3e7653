/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pages - memory that is filled from its start
 *
 * Owns:	 nothing; the memory is the caller's, mapped and private.
 */
#ifndef BASE_PAGES_H
#define BASE_PAGES_H

#include "base/base.h"

/**
 * pages_ready() - Have the pages that are written next before they are
 * @mem:	Start of the memory, of a page
 * @ready:	Bytes from there whose pages are had
 * @want:	Bytes from there that are to be written, more than @ready
 * @len:	Bytes there are, at least @want
 *
 * Asks for some more than that, the more the more there are already.  Without it, or
 * where the kernel says no, each page is a fault of its own: two to one in time.
 *
 * Return: bytes that are ready now, or count as such: at least @want, at most @len
 */
size_t pages_ready(void *mem, size_t ready, size_t want, size_t len);

#endif /* BASE_PAGES_H */
