/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/shadow.h"

#include <netinet/in.h>
#include <string.h>

#include "cli/kept.h"
#include "host/listeners.h"
#include "model/forward.h"

struct shadow {
	struct cli *c;
	const struct declared *d;
	const struct sockdiag_socks *socks;
	enum diag_code code;
};

static void tell(const struct shadow *s, const struct decl_jail *j, const struct decl_forward *f,
		 const struct sockdiag_sock *x)
{
	struct listener_owner who;
	const char *name;

	listener_owner(x, &who);
	name = listener_name(&s->c->arena, &who);
	diag_add(&s->c->diags, s->code, f->at, "%s listens on %s, which is forwarded to '%s'",
		 name != NULL ? name : "a program", listener_place(&s->c->arena, x), j->name);
	if (s->code == DIAG_E2508)
		diag_help(&s->c->diags, "stop it, or say --share if the forward is to come first");
}

static bool takes(const struct sockdiag_sock *x, const struct decl_forward *f, struct addr to)
{
	for (uint32_t p = 0; p < f->ports.n; p++)
		if (((f->protos & DECL_TCP) != 0 &&
		     listener_takes(x, IPPROTO_TCP, to, f->ports.v[p].ext_lo,
				    f->ports.v[p].ext_hi)) ||
		    ((f->protos & DECL_UDP) != 0 &&
		     listener_takes(x, IPPROTO_UDP, to, f->ports.v[p].ext_lo,
				    f->ports.v[p].ext_hi)))
			return true;
	return false;
}

static void check_forward(const struct shadow *s, const struct decl_jail *j,
			  const struct decl_forward *f)
{
	struct forward_addrs to = { .list = { 0 } };

	(void)forward_externals(&s->d->facts, &s->d->decl, j, f, &to);
	for (uint32_t i = 0; i < s->socks->list.n; i++) {
		for (uint32_t n = 0; n < to.list.n; n++) {
			if (takes(&s->socks->list.v[i], f, to.list.v[n])) {
				tell(s, j, f, &s->socks->list.v[i]);
				return;
			}
		}
	}
}

/* Is a forward the one that this run changes */
static bool is_edited(const struct shadow *s, const struct decl_jail *j,
		      const struct decl_forward *f)
{
	const struct place p = source_place(&s->c->sources, f->at);

	if (strcmp(j->name, s->c->edit->jail) != 0 || s->d->kept->n_new == 0)
		return false;
	if (strcmp(s->c->edit->verb, "add") == 0)
		return f->is_added && p.line == s->d->kept->j.list.n;
	for (uint32_t i = 0; i < s->c->edit->f.ports.n; i++) {
		struct forward_parts in = { .list = { 0 } }, rest = { .list = { 0 } };

		if (forward_part(&s->c->arena, f, s->c->edit->f.protos,
				 s->c->edit->f.ports.v[i].ext_lo, s->c->edit->f.ports.v[i].ext_hi,
				 &in, &rest))
			return true;
	}
	return false;
}

int cli_shadow_check(struct cli *c, const struct declared *d, enum diag_code code)
{
	const uint32_t n_before = c->diags.n_errors;
	struct sockdiag_socks socks;
	struct shadow s = { c, d, &socks, code };

	if (listeners_read(&c->arena, &socks) < 0)
		return 0;
	for (uint32_t i = 0; i < d->decl.jails.n; i++) {
		const struct decl_jail *j = &d->decl.jails.v[i];

		for (uint32_t n = 0; n < j->forwards.n && j->is_enabled && !j->is_down; n++) {
			const struct decl_forward *f = &j->forwards.v[n];

			if (!f->is_shared && !f->is_off &&
			    (code == DIAG_W2509 || is_edited(&s, j, f)))
				check_forward(&s, j, f);
		}
	}
	return c->diags.n_errors > n_before ? EX_DATAERR : 0;
}
