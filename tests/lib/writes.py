#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""writes.py [--genid] COMMAND... - what a command changes in this network namespace

Runs the command and prints `nft N rtnetlink N genid N`: messages that the
kernel sent to all who listen to its nf_tables and rtnetlink groups, and by how
much the ruleset's generation rose.  The exit status is the command's.  --genid
only prints the generation.
"""
import socket
import struct
import subprocess
import sys

NETLINK_ROUTE, NETLINK_NETFILTER = 0, 12
NFT_GETGEN = 10 << 8 | 16
NFTA_GEN_ID = 1
NFNLGRP_NFTABLES = 7
# link, neigh, IPv4 and IPv6 addresses, routes and rules, netconf
RTNL_GROUPS = (1, 3, 5, 7, 8, 9, 11, 19, 24, 25)
SOL_NETLINK, NETLINK_ADD_MEMBERSHIP = 270, 1


def genid():
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    s.send(struct.pack("=IHHII", 20, NFT_GETGEN, 1, 1, 0) + bytes(4))
    reply = s.recv(4096)[20:]
    while reply:
        size, kind = struct.unpack("=HH", reply[:4])
        if kind == NFTA_GEN_ID:
            return struct.unpack("!I", reply[4:8])[0]
        reply = reply[(size + 3) & ~3:]
    return 0


def listen(family, groups):
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, family)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    s.bind((0, 0))
    for g in groups:
        s.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, g)
    s.setblocking(False)
    return s


def count(s, ignored=()):
    """Messages that wait; the kernel queues them before the writer returns"""
    n = 0
    while True:
        try:
            data = s.recv(1 << 16)
        except BlockingIOError:
            return n
        while len(data) >= 16:
            size, kind = struct.unpack("=IH", data[:6])
            n += kind not in ignored
            data = data[(size + 3) & ~3:]


def main():
    if sys.argv[1] == "--genid":
        print(genid())
        return 0
    nft = listen(NETLINK_NETFILTER, (NFNLGRP_NFTABLES,))
    rtnl = listen(NETLINK_ROUTE, RTNL_GROUPS)
    before = genid()
    rc = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, check=False).returncode
    # The neighbour table lives on its own
    print("nft", count(nft), "rtnetlink", count(rtnl, (28, 29)), "genid", genid() - before)
    return rc if rc >= 0 else 128 - rc


sys.exit(main())
