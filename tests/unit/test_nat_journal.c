/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports that a NAT had lent when it was killed */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#include "cli/nat_journal.h"
#include "natkit.h"

static struct kit k;
static struct nat_journal j;
static char path[] = "/tmp/nat-journal-XXXXXX";

/* A directory of the test's own, another one for each */
static int have_dir(void)
{
	memcpy(path + strlen(path) - 6, "XXXXXX", 6);
	if (!CHECK(mkdtemp(path) != NULL))
		exit(71);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int dir_again(void)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void lose_dir(void)
{
	CLEANUP(base_fd_close) int dir = dir_again();

	nat_journal_forget(&j);
	nat_journal_close(&j);
	CHECK(unlinkat(dir, "other", 0) == 0 || errno == ENOENT);
	CHECK_INT(rmdir(path), 0);
}

static bool has_file(const char *name)
{
	CLEANUP(base_fd_close) int dir = dir_again();

	return faccessat(dir, name, F_OK, 0) == 0;
}

/* A NAT that writes to the first file of the generation that begins */
static void begin(void)
{
	kit_init(&k);
	k.cfg.max_flows = 8;
	CHECK_INT(nat_journal_begin(&j, 2, nat_bindings_most(&k.cfg)), 0);
	k.cfg.notify = nat_journal_note;
	k.cfg.notify_ctx = j.now[0];
	kit_start(&k);
}

/* Killed, and what comes after it has read what is there */
static void murder(void)
{
	kit_stop(&k);
	nat_journal_close(&j);
	CHECK_INT(nat_journal_open(&j, dir_again()), 0);
}

static uint16_t port_of(struct addr in, uint16_t port)
{
	return kit_send(&k, NAT_INSIDE, k_udp(in, port, SRV1, 53, 20)) ? k_sport(k.out.b) : 0;
}

TEST(what_was_lent_or_held_is_held_after_a_kill)
{
	CHECK_INT(nat_journal_open(&j, have_dir()), 0);
	CHECK_INT(j.n_kept, 0);
	begin();
	CHECK_INT(port_of(IN1, 5001), 5001);
	kit_wait(&k, 430);
	CHECK_INT(nat_counters(k.nat)->held, 0);
	CHECK_INT(port_of(IN1, 5002), 5002);
	kit_wait(&k, 310);
	CHECK_INT(nat_counters(k.nat)->held, 1);
	CHECK_INT(port_of(IN1, 5003), 5003);
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(kit_a6("fd00:1::11"), 5004,
					     kit_a6("2001:db8:f::10"), 53, 20)));
	murder();
	CHECK_INT(j.n_kept, 3);		/* 5001 was free again */
	begin();
	CHECK_INT(nat_journal_hold(k.nat, k.now, j.kept, j.n_kept), 0);
	CHECK_INT(nat_counters(k.nat)->held, 3);
	CHECK_INT(port_of(IN2, 5001), 5001);
	CHECK(port_of(IN2, 5002) != 5002);
	CHECK(port_of(IN2, 5003) != 5003);
	CHECK_INT(port_of(IN1, 5003), 5003);
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(kit_a6("fd00:1::12"), 5004,
					     kit_a6("2001:db8:f::10"), 53, 20)));
	CHECK(k_sport(k.out.b) != 5004);
	/* And in the run after that: both files are read, none has been settled */
	murder();
	CHECK_INT(j.n_kept, 3 + 7);
	lose_dir();
}

TEST(a_generation_settles_or_is_cancelled)
{
	CHECK_INT(nat_journal_open(&j, have_dir()), 0);
	begin();
	CHECK(has_file("nat-ports-1-0") && has_file("nat-ports-1-1"));
	nat_journal_settle(&j);
	CHECK(has_file("nat-ports-1-0"));
	CHECK_INT(port_of(IN1, 5000), 5000);
	CHECK_INT(nat_journal_begin(&j, 2, 8), 0);
	nat_journal_cancel(&j);
	CHECK(!has_file("nat-ports-2-0") && j.now[0] == k.cfg.notify_ctx);
	CHECK_INT(nat_journal_begin(&j, 1, 8), 0);
	CHECK(j.before[0] == k.cfg.notify_ctx && j.before[0]->v[0].out_port == 5000);
	nat_journal_settle(&j);
	CHECK(!has_file("nat-ports-1-0") && has_file("nat-ports-3-0"));
	kit_stop(&k);
	nat_journal_forget(&j);
	CHECK(!has_file("nat-ports-3-0"));
	lose_dir();
}

