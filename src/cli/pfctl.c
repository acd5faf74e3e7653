/* SPDX-License-Identifier: BSD-2-Clause */
/* What a command line of pfctl(8) asks for, in its order; see pfctl_run.c */
#include "cli/pfctl.h"

#include <time.h>

/* ---- -e, -d --------------------------------------------------------------------- */

static bool disable(struct pfctl *p)
{
	if (!pfctl_open(p, true))
		return false;
	if (!pfctl_is_enabled(p))
		return pfctl_warn(p, "pf not enabled");
	p->run->enabled = PFRUN_DISABLED;
	p->run->since = time(NULL);
	if (!pfctl_commit(p, false))
		return false;
	pfctl_say(p, "pf disabled");
	if (!p->quiet)
		fputs("pfctl: the fences of sallyport stay: only its rules are gone\n", stderr);
	return true;
}

static bool enable(struct pfctl *p)
{
	if (!pfctl_open(p, true))
		return false;
	if (p->token == 'X') {
		pfctl_say(p, "disable request successful. 0 more pf enable references");
		return true;
	}
	if (p->made_enabled) {
		pfctl_say(p, "pf enabled");
		return true;
	}
	if (pfctl_is_enabled(p) && p->token != 'E')
		return pfctl_warn(p, "pf already enabled");
	p->run->enabled = PFRUN_ENABLED;
	p->run->since = time(NULL);
	if (!pfctl_commit(p, false))
		return false;
	pfctl_say(p, "pf enabled");
	return true;
}

static bool debug_level(struct pfctl *p)
{
	pfctl_say(p, "debug level set to '%s'", p->debug_level);
	return true;
}

static bool clear_counts(struct pfctl *p)
{
	if (!pfctl_open(p, true) || !pfctl_commit(p, false))
		return false;
	if (p->show == NULL)
		pfctl_say(p, "pf: rule counters cleared");
	p->clear_counts = false;
	return true;
}

/* -k, and -K: there are no source nodes apart from the states */
static bool kill(struct pfctl *p)
{
	int32_t killed;

	if (!pfctl_open(p, false))
		return false;
	if (p->n_kill > 0) {
		killed = pfctl_kill_states(p, false);
		if (killed < 0)
			return false;
	}
	if (p->n_kill_src > 0)
		pfctl_say(p, "killed 0 src nodes from 1 sources and %d destinations",
			  p->n_kill_src - 1);
	return true;
}

/* In the order of pfctl: what comes first is told or done first */
static void run(struct pfctl *p)
{
	/* What is disabled already stops nothing else */
	if (p->disable && !disable(p) && !p->is_open)
		return;
	if (p->show != NULL && !pfctl_do_show(p))
		return;
	if (p->clear_counts && !p->dry && !clear_counts(p))
		return;
	if (p->clear != NULL && !pfctl_flush(p))
		return;
	if ((p->n_kill > 0 || p->n_kill_src > 0) && !kill(p))
		return;
	if (p->table_cmd != NULL) {
		if (!pfctl_do_table(p))
			return;
	} else if (p->rules != NULL && !pfctl_load_rules(p)) {
		return;
	}
	if ((p->enable || p->token == 'X') && !enable(p))
		return;
	if (p->debug_level != NULL)
		(void)debug_level(p);
}

int verb_pfctl(struct cli *c)
{
	CLEANUP(pfctl_close) struct pfctl p = {
		.c = c, .anchor = "", .nft = { .fd = -1 },
		.st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 },
	};

	c->bare = true;
	if (pfctl_parse(&p))
		run(&p);
	pfctl_tell(&p);
	return p.status;
}
