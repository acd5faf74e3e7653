/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * /proc/sys/net shows the namespace of the thread that opens it, so nothing
 * has to be mounted after setns().
 *
 * What changes along (net/ipv4/devinet.c, net/ipv6/addrconf.c): writing
 * ip_forward sets conf/INTERFACE/forwarding of every interface and of
 * "default", and conf/all/accept_redirects to the opposite; writing IPv6's
 * conf/all/forwarding sets that of every interface and of "default".
 */
#include "host/sysctl.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ROOT	"/proc/sys/"

/**
 * struct family - Settings that change together
 * @path:	The main one
 * @dir:	Directory with one directory for each interface
 * @extra:	One more that changes along, to the opposite; or NULL
 */
static const struct family {
	const char *path;
	const char *dir;
	const char *extra;
} families[] = {
	{ "net/ipv4/ip_forward", "net/ipv4/conf", "net/ipv4/conf/all/accept_redirects" },
	{ "net/ipv6/conf/all/forwarding", "net/ipv6/conf", NULL },
};

static const struct family *family_of(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (strcmp(families[i].path, path) == 0)
			return &families[i];
	return NULL;
}

static int open_setting(const char *path, int flags)
{
	char full[sizeof(ROOT) + SYSCTL_PATH_BYTES];
	const int n = snprintf(full, sizeof(full), ROOT "%s", path);
	int fd;

	if (n < 0 || (size_t)n >= sizeof(full))
		return -ENAMETOOLONG;
	fd = open(full, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int read_value(const char *path, char *out, size_t size)
{
	int fd CLEANUP(base_fd_close) = open_setting(path, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, out, size - 1);
	if (n < 0)
		return -errno;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return 0;
}

int sysctl_read(const char *path, struct arena *a, const char **ret)
{
	char value[SYSCTL_VALUE_BYTES];
	const int err = read_value(path, value, sizeof(value));

	if (err == 0)
		*ret = arena_strndup(a, value, strlen(value));
	return err;
}

int sysctl_write(const char *path, const char *value)
{
	int fd CLEANUP(base_fd_close) = -1;
	char now[SYSCTL_VALUE_BYTES];
	ssize_t n;

	if (read_value(path, now, sizeof(now)) == 0 && strcmp(now, value) == 0)
		return 0;
	fd = open_setting(path, O_WRONLY);
	if (fd < 0)
		return fd;
	n = write(fd, value, strlen(value));
	if (n < 0)
		return -errno;
	return (size_t)n == strlen(value) ? 0 : -EIO;
}

static void add(struct arena *a, struct sysctls *s, const char *path, const char *value)
{
	vec_add(a, &s->list, ((struct sysctl){ path, value }));
}

/* An interface may go away while its directory is read: that is no error */
static int add_now(struct arena *a, struct sysctls *s, const char *path)
{
	const char *value;
	const int err = sysctl_read(path, a, &value);

	if (err == 0)
		add(a, s, path, value);
	return err == -ENOENT ? 0 : err;
}

static void close_dir(DIR **d)
{
	if (*d != NULL)
		closedir(*d);
}

/* Names of a directory below /proc/sys that stand for interfaces, "default" too */
static int list_interfaces(const char *dir, struct arena *a, struct sysctls *ret)
{
	DIR *d CLEANUP(close_dir) = NULL;
	const struct dirent *e;
	const int fd = open_setting(dir, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd;
	d = fdopendir(fd);
	if (d == NULL)
		return -errno;
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && strcmp(e->d_name, "all") != 0)
			add(a, ret, arena_printf(a, "%s/%s/forwarding", dir, e->d_name), NULL);
	return 0;
}

int sysctl_along_read(const char *path, struct arena *a, struct sysctls *ret)
{
	const struct family *f = family_of(path);
	struct sysctls paths = { 0 }, found = { 0 };
	int err = 0;

	if (f != NULL)
		err = list_interfaces(f->dir, a, &paths);
	if (err == 0 && f != NULL && f->extra != NULL)
		add(a, &paths, f->extra, NULL);
	for (uint32_t i = 0; i < paths.list.n && err == 0; i++)
		err = add_now(a, &found, paths.list.v[i].path);
	if (err == 0)
		*ret = found;
	return err;
}

const char *sysctl_predict(const char *path, const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (families[i].extra != NULL && strcmp(families[i].extra, path) == 0)
			return strcmp(value, "0") == 0 ? "1" : "0";
	return value;
}

static const struct sysctl_change *find_along(const struct sysctl_saved *s, const char *path)
{
	for (uint32_t i = 0; i < s->along.n; i++)
		if (strcmp(s->along.v[i].path, path) == 0)
			return &s->along.v[i];
	return NULL;
}

/* What "default" was saved as: an interface starts with that */
static const struct sysctl_change *find_default(const struct sysctl_saved *s)
{
	for (uint32_t i = 0; i < s->along.n; i++)
		if (strstr(s->along.v[i].path, "/conf/default/forwarding") != NULL)
			return &s->along.v[i];
	return NULL;
}

void sysctl_put_back(const struct sysctl_saved *saved, const struct sysctls *now,
		     struct arena *a, struct sysctls *ret)
{
	add(a, ret, saved->main.path, saved->main.was);
	for (uint32_t i = 0; i < now->list.n; i++) {
		const struct sysctl *x = &now->list.v[i];
		const struct sysctl_change *c = find_along(saved, x->path);

		if (c == NULL)
			c = find_default(saved);
		add(a, ret, x->path, c != NULL && strcmp(x->value, c->set) == 0 ? c->was
									       : x->value);
	}
}

/* The next word of a line: up to a blank, a newline or @end; NULL = none */
static const char *take_word(const char **at, const char *end, struct arena *a)
{
	const char *from = *at;

	while (*at < end && **at != ' ' && **at != '\n')
		(*at)++;
	if (*at == from)
		return NULL;
	from = arena_strndup(a, from, (size_t)(*at - from));
	if (*at < end && **at == ' ')
		(*at)++;
	return from;
}

static bool is_good_path(const char *path)
{
	return path != NULL && strncmp(path, "net/", 4) == 0 && strstr(path, "/../") == NULL &&
	       strlen(path) < SYSCTL_PATH_BYTES;
}

static bool take_line(const char *kind, const char *w[3], struct arena *a,
		      struct sysctl_state *s)
{
	if (kind != NULL && strcmp(kind, "lost") == 0) {
		s->is_lost = true;
		return w[0] == NULL;
	}
	if (kind == NULL || !is_good_path(w[0]) || w[1] == NULL)
		return false;
	if (strcmp(kind, "journal") == 0) {
		add(a, &s->journal, w[0], w[1]);
		return w[2] == NULL;
	}
	if (w[2] == NULL)
		return false;
	if (strcmp(kind, "saved") == 0) {
		vec_push(a, &s->saved)->main = (struct sysctl_change){ w[0], w[1], w[2] };
		return true;
	}
	if (strcmp(kind, "along") != 0 || s->saved.n == 0)
		return false;
	vec_add(a, &s->saved.v[s->saved.n - 1].along,
		((struct sysctl_change){ w[0], w[1], w[2] }));
	return true;
}

int sysctl_state_parse(const char *text, size_t len, struct arena *a, struct sysctl_state *ret)
{
	struct sysctl_state s = { 0 };
	const char *at = text, *end = text + len;

	while (at < end) {
		const char *kind = take_word(&at, end, a);
		const char *w[3];

		for (size_t i = 0; i < ARRAY_SIZE(w); i++)
			w[i] = take_word(&at, end, a);
		if (!take_line(kind, w, a, &s) || at == end || *at++ != '\n')
			return -EBADMSG;
	}
	*ret = s;
	return 0;
}

static void print_change(FILE *out, const char *kind, const struct sysctl_change *c)
{
	fprintf(out, "%s %s %s %s\n", kind, c->path, c->was, c->set);
}

static void print_state(const struct sysctl_state *s, FILE *out)
{
	if (s->is_lost)
		fputs("lost\n", out);
	for (uint32_t i = 0; i < s->saved.n; i++) {
		const struct sysctl_saved *x = &s->saved.v[i];

		print_change(out, "saved", &x->main);
		for (uint32_t j = 0; j < x->along.n; j++)
			print_change(out, "along", &x->along.v[j]);
	}
	for (uint32_t i = 0; i < s->journal.list.n; i++)
		fprintf(out, "journal %s %s\n", s->journal.list.v[i].path,
			s->journal.list.v[i].value);
}

int sysctl_state_print(const struct sysctl_state *s, char **ret, size_t *ret_len)
{
	char *text CLEANUP(base_free) = NULL;
	FILE *out CLEANUP(base_file_close) = open_memstream(&text, ret_len);
	int err;

	if (out == NULL)
		return -errno;
	print_state(s, out);
	err = ferror(out) != 0 ? -ENOMEM : 0;
	base_file_close(&out);
	if (err == 0)
		*ret = TAKE(text);
	return err;
}

struct sysctl_saved *sysctl_saved_find(const struct sysctl_state *s, const char *path)
{
	for (uint32_t i = 0; i < s->saved.n; i++)
		if (strcmp(s->saved.v[i].main.path, path) == 0)
			return &s->saved.v[i];
	return NULL;
}

const char *sysctl_find(const struct sysctls *s, const char *path)
{
	for (uint32_t i = 0; i < s->list.n; i++)
		if (strcmp(s->list.v[i].path, path) == 0)
			return s->list.v[i].value;
	return NULL;
}

const char *sysctl_name(const char *path, struct arena *a)
{
	char *name = arena_strndup(a, path, strlen(path));

	for (char *p = name; *p != '\0'; p++)
		*p = *p == '/' ? '.' : *p;
	return name;
}
