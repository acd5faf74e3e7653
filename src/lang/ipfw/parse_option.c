/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Options of a rule's body.  A table leads from the word to the function that
 * reads what follows it; a word that is read and refused needs no row here, the
 * keyword table says why.
 */
#include <ctype.h>
#include <string.h>

#include "lang/ipfw/parse.h"
#include "net/names.h"

#define ICMP_TYPE_MAX	255u
#define DSCPS		64

/* Where two names mean the same, the first is printed */
static const struct { const char *name; int code; } dscp_names[] = {
	{ "be", 0 }, { "af11", 10 }, { "af12", 12 }, { "af13", 14 }, { "af21", 18 },
	{ "af22", 20 }, { "af23", 22 }, { "af31", 26 }, { "af32", 28 }, { "af33", 30 },
	{ "af41", 34 }, { "af42", 36 }, { "af43", 38 }, { "va", 44 }, { "ef", 46 },
	{ "cs0", 0 }, { "cs1", 8 }, { "cs2", 16 }, { "cs3", 24 }, { "cs4", 32 },
	{ "cs5", 40 }, { "cs6", 48 }, { "cs7", 56 },
};

typedef bool option_fn(struct parser *p, enum iw word, struct ipfw_rule *r,
		       struct ipfw_insn *insn);

static bool opt_plain(struct parser *p, enum iw word, struct ipfw_rule *r, struct ipfw_insn *insn)
{
	static const struct { enum iw word; enum insn_kind kind; } kinds[] = {
		{ IW_ANTISPOOF, INSN_ANTISPOOF }, { IW_VERREVPATH, INSN_VERREVPATH },
		{ IW_VERSRCREACH, INSN_VERSRCREACH },
		{ IW_OPT_ALL, INSN_ANY },
	};

	(void)p;
	(void)r;
	insn->text = iw_text(word);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].word == word)
			insn->kind = kinds[i].kind;
	return true;
}

/* One flag of "frag rf,!df,mf,offset"; -1: the word is none */
static int frag_flag(const char *s, size_t len)
{
	static const char *const flags[] = { "offset", "mf", "df", "rf" };

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (strlen(flags[i]) == len && strncmp(flags[i], s, len) == 0)
			return (int)i;
	return -1;
}

/*
 * offset and mf are never set here: the packet has been reassembled.  So all of
 * them clear is any IPv4 packet, and one of them set is none.
 */
static bool opt_frag(struct parser *p, enum iw word, struct ipfw_rule *r, struct ipfw_insn *insn)
{
	const char *s = p_peek(p);
	bool any_set = false;

	(void)r;
	insn->kind = INSN_FRAG;
	insn->text = arena_printf(p->c->a, "%s offset", iw_text(word));
	if (s == NULL || frag_flag(s + (s[0] == '!'), strcspn(s + (s[0] == '!'), ",")) < 0)
		return true;
	insn->text = arena_printf(p->c->a, "%s %s", iw_text(word), p_take(p)->text);
	for (;; s++) {
		const bool clear = *s == '!';
		const size_t len = strcspn(s += clear, ",");
		const int flag = frag_flag(s, len);

		if (flag < 0 || flag > 1) {
			diag_add(p->c->diags, flag < 0 ? DIAG_E2010 : DIAG_E2004,
				 p->w.v[p->i - 1].at, flag < 0 ? "unknown flag '%.*s' of frag" :
				 "'frag %.*s' is not possible here: the flags of the IP header "
				 "are not tested", (int)MIN(len, 80u), s);
			return false;
		}
		any_set |= !clear;
		s += len;
		if (*s == '\0')
			break;
	}
	if (!any_set) {
		insn->kind = INSN_AF;
		insn->set = set_one(p->c->a, AF_V4);
	}
	return true;
}

static bool opt_dir(struct parser *p, enum iw word, struct ipfw_rule *r, struct ipfw_insn *insn)
{
	(void)r;
	insn->kind = INSN_DIR;
	insn->set = set_one(p->c->a, word == IW_IN ? DIR_IN : DIR_OUT);
	insn->text = iw_text(word);
	return true;
}

