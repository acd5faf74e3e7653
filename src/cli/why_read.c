/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A capture is of one interface: --on's, or that of the default route.  What comes from
 * an address of the host went out there, and so did what goes on to a network behind it;
 * all else came in.  What is of the host on both ends was seen on its loopback.
 */
#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "cli/capture_file.h"
#include "cli/why.h"
#include "port/packet_read.h"

/* A capture under way */
struct reading {
	struct why *w;
	struct capture in;
	FILE *file;
	const char *iface;	/* FreeBSD's name */
	uint64_t n;		/* packets so far */
	uint64_t n_left;	/* of them not judged */
	const char *left;	/* why, of the first */
};

/* Whose capture it is; 0 or an exit status */
static int find_iface(struct reading *r)
{
	const struct facts *f = &r->w->d->facts;
	const char *way = f->default_if[0] != NULL ? f->default_if[0] : f->default_if[1];

	r->iface = r->w->c->on != NULL ? facts_freebsd_name(r->w->c->on) : way;
	if (r->iface == NULL)
		return cli_usage(r->w->c, "--on IF is needed: there is no default route that "
				 "would say where the capture was taken");
	if (facts_find(f, r->iface) == NULL)
		diag_add(&r->w->c->diags, DIAG_N1309, SPAN_NONE,
			 "interface %s is not known now", r->iface);
	return 0;
}

/* Where it crosses, and which way */
static void place(struct reading *r, struct packet *p)
{
	const struct facts *f = &r->w->d->facts;
	const bool src = facts_is_own(f, p->src), dst = facts_is_own(f, p->dst);
	const char *iface = src && dst ? "lo0" : r->iface;
	const struct iface *i = facts_find(f, r->iface);

	p->dir = !dst && (src || (i != NULL && iface_leads_to(i, p->dst))) ? DIR_OUT : DIR_IN;
	p->iface = intern_cid(&r->w->c->names, facts_crossed(f, iface, p->dst));
	p->recv = p->dir == DIR_IN ? p->iface : 0;
}

static void leave_out(struct reading *r, const char *why)
{
	if (r->n_left++ == 0)
		r->left = why;
}

static void take(struct reading *r, const struct capture_record *rec)
{
	const uint32_t link = r->in.ifaces.v[rec->iface].link;
	struct capture_frame f = { .af = AF_NONE };
	const char *wrong = "of an unknown link type";
	char name[PACKET_TEXT_BYTES];
	struct packet p;

	if (capture_knows_link(link)) {
		f = capture_frame_parse(link, rec->data, rec->len);
		wrong = f.af == AF_NONE ? "no IP" : packet_read(rec->data + f.at,
								rec->len - f.at, &p);
	}
	if (wrong != NULL) {
		leave_out(r, wrong);
		return;
	}
	place(r, &p);
	packet_text(&p, intern_name(&r->w->c->names, p.iface), name);
	why_judge(r->w, &p, name);
}

static int read_all(struct reading *r)
{
	struct cli *c = r->w->c;
	struct capture_record rec;
	int err = 0;

	while (r->n < LIMIT_WHY_PACKETS && (err = capture_next(&r->in, &rec)) == 1) {
		r->n++;
		take(r, &rec);
	}
	if (err < 0 && !r->in.is_cut)
		return cli_capture_failed(c, &r->in, err);
	if (r->n_left > 0)
		diag_add(&c->diags, DIAG_N1027, SPAN_NONE,
			 "%llu of %llu packets were not judged, the first of them as it is %s",
			 (unsigned long long)r->n_left, (unsigned long long)r->n, r->left);
	if (r->n == LIMIT_WHY_PACKETS && capture_next(&r->in, &rec) == 1)
		diag_add(&c->diags, DIAG_N1027, SPAN_NONE, "only the first %u packets were judged",
			 LIMIT_WHY_PACKETS);
	return err < 0 ? cli_capture_failed(c, &r->in, err) : 0;
}

int why_read(struct why *w)
{
	struct reading r = { .w = w };
	int status = cli_capture_open(w->c, &r.in, &r.file);

	if (status == 0)
		status = find_iface(&r);
	if (status == 0)
		status = read_all(&r);
	if (r.file != NULL && r.file != stdin)
		fclose(r.file);
	return status;
}
