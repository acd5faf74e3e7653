/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A service on all addresses answers on a jail's address too, and keeps the
 * jail from binding the port.  FreeBSD's guides have their readers look for
 * such with sockstat; here the cure is said in the words of the service's own
 * configuration.
 */
#include "host/doctor.h"

#include <netinet/in.h>
#include <string.h>

#include "host/listeners.h"

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

/* The text of a cure, its %s replaced */
static const char *cure_of(struct doctor *x, const char *program)
{
	const struct addr own = doctor_host_addr(x);
	char buf[ADDR_TEXT_BYTES];
	const char *addr = own.af != AF_NONE ? addr_print(own, buf) : "ADDRESS";

	for (size_t i = 0; i < ARRAY_SIZE(daemons); i++) {
		const char *cure = daemons[i].cure, *mark = strstr(cure, "%s");

		if (strcmp(daemons[i].program, program) == 0)
			return arena_printf(x->a, "%.*s%s%s", (int)(mark - cure), cure, addr,
					    mark + 2);
	}
	return arena_printf(x->a, "bind it to %s only", addr);
}

/* A forward whose outside port a socket has; NULL: none */
static const struct doctor_forward *shadowed(const struct doctor *x,
					     const struct sockdiag_sock *s)
{
	for (uint32_t i = 0; i < x->forwards.n; i++) {
		const struct doctor_forward *f = &x->forwards.v[i];

		if (listener_takes(s, f->proto, f->to, f->lo, f->hi))
			return f;
	}
	return NULL;
}

static const char *object_of(struct doctor *x, const struct sockdiag_sock *s,
			     const struct listener_owner *who)
{
	char buf[ADDR_TEXT_BYTES];
	const char *place = listener_is_wild(s) ?
		arena_printf(x->a, "%s:%u", s->takes_v4 || s->a.af == AF_V4 ? "*" : "[::]",
			     s->port) :
		addr_port_print(s->a, s->port, buf);

	if (who->pid == 0)
		return arena_printf(x->a, "%s %s, a process that may not be seen",
				    proto_name(s->proto), place);
	return arena_printf(x->a, "%s %s, %s (pid %d)", proto_name(s->proto), place, who->program,
			    who->pid);
}

static bool has_alias_jail(const struct doctor *x)
{
	for (uint32_t i = 0; i < x->d->jails.n; i++)
		if (x->d->jails.v[i].is_enabled && !x->d->jails.v[i].is_vnet &&
		    x->d->jails.v[i].addrs.n > 0)
			return true;
	return false;
}

static void examine(struct doctor *x, const struct sockdiag_sock *s, bool alias_jails)
{
	const struct doctor_forward *f = shadowed(x, s);
	struct listener_owner who;
	const char *object;

	/* A socket on a jail's address is the jail's; on another, only a forward is in its way */
	if (s->is_raw || (!listener_is_wild(s) && decl_jail_of(x->d, s->a) != NULL) ||
	    (f == NULL && (!listener_is_wild(s) || !alias_jails)))
		return;
	listener_owner(s, &who);
	object = object_of(x, s, &who);
	if (listener_is_wild(s) && alias_jails)
		doctor_add(x, &(struct doctor_finding){
			.object = object,
			.what = "a service of the host on all addresses: it answers on the jails' "
				"addresses, and no jail can bind the port",
			.cure = cure_of(x, who.program), .at = f != NULL ? f->at : SPAN_NONE });
	if (f != NULL)
		doctor_add(x, &(struct doctor_finding){
			.object = object,
			.what = "a forward takes this port from outside: the service is not "
				"reached",
			.cure = "forward another port, or stop the service", .at = f->at });
}

int doctor_sockets(struct doctor *x)
{
	struct sockdiag_socks socks;
	const bool alias_jails = has_alias_jail(x);
	const int err = listeners_read(x->a, &socks);

	if (err < 0)
		return err;
	for (uint32_t i = 0; i < socks.list.n; i++)
		examine(x, &socks.list.v[i], alias_jails);
	return 0;
}
