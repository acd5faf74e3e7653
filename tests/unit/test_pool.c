/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/pool.h"

#include "base/limits.h"
#include "unit.h"

struct fix {
	struct arena a;
	struct world w;
	struct xlate x;
	struct flow f;
};

static void start(struct fix *f, enum xlate_kind kind, enum xlate_pool pool)
{
	memset(f, 0, sizeof(*f));
	arena_init(&f->a, LIMIT_ARENA_BYTES);
	world_init(&f->w, &f->a);
	f->x = (struct xlate){ .kind = kind, .pool = pool };
	for (uint32_t i = 0; i < 3; i++)
		vec_add(&f->a, &f->x.to, addr_v4(203, 0, 113, (uint8_t)(8 + i)));
	f->f = (struct flow){ .proto = PROTO_TCP, .src = addr_v4(10, 0, 0, 77),
			      .dst = addr_v4(192, 0, 2, 5), .sport = 4000, .dport = 80 };
}

static struct addr pick(struct fix *f)
{
	return pool_address(&f->x, &f->w, 1, &f->f);
}

TEST(draw)
{
	struct fix f;

	start(&f, XL_SRC, POOL_ROUND_ROBIN);
	for (f.w.draw = 0; f.w.draw < 9; f.w.draw++)
		CHECK(addr_equal(pick(&f), f.x.to.v[f.w.draw % 3]));
	f.f.src = f.f.dst = (struct addr){ AF_V6, 1 };
	CHECK_INT(pick(&f).af, AF_NONE);
	arena_fini(&f.a);
}

/* The values that a kernel gave; nothing of the draw or the port has a part in them */
TEST(source_hash)
{
	struct addr v6 = { AF_V6, (u128)UINT64_C(0x20010db800000000) << 64 | 7 };
	uint32_t count[3] = { 0 };
	struct fix f;

	start(&f, XL_SRC, POOL_SOURCE_HASH);
	for (uint32_t i = 0; i < 3000; i++) {
		f.f.src.v++;
		f.w.draw++;
		f.f.sport++;
		count[pool_hash(f.f.src, 0x17, 3)]++;
		CHECK(addr_equal(pick(&f), f.x.to.v[pool_hash(f.f.src, 0, 3)]));
	}
	for (uint32_t i = 0; i < 3; i++)
		CHECK(count[i] > 900 && count[i] < 1100);
	CHECK_INT(pool_hash(addr_v4(10, 0, 0, 1), 0x17, 1000000), 460608);
	CHECK_INT(pool_hash(v6, 0x17, 1000000), 85925);
	arena_fini(&f.a);
}

TEST(bitmask)
{
	struct fix f;

	start(&f, XL_SRC, POOL_BITMASK);
	f.x.to.n = 1;
	f.x.to.v[0] = addr_v4(203, 0, 113, 64);
	f.x.host_bits = 4;
	CHECK(addr_equal(pick(&f), addr_v4(203, 0, 113, 64 + 77 % 16)));
	f.x.kind = XL_DST;
	CHECK(addr_equal(pick(&f), addr_v4(203, 0, 113, 64 + 5)));
	arena_fini(&f.a);
}

TEST(sticky)
{
	struct fix f;
	struct state s = { .xlate = 1 };

	start(&f, XL_DST, POOL_RANDOM);
	f.x.is_sticky = true;
	f.w.draw = 1;
	CHECK(addr_equal(pick(&f), f.x.to.v[1]));
	s.before = s.after = f.f;
	s.after.dst = f.x.to.v[2];
	vec_add(&f.a, &f.w.states, s);
	CHECK(addr_equal(pick(&f), f.x.to.v[2]));
	f.w.states.v[0].xlate = 2;
	CHECK(addr_equal(pick(&f), f.x.to.v[1]));
	f.w.states.v[0].xlate = 1;
	f.f.src.v++;
	CHECK(addr_equal(pick(&f), f.x.to.v[1]));
	arena_fini(&f.a);
}

TEST(shift)
{
	const struct xlate round = { .port = XP_SHIFT, .from = 2000, .lo = 3000, .hi = 3003 };
	const struct xlate on = { .port = XP_SHIFT, .from = 2000, .lo = 3000 };

	CHECK_INT(xlate_shift(&round, 2000), 3000);
	CHECK_INT(xlate_shift(&round, 2003), 3003);
	CHECK_INT(xlate_shift(&round, 2004), 3000);
	CHECK_INT(xlate_shift(&round, 65535), 3000 + (65535 - 2000) % 4);
	CHECK_INT(xlate_shift(&on, 2009), 3009);
}
