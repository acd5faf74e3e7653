/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * One single rule as pfctl prints it: a table of parts in its order, each
 * printed with a blank before it if it is there.
 */
#include "lang/pf/norm.h"

#include <string.h>

#include "net/names.h"

/* ---- addresses ------------------------------------------------------------ */

static bool is_any(const struct pf_nhost *h)
{
	return h->kind == PH_ANY || (h->kind == PH_ADDR && h->len == 0 && h->a.v == 0);
}

static void print_dynamic(FILE *out, const struct pf_nhost *h, uint8_t af)
{
	fprintf(out, "(%s%s%s%s%s)", h->name, (h->mods & PHM_NETWORK) != 0 ? ":network" : "",
		(h->mods & PHM_BROADCAST) != 0 ? ":broadcast" : "",
		(h->mods & PHM_PEER) != 0 ? ":peer" : "", (h->mods & PHM_FIRST) != 0 ? ":0" : "");
	if (h->len < (af == AF_V4 ? 32 : 128))
		fprintf(out, "/%u", h->len);
}

void pf_norm_host(FILE *out, const struct pf_nhost *h, uint8_t af)
{
	char buf[ADDR_TEXT_BYTES], hi[ADDR_TEXT_BYTES];

	if (h->is_not)
		fputs("! ", out);
	switch (h->kind) {
	case PH_DYNAMIC:
		print_dynamic(out, h, af);
		break;
	case PH_TABLE:
		fprintf(out, "<%s>", h->name);
		break;
	case PH_RANGE:
		fprintf(out, "%s - %s", addr_print(h->a, buf), addr_print(h->hi, hi));
		break;
	case PH_NOROUTE:
		fputs("no-route", out);
		break;
	case PH_URPF:
		fputs("urpf-failed", out);
		break;
	case PH_ADDR:
		if (is_any(h))
			fputs("any", out);
		else if (h->len == addr_bits(h->af))
			fputs(addr_print(h->a, buf), out);
		else
			fprintf(out, "%s/%u", addr_print(h->a, buf), h->len);
		break;
	case PH_ANY:
	case PH_NAME:
		fputs("any", out);
		break;
	}
}

/* Text of an address in a label: as pfctl, "any" without a family */
static char *label_host(struct arena *a, const struct pf_nhost *h, uint8_t af)
{
	char buf[ADDR_TEXT_BYTES], hi[ADDR_TEXT_BYTES];

	switch (h->kind) {
	case PH_DYNAMIC:
		return arena_printf(a, "(%s)", h->name);
	case PH_TABLE:
		return arena_printf(a, "<%s>", h->name);
	case PH_NOROUTE:
		return arena_printf(a, "no-route");
	case PH_URPF:
		return arena_printf(a, "urpf-failed");
	case PH_RANGE:
		return arena_printf(a, "%s-%s", addr_print(h->a, buf), addr_print(h->hi, hi));
	default:
		break;
	}
	if (af == AF_NONE || is_any(h))
		return arena_printf(a, "any");
	if (h->len < addr_bits(h->af))
		return arena_printf(a, "%s/%u", addr_print(h->a, buf), h->len);
	return arena_printf(a, "%s", addr_print(h->a, buf));
}

/* ---- ports and numbers ---------------------------------------------------- */

static const char *const op_text[] = {
	[PP_EQ] = "=", [PP_NE] = "!=", [PP_LT] = "<", [PP_LE] = "<=", [PP_GT] = ">",
	[PP_GE] = ">=", [PP_INSIDE] = "><", [PP_OUTSIDE] = "<>",
};

static void print_port(const struct pf_norm *n, const struct pf_port *p, int proto)
{
	const bool is_numeric = n->show != NULL && n->show->is_numeric;
	const char *name = NULL;

	if (p == NULL)
		return;
	if (p->op == PP_RANGE) {
		fprintf(n->out, " port %u:%u", p->lo, p->hi);
		return;
	}
	if (p->op == PP_INSIDE || p->op == PP_OUTSIDE) {
		fprintf(n->out, " port %u %s %u", p->lo, op_text[p->op], p->hi);
		return;
	}
	if (!is_numeric && (p->op == PP_EQ || p->op == PP_NE))
		name = service_name(proto == (int)PROTO_TCP ? PROTO_TCP : PROTO_UDP, p->lo);
	if (name != NULL)
		fprintf(n->out, " port %s %s", op_text[p->op], name);
	else
		fprintf(n->out, " port %s %u", op_text[p->op], p->lo);
}