static bool opt_af(struct parser *p, enum iw word, struct ipfw_rule *r, struct ipfw_insn *insn)
{
	uint32_t version = word == IW_OPT_IP4 ? 4 : 6;

	(void)r;
	if (word == IW_IPVERSION && !p_number(p, 4, 6, "ipversion", &version))
		return false;
	insn->kind = INSN_AF;
	insn->set = set_one(p->c->a, version == 4 ? AF_V4 : AF_V6);
	insn->text = word == IW_IPVERSION ? arena_printf(p->c->a, "ipversion %u", version)
					  : iw_text(word);
	return true;
}

static bool opt_iface(struct parser *p, enum iw word, struct ipfw_rule *r, struct ipfw_insn *insn)
{
	const char *inside, *name;
	size_t len;

	(void)r;
	insn->kind = word == IW_VIA ? INSN_VIA : word == IW_RECV ? INSN_RECV : INSN_XMIT;
	if (p_peek(p) == NULL)
		return p_missing(p, "the interface");
	name = p_take(p)->text;
	insn->text = arena_printf(p->c->a, "%s %s", iw_text(word), name);
	if (iw_is(IWK_ADDRESS, name, IW_ANY)) {
		insn->kind = INSN_ANY;
	} else if (part_is_table(name, &inside, &len)) {
		return part_table(p, inside, len, p->w.v[p->i - 1].at, &insn->table);
	} else if (isdigit((unsigned char)name[0])) {
		if (addr_parse(name, strlen(name), &insn->iface_addr) == 0)
			return true;
		diag_add(p->c->diags, DIAG_E2010, p->w.v[p->i - 1].at,
			 "'%s' is neither an interface nor an address of one", name);
		return false;
	} else {
		insn->iface = intern_cstr(p->c->names, name);
	}
	return true;
}

/* Flag bytes with @set all set and @clear all clear */
static const struct set *flag_set(struct arena *a, unsigned int set, unsigned int clear)
{
	struct ranges rs = { 0 };

	for (unsigned int f = 0; f < 256; f++)
		if ((f & set) == set && (f & clear) == 0)
			ranges_add(a, &rs, AF_NONE, f, f);
	return set_make(a, &rs);
}

static bool opt_setup(struct parser *p, enum iw word, struct ipfw_rule *r, struct ipfw_insn *insn)
{
	(void)r;
	insn->kind = INSN_TCPFLAGS;
	insn->text = iw_text(word);
	insn->set = flag_set(p->c->a, TCP_FLAG_SYN, TCP_FLAG_ACK);
	if (word == IW_ESTABLISHED)	/* all but SYN without ACK and RST */
		insn->set = set_complement(p->c->a, flag_set(p->c->a, TCP_FLAG_SYN,
					   TCP_FLAG_ACK | TCP_FLAG_RST), SET_U8);
	return true;
}

/* Types of service without the bits of ECN, as rules test them */
static const struct set *plain_tos(struct arena *a, const struct set *in)
{
	struct ranges rs = { 0 };

	for (unsigned int tos = 0; tos < 256; tos += TOS_ECN + 1)
		if (set_has(in, AF_NONE, tos))
			ranges_add(a, &rs, AF_NONE, tos, tos);
	return set_make(a, &rs);
}

struct flag_name {
	const char *name;
	unsigned int flag;	/* 0: is refused */
};

