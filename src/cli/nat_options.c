/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "cli/nat_plan.h"

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

static bool parse_number(const char *text, uint32_t *ret)
{
	char *end;
	const unsigned long n = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || n > UINT32_MAX)
		return false;
	*ret = (uint32_t)n;
	return true;
}

static int set_timeout(struct cli *c, const char *text, uint32_t *ret)
{
	const char *eq = strchr(text, '=');
	int which = -1;

	for (int i = 0; i < N_NAT_TIMEOUTS && eq != NULL; i++)
		if (strlen(nat_timeout_names[i]) == (size_t)(eq - text) &&
		    strncmp(nat_timeout_names[i], text, (size_t)(eq - text)) == 0)
			which = i;
	if (which < 0 || !parse_number(eq + 1, &ret[which]))
		return cli_usage(c, "--timeout takes NAME=SECONDS, not '%s'", text);
	return 0;
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
	int status = 0;

	for (uint32_t i = 0; i < a->mapping.list.n && status == 0; i++)
		status = set_behaviour(c, "--mapping", a->mapping.list.v[i], cfg->mapping);
	for (uint32_t i = 0; i < a->filtering.list.n && status == 0; i++)
		status = set_behaviour(c, "--filtering", a->filtering.list.v[i], cfg->filtering);
	for (uint32_t i = 0; i < a->timeouts.list.n && status == 0; i++)
		status = set_timeout(c, a->timeouts.list.v[i], cfg->timeout_s);
	for (uint32_t i = 0; i < a->ports.list.n && status == 0; i++)
		status = set_ports(c, a->ports.list.v[i], &cfg->ports);
	if (status == 0 && a->max_flows != NULL && !parse_number(a->max_flows, &cfg->max_flows))
		status = cli_usage(c, "--max-flows takes a number, not '%s'", a->max_flows);
	return status;
}