static char *label_port(struct arena *a, const struct pf_port *p)
{
	if (p == NULL)
		return arena_printf(a, "%s", "");
	if (p->op == PP_RANGE)
		return arena_printf(a, "%u:%u", p->lo, p->hi);
	if (p->op == PP_INSIDE || p->op == PP_OUTSIDE)
		return arena_printf(a, "%u%s%u", p->lo, op_text[p->op], p->hi);
	return arena_printf(a, "%s%u", p->op == PP_EQ ? "" : op_text[p->op], p->lo);
}

static void print_id(FILE *out, const char *what, const struct pf_id *x)
{
	if (x == NULL)
		return;
	if (x->op == PP_INSIDE || x->op == PP_OUTSIDE)
		fprintf(out, " %s %u %s %u", what, x->lo, op_text[x->op], x->hi);
	else if (x->is_unknown)
		fprintf(out, " %s %s unknown", what, op_text[x->op]);
	else
		fprintf(out, " %s %s %u", what, op_text[x->op], x->lo);
}

static void print_flags(FILE *out, uint8_t flags)
{
	for (int i = 0; i < 8; i++)
		if ((flags & 1u << i) != 0)
			putc("FSRPAUEW"[i], out);
}

/* ---- macros in labels ----------------------------------------------------- */

static const char *proto_text(struct arena *a, int proto)
{
	const char *name = proto < 0 ? "ip" : proto == (int)PROTO_ICMP6 ? "ipv6-icmp" :
			   proto_name((uint8_t)proto);

	return name != NULL ? name : arena_printf(a, "%d", proto);
}

const char *pf_norm_name(struct pf_norm *n, const struct pf_nrule *x, const char *s)
{
	struct arena *a = n->l.c->a;
	const struct {
		const char *name;
		const char *value;
	} vars[] = {
		{ "$if", x->ifname != NULL ? x->ifname : "any" },
		{ "$srcaddr", label_host(a, &x->src, x->af) },
		{ "$dstaddr", label_host(a, &x->dst, x->af) },
		{ "$srcport", label_port(a, x->sport) },
		{ "$dstport", label_port(a, x->dport) },
		{ "$proto", proto_text(a, x->proto) },
		{ "$nr", arena_printf(a, "%u", x->nr) },
	};
	VEC(char) text = { 0 };

	while (*s != '\0') {
		const char *value = NULL;

		for (size_t i = 0; i < ARRAY_SIZE(vars) && value == NULL; i++) {
			if (strncmp(s, vars[i].name, strlen(vars[i].name)) == 0) {
				value = vars[i].value;
				s += strlen(vars[i].name);
			}
		}
		if (value == NULL) {
			vec_add(a, &text, *s++);
			continue;
		}
		for (; *value != '\0'; value++)
			vec_add(a, &text, *value);
	}
	vec_add(a, &text, '\0');
	return text.v;
}

/* ---- pools ---------------------------------------------------------------- */

static void pool_options(FILE *out, const struct pf_target *t, bool multi)
{
	static const char *const names[] = {
		[PO_DEFAULT] = "", [PO_ROUND_ROBIN] = " round-robin", [PO_RANDOM] = " random",
		[PO_BITMASK] = " bitmask", [PO_SOURCE_HASH] = " source-hash",
	};

	fputs(names[t->pool == PO_DEFAULT && multi ? PO_ROUND_ROBIN : t->pool], out);
	if (t->hash_key != NULL)
		fprintf(out, " %s", t->hash_key);
	if (t->is_sticky)
		fputs(" sticky-address", out);
	if (t->is_independent)
		fputs(" endpoint-independent", out);
	if (t->is_static)
		fputs(" static-port", out);
	if (t->has_map_e)
		fprintf(out, " map-e-portset %u/%u/%u", t->map_e[0], t->map_e[1], t->map_e[2]);
}

static bool is_multi(const struct pf_nhosts *hs)
{
	const struct pf_nhost *h = &hs->list.v[0];
	const size_t len = h->name != NULL ? strlen(h->name) : 0;

	if (hs->list.n > 1 || h->kind == PH_TABLE)
		return true;
	return h->kind == PH_DYNAMIC &&
	       ((h->mods & PHM_FIRST) == 0 || len == 0 || h->name[len - 1] < '0' ||
		h->name[len - 1] > '9');
}

