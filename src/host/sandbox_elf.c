/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The shell's shared libraries must be in its empty file system, and nothing
 * else of /lib.  To ask the dynamic loader would be one process more, so the
 * needed names are read from the file itself and looked for where this
 * process found its own.
 */
#include "host/sandbox_jail.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/**
 * struct elf_file - An ELF file in memory
 * @base:	First byte
 * @len:	How many
 */
struct elf_file {
	const uint8_t *base;
	size_t len;
};

static bool elf_open(const char *path, struct elf_file *ret)
{
	CLEANUP(base_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *at;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size < (off_t)sizeof(ElfW(Ehdr)))
		return false;
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return false;
	*ret = (struct elf_file){ .base = at, .len = (size_t)st.st_size };
	return true;
}

static void elf_close(struct elf_file *f)
{
	munmap((void *)(uintptr_t)f->base, f->len);
}

/* @n bytes at @off, or NULL if the file is shorter */
static const void *elf_bytes(const struct elf_file *f, uint64_t off, uint64_t n)
{
	return off <= f->len && n <= f->len - off ? f->base + off : NULL;
}

/* The C string at @off, or NULL */
static const char *elf_string(const struct elf_file *f, uint64_t off)
{
	if (off >= f->len || memchr(f->base + off, '\0', f->len - off) == NULL)
		return NULL;
	return (const char *)f->base + off;
}

/* Program header @i, or NULL after the last */
static const ElfW(Phdr) *elf_segment(const struct elf_file *f, uint32_t i)
{
	const ElfW(Ehdr) *h = elf_bytes(f, 0, sizeof(*h));

	if (h == NULL || memcmp(h->e_ident, ELFMAG, SELFMAG) != 0 || i >= h->e_phnum)
		return NULL;
	return elf_bytes(f, h->e_phoff + (uint64_t)i * sizeof(ElfW(Phdr)), sizeof(ElfW(Phdr)));
}

/* Where in the file what is loaded at @addr stands; the file's length if nowhere */
static uint64_t elf_offset(const struct elf_file *f, uint64_t addr)
{
	const ElfW(Phdr) *p;

	for (uint32_t i = 0; (p = elf_segment(f, i)) != NULL; i++)
		if (p->p_type == PT_LOAD && addr >= p->p_vaddr &&
		    addr - p->p_vaddr < p->p_filesz)
			return addr - p->p_vaddr + p->p_offset;
	return f->len;
}

static bool add_file(struct sandbox_libs *l, const char *host, const char *inside)
{
	struct sandbox_lib *to;

	for (uint32_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].inside, inside) == 0)
			return true;
	if (l->n == SANDBOX_LIBS || strlen(host) >= SANDBOX_PATH_BYTES ||
	    strlen(inside) >= SANDBOX_PATH_BYTES)
		return false;
	to = &l->v[l->n++];
	memcpy(to->host, host, strlen(host) + 1);
	memcpy(to->inside, inside, strlen(inside) + 1);
	return true;
}

/**
 * struct search - A library that is looked for
 * @name:	"libc.so.6"
 * @path:	Where it was found
 */
struct search {
	const char *name;
	char path[SANDBOX_PATH_BYTES];
};

static bool is_there(struct search *s, const char *dir, int dir_len)
{
	const int n = snprintf(s->path, sizeof(s->path), "%.*s/%s", dir_len, dir, s->name);

	return n > 0 && (size_t)n < sizeof(s->path) && access(s->path, R_OK) == 0;
}

static int beside_ours(struct dl_phdr_info *info, size_t size, void *arg)
{
	const char *slash = info->dlpi_name != NULL ? strrchr(info->dlpi_name, '/') : NULL;

	(void)size;
	return slash != NULL && is_there(arg, info->dlpi_name, (int)(slash - info->dlpi_name));
}

static bool add_library(struct sandbox_libs *l, const char *name)
{
	static const char *const dirs[] = { "/lib", "/usr/lib", "/lib64", "/usr/lib64" };
	struct search s = { .name = name };
	char inside[SANDBOX_PATH_BYTES];
	bool found = strchr(name, '/') == NULL && dl_iterate_phdr(beside_ours, &s) != 0;

	for (size_t i = 0; i < ARRAY_SIZE(dirs) && !found; i++)
		found = is_there(&s, dirs[i], (int)strlen(dirs[i]));
	snprintf(inside, sizeof(inside), "/lib/%.200s", name);
	return found && add_file(l, s.path, inside);
}

/* The libraries that the dynamic section names */
static bool add_needed(struct sandbox_libs *l, const struct elf_file *f, const ElfW(Phdr) *p)
{
	const uint64_t n = p->p_filesz / sizeof(ElfW(Dyn));
	const ElfW(Dyn) *d = elf_bytes(f, p->p_offset, n * sizeof(*d));
	uint64_t strings = f->len;

	for (uint64_t i = 0; d != NULL && i < n; i++)
		if (d[i].d_tag == DT_STRTAB)
			strings = elf_offset(f, d[i].d_un.d_ptr);
	for (uint64_t i = 0; d != NULL && i < n && d[i].d_tag != DT_NULL; i++) {
		const char *name;

		if (d[i].d_tag != DT_NEEDED)
			continue;
		name = elf_string(f, strings + d[i].d_un.d_val);
		if (name == NULL || !add_library(l, name))
			return false;
	}
	return true;
}

/* What one file needs: its loader and its libraries */
static bool add_needs_of(struct sandbox_libs *l, const char *path)
{
	const ElfW(Phdr) *p;
	struct elf_file f;
	bool good = true;

	if (!elf_open(path, &f))
		return false;
	for (uint32_t i = 0; good && (p = elf_segment(&f, i)) != NULL; i++) {
		const char *loader = p->p_type == PT_INTERP ? elf_string(&f, p->p_offset) : NULL;

		if (loader != NULL)
			good = add_file(l, loader, loader);
		else if (p->p_type == PT_DYNAMIC)
			good = add_needed(l, &f, p);
	}
	elf_close(&f);
	return good;
}

bool sandbox_find_shell(struct sandbox_libs *ret)
{
	static const char *const paths[] = { "/bin/busybox", "/usr/bin/busybox" };

	ret->n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(paths) && ret->n == 0; i++)
		if (access(paths[i], X_OK) == 0 && !add_file(ret, paths[i], SANDBOX_SHELL))
			return false;
	for (uint32_t i = 0; i < ret->n; i++)
		if (!add_needs_of(ret, ret->v[i].host))
			return false;
	return ret->n > 0;
}