/* "a,!b": @mask of those to be set, and of those to be clear */
static bool read_flags(struct parser *p, const struct flag_name *names, size_t n,
		       const char *what, unsigned int mask[2])
{
	const struct ipfw_word *w = p_take(p);

	for (const char *s = w->text;; s++) {
		const bool clear = *s == '!';
		const size_t len = strcspn(s += clear, ",");
		size_t i = 0;

		while (i < n &&
		       (strlen(names[i].name) != len || strncmp(names[i].name, s, len) != 0))
			i++;
		if (i == n || names[i].flag == 0) {
			diag_add(p->c->diags, i == n ? DIAG_E2010 : DIAG_E2004, w->at,
				 i == n ? "unknown %s '%.*s'" : "the %s '%.*s' is not tested here",
				 what, (int)MIN(len, 80u), s);
			return false;
		}
		mask[clear] |= names[i].flag;
		s += len;
		if (*s == '\0')
			return true;
	}
}

static bool opt_tcpflags(struct parser *p, enum iw word, struct ipfw_rule *r,
			 struct ipfw_insn *insn)
{
	static const struct flag_name names[] = {
		{ "fin", TCP_FLAG_FIN }, { "syn", TCP_FLAG_SYN }, { "rst", TCP_FLAG_RST },
		{ "psh", TCP_FLAG_PSH }, { "ack", TCP_FLAG_ACK }, { "urg", TCP_FLAG_URG },
	};
	unsigned int mask[2] = { 0, 0 };
	const char *text = p_peek(p);

	(void)r;
	if (text == NULL)
		return p_missing(p, "the flags");
	if (!read_flags(p, names, ARRAY_SIZE(names), "TCP flag", mask)) {
		diag_help(p->c->diags, "the flags are fin, syn, rst, psh, ack and urg");
		return false;
	}
	insn->kind = INSN_TCPFLAGS;
	insn->set = flag_set(p->c->a, mask[0], mask[1]);
	insn->text = mask[0] == TCP_FLAG_SYN && mask[1] == TCP_FLAG_ACK ? iw_text(IW_SETUP)
		: arena_printf(p->c->a, "%s %s", iw_text(word), text);
	return true;
}

static bool opt_ipoptions(struct parser *p, enum iw word, struct ipfw_rule *r,
			  struct ipfw_insn *insn)
{
	static const struct flag_name names[] = {
		{ "ssrr", IP_OPTION_SSRR }, { "lsrr", IP_OPTION_LSRR }, { "rr", IP_OPTION_RR },
		{ "ts", 0 },
	};
	unsigned int mask[2] = { 0, 0 };
	const char *text = p_peek(p);

	(void)r;
	if (text == NULL)
		return p_missing(p, "the options");
	if (!read_flags(p, names, ARRAY_SIZE(names), "option of IP", mask))
		return false;
	insn->kind = INSN_IPOPTIONS;
	insn->set = set_intersect(p->c->a, flag_set(p->c->a, mask[0], mask[1]),
				  set_range(p->c->a, AF_NONE, 0, IP_OPTIONS_ALL));
	insn->text = arena_printf(p->c->a, "%s %s", iw_text(word), text);
	return true;
}

/* Flags in the order of their table, as a list of rules has them */
static const char *flags_text(struct parser *p, const struct flag_name *names, size_t n,
			      const unsigned int mask[2])
{
	const char *text = "";

	for (size_t i = 0; i < n; i++)
		for (unsigned int clear = 0; clear < 2; clear++)
			if ((mask[clear] & names[i].flag) != 0)
				text = arena_printf(p->c->a, "%s%s%s%s", text,
						    text[0] != '\0' ? "," : "",
						    clear != 0 ? "!" : "", names[i].name);
	return text;
}

static bool opt_iptos(struct parser *p, enum iw word, struct ipfw_rule *r, struct ipfw_insn *insn)
{
	static const struct flag_name names[] = {
		{ "lowdelay", 0x10 }, { "throughput", 0x08 }, { "reliability", 0x04 },
		{ "mincost", 0 }, { "congestion", 0 }, { "ecntransport", 0 },
	};
	unsigned int mask[2] = { 0, 0 };

	(void)r;
	if (p_peek(p) == NULL)
		return p_missing(p, "the type of service");
	if (!read_flags(p, names, ARRAY_SIZE(names), "type of service", mask)) {
		diag_help(p->c->diags, "lowdelay, throughput and reliability are tested; the "
			  "others are bits of ECN today");
		return false;
	}
	insn->kind = INSN_TOS;
	insn->set = plain_tos(p->c->a, flag_set(p->c->a, mask[0], mask[1]));
	insn->text = arena_printf(p->c->a, "%s %s", iw_text(word),
				  flags_text(p, names, ARRAY_SIZE(names), mask));
	return true;
}