static void target_ports(FILE *out, const struct pf_nrule *x, const struct pf_target *t, bool nat)
{
	const struct pf_port *d = x->r->to.ports.n > 0 ? &x->r->to.ports.v[0] : NULL;
	uint32_t hi = t->port_hi;

	if (!t->has_port || t->is_static)
		return;
	if (t->is_open)
		hi = t->port_lo + (d != NULL && d->op == PP_RANGE ? (uint32_t)(d->hi - d->lo) : 0);
	if (nat && t->port_lo == 50001 && hi == 65535)
		return;
	fprintf(out, " port %u", t->port_lo);
	if (hi != t->port_lo)
		fprintf(out, ":%u", hi);
}

static void print_pool(struct pf_norm *n, const struct pf_nrule *x, const struct pf_target *t,
		       const struct pf_nhosts *hosts, uint8_t af, bool nat)
{
	const bool quiet = x->r->o->af_to != AF_NONE;	/* there pf says no round-robin */
	const bool many = hosts->list.n > 1;

	fputs(many ? " { " : " ", n->out);
	for (uint32_t i = 0; i < hosts->list.n; i++) {
		fputs(i > 0 ? ", " : "", n->out);
		pf_norm_host(n->out, &hosts->list.v[i], af);
	}
	fputs(many ? " }" : "", n->out);
	target_ports(n->out, x, t, nat);
	pool_options(n->out, t, !quiet && is_multi(hosts));
}

/* The addresses of a pool that fit @af */
static void pool_of(struct pf_norm *n, const struct pf_nrule *x, const struct pf_target *t,
		    uint8_t af, bool nat)
{
	struct pf_nhosts all = { .list = { 0 } }, fit = { .list = { 0 } };

	if (!pf_norm_hosts(n, &t->hosts, &all))
		return;
	for (uint32_t i = 0; i < all.list.n; i++)
		if (af == AF_NONE || all.list.v[i].af == AF_NONE || all.list.v[i].af == af)
			vec_add(n->l.c->a, &fit.list, all.list.v[i]);
	print_pool(n, x, t, fit.list.n > 0 ? &fit : &all, af, nat);
}

/* ---- parts of a rule ------------------------------------------------------ */

static void part_return(struct pf_norm *n, const struct pf_nrule *x)
{
	const struct pf_rule *r = x->r;
	const char *v4 = icmp_code_name(false, 3, (uint8_t)r->icmp4);
	const char *v6 = icmp_code_name(true, 1, (uint8_t)r->icmp6);
	struct arena *a = n->l.c->a;

	v4 = v4 != NULL ? v4 : arena_printf(a, "%u", (uint8_t)r->icmp4);
	v6 = v6 != NULL ? v6 : arena_printf(a, "%u", (uint8_t)r->icmp6);
	if (x->af == AF_V4)
		fprintf(n->out, " return-icmp(%s)", v4);
	else if (x->af == AF_V6)
		fprintf(n->out, " return-icmp6(%s)", v6);
	else
		fprintf(n->out, " return-icmp(%s, %s)", v4, v6);
}

static void part_refusal(struct pf_norm *n, const struct pf_nrule *x)
{
	switch (x->r->refusal) {
	case PR_DROP:
		fputs(" drop", n->out);
		break;
	case PR_RETURN:
		fputs(" return", n->out);
		break;
	case PR_RST:
		fputs(" return-rst", n->out);
		if (x->r->o->return_ttl != 0)
			fprintf(n->out, "(ttl %u)", x->r->o->return_ttl);
		break;
	case PR_ICMP:
		part_return(n, x);
		break;
	}
}

static void part_action(struct pf_norm *n, const struct pf_nrule *x)
{
	static const char *const actions[] = {
		[PA_PASS] = "pass", [PA_BLOCK] = "block", [PA_MATCH] = "match", [PA_NAT] = "nat",
		[PA_RDR] = "rdr", [PA_BINAT] = "binat", [PA_SCRUB] = "scrub",
		[PA_ANTISPOOF] = "block",
	};
	static const char *const anchors[] = { "anchor", "nat-anchor", "rdr-anchor",
					       "binat-anchor" };
	const struct pf_rule *r = x->r;

	if (r->action == PA_ANCHOR) {
		fputs(anchors[r->anchor->kind], n->out);
		if (r->anchor->name != NULL)
			fprintf(n->out, " \"%s\"", r->anchor->name);
		return;
	}
	fprintf(n->out, "%s%s%s", r->is_no ? "no " : "", actions[r->action],
		r->is_pass ? " pass" : "");
	if (r->action == PA_BLOCK)
		part_refusal(n, x);
}

