/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <stdlib.h>
#include <unistd.h>

#define EXIT_SOFTWARE	70

void base_bug(const char *file, int line, const char *what)
{
	fprintf(stderr, "sallyport: bug at %s:%d: %s\n", file, line, what);
	fflush(NULL);
	_exit(EXIT_SOFTWARE);
}

void base_fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void base_file_close(FILE **f)
{
	if (*f != NULL)
		fclose(*f);
	*f = NULL;
}

void base_free(void *p)
{
	void **pp = p;

	free(*pp);
	*pp = NULL;
}

int base_take_fd(int *fd)
{
	const int taken = *fd;

	*fd = -1;
	return taken;
}
