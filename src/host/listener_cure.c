/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/listeners.h"

#include <string.h>

/**
 * struct daemon - How a service is bound to one address
 * @program:	As in /proc/PID/comm
 * @cure:	What to write: %a stands for the address, %h for the same in brackets if
 *		it is of IPv6, %p for the port
 * @cure6:	The same for an address of IPv6, where it is another; else NULL
 */
static const struct daemon {
	const char *program;
	const char *cure;
	const char *cure6;
} daemons[] = {
	{ "apache2", "write 'Listen %h:%p' in /etc/apache2/ports.conf", NULL },
	{ "chronyd", "write 'bindaddress %a' in /etc/chrony/chrony.conf", NULL },
	{ "dnsmasq", "write 'listen-address=%a' and 'bind-interfaces' in /etc/dnsmasq.conf", NULL },
	{ "dovecot", "write 'listen = %a' in /etc/dovecot/dovecot.conf", NULL },
	{ "exim4", "write 'local_interfaces = <; %a' in exim4.conf", NULL },
	{ "haproxy", "write 'bind %h:%p' in /etc/haproxy/haproxy.cfg", NULL },
	{ "httpd", "write 'Listen %h:%p' in httpd.conf", NULL },
	{ "inetd", "start it as 'inetd -a %a'", NULL },
	{ "lighttpd", "write 'server.bind = \"%h\"' in /etc/lighttpd/lighttpd.conf", NULL },
	{ "mariadbd", "write 'bind-address = %a' in /etc/mysql/mariadb.conf.d/50-server.cnf",
	  NULL },
	{ "master", "write 'inet_interfaces = %a' in /etc/postfix/main.cf", NULL },
	{ "mysqld", "write 'bind-address = %a' in /etc/mysql/my.cnf", NULL },
	{ "named", "write 'listen-on { %a; };' in named.conf",
	  "write 'listen-on-v6 { %a; };' in named.conf" },
	{ "nginx", "write 'listen %h:%p;' in each server of /etc/nginx", NULL },
	{ "nmbd", "write 'interfaces = 127.0.0.1 %a' and 'bind interfaces only = yes' in "
	  "smb.conf", NULL },
	{ "ntpd", "write 'interface ignore wildcard' and 'interface listen %a' in ntp.conf", NULL },
	{ "postgres", "write \"listen_addresses = '%a'\" in postgresql.conf", NULL },
	{ "redis-server", "write 'bind %a' in /etc/redis/redis.conf", NULL },
	{ "rpcbind", "start it as 'rpcbind -h %a'", NULL },
	{ "rsyslogd", "write 'input(type=\"imudp\" address=\"%a\" port=\"%p\")' in rsyslog.conf",
	  NULL },
	{ "slapd", "start it as 'slapd -h ldap://%h:%p'", NULL },
	{ "smbd", "write 'interfaces = 127.0.0.1 %a' and 'bind interfaces only = yes' in "
	  "smb.conf", NULL },
	{ "sshd", "write 'ListenAddress %a' in /etc/ssh/sshd_config", NULL },
	{ "syslogd", "start it as 'syslogd -b %h', or with -ss", NULL },
	{ "unbound", "write 'interface: %a' in unbound.conf", NULL },
};

static const char *fill(struct arena *a, const char *cure, struct addr addr, uint16_t port)
{
	char text[ADDR_TEXT_BYTES] = "ADDRESS";
	const char *mark, *done = "";
	const bool is_v6 = addr.af == AF_V6;

	if (addr.af != AF_NONE)
		addr_print(addr, text);
	for (; (mark = strchr(cure, '%')) != NULL; cure = mark + 2) {
		const char *open = is_v6 && mark[1] == 'h' ? "[" : "";

		done = mark[1] == 'p' ?
			arena_printf(a, "%s%.*s%u", done, (int)(mark - cure), cure, port) :
			arena_printf(a, "%s%.*s%s%s%s", done, (int)(mark - cure), cure, open, text,
				     open[0] != '\0' ? "]" : "");
	}
	return arena_printf(a, "%s%s", done, cure);
}

const char *listener_cure(struct arena *a, const char *program, struct addr addr, uint16_t port)
{
	for (size_t i = 0; i < ARRAY_SIZE(daemons); i++) {
		const struct daemon *d = &daemons[i];

		if (strcmp(d->program, program) == 0)
			return fill(a, addr.af == AF_V6 && d->cure6 != NULL ? d->cure6 : d->cure,
				    addr, port);
	}
	return NULL;
}
