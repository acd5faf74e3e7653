/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "cli/nat_plan.h"
#include "lang/pf.h"

static const char *const behaviours[] = { "endpoint", "address", "address-port", NULL };
static const char *const classes[] = { "udp", "tcp", "other", NULL };

static int index_of(const char *const *names, const char *word, size_t len)
{
	for (int i = 0; names[i] != NULL; i++)
		if (strlen(names[i]) == len && memcmp(names[i], word, len) == 0)
			return i;
	return -1;
}

/* "endpoint", or "tcp=endpoint" */
static int set_behaviour(struct cli *c, const char *option, const char *text,
			 enum nat_behaviour *ret)
{
	const char *eq = strchr(text, '=');
	const char *word = eq != NULL ? eq + 1 : text;
	const int b = index_of(behaviours, word, strlen(word));
	const int class = eq != NULL ? index_of(classes, text, (size_t)(eq - text)) : -1;

	if (b < 0 || (eq != NULL && class < 0))
		return cli_usage(c, "%s takes endpoint, address or address-port, perhaps after "
				 "udp=, tcp= or other=, not '%s'", option, text);
	for (int i = 0; i < N_NAT_CLASSES; i++)
		if (class < 0 || class == i)
			ret[i] = (enum nat_behaviour)b;
	return 0;
}

/* Names of pf.conf; what only pf tells apart is one here, and the last one counts */
static const struct { const char *name; enum nat_timeout which; } pf_names[] = {
	{ "udp.first", NAT_T_UDP }, { "udp.single", NAT_T_UDP }, { "udp.multiple", NAT_T_UDP },
	{ "tcp.first", NAT_T_TCP_OPEN }, { "tcp", NAT_T_TCP }, { "tcp.finwait", NAT_T_TCP_CLOSE },
	{ "tcp.closed", NAT_T_TCP_CLOSE }, { "tcp.transitory", NAT_T_TCP_CLOSE },
	{ "icmp.first", NAT_T_ICMP }, { "other.first", NAT_T_OTHER },
	{ "other.single", NAT_T_OTHER }, { "other.multiple", NAT_T_OTHER },
};

static bool plan_timeout(const char *name, uint32_t seconds, struct nat_config *cfg)
{
	for (int i = 0; i < N_NAT_TIMEOUTS; i++) {
		if (strcmp(nat_timeout_names[i], name) == 0) {
			cfg->timeout_s[i] = seconds;
			return true;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(pf_names); i++) {
		if (strcmp(pf_names[i].name, name) != 0)
			continue;
		cfg->timeout_s[pf_names[i].which] = seconds;
		if (strcmp(name, "tcp.transitory") == 0)
			cfg->timeout_s[NAT_T_TCP_OPEN] = seconds;
		return true;
	}
	return false;
}

static int set_timeout(struct cli *c, const char *text, struct nat_config *cfg)
{
	const char *eq = strchr(text, '=');
	uint32_t seconds;

	if (eq == NULL || !cli_number(eq + 1, &seconds) ||
	    !plan_timeout(arena_strndup(&c->arena, text, (size_t)(eq - text)), seconds, cfg))
		return cli_usage(c, "--timeout takes NAME=SECONDS, not '%s'", text);
	return 0;
}

void nat_plan_timeouts(struct cli *c, const struct pf_file *pf, struct nat_config *cfg)
{
	const char *name;
	uint32_t seconds;

	for (uint32_t i = 0; pf != NULL && pf_timeout(pf, i, &name, &seconds); i++)
		if (seconds > 0)
			plan_timeout(name, seconds, cfg);
	for (uint32_t i = 0; i < c->nat.timeouts.list.n; i++)
		(void)set_timeout(c, c->nat.timeouts.list.v[i], cfg);
}

static int set_ports(struct cli *c, const char *text, enum nat_ports *ret)
{
	static const char *const names[] = { "preserve", "random", "static", "block", NULL };
	const int i = index_of(names, text, strlen(text));

	if (i < 0 || i == NAT_PORTS_STATIC)
		return cli_usage(c, "--ports takes preserve, random or block, not '%s'", text);
	*ret = (enum nat_ports)i;
	return 0;
}

int nat_plan_options(struct cli *c, struct nat_config *cfg)
{
	const struct nat_args *a = &c->nat;
	const char *wrong;
	int status = 0;

	for (uint32_t i = 0; i < a->mapping.list.n && status == 0; i++)
		status = set_behaviour(c, "--mapping", a->mapping.list.v[i], cfg->mapping);
	for (uint32_t i = 0; i < a->filtering.list.n && status == 0; i++)
		status = set_behaviour(c, "--filtering", a->filtering.list.v[i], cfg->filtering);
	for (uint32_t i = 0; i < a->timeouts.list.n && status == 0; i++)
		status = set_timeout(c, a->timeouts.list.v[i], cfg);
	for (uint32_t i = 0; i < a->ports.list.n && status == 0; i++)
		status = set_ports(c, a->ports.list.v[i], &cfg->ports);
	if (status == 0 && a->max_flows != NULL && !cli_number(a->max_flows, &cfg->max_flows))
		status = cli_usage(c, "--max-flows takes a number, not '%s'", a->max_flows);
	/* What else it is made of comes later, so that what is wrong now is wrong with them */
	wrong = status == 0 ? nat_config_check(cfg) : NULL;
	return wrong != NULL ? cli_usage(c, "%s", wrong) : status;
}