static bool opt_precedence(struct parser *p, enum iw word, struct ipfw_rule *r,
			   struct ipfw_insn *insn)
{
	uint32_t n;

	(void)r;
	if (!p_number(p, 0, 7, "precedence", &n))
		return false;
	insn->kind = INSN_TOS;
	insn->set = plain_tos(p->c->a, set_range(p->c->a, AF_NONE, n << 5, n << 5 | 0x1f));
	insn->text = arena_printf(p->c->a, "%s %u", iw_text(word), n);
	return true;
}

/* One of "ef,af11,7"; -1: the word is none */
static int dscp_number(const char *s, size_t len)
{
	int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(dscp_names); i++)
		if (strlen(dscp_names[i].name) == len && strncmp(dscp_names[i].name, s, len) == 0)
			return dscp_names[i].code;
	if (len == 0 || len > 2)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)s[i]))
			return -1;
		n = 10 * n + s[i] - '0';
	}
	return n < DSCPS ? n : -1;
}

static const char *dscp_text(struct parser *p, const char *text, int code)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(dscp_names) && dscp_names[i].code != code)
		i++;
	return i < ARRAY_SIZE(dscp_names)
		? arena_printf(p->c->a, "%s,%s", text, dscp_names[i].name)
		: arena_printf(p->c->a, "%s,%d", text, code);
}

static bool opt_dscp(struct parser *p, enum iw word, struct ipfw_rule *r, struct ipfw_insn *insn)
{
	const struct ipfw_word *w;
	struct ranges rs = { 0 };
	const char *text = "";

	(void)r;
	if (p_peek(p) == NULL)
		return p_missing(p, "the code point");
	w = p_take(p);
	for (const char *s = w->text;; s++) {
		const size_t len = strcspn(s, ",");
		const int code = dscp_number(s, len);

		if (code < 0) {
			diag_add(p->c->diags, DIAG_E2010, w->at, "unknown code point '%.*s'",
				 (int)MIN(len, 80u), s);
			diag_help(p->c->diags, "0 to 63, be, ef, va, cs0 to cs7, af11 to af43");
			return false;
		}
		ranges_add(p->c->a, &rs, AF_NONE, (unsigned int)code << 2,
			   (unsigned int)code << 2);
		s += len;
		if (*s == '\0')
			break;
	}
	insn->kind = INSN_DSCP;
	insn->set = set_make(p->c->a, &rs);
	for (int code = 0; code < DSCPS; code++)
		if (set_has(insn->set, AF_NONE, (unsigned int)code << 2))
			text = dscp_text(p, text, code);
	insn->text = arena_printf(p->c->a, "%s %s", iw_text(word), text + 1);
	return true;
}

static bool opt_numbers(struct parser *p, enum iw word, struct ipfw_rule *r,
			struct ipfw_insn *insn)
{
	static const struct {
		enum iw word;
		enum insn_kind kind;
		enum head head;		/* of INSN_HEAD */
		uint32_t max;
		bool is_single;
		const char *what;
	} kinds[] = {
		{ IW_ICMPTYPES, INSN_ICMP, 0, 31, false, "ICMP type" },
		{ IW_ICMP6TYPES, INSN_ICMP6, 0, ICMP_TYPE_MAX, false, "ICMPv6 type" },
		{ IW_TAGGED, INSN_TAGGED, 0, IPFW_TAG_MAX, false, "tag" },
		{ IW_IPTTL, INSN_HEAD, HEAD_TTL, UINT8_MAX, false, "TTL" },
		{ IW_IPLEN, INSN_HEAD, HEAD_LEN, UINT16_MAX, false, "length" },
		{ IW_IPID, INSN_HEAD, HEAD_ID, UINT16_MAX, false, "id" },
		{ IW_FLOW_ID, INSN_HEAD, HEAD_FLOWID, FLOW_LABEL_MAX, false, "flow label" },
		{ IW_TCPWIN, INSN_HEAD, HEAD_WIN, UINT16_MAX, false, "window" },
		{ IW_TCPSEQ, INSN_HEAD, HEAD_SEQ, UINT32_MAX, true, "sequence number" },
		{ IW_TCPACK, INSN_HEAD, HEAD_ACK, UINT32_MAX, true, "acknowledgement number" },
	};
	const struct ipfw_word *w;
	size_t i = 0;

