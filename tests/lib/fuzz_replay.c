/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Stands in for the fuzzer in the normal test run: gives the target each file
 * of a corpus directory, so that what was found once stays found, with any
 * compiler.  The name of the input is printed before it runs, because a crash
 * leaves nothing else.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *dir, const char *name)
{
	static uint8_t data[1 << 20];
	char path[4096];
	uint8_t *exact;
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "rb");
	if (f == NULL) {
		printf("    # cannot read %s\n", path);
		return -1;
	}
	len = fread(data, 1, sizeof(data), f);
	fclose(f);
	printf("    # input %s\n", path);
	/* On the heap with nothing after it, so that reading past it is seen */
	exact = malloc(len + (len == 0));
	if (exact == NULL)
		return -1;
	for (size_t i = 0; i < len; i++)
		exact[i] = data[i];
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	return 0;
}

/* replay_NAME NAME DIRECTORY */
int main(int argc, char **argv)
{
	struct dirent **list;
	int n, n_run = 0, n_bad = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 3)
		return 64;
	n = scandir(argv[2], &list, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (list[i]->d_name[0] != '.') {
			n_bad += replay(argv[2], list[i]->d_name) < 0;
			n_run++;
		}
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	if (n_run == 0 || n_bad > 0)
		printf("not ok fuzz/%s\n    # %d inputs in %s, %d not read\n", argv[1], n_run,
		       argv[2], n_bad);
	else
		printf("ok fuzz/%s # %d inputs\n", argv[1], n_run);
	return n_run == 0 || n_bad > 0;
}