static void part_log(struct pf_norm *n, const struct pf_nrule *x)
{
	const struct pf_rule_opts *o = x->r->o;
	const char *sep = " (";

	if (!x->r->is_log)
		return;
	fputs(" log", n->out);
	if (o->log_all)
		fprintf(n->out, "%sall", sep), sep = ", ";
	if (o->log_matches)
		fprintf(n->out, "%smatches", sep), sep = ", ";
	if (o->log_user)
		fprintf(n->out, "%suser", sep), sep = ", ";
	if (o->log_if >= 0)
		fprintf(n->out, "%sto pflog%d", sep, o->log_if), sep = ", ";
	fputs(*sep == ',' ? ")" : "", n->out);
}

static void part_where(struct pf_norm *n, const struct pf_nrule *x)
{
	if (x->r->dir >= 0)
		fputs(x->r->dir == DIR_IN ? " in" : " out", n->out);
	part_log(n, x);
	if (x->r->is_quick)
		fputs(" quick", n->out);
	if (x->ifname != NULL)
		fprintf(n->out, " on %s%s", x->if_not ? "! " : "", x->ifname);
}

static void part_route(struct pf_norm *n, const struct pf_nrule *x)
{
	const struct pf_rule_opts *o = x->r->o;
	const struct pf_target *t = o->route_to;
	const uint8_t af = o->prefer_ipv6_nexthop || o->af_to != AF_NONE ? AF_NONE : x->af;
	uint32_t n_printed = 0;
	bool many;

	if (o->route == PW_NONE)
		return;
	many = t->hosts.n > 1;
	fprintf(n->out, " %s %s", pf_word_text(o->route), many ? "{ " : "");
	for (uint32_t i = 0; i < t->hosts.n; i++) {
		const struct pf_hosts one = { &t->hosts.v[i], 1 };
		struct pf_nhosts hosts = { .list = { 0 } };
		const struct pf_nhost *h = NULL;

		if (!pf_norm_hosts(n, &one, &hosts))
			return;
		for (uint32_t k = 0; k < hosts.list.n && h == NULL; k++)
			if (af == AF_NONE || hosts.list.v[k].af == AF_NONE ||
			    hosts.list.v[k].af == af)
				h = &hosts.list.v[k];
		if (h == NULL)
			continue;
		fputs(n_printed++ > 0 ? ", " : "", n->out);
		if (h->kind == PH_ANY) {
			fputs(t->ifaces[i], n->out);
		} else {
			fprintf(n->out, "(%s ", t->ifaces[i]);
			pf_norm_host(n->out, h, h->af);
			putc(')', n->out);
		}
	}
	fputs(many ? " }" : "", n->out);
	pool_options(n->out, t, many);
	if (o->prefer_ipv6_nexthop)
		fputs(" prefer-ipv6-nexthop", n->out);
}

static void part_family(struct pf_norm *n, const struct pf_nrule *x)
{
	if (x->af != AF_NONE)
		fputs(x->af == AF_V4 ? " inet" : " inet6", n->out);
	if (x->proto >= 0)
		fprintf(n->out, " proto %s", proto_text(n->l.c->a, x->proto));
}

static void part_sides(struct pf_norm *n, const struct pf_nrule *x)
{
	if (is_any(&x->src) && is_any(&x->dst) && !x->src.is_not && !x->dst.is_not &&
	    x->sport == NULL && x->dport == NULL && x->os == NULL) {
		fputs(" all", n->out);
		return;
	}
	fputs(" from ", n->out);
	pf_norm_host(n->out, &x->src, x->af);
	print_port(n, x->sport, x->proto);
	if (x->os != NULL)
		fprintf(n->out, " os \"%s\"", x->os->name);
	fputs(" to ", n->out);
	pf_norm_host(n->out, &x->dst, x->af);
	print_port(n, x->dport, x->proto);
}

static void part_flags(struct pf_norm *n, const struct pf_nrule *x)
{
	const struct pf_rule *r = x->r;

	if (x->flag_mask != 0 || x->flags != 0) {
		fputs(" flags ", n->out);
		print_flags(n->out, x->flags);
		putc('/', n->out);
		print_flags(n->out, x->flag_mask);
	} else if (r->action == PA_PASS && (x->proto < 0 || x->proto == (int)PROTO_TCP) &&
		   !r->o->fragment && r->keep != PK_NO) {
		fputs(" flags any", n->out);
	}
}