	(void)r;
	while (kinds[i].word != word)
		i++;
	if (p_peek(p) == NULL)
		return p_missing(p, kinds[i].what);
	w = p_take(p);
	insn->kind = kinds[i].kind;
	insn->head = kinds[i].head;
	insn->text = arena_printf(p->c->a, "%s %s", iw_text(word), w->text);
	if (kinds[i].is_single && strpbrk(w->text, ",-") != NULL) {
		diag_add(p->c->diags, DIAG_E2010, w->at, "%s '%s' is not one number",
			 kinds[i].what, w->text);
		return false;
	}
	return part_numbers(p, w, kinds[i].max, kinds[i].what, &insn->set);
}

static bool opt_uid(struct parser *p, enum iw word, struct ipfw_rule *r, struct ipfw_insn *insn)
{
	uint32_t uid = 0;

	(void)r;
	if (p_peek(p) == NULL)
		return p_missing(p, "the user");
	if (strcmp(p_peek(p), "root") == 0) {
		p_take(p);
	} else if (!isdigit((unsigned char)p_peek(p)[0])) {
		diag_add(p->c->diags, DIAG_E2004, p_here(p), "'uid %s' is not possible here: "
			 "users are not looked up by name, but root", p_peek(p));
		diag_help(p->c->diags, "write the number that the user has on this host");
		return false;
	} else if (!p_number(p, 0, UINT32_MAX, "user", &uid)) {
		return false;
	}
	insn->kind = INSN_HEAD;
	insn->head = HEAD_UID;
	insn->set = set_one(p->c->a, uid);
	insn->text = uid == 0 ? arena_printf(p->c->a, "%s root", iw_text(word))
			      : arena_printf(p->c->a, "%s %u", iw_text(word), uid);
	return true;
}

static bool opt_proto(struct parser *p, enum iw word, struct ipfw_rule *r, struct ipfw_insn *insn)
{
	(void)r;
	if (p_peek(p) == NULL)
		return p_missing(p, "the protocol");
	if (part_proto(p, p_peek(p), insn) != PART_OK) {
		diag_add(p->c->diags, DIAG_E2010, p_here(p), "unknown protocol '%s'", p_peek(p));
		return false;
	}
	p_take(p);
	insn->text = arena_printf(p->c->a, "%s %s", iw_text(word), insn->text);
	return true;
}

static bool opt_addr(struct parser *p, enum iw word, struct ipfw_rule *r, struct ipfw_insn *insn)
{
	(void)r;
	if (p_peek(p) == NULL)
		return p_missing(p, "the address");
	insn->is_dst = word == IW_DST_IP || word == IW_DST_IP6;
	if (!part_addrs(p, p_take(p), insn))
		return false;
	insn->text = arena_printf(p->c->a, "%s %s", iw_text(word), insn->text);
	return true;
}

