/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Settings of net.inet.ip.fw that say something about packets; the others tune.
 * Lifetimes of dynamic rules become those of the elements that remember them.
 * dyn_fin_lifetime does not: whether both sides have sent a FIN no single packet
 * tells.
 */
#include "parse.h"

#include <string.h>

#define LIFE_MAX_S	604800u		/* a week */

static const char prefix[] = "net.inet.ip.fw.";

static const char *const lives[N_LIVES] = {
	[LIFE_SYN] = "dyn_syn_lifetime", [LIFE_ACK] = "dyn_ack_lifetime",
	[LIFE_RST] = "dyn_rst_lifetime", [LIFE_UDP] = "dyn_udp_lifetime",
	[LIFE_OTHER] = "dyn_short_lifetime",
};

static void set_one_pass(struct ipfw_ruleset *rs, const struct ipfw_sysctl *s)
{
	rs->one_pass = strcmp(s->value, "0") != 0;
	rs->one_pass_at = s->at;
	vec_add(rs->a, &rs->lines, rs->one_pass ? "enable one_pass" : "disable one_pass");
}

static void set_enable(struct ipfw_ruleset *rs, const struct ipfw_sysctl *s)
{
	rs->is_off = strcmp(s->value, "0") == 0;
	rs->off_at = s->at;
	vec_add(rs->a, &rs->lines, rs->is_off ? "disable firewall" : "enable firewall");
}

static void set_step(struct ipfw_ruleset *rs, const struct ipfw_sysctl *s)
{
	uint32_t n;

	if (text_number(s->value, strlen(s->value), 1000, &n) && n > 0)
		rs->step = n;
}

/* A lifetime in seconds; false if the setting is none */
static bool take_lifetime(struct lang_ctx *c, struct ipfw_ruleset *rs,
			  const struct ipfw_sysctl *s, const char *name)
{
	uint32_t n;

	for (int life = 0; life < N_LIVES; life++) {
		if (strcmp(lives[life], name) != 0)
			continue;
		if (text_number(s->value, strlen(s->value), LIFE_MAX_S, &n) && n > 0)
			rs->lives_s[life] = n;
		else
			diag_add(c->diags, DIAG_E2010, s->at,
				 "'%s' of %s is not in 1..%u (seconds)", s->value, s->name,
				 LIFE_MAX_S);
		return true;
	}
	return false;
}

void ipfw_take_sysctls(struct lang_ctx *c, struct ipfw_ruleset *rs, const struct ipfw_cmds *cmds)
{
	static const struct {
		const char *name;
		void (*set)(struct ipfw_ruleset *rs, const struct ipfw_sysctl *s);
	} known[] = {
		{ "one_pass", set_one_pass }, { "enable", set_enable },
		{ "autoinc_step", set_step },
	};

	for (uint32_t i = 0; i < cmds->sysctls.n; i++) {
		const struct ipfw_sysctl *s = &cmds->sysctls.v[i];
		const char *name = s->name + sizeof(prefix) - 1;
		size_t k = 0;

		if (strncmp(s->name, prefix, sizeof(prefix) - 1) != 0)
			continue;
		if (take_lifetime(c, rs, s, name))
			continue;
		while (k < ARRAY_SIZE(known) && strcmp(known[k].name, name) != 0)
			k++;
		if (k < ARRAY_SIZE(known))
			known[k].set(rs, s);
		else
			diag_add(c->diags, DIAG_N2043, s->at,
				 "'%s' has no effect: it tunes FreeBSD", s->name);
	}
}

void ipfw_save_sysctls(const struct ipfw_ruleset *rs, FILE *out)
{
	for (int life = 0; life < N_LIVES; life++)
		if (rs->lives_s[life] != 0)
			fprintf(out, "sysctl %s%s=%u\n", prefix, lives[life], rs->lives_s[life]);
}

bool ipfw_read_sysctl(struct lang_ctx *c, const struct ipfw_cmd *cmd, struct ipfw_cmds *ret)
{
	const char *eq;

	if (cmd->words.n != 2 || strcmp(cmd->words.v[0].text, "sysctl") != 0)
		return false;
	eq = strchr(cmd->words.v[1].text, '=');
	if (eq == NULL)
		return false;
	vec_add(c->a, &ret->sysctls, ((struct ipfw_sysctl){
		.name = intern_str(c->names, cmd->words.v[1].text,
				   (size_t)(eq - cmd->words.v[1].text)),
		.value = eq + 1, .at = cmd->words.v[1].at }));
	return true;
}
