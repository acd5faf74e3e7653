/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang/pf/ids.h"

#include <string.h>

struct row {
	const char *name;
	uint32_t id;
};

static const struct row users[] = {
	{ "_dhcp", 65 }, { "_pflogd", 64 }, { "_ypldap", 160 }, { "auditdistd", 78 },
	{ "bin", 3 }, { "bind", 53 }, { "daemon", 1 }, { "games", 7 }, { "hast", 845 },
	{ "kmem", 5 }, { "mailnull", 26 }, { "man", 9 }, { "news", 8 }, { "nobody", 65534 },
	{ "ntpd", 123 }, { "operator", 2 }, { "pop", 68 }, { "proxy", 62 }, { "root", 0 },
	{ "smmsp", 25 }, { "sshd", 22 }, { "tests", 977 }, { "toor", 0 }, { "tty", 4 },
	{ "unbound", 59 }, { "uucp", 66 }, { "www", 80 },
};

static const struct row groups[] = {
	{ "_dhcp", 65 }, { "_pflogd", 64 }, { "_ypldap", 160 }, { "audit", 77 },
	{ "authpf", 63 }, { "bin", 7 }, { "bind", 53 }, { "daemon", 1 }, { "dialer", 68 },
	{ "ftp", 14 }, { "games", 13 }, { "guest", 31 }, { "hast", 845 }, { "kmem", 2 },
	{ "mail", 6 }, { "mailnull", 26 }, { "man", 9 }, { "network", 69 }, { "news", 8 },
	{ "nobody", 65534 }, { "nogroup", 65533 }, { "ntpd", 123 }, { "operator", 5 },
	{ "proxy", 62 }, { "smmsp", 25 }, { "sshd", 22 }, { "staff", 20 }, { "sys", 3 },
	{ "tests", 977 }, { "tty", 4 }, { "unbound", 59 }, { "uucp", 66 }, { "video", 44 },
	{ "wheel", 0 }, { "www", 80 },
};

bool pf_id_find(bool is_group, const char *name, uint32_t *ret)
{
	const struct row *rows = is_group ? groups : users;
	const size_t n = is_group ? ARRAY_SIZE(groups) : ARRAY_SIZE(users);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(rows[i].name, name) == 0) {
			*ret = rows[i].id;
			return true;
		}
	}
	return false;
}
