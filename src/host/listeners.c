/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/listeners.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/names.h"

/* "00000000" or "00000000000000000000000001000000": words as they lie in memory */
static struct addr addr_of_words(const char *hex)
{
	const size_t n = strlen(hex) / 8;
	uint32_t words[4] = { 0 };

	for (size_t i = 0; i < n && i < ARRAY_SIZE(words); i++) {
		char word[9];

		snprintf(word, sizeof(word), "%.8s", hex + i * 8);
		words[i] = (uint32_t)strtoul(word, NULL, 16);
	}
	return addr_from_bytes(n == 4 ? AF_V6 : AF_V4, (const uint8_t *)words);
}

static void fclose_at(FILE **f)
{
	if (*f != NULL)
		fclose(*f);
}

/*
 * Raw sockets, which most kernels list as text only.  A file that is not there
 * means a family that is not there.
 */
static int read_raw(struct arena *a, const char *path, struct sockdiag_socks *ret)
{
	FILE *f CLEANUP(fclose_at) = fopen(path, "re");
	char line[512], local[40];
	unsigned int proto, uid, inode;

	if (f == NULL)
		return errno == ENOENT ? 0 : -errno;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, " %*u: %32[0-9A-F]:%x %*s %*s %*s %*s %*s %u %*u %u", local,
			   &proto, &uid, &inode) != 4)
			continue;
		vec_add(a, &ret->list, ((struct sockdiag_sock){
			.proto = (uint8_t)proto, .is_raw = true, .a = addr_of_words(local),
			.uid = uid, .inode = inode }));
	}
	return ferror(f) ? -EIO : 0;
}

int listeners_read(struct arena *a, struct sockdiag_socks *ret)
{
	struct nl_session s CLEANUP(nl_close) = { .fd = -1 };
	struct sockdiag_socks socks;
	int err = nl_open(&s, NETLINK_SOCK_DIAG);

	if (err == 0)
		err = sockdiag_read(&s, a, &socks);
	if (err == 0)
		err = read_raw(a, "/proc/thread-self/net/raw", &socks);
	if (err == 0)
		err = read_raw(a, "/proc/thread-self/net/raw6", &socks);
	if (err == 0)
		*ret = socks;
	return err;
}

bool listener_is_wild(const struct sockdiag_sock *x)
{
	return x->a.v == 0;
}

bool listener_takes(const struct sockdiag_sock *x, uint8_t proto, struct addr a, uint16_t lo,
		    uint16_t hi)
{
	if (x->is_raw || x->proto != proto || x->port < lo || x->port > hi)
		return false;
	if (a.af == AF_NONE)
		return true;
	if (x->takes_v4 && a.af == AF_V4)
		return true;
	return x->a.af == a.af && (x->a.v == 0 || x->a.v == a.v);
}

const char *listener_place(struct arena *a, const struct sockdiag_sock *x)
{
	char buf[ADDR_TEXT_BYTES];

	if (!listener_is_wild(x))
		return arena_printf(a, "%s %s", proto_name(x->proto),
				    addr_port_print(x->a, x->port, buf));
	return arena_printf(a, "%s %s:%u", proto_name(x->proto),
			    x->takes_v4 || x->a.af == AF_V4 ? "*" : "[::]", x->port);
}

const char *listener_name(struct arena *a, const struct listener_owner *who)
{
	return who->pid == 0 ? NULL : arena_printf(a, "%s (pid %d)", who->program, who->pid);
}

static void closedir_at(DIR **dir)
{
	if (*dir != NULL)
		closedir(*dir);
}

/* Has process @pid, below /proc at @proc, the link @want among its descriptors */
static bool has_socket(int proc, const char *pid, const char *want)
{
	char path[40], link[64];
	DIR *dir CLEANUP(closedir_at) = NULL;
	const struct dirent *e;
	int fd;

	snprintf(path, sizeof(path), "%.20s/fd", pid);
	fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	dir = fdopendir(fd);
	if (dir == NULL) {
		close(fd);
		return false;
	}
	while ((e = readdir(dir)) != NULL) {
		const ssize_t n = readlinkat(fd, e->d_name, link, sizeof(link) - 1);

		if (n <= 0)
			continue;
		link[n] = '\0';
		if (strcmp(link, want) == 0)
			return true;
	}
	return false;
}

/* The name of a process; what could disturb a terminal becomes a dot */
static void read_program(int proc, const char *pid, struct listener_owner *ret)
{
	char path[40];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%.20s/comm", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, ret->program, sizeof(ret->program) - 1);
	close(fd);
	ret->program[n > 0 ? n : 0] = '\0';
	ret->program[strcspn(ret->program, "\n")] = '\0';
	for (char *p = ret->program; *p != '\0'; p++)
		if (!isprint((unsigned char)*p))
			*p = '.';
}

void listener_owner(const struct sockdiag_sock *x, struct listener_owner *ret)
{
	DIR *dir CLEANUP(closedir_at) = opendir("/proc");
	const struct dirent *e;
	char want[32];

	*ret = (struct listener_owner){ .pid = 0 };
	if (dir == NULL || x->inode == 0)
		return;
	snprintf(want, sizeof(want), "socket:[%u]", x->inode);
	while ((e = readdir(dir)) != NULL) {
		if (!isdigit((unsigned char)e->d_name[0]) ||
		    !has_socket(dirfd(dir), e->d_name, want))
			continue;
		ret->pid = (int32_t)strtol(e->d_name, NULL, 10);
		read_program(dirfd(dir), e->d_name, ret);
		return;
	}
}
