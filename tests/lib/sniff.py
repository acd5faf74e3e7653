#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""sniff.py INTERFACE [--in|--out] [--deadline SECONDS] [--ready FD]

Prints a line for each frame (pkt.describe) with its direction as the interface
sees it, until a frame with the text `lab-sentinel` comes (exit 0) or the
deadline (60 s) is over (exit 1).  --in and --out: only such frames count.
"""
import os
import socket
import sys
import time

import pkt

ETH_P_ALL = 3
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC = 263, 1, 1


def main():
    args = sys.argv[1:]
    opts = {"--deadline": "60", "--ready": ""}
    for o in opts:
        if o in args:
            i = args.index(o)
            opts[o] = args[i + 1]
            del args[i:i + 2]
    only = next((a[2:] for a in args if a in ("--in", "--out")), None)
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    s.bind((args[0], ETH_P_ALL))
    s.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP,
                 socket.if_nametoindex(args[0]).to_bytes(4, sys.byteorder)
                 + PACKET_MR_PROMISC.to_bytes(2, sys.byteorder) + bytes(10))
    if opts["--ready"]:
        os.write(int(opts["--ready"]), b"ready\n")
        os.close(int(opts["--ready"]))
    deadline = time.monotonic() + float(opts["--deadline"])
    while (left := deadline - time.monotonic()) > 0:
        s.settimeout(left)
        try:
            frame, where = s.recvfrom(65535)
        except TimeoutError:
            break
        way = "out" if where[2] == socket.PACKET_OUTGOING else "in"
        if only not in (None, way):
            continue
        if b"lab-sentinel" in frame:
            return 0
        text = pkt.describe(frame)
        if text:
            print(way, text, flush=True)
    print("no sentinel came", file=sys.stderr)
    return 1


sys.exit(main())