static void part_icmp(struct pf_norm *n, const struct pf_nrule *x)
{
	const bool v6 = x->af == AF_V6;
	const char *name;

	if (x->icmp == NULL)
		return;
	name = icmp_type_name(v6, x->icmp->type);
	fputs(v6 ? " icmp6-type" : " icmp-type", n->out);
	if (name != NULL)
		fprintf(n->out, " %s", name);
	else
		fprintf(n->out, " %u", x->icmp->type);
	if (x->icmp->code < 0)
		return;
	name = icmp_code_name(v6, x->icmp->type, (uint8_t)x->icmp->code);
	if (name != NULL)
		fprintf(n->out, " code %s", name);
	else
		fprintf(n->out, " code %d", x->icmp->code);
}

static void part_tests(struct pf_norm *n, const struct pf_nrule *x)
{
	const struct pf_rule_opts *o = x->r->o;

	if (o->received_on != NULL)
		fprintf(n->out, " %sreceived-on %s", o->not_received ? "! " : "", o->received_on);
	print_id(n->out, "user", x->user);
	print_id(n->out, "group", x->group);
	part_flags(n, x);
	part_icmp(n, x);
	if (o->tos >= 0)
		fprintf(n->out, " tos 0x%02x", (unsigned int)o->tos);
	if (o->prio >= 0)
		fprintf(n->out, " prio %d", o->prio);
	if (o->pkt_rate[0] != 0)
		fprintf(n->out, " max-pkt-rate %u/%u", o->pkt_rate[0], o->pkt_rate[1]);
	if (o->max_pkt_size != 0)
		fprintf(n->out, " max-pkt-size %u", o->max_pkt_size);
}

static void part_set(struct pf_norm *n, const struct pf_nrule *x)
{
	const struct pf_rule_opts *o = x->r->o;
	const bool tos = o->scrub.set_tos >= 0 && x->r->action != PA_SCRUB && !o->has_scrub;

	if (o->set_prio[0] < 0 && !tos)
		return;
	fputs(" set (", n->out);
	if (o->set_prio[0] >= 0 && o->set_prio[0] == o->set_prio[1])
		fprintf(n->out, " prio %d", o->set_prio[0]);
	else if (o->set_prio[0] >= 0)
		fprintf(n->out, " prio(%d, %d)", o->set_prio[0], o->set_prio[1]);
	if (tos)
		fprintf(n->out, "%s tos 0x%02x", o->set_prio[0] >= 0 ? "," : "",
			(unsigned int)o->scrub.set_tos);
	fputs(" )", n->out);
}

static void part_state(struct pf_norm *n, const struct pf_nrule *x)
{
	static const char *const kinds[] = { "keep", "modulate", "synproxy" };
	const struct pf_rule *r = x->r;
	enum pf_state_kind kind = r->o->state_kind;

	if (r->action == PA_PASS && r->keep == PK_NO)
		fputs(" no state", n->out);
	if (r->keep == PK_NO || (r->action != PA_PASS && r->keep == PK_DEFAULT))
		return;
	if (x->proto >= 0 && x->proto != (int)PROTO_TCP)
		kind = PSK_KEEP;
	if (r->action == PA_PASS || r->action == PA_MATCH)
		fprintf(n->out, " %s state", kinds[kind]);
}

static void part_probability(struct pf_norm *n, const struct pf_nrule *x)
{
	char buf[32];
	size_t len;

	if (x->r->o->probability < 0)
		return;
	len = (size_t)snprintf(buf, sizeof(buf), "%f", x->r->o->probability);
	while (buf[len - 1] == '0')
		buf[--len] = '\0';
	if (buf[len - 1] == '.')
		buf[--len] = '\0';
	fprintf(n->out, " probability %s%%", buf);
}

/* The words of scrub, each behind @sep and then blanks; whether there was one */
static void scrub_words(FILE *out, const struct pf_rule_opts *o, const char *sep)
{
	if (o->scrub.no_df)
		fprintf(out, "%sno-df", sep), sep = " ";
	if (o->scrub.random_id)
		fprintf(out, "%srandom-id", sep), sep = " ";
	if (o->scrub.min_ttl != 0)
		fprintf(out, "%smin-ttl %u", sep, o->scrub.min_ttl), sep = " ";
	if (o->scrub.max_mss != 0)
		fprintf(out, "%smax-mss %u", sep, o->scrub.max_mss), sep = " ";
	if (o->scrub.set_tos >= 0)
		fprintf(out, "%sset-tos 0x%02x", sep, (unsigned int)o->scrub.set_tos), sep = " ";
	if (o->scrub.reassemble_tcp)
		fprintf(out, "%sreassemble tcp", sep);
}

