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

/* The host's own address of the socket's family; one for both takes IPv4's first */
static const char *cure_of(struct doctor *x, const struct sockdiag_sock *s, const char *program)
{
	struct addr own = doctor_host_addr(x, s->takes_v4 ? AF_V4 : s->a.af);
	char buf[ADDR_TEXT_BYTES] = "ADDRESS";
	const char *cure;

	if (own.af == AF_NONE && s->takes_v4)
		own = doctor_host_addr(x, AF_V6);
	cure = listener_cure(x->a, program, own, s->port);
	if (own.af != AF_NONE)
		addr_print(own, buf);
	return cure != NULL ? cure : arena_printf(x->a, "bind it to %s only", buf);
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

static const char *owner_text(struct doctor *x, const struct listener_owner *who)
{
	const char *name = listener_name(x->a, who);

	return name != NULL ? name : "a process that may not be seen";
}

static const char *object_of(struct doctor *x, const struct sockdiag_sock *s,
			     const struct listener_owner *who)
{
	return arena_printf(x->a, "%s, %s", listener_place(x->a, s), owner_text(x, who));
}

static bool has_alias_jail(const struct doctor *x)
{
	for (uint32_t i = 0; i < x->d->jails.n; i++)
		if (x->d->jails.v[i].is_enabled && !x->d->jails.v[i].is_vnet &&
		    x->d->jails.v[i].addrs.n > 0)
			return true;
	return false;
}

/* Each gets a copy of whatever comes, for jails too; that may well be meant */
static void note_raw(struct doctor *x, const struct sockdiag_sock *s)
{
	const char *proto = proto_name(s->proto);
	struct listener_owner who;

	listener_owner(s, &who);
	doctor_add(x, &(struct doctor_finding){
		.object = arena_printf(x->a, "raw %s, %s", proto != NULL ? proto :
				       arena_printf(x->a, "%u", s->proto), owner_text(x, &who)),
		.what = "a program of the host sees what comes for the jails by this protocol",
		.cure = "end it, if that is not meant", .is_note = true });
}

static void examine(struct doctor *x, const struct sockdiag_sock *s, bool alias_jails)
{
	const struct doctor_forward *f = shadowed(x, s);
	struct listener_owner who;
	const char *object;

	if (s->is_raw && listener_is_wild(s) && alias_jails)
		note_raw(x, s);
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
			.cure = cure_of(x, s, who.program), .at = f != NULL ? f->at : SPAN_NONE });
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