static void put_file(const char *name, const void *p, size_t len)
{
	CLEANUP(base_fd_close) int dir = dir_again();
	CLEANUP(base_fd_close) int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	CHECK(write(fd, p, len) == (ssize_t)len);
}

TEST(what_is_no_journal_counts_as_empty)
{
	struct {
		struct nat_journal_page head;
		struct nat_journal_record v[2];
	} page = { { .magic = NAT_JOURNAL_MAGIC, .n = 2 }, { { .proto = 17 }, { .proto = 6 } } };
	const struct addr nat1 = NAT1;

	CHECK_INT(nat_journal_open(&j, have_dir()), 0);
	put_file("other", &page, sizeof(page));
	put_file("nat-ports-01-0", &page, sizeof(page));
	put_file("nat-ports-1-0", &page, 4);
	page.head.n = 3;
	put_file("nat-ports-1-1", &page, sizeof(page));
	page.head.magic++;
	put_file("nat-ports-1-2", &page, sizeof(page));
	nat_journal_close(&j);
	CHECK_INT(nat_journal_open(&j, dir_again()), 0);
	CHECK_INT(j.n_kept, 0);
	page.head.magic--;
	page.head.n = 2;
	memcpy(page.v[1].outside, &nat1.v, sizeof(page.v[1].outside));
	put_file("nat-ports-7-0", &page, sizeof(page));
	nat_journal_close(&j);
	CHECK_INT(nat_journal_open(&j, dir_again()), 0);
	CHECK_INT(j.n_kept, 2);
	/* Nor do records that are of no family, or of an address that is gone, hold anything */
	begin();
	CHECK(has_file("nat-ports-8-0"));
	CHECK_INT(nat_journal_hold(k.nat, k.now, j.kept, j.n_kept), 0);
	CHECK_INT(nat_counters(k.nat)->held, 0);
	kit_stop(&k);
	nat_journal_forget(&j);
	CHECK(has_file("other"));
	{
		CLEANUP(base_fd_close) int dir = dir_again();

		CHECK_INT(unlinkat(dir, "nat-ports-01-0", 0), 0);
	}
	lose_dir();
}

/* The journal is younger: of what was saved once, what its ports do not contradict counts */
TEST(saved_flows_are_held_against_the_journal)
{
	static struct kit_bytes w;
	uint32_t lost = 9;
	struct nat_binding b = {
		.proto = 17, .inside = IN1, .in_port = 5001, .outside = NAT1, .out_port = 5001,
	};

	kit_init(&k);
	kit_start(&k);
	CHECK_INT(port_of(IN1, 5001), 5001);
	CHECK_INT(port_of(IN1, 5002), 5002);
	CHECK_INT(nat_save(k.nat, kit_put, &w), 0);
	kit_stop(&k);
	kit_start(&k);
	CHECK_INT(nat_hold(k.nat, k.now, &b), 0);
	b.inside = IN2;
	b.out_port = 5002;
	CHECK_INT(nat_hold(k.nat, k.now, &b), 0);
	CHECK_INT(nat_restore(k.nat, k.now, w.b, w.len, &lost), 0);
	CHECK_INT(lost, 2);		/* 5002: binding and session */
	CHECK(kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 53, NAT1, 5001, 20)));
	CHECK(addr_equal(k_dst(k.out.b), IN1));
	CHECK(!kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 53, NAT1, 5002, 20)));
	CHECK_INT(nat_counters(k.nat)->held, 1);
	kit_stop(&k);
}