static bool opt_port(struct parser *p, enum iw word, struct ipfw_rule *r, struct ipfw_insn *insn)
{
	enum part_result res;

	(void)r;
	if (p_peek(p) == NULL)
		return p_missing(p, "the port");
	insn->is_dst = word == IW_DST_PORT;
	res = part_ports(p, p_take(p), insn);
	if (res == PART_NOT)
		diag_add(p->c->diags, DIAG_E2009, p->w.v[p->i - 1].at, "'%s' is no port",
			 p->w.v[p->i - 1].text);
	insn->text = arena_printf(p->c->a, "%s %s", iw_text(word), insn->text);
	return res == PART_OK;
}

static bool opt_lookup(struct parser *p, enum iw word, struct ipfw_rule *r,
		       struct ipfw_insn *insn)
{
	static const struct { const char *name; enum lookup_key key; } keys[] = {
		{ "src-ip", KEY_SRC }, { "dst-ip", KEY_DST }, { "src-port", KEY_SPORT },
		{ "dst-port", KEY_DPORT }, { "proto", KEY_PROTO },
	};
	const struct ipfw_word *w;
	size_t i = 0;

	(void)r;
	if (p_peek(p) == NULL || p_peek2(p) == NULL)
		return p_missing(p, "a key and the name of a table");
	while (i < ARRAY_SIZE(keys) && strcmp(keys[i].name, p_peek(p)) != 0)
		i++;
	if (i == ARRAY_SIZE(keys)) {
		diag_add(p->c->diags, DIAG_E2004, p_here(p),
			 "a table cannot be looked up by '%s' here", p_peek(p));
		diag_help(p->c->diags, "src-ip, dst-ip, src-port, dst-port and proto can");
		return false;
	}
	p_take(p);
	insn->kind = INSN_TABLE;
	insn->key = keys[i].key;
	w = p_take(p);
	insn->text = arena_printf(p->c->a, "%s %s %s", iw_text(word), keys[i].name, w->text);
	return part_table(p, w->text, strlen(w->text), w->at, &insn->table);
}

static bool opt_flow(struct parser *p, enum iw word, struct ipfw_rule *r, struct ipfw_insn *insn)
{
	const struct ipfw_word *w;
	const char *inside;
	size_t len;

	(void)r;
	if (p_peek(p) == NULL)
		return p_missing(p, "the table");
	insn->kind = INSN_FLOW;
	w = p_take(p);
	insn->text = arena_printf(p->c->a, "%s %s", iw_text(word), w->text);
	if (!part_is_table(w->text, &inside, &len)) {
		inside = w->text;
		len = strlen(inside);
	}
	return part_table(p, inside, len, w->at, &insn->table);
}

static bool state_name(struct parser *p, struct ipfw_state *st)
{
	const char *s = p_peek(p);

	st->name = intern_cstr(p->c->names, "default");
	if (s == NULL || s[0] != ':')
		return true;
	for (const char *ch = s + 1; *ch != '\0'; ch++)
		if (!isalnum((unsigned char)*ch) && strchr("_-.", *ch) == NULL)
			s = ":";
	if (s[1] == '\0' || strcmp(s + 1, "any") == 0 || strlen(s) > 64) {
		diag_add(p->c->diags, DIAG_E2015, p_here(p), "bad name of states '%s'", p_peek(p));
		return false;
	}
	st->name = intern_cstr(p->c->names, s + 1);
	p_take(p);
	return true;
}

static bool limit_keys(struct parser *p, struct ipfw_state *st)
{
	static const struct { enum iw word; uint8_t bit; } bits[] = {
		{ IW_L_SRC_ADDR, LIMIT_SRC_ADDR }, { IW_L_SRC_PORT, LIMIT_SRC_PORT },
		{ IW_L_DST_ADDR, LIMIT_DST_ADDR }, { IW_L_DST_PORT, LIMIT_DST_PORT },
	};
	size_t i;

	do {
		for (i = 0; i < ARRAY_SIZE(bits); i++) {
			if (p_accept(p, IWK_LIMITBY, bits[i].word)) {
				st->by |= bits[i].bit;
				break;
			}
		}
	} while (i < ARRAY_SIZE(bits));
	if (st->by == 0)
		return p_missing(p, "what to limit by: src-addr, src-port, dst-addr, dst-port");
	return p_number(p, 1, 65534, "limit", &st->limit);
}

