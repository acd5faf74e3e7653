/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compile - targets of the verb that have a file of their own
 *
 * Threads:	 none.
 */
#ifndef CLI_COMPILE_H
#define CLI_COMPILE_H

#include "cli/cli.h"

/** compile_bpf() - Classic BPF as tcpdump -ddd prints it; 0 or an exit status */
int compile_bpf(struct cli *c, const struct declared *d, FILE *out);

/** compile_bpf_asm() - As tcpdump -d prints it; 0 or an exit status */
int compile_bpf_asm(struct cli *c, const struct declared *d, FILE *out);

/** compile_pcap_filter() - As an expression; 0 or an exit status */
int compile_pcap_filter(struct cli *c, const struct declared *d, FILE *out);

/** translate_to_pf() - The model, of whichever language, as a pf.conf; 0 or an exit status */
int translate_to_pf(struct cli *c, const struct declared *d, FILE *out);

/** translate_to_ipfw() - The model as a file of ipfw rules; 0 or an exit status */
int translate_to_ipfw(struct cli *c, const struct declared *d, FILE *out);

#endif /* CLI_COMPILE_H */
