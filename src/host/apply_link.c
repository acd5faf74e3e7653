/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/apply_link.h"

#include <net/if.h>
#include <string.h>

/* A bridge without ports serves as a loopback where the kernel has no dummy */
static const char *const default_kinds[] = { "dummy", "bridge", NULL };

/* What the kernel does not do, under the user's own words */
static int tell_refusal(struct host *h, const struct host_op *op, int err)
{
	const char *text = h->s->why.text[0] != '\0' ? h->s->why.text : strerror(-err);
	const size_t len = strlen(text);

	if (err == -EPERM)
		return err;
	diag_add(h->diags, DIAG_E1806, op->at, "the kernel refuses to %s %s: %.*s",
		 host_op_verb(op), op->object, (int)(len - (text[len - 1] == '.')), text);
	return -EINVAL;
}

/* Not by listing the links: a range is thousands of addresses of one new link */
static int find_index(const char *name, uint32_t *ret)
{
	const uint32_t index = if_nametoindex(name);

	if (index == 0)
		return errno > 0 ? -errno : -ENODEV;
	*ret = index;
	return 0;
}

/* Marks and raises a link; no fe80:: address, where there is IPv6 at all */
static int finish_link(struct host *h, const struct host_op *op)
{
	struct rtnl_msg m;
	uint32_t index = 0;
	int err = find_index(op->name, &index);

	if (err == -ENODEV)
		return 0;
	if (err < 0)
		return err;
	err = nl_talk(h->s, rtnl_msg_link_mark(&m, index, true), NULL, NULL);
	if (err == -EAFNOSUPPORT || err == -EOPNOTSUPP)
		err = nl_talk(h->s, rtnl_msg_link_mark(&m, index, false), NULL, NULL);
	if (err == 0)
		err = nl_talk(h->s, rtnl_msg_link_set_up(&m, index, true), NULL, NULL);
	/* Gone meanwhile: the next round makes it anew */
	return err == 0 || err == -ENODEV ? 0 : tell_refusal(h, op, err);
}

static int add_link(struct host *h, const struct host_op *op)
{
	const char *const *kind = h->kinds != NULL ? h->kinds : default_kinds;
	int err = -EOPNOTSUPP;

	for (; *kind != NULL && err == -EOPNOTSUPP; kind++) {
		struct rtnl_msg m;

		err = nl_talk(h->s, rtnl_msg_link_add(&m, op->name, *kind), NULL, NULL);
	}
	if (err == -EOPNOTSUPP) {
		diag_add(h->diags, DIAG_E1808, op->at,
			 "this kernel has no kind of link that %s could be", op->name);
		diag_help(h->diags, "it needs the module dummy, or bridge");
		return err;
	}
	/* Somebody else was faster: the next plan says so */
	if (err == -EEXIST)
		return 0;
	return err < 0 ? tell_refusal(h, op, err) : finish_link(h, op);
}

static int del_link(struct host *h, const struct host_op *op)
{
	struct rtnl_msg m;
	uint32_t index = 0;
	int err = find_index(op->name, &index);

	if (err == 0)
		err = nl_talk(h->s, rtnl_msg_link_del(&m, index), NULL, NULL);
	return err == 0 || err == -ENODEV ? 0 : tell_refusal(h, op, err);
}

static bool is_mark_lost(const struct rtnl_addrs *addrs, const struct rtnl_addr *x)
{
	for (uint32_t i = 0; i < addrs->list.n; i++) {
		const struct rtnl_addr *y = &addrs->list.v[i];

		if (y->ifindex == x->ifindex && addr_equal(y->p.a, x->p.a) &&
		    y->p.len == x->p.len)
			return y->proto != x->proto;
	}
	return false;
}

int host_check_mark(struct host *h, const struct host_op *op, const struct rtnl_addr *x,
		    const struct rtnl_addrs *addrs)
{
	struct rtnl_msg m;
	int err;

	if (!is_mark_lost(addrs, x))
		return 0;
	err = nl_talk(h->s, rtnl_msg_addr_del(&m, x), NULL, NULL);
	if (err < 0)
		return err;
	diag_add(h->diags, DIAG_E1815, op->at,
		 "this kernel cannot mark the address as sallyport's: it was not added");
	return -EOPNOTSUPP;
}

static int tell_no_ipv6(struct host *h, const struct host_op *op)
{
	diag_add(h->diags, DIAG_E1807, op->at, "IPv6 is turned off on %s: cannot add %s",
		 op->name, op->object);
	diag_help(h->diags, "set net.ipv6.conf.%s.disable_ipv6=0", op->name);
	return -EOPNOTSUPP;
}

static int add_addr(struct host *h, const struct host_op *op)
{
	struct rtnl_addr x = op->addr;
	struct rtnl_addrs addrs;
	struct rtnl_msg m;
	int err = x.ifindex != 0 ? 0 : find_index(op->name, &x.ifindex);

	if (err == 0)
		err = nl_talk(h->s, rtnl_msg_addr_add(&m, &x), NULL, NULL);
	if (err == -EEXIST || err == -ENODEV)
		return 0;
	if (x.p.a.af == AF_V6 &&
	    (err == -EACCES || err == -EAFNOSUPPORT || err == -EOPNOTSUPP))
		return tell_no_ipv6(h, op);
	if (err < 0)
		return tell_refusal(h, op, err);
	if (h->is_mark_kept)
		return 0;
	err = rtnl_addrs_read(h->s, h->a, &addrs);
	if (err == 0)
		err = host_check_mark(h, op, &x, &addrs);
	h->is_mark_kept = err == 0;
	return err;
}

static int del_addr(struct host *h, const struct host_op *op)
{
	struct rtnl_msg m;
	const int err = nl_talk(h->s, rtnl_msg_addr_del(&m, &op->addr), NULL, NULL);

	/* A secondary goes with its primary */
	if (err == 0 || err == -EADDRNOTAVAIL || err == -ENODEV)
		return 0;
	return tell_refusal(h, op, err);
}

int host_apply_link(struct host *h, const struct host_op *op)
{
	static int (*const carry_out[])(struct host *h, const struct host_op *op) = {
		[HOST_LINK_ADD] = add_link,
		[HOST_LINK_FINISH] = finish_link,
		[HOST_LINK_DEL] = del_link,
		[HOST_ADDR_ADD] = add_addr,
		[HOST_ADDR_DEL] = del_addr,
	};

	BUG_IF(host_op_is_sysctl(op));
	return carry_out[op->kind](h, op);
}
