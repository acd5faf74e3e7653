/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat_journal - which ports a live NAT has lent, for whoever comes after a kill
 *
 * A file of each worker in the state directory, mapped and shared: a port that is
 * lent is a store into memory, and what has been stored is there whoever is killed
 * in between.  Ports that a killed NAT had are held for their users for the hold
 * time, counted from the next start.
 *
 * Owns:	 the directory's descriptor, the maps, what it has read.
 * Does not:	 outlive a reboot; nor does what the ports led to.
 * Threads:	 none; a worker writes only to its own file.
 * Normative:	 RFC 6888 REQ-8
 */
#ifndef CLI_NAT_JOURNAL_H
#define CLI_NAT_JOURNAL_H

#include "nat/nat.h"

#define NAT_JOURNAL_FILES	16u	/* of one generation: NAT_WORKERS_MOST */

/**
 * struct nat_journal_record - A port that is lent or held
 * @proto:	Protocol, 0: none.  Written last
 * @af:		Family of both addresses
 * @in_port:	Inside port or ICMP id
 * @out_port:	Outside port or ICMP id
 * @inside:	Inside address, as struct addr has it
 * @outside:	Outside address
 */
struct nat_journal_record {
	uint8_t proto;
	uint8_t af;
	uint16_t in_port;
	uint16_t out_port;
	uint8_t inside[16];
	uint8_t outside[16];
};

/**
 * struct nat_journal_page - What a file holds
 * @magic:	NAT_JOURNAL_MAGIC
 * @n:		Records
 * @v:		By the number of the binding
 */
struct nat_journal_page {
	uint32_t magic;
	uint32_t n;
	struct nat_journal_record v[];
};

#define NAT_JOURNAL_MAGIC	0x31504e53u	/* SNP1 */

/**
 * struct nat_journal - Journals of all workers
 * @dir:	Where the files are, -1: nowhere
 * @serial:	In the names of the newest ones
 * @bytes:	Of each map
 * @now:	Of the generation that works, or is about to
 * @before:	Of the one before it, until nat_journal_settle()
 * @kept:	What a NAT that was killed had, malloc()
 * @n_kept:	How many
 */
struct nat_journal {
	int dir;
	uint32_t serial;
	size_t bytes;
	struct nat_journal_page *now[NAT_JOURNAL_FILES];
	struct nat_journal_page *before[NAT_JOURNAL_FILES];
	struct nat_journal_record *kept;
	uint32_t n_kept;
};

/**
 * nat_journal_open() - Read what a NAT that was killed has left
 * @j:		Set; to nothing on failure
 * @dir:	State directory of the namespace, the journal's from now on
 *
 * Files that are none of ours or damaged count as empty.
 *
 * Return: 0 or a negative errno
 */
MUST_USE int nat_journal_open(struct nat_journal *j, int dir);

/**
 * nat_journal_begin() - Empty files for the next generation
 * @j:		Journal
 * @n_files:	How many workers it has
 * @n_records:	Bindings of each, nat_bindings_most()
 *
 * What was there before stays until nat_journal_settle(), and is again what counts
 * after nat_journal_cancel().
 *
 * Return: 0 or a negative errno, -ENOSPC where the directory has no room; then the
 * next generation has none
 */
MUST_USE int nat_journal_begin(struct nat_journal *j, uint32_t n_files, uint32_t n_records);

/** nat_journal_settle() - The next generation knows all that older ones knew */
void nat_journal_settle(struct nat_journal *j);

/** nat_journal_cancel() - There will be no next generation */
void nat_journal_cancel(struct nat_journal *j);

/** nat_journal_forget() - All that is lent has been saved elsewhere: files go */
void nat_journal_forget(struct nat_journal *j);

/** nat_journal_close() - Files stay */
void nat_journal_close(struct nat_journal *j);

/** nat_journal_note() - nat_config.notify, with a struct nat_journal_page or NULL */
void nat_journal_note(void *page, const struct nat_event *e);

/**
 * nat_journal_hold() - Have a NAT hold what a journal says
 * @nat:	NAT that has lent nothing yet
 * @now_ns:	Time
 * @v:		Records
 * @n:		How many
 *
 * Ports of addresses that are not its own any more are left out.
 *
 * Return: how many there was no room for
 */
uint32_t nat_journal_hold(struct nat *nat, uint64_t now_ns, const struct nat_journal_record *v,
			  uint32_t n);

#endif /* CLI_NAT_JOURNAL_H */
