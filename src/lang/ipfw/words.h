/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words - the keyword table of ipfw
 *
 * One table drives the parser, "did you mean", the fuzz dictionary, and the
 * documentation of what is exact, noted and refused.
 *
 * Owns:	 nothing; constant.
 */
#ifndef LANG_IPFW_WORDS_H
#define LANG_IPFW_WORDS_H

#include "base/base.h"

/** enum iw_kind - Where a word may stand */
enum iw_kind {
	IWK_COMMAND, IWK_ACTION, IWK_MODIFIER, IWK_LOGWORD, IWK_PROTO, IWK_ADDRESS, IWK_GRAMMAR,
	IWK_OPTION, IWK_LIMITBY, IWK_NATWORD, IWK_TABLEWORD, IWK_TABLEPARAM, IWK_TABLETYPE,
	IWK_SWITCH
};

/**
 * enum iw_how - How well its meaning is kept
 * @IWH_EXACT:		As on FreeBSD
 * @IWH_NOTED:		A note or a warning says what differs
 * @IWH_REFUSED:	The parser refuses it with its row's text
 * @IWH_NO_NFT:		It has a meaning, and nftables' program refuses it
 */
enum iw_how { IWH_EXACT, IWH_NOTED, IWH_REFUSED, IWH_NO_NFT };

/** enum iw - What a word means, whatever its spelling */
enum iw {
	IW_NONE,
	IW_ADD, IW_DELETE, IW_FLUSH, IW_SET, IW_TABLE, IW_NAT, IW_ENABLE, IW_DISABLE, IW_QUERY,
	IW_DUMMYNET, IW_NAT64, IW_NPTV6,
	IW_ALLOW, IW_DENY, IW_REJECT, IW_RESET, IW_RESET6, IW_UNREACH, IW_UNREACH6, IW_COUNT,
	IW_CHECK_STATE, IW_SKIPTO, IW_CALL, IW_RETURN, IW_REASS, IW_FWD, IW_DIVERT, IW_NETGRAPH,
	IW_SETFIB, IW_MODIFY, IW_ABORT,
	IW_LOG, IW_TAG, IW_UNTAG, IW_ALTQ, IW_LOGAMOUNT,
	IW_ALL, IW_IP4, IW_IP6, IW_ANY, IW_ME, IW_ME6,
	IW_FROM, IW_TO, IW_NOT, IW_OR, IW_PROB, IW_TABLEARG,
	IW_IN, IW_OUT, IW_VIA, IW_RECV, IW_XMIT, IW_KEEP_STATE, IW_LIMIT, IW_RECORD_STATE,
	IW_SET_LIMIT, IW_ESTABLISHED, IW_SETUP, IW_TCPFLAGS, IW_ICMPTYPES, IW_ICMP6TYPES, IW_PROTO,
	IW_SRC_IP, IW_DST_IP, IW_SRC_IP6, IW_DST_IP6, IW_SRC_PORT, IW_DST_PORT, IW_OPT_ALL,
	IW_OPT_IP4, IW_OPT_IP6, IW_IPVERSION, IW_TAGGED, IW_LOOKUP, IW_FLOW, IW_ANTISPOOF,
	IW_VERREVPATH, IW_VERSRCREACH, IW_FRAG, IW_IPOPTIONS, IW_IPTOS, IW_IPPRECEDENCE,
	IW_DSCP, IW_IPTTL, IW_IPLEN, IW_IPID, IW_FLOW_ID, IW_TCPWIN, IW_TCPSEQ, IW_TCPACK, IW_UID,
	IW_HEADER, IW_SOCKET, IW_DIVERTED, IW_LAYER2, IW_DEFER,
	IW_L_SRC_ADDR, IW_L_SRC_PORT, IW_L_DST_ADDR, IW_L_DST_PORT,
	IW_N_IP, IW_N_IF, IW_N_LOG, IW_N_DENY_IN, IW_N_SAME_PORTS, IW_N_UNREG_ONLY,
	IW_N_UNREG_CGN, IW_N_SKIP_GLOBAL, IW_N_RESET, IW_N_PROXY_ONLY, IW_N_PORT_RANGE,
	IW_N_REDIRECT_PORT, IW_N_REDIRECT_ADDR, IW_N_REDIRECT_PROTO, IW_N_REVERSE, IW_N_UDP_EIM,
	IW_T_CREATE, IW_T_ADD, IW_T_DELETE, IW_T_FLUSH, IW_T_DESTROY, IW_T_SWAP, IW_T_ATOMIC,
	IW_T_QUERY,
	IW_P_TYPE, IW_P_VALTYPE, IW_P_VALUE, IW_P_FLAG, IW_P_OR_FLUSH,
	IW_K_ADDR, IW_K_IFACE, IW_K_NUMBER, IW_K_FLOW, IW_K_MAC,
	IW_S_ONE_PASS, IW_S_FIREWALL, IW_S_OTHER,
	N_IW
};

/**
 * struct iw_row - A word
 * @text:	Its spelling
 * @kind:	Where it stands
 * @word:	What it means
 * @how:	How well that is kept
 * @help:	A few words
 */
struct iw_row {
	const char *text;
	enum iw_kind kind;
	enum iw word;
	enum iw_how how;
	const char *help;
};

extern const struct iw_row iw_rows[];	/* @text NULL after the last */

/** iw_find() - The row of a word of a kind, or NULL */
const struct iw_row *iw_find(enum iw_kind kind, const char *text);

/** iw_is() - Is @text a word of @kind that means @word */
bool iw_is(enum iw_kind kind, const char *text, enum iw word);

/** iw_text() - The canonical spelling of a word */
const char *iw_text(enum iw word);

/** iw_nearest() - "did you mean": the closest word of a kind, or NULL */
const char *iw_nearest(enum iw_kind kind, const char *text);

#endif /* LANG_IPFW_WORDS_H */
