/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What pfctl refuses of a rule although its grammar allows it, as far as that
 * is seen in the words alone: parts that exclude each other.  What needs the
 * host or the expansion of lists is checked in lowering.
 */
#include "lang/pf/parse.h"

#include <string.h>

#include "net/names.h"

#define NAME_MAX_BYTES	63u	/* tags and labels; the kernel's fields hold 64 */

static bool check_names(struct pf_parser *p, const struct pf_rule_opts *o, struct span at)
{
	if ((o->tag != NULL && strlen(o->tag) > NAME_MAX_BYTES) ||
	    (o->tagged != NULL && strlen(o->tagged) > NAME_MAX_BYTES))
		return pf_error(p, E1109, at, "a tag is longer than %u bytes", NAME_MAX_BYTES);
	for (uint32_t i = 0; i < o->n_labels; i++)
		if (strlen(o->labels[i]) > NAME_MAX_BYTES)
			return pf_error(p, E1109, at, "a label is longer than %u bytes",
					NAME_MAX_BYTES);
	return true;
}

/* Per rule is what these count by */
static bool check_track(struct pf_parser *p, const struct pf_state_opts *o, struct span at)
{
	const struct {
		const char *name;
		uint32_t value;
	} by_rule[] = {
		{ "max-src-nodes", o->max_src_nodes }, { "max-src-conn", o->max_src_conn },
		{ "max-src-conn-rate", o->rate_seconds },
	};

	for (size_t i = 0; i < ARRAY_SIZE(by_rule) && o->track == 1 && o->is_global; i++)
		if (by_rule[i].value > 0)
			return pf_error(p, E1108, at, "'%s' is incompatible with 'source-track "
					"global'", by_rule[i].name);
	return true;
}

static bool check_urpf(struct pf_parser *p, const struct pf_rule *r)
{
	for (uint32_t i = 0; i < r->to.hosts.n; i++)
		if (r->to.hosts.v[i].kind == PH_URPF)
			return pf_error(p, E1201, r->to.hosts.v[i].at,
					"\"urpf-failed\" is not permitted in a destination "
					"address");
	return true;
}

static bool check_state(struct pf_parser *p, const struct pf_rule *r)
{
	const struct pf_rule_opts *o = r->o;

	if (o->state == NULL)
		return true;
	if (o->state->sloppy && o->state_kind != PSK_KEEP)
		return pf_error(p, E1108, r->keep_at, "sloppy state matching cannot be used with "
				"synproxy state or modulate state");
	return check_track(p, o->state, r->keep_at);
}

static bool check_filter(struct pf_parser *p, const struct pf_rule *r)
{
	const struct pf_rule_opts *o = r->o;
	const bool has_ports = r->from.ports.n > 0 || r->to.ports.n > 0;
	const struct span at = p->first.at;

	if (o->route != PW_NONE && r->dir < 0)
		return pf_error(p, E1101, o->route_to->at, "direction must be explicit with rules "
				"that specify routing");
	if (o->allow_opts && r->action != PA_PASS)
		return pf_error(p, E1101, at, "allow-opts can only be specified for pass rules");
	if (o->fragment && (has_ports || r->flag_mask != 0 || r->icmps.n > 0))
		return pf_error(p, E1101, at, "fragments can be filtered only on IP header "
				"fields");
	if (r->action == PA_MATCH && o->divert_port != 0)
		return pf_error(p, E1101, at, "divert is not supported on match rules");
	return check_state(p, r);
}

static bool has_other_than_ports(const struct pf_rule *r)
{
	for (uint32_t i = 0; i < r->protos.n; i++)
		if (!proto_has_ports(r->protos.v[i].number))
			return true;
	return r->protos.n == 0;
}

static bool check_rdr(struct pf_parser *p, const struct pf_rule *r)
{
	const bool has_target_port = r->target != NULL && r->target->has_port;

	if (has_other_than_ports(r) &&
	    (r->from.ports.n > 0 || r->to.ports.n > 0 || has_target_port)) {
		pf_diag(p->c, p->f, E1302, p->first.at, "%s port only applies to tcp/udp",
			r->from.ports.n > 0 ? "src" : r->to.ports.n > 0 ? "dst" : "rpool");
		diag_help(p->c->diags, "write 'proto tcp', 'proto udp' or 'proto { tcp udp }'");
		return false;
	}
	for (uint32_t i = 0; i < r->to.ports.n; i++)
		if (r->to.ports.v[i].op != PP_EQ && r->to.ports.v[i].op != PP_RANGE)
			return pf_error(p, E1204, r->to.ports.v[i].at, "invalid port operator for "
					"rdr destination port");
	return true;
}

static bool check_anchor(struct pf_parser *p, const struct pf_rule *r)
{
	const char *name = r->anchor->name;

	if (r->keep == PK_KEEP)
		return pf_error(p, E1101, r->keep_at, "cannot specify state handling on anchors");
	if (r->anchor->kind == PAK_BINAT &&
	    (r->from.hosts.n > 0 || r->from.ports.n > 0 || r->to.hosts.n > 0 || r->to.ports.n > 0))
		return pf_error(p, E1101, p->first.at, "fromto parameter not supported in "
				"binat-anchor");
	if (r->anchor->kind == PAK_RDR && r->from.ports.n > 0)
		return pf_error(p, E1101, r->from.ports_at, "source port parameter not supported "
				"in rdr-anchor");
	if (name == NULL || r->anchor->kind != PAK_FILTER)
		return true;
	if (name[0] == '_' || strstr(name, "/_") != NULL)
		return pf_error(p, E1101, p->first.at, "anchor names beginning with '_' are "
				"reserved for internal use");
	if (r->anchor->is_inline && strchr(name, '/') != NULL)
		return pf_error(p, E1101, p->first.at, "anchor paths containing '/' cannot be "
				"used for inline anchors.");
	return true;
}

bool pf_check_words(struct pf_parser *p, const struct pf_rule *r)
{
	const bool is_filter = r->action == PA_PASS || r->action == PA_BLOCK ||
			       r->action == PA_MATCH;

	if (!check_names(p, r->o, p->first.at) || !check_urpf(p, r))
		return false;
	if (r->is_no && r->is_pass)
		return pf_error(p, E1101, p->first.at, "\"pass\" not valid with \"no\"");
	if (r->action == PA_SCRUB && r->is_quick)
		return pf_error(p, E1101, p->first.at, "scrub rules do not support 'quick'");
	if (r->action == PA_RDR)
		return check_rdr(p, r);
	if (r->action == PA_ANCHOR)
		return check_anchor(p, r);
	return !is_filter || check_filter(p, r);
}