static bool opt_state(struct parser *p, enum iw word, struct ipfw_rule *r, struct ipfw_insn *insn)
{
	struct ipfw_state st = { .word = word, .at = p->w.v[p->i - 1].at };

	if (r->state.word != IW_NONE) {
		diag_add(p->c->diags, DIAG_E2016, st.at,
			 "only one of keep-state, limit, record-state and set-limit is allowed");
		return false;
	}
	if ((word == IW_LIMIT || word == IW_SET_LIMIT) && !limit_keys(p, &st))
		return false;
	if (!state_name(p, &st))
		return false;
	r->state = st;
	insn->text = NULL;
	return true;
}

static bool opt_defer(struct parser *p, enum iw word, struct ipfw_rule *r, struct ipfw_insn *insn)
{
	(void)p;
	(void)word;
	r->is_deferred = true;
	insn->text = NULL;
	return true;
}

static const struct { enum iw word; option_fn *read; } options[] = {
	{ IW_IN, opt_dir }, { IW_OUT, opt_dir },
	{ IW_VIA, opt_iface }, { IW_RECV, opt_iface }, { IW_XMIT, opt_iface },
	{ IW_KEEP_STATE, opt_state }, { IW_LIMIT, opt_state }, { IW_RECORD_STATE, opt_state },
	{ IW_SET_LIMIT, opt_state }, { IW_DEFER, opt_defer },
	{ IW_ESTABLISHED, opt_setup }, { IW_SETUP, opt_setup }, { IW_TCPFLAGS, opt_tcpflags },
	{ IW_IPOPTIONS, opt_ipoptions }, { IW_IPTOS, opt_iptos },
	{ IW_IPPRECEDENCE, opt_precedence }, { IW_DSCP, opt_dscp },
	{ IW_ICMPTYPES, opt_numbers }, { IW_ICMP6TYPES, opt_numbers }, { IW_TAGGED, opt_numbers },
	{ IW_IPTTL, opt_numbers }, { IW_IPLEN, opt_numbers }, { IW_IPID, opt_numbers },
	{ IW_FLOW_ID, opt_numbers }, { IW_TCPWIN, opt_numbers }, { IW_TCPSEQ, opt_numbers },
	{ IW_TCPACK, opt_numbers }, { IW_UID, opt_uid },
	{ IW_PROTO, opt_proto },
	{ IW_SRC_IP, opt_addr }, { IW_DST_IP, opt_addr }, { IW_SRC_IP6, opt_addr },
	{ IW_DST_IP6, opt_addr },
	{ IW_SRC_PORT, opt_port }, { IW_DST_PORT, opt_port },
	{ IW_OPT_ALL, opt_plain }, { IW_OPT_IP4, opt_af }, { IW_OPT_IP6, opt_af },
	{ IW_IPVERSION, opt_af },
	{ IW_LOOKUP, opt_lookup }, { IW_FLOW, opt_flow },
	{ IW_ANTISPOOF, opt_plain }, { IW_VERREVPATH, opt_plain },
	{ IW_VERSRCREACH, opt_plain }, { IW_FRAG, opt_frag },
};

bool parse_option(struct parser *p, struct ipfw_rule *r, struct ipfw_insn *insn)
{
	const struct ipfw_word *w = &p->w.v[p->i];
	const struct iw_row *row = iw_find(IWK_OPTION, w->text);

	if (row == NULL)
		return p_unknown(p, DIAG_E2003, IWK_OPTION, "option");
	p_take(p);
	if (row->how == IWH_REFUSED)
		return p_refuse(p, row, w->at);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (options[i].word != row->word)
			continue;
		insn->part = PART_OPTION;
		if (!options[i].read(p, row->word, r, insn))
			return false;
		insn->at = span_join(w->at, p->w.v[p->i - 1].at);
		return true;
	}
	BUG_IF(true);
}