static void part_scrub(struct pf_norm *n, const struct pf_nrule *x)
{
	const struct pf_rule_opts *o = x->r->o;

	if (o->fragment)
		fputs(" fragment", n->out);
	if (o->has_scrub) {
		fputs(" scrub (", n->out);
		scrub_words(n->out, o, "");
		putc(')', n->out);
	}
	if (o->allow_opts)
		fputs(" allow-opts", n->out);
	if (x->r->action != PA_SCRUB)
		return;
	scrub_words(n->out, o, " ");
	if (!x->r->is_no)
		fputs(o->scrub.no_reassemble ? " fragment no reassemble" : " fragment reassemble",
		      n->out);
}

/* pfctl prints a tag bare, also where "$srcaddr" made a word of it that it cannot read */
static void print_tag(FILE *out, const char *what, const char *tag)
{
	const bool is_word = tag[0] != '\0' && strpbrk(tag, " \t(){}<>!=/#,\"'\\$") == NULL;

	fprintf(out, is_word ? " %s %s" : " %s \"%s\"", what, tag);
}

static void part_names(struct pf_norm *n, const struct pf_nrule *x)
{
	const struct pf_rule_opts *o = x->r->o;

	if (o->once)
		fputs(" once", n->out);
	for (uint32_t i = 0; i < o->n_labels; i++)
		fprintf(n->out, " label \"%s\"", pf_norm_name(n, x, o->labels[i]));
	if (o->ridentifier != 0)
		fprintf(n->out, " ridentifier %u", o->ridentifier);
	if (o->dn != PW_NONE && o->dn_no[1] != 0)
		fprintf(n->out, " %s(%u, %u)", pf_word_text(o->dn), o->dn_no[0], o->dn_no[1]);
	else if (o->dn != PW_NONE)
		fprintf(n->out, " %s %u", pf_word_text(o->dn), o->dn_no[0]);
	if (o->queue != NULL && o->pqueue != NULL)
		fprintf(n->out, " queue(%s, %s)", o->queue, o->pqueue);
	else if (o->queue != NULL)
		fprintf(n->out, " queue %s", o->queue);
	if (o->tag != NULL)
		print_tag(n->out, "tag", pf_norm_name(n, x, o->tag));
	if (o->tagged != NULL)
		print_tag(n->out, o->not_tagged ? "! tagged" : "tagged",
			  pf_norm_name(n, x, o->tagged));
	if (o->rtable >= 0)
		fprintf(n->out, " rtable %d", o->rtable);
	if (o->divert_port != 0)
		fprintf(n->out, " divert-to %u", o->divert_port);
	if (o->limiters != NULL)
		fprintf(n->out, "%s", o->limiters);
}

static void part_translation(struct pf_norm *n, const struct pf_nrule *x)
{
	const struct pf_rule_opts *o = x->r->o;

	if (x->r->target != NULL) {
		fputs(" ->", n->out);
		print_pool(n, x, x->r->target, x->pool, x->af, x->r->action == PA_NAT);
	}
	if (o->af_from != NULL) {
		fprintf(n->out, " af-to %s from", o->af_to == AF_V4 ? "inet" : "inet6");
		pool_of(n, x, o->af_from, o->af_to, true);
		if (o->af_dst != NULL) {
			fputs(" to", n->out);
			pool_of(n, x, o->af_dst, o->af_to, false);
		}
	}
	if (o->nat_to != NULL) {
		fputs(" nat-to", n->out);
		pool_of(n, x, o->nat_to, x->af, true);
	}
	if (o->rdr_to != NULL) {
		fputs(" rdr-to", n->out);
		pool_of(n, x, o->rdr_to, x->af, false);
	}
	if (o->binat_to != NULL) {
		fputs(" binat-to", n->out);
		pool_of(n, x, o->binat_to, x->af, false);
	}
}

void pf_norm_rule(struct pf_norm *n, const struct pf_nrule *x)
{
	static void (*const parts[])(struct pf_norm *n, const struct pf_nrule *x) = {
		part_action, part_where, part_route, part_family, part_sides, part_tests, part_set,
		part_state, pf_norm_state, part_probability, part_scrub, part_names,
		part_translation,
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		parts[i](n, x);
}
