/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/listeners.h"

#include <string.h>

/**
 * struct daemon - How a service is bound to one address
 * @program:	As in /proc/PID/comm
 * @cure:	What to write; %s stands for the address
 */
static const struct daemon {
	const char *program;
	const char *cure;
} daemons[] = {
	{ "apache2", "write 'Listen %s:PORT' in /etc/apache2/ports.conf" },
	{ "chronyd", "write 'bindaddress %s' in /etc/chrony/chrony.conf" },
	{ "dnsmasq", "write 'listen-address=%s' and 'bind-interfaces' in /etc/dnsmasq.conf" },
	{ "dovecot", "write 'listen = %s' in /etc/dovecot/dovecot.conf" },
	{ "exim4", "write 'local_interfaces = %s' in exim4.conf" },
	{ "haproxy", "write 'bind %s:PORT' in /etc/haproxy/haproxy.cfg" },
	{ "httpd", "write 'Listen %s:PORT' in httpd.conf" },
	{ "inetd", "start it as 'inetd -a %s'" },
	{ "lighttpd", "write 'server.bind = \"%s\"' in /etc/lighttpd/lighttpd.conf" },
	{ "mariadbd", "write 'bind-address = %s' in /etc/mysql/mariadb.conf.d/50-server.cnf" },
	{ "master", "write 'inet_interfaces = %s' in /etc/postfix/main.cf" },
	{ "mysqld", "write 'bind-address = %s' in /etc/mysql/my.cnf" },
	{ "named", "write 'listen-on { %s; };' in named.conf" },
	{ "nginx", "write 'listen %s:PORT;' in each server of /etc/nginx" },
	{ "nmbd", "write 'interfaces = %s' and 'bind interfaces only = yes' in smb.conf" },
	{ "ntpd", "write 'interface ignore wildcard' and 'interface listen %s' in ntp.conf" },
	{ "postgres", "write \"listen_addresses = '%s'\" in postgresql.conf" },
	{ "redis-server", "write 'bind %s' in /etc/redis/redis.conf" },
	{ "rpcbind", "start it as 'rpcbind -h %s'" },
	{ "rsyslogd", "write 'input(type=\"imudp\" address=\"%s\" port=\"514\")' in rsyslog.conf" },
	{ "slapd", "start it as 'slapd -h ldap://%s'" },
	{ "smbd", "write 'interfaces = %s' and 'bind interfaces only = yes' in smb.conf" },
	{ "sshd", "write 'ListenAddress %s' in /etc/ssh/sshd_config" },
	{ "syslogd", "start it as 'syslogd -b %s', or with -ss" },
	{ "unbound", "write 'interface: %s' in unbound.conf" },
};

const char *listener_cure(struct arena *a, const char *program, const char *addr)
{
	for (size_t i = 0; i < ARRAY_SIZE(daemons); i++) {
		const char *cure = daemons[i].cure, *mark = strstr(cure, "%s");

		if (strcmp(daemons[i].program, program) == 0)
			return arena_printf(a, "%.*s%s%s", (int)(mark - cure), cure, addr,
					    mark + 2);
	}
	return NULL;
}
