/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <sys/random.h>

#include "port/lanes.h"

#define TAKEN_BYTES	(2 * LANES * sizeof(uint32_t))

/* A packet socket sees all that comes, but what may be hidden from it */
static bool is_ring(const struct io *io)
{
	return io != NULL && io->packet_fd > 0;
}

static bool is_device(const struct io *io)
{
	return io != NULL && (io->ops == &io_tun_ops || io->ops == &io_tap_ops);
}

static struct lane_end end_of(const struct io *io)
{
	return (struct lane_end){ .ifindex = io->ifindex, .is_bare = io->ops == &io_tun_ops,
				  .is_device = is_device(io) };
}

static int open_side(struct lanes_way *w, int side, const struct io *from, const struct io *to,
		     struct arena *a)
{
	const struct lane_end in = end_of(from), out = end_of(to);
	CLEANUP(base_fd_close) int prog = -1;

	w->map[side] = lane_table_new(&w->table[side]);
	if (w->map[side] < 0)
		return w->map[side];
	prog = lane_load(w->map[side], w->key, &in, &out, a);
	if (prog < 0)
		return prog;
	w->link[side] = lane_attach(&in, prog);
	return MIN(w->link[side], 0);
}

/* What is taken on its way to a device never comes to who reads it */
static int hide(const struct lanes_way *w, int side, const struct io *from, struct arena *a)
{
	return is_device(from) ? 0 : lane_hide(from->packet_fd, w->map[side], w->key, a);
}

static void tell(struct io *io, const struct lanes_way *w, int side)
{
	io->lane_map = w->map[side];
	memcpy(io->lane_key, w->key, sizeof(io->lane_key));
}

int lanes_open(struct lanes_way *w, struct io *inside, struct io *outside)
{
	CLEANUP(arena_fini) struct arena a;
	int err;

	arena_init(&a, 4u << 20);
	*w = LANES_WAY_NONE;
	if (!is_ring(outside) || (!is_ring(inside) && !is_device(inside)))
		return -EMEDIUMTYPE;
	if (getrandom(w->key, sizeof(w->key), 0) != (ssize_t)sizeof(w->key))
		return -errno;
	w->taken = io_memory_new(TAKEN_BYTES);
	err = w->taken == NULL ? -ENOMEM : open_side(w, NAT_INSIDE, inside, outside, &a);
	if (err == 0)
		err = open_side(w, NAT_OUTSIDE, outside, inside, &a);
	if (err == 0)
		err = lanes_share(w, inside, outside);
	if (err < 0)
		lanes_close(w);
	return err;
}

int lanes_share(const struct lanes_way *w, struct io *inside, struct io *outside)
{
	CLEANUP(arena_fini) struct arena a;
	int err;

	arena_init(&a, 4u << 20);
	err = hide(w, NAT_INSIDE, inside, &a);
	if (err == 0)
		err = hide(w, NAT_OUTSIDE, outside, &a);
	if (err < 0)
		return err;
	tell(inside, w, NAT_INSIDE);
	tell(outside, w, NAT_OUTSIDE);
	return 0;
}

void lanes_stop(struct lanes_way *w)
{
	for (int side = 0; side < 2; side++)
		if (w->table[side] != NULL)
			__atomic_store_n(&w->table[side]->generation, LANE_NEVER, __ATOMIC_RELEASE);
}

void lanes_leave(struct lanes_way *w)
{
	for (int side = 0; side < 2; side++) {
		base_fd_close(&w->link[side]);
		base_fd_close(&w->map[side]);
	}
}

void lanes_close(struct lanes_way *w)
{
	lanes_leave(w);
	for (int side = 0; side < 2; side++) {
		lane_table_free(w->table[side]);
		w->table[side] = NULL;
	}
	io_memory_end(w->taken, TAKEN_BYTES);
	w->taken = NULL;
}
