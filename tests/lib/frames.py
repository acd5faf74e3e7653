#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""frames.py INTERFACE [--to MAC] FRAME... - send frames as they are, in order

FRAME is one of
    udp SRC:PORT DST:PORT TEXT      tcp SRC:PORT DST:PORT FLAGS
    nops SRC:PORT DST:PORT TEXT     udp with options that do nothing
    lsrr|ssrr SRC:PORT DST:PORT TEXT    udp to DST's host by way of 203.0.113.2
    srh SRC:PORT DST:PORT TEXT      IPv6's, by way of 2001:db8:113::2
    icmp SRC DST [TEXT]             an echo request, of either family
    arp WHO TELL                    a request, broadcast
    ns WHO TELL                     IPv6's, multicast to WHO's group
    isat WHO                        an unasked answer of ARP, to all
    na WHO FROM                     IPv6's, to all nodes
and `vlan ID` before it puts it on that network.

MAC is the host's igb0 unless given.  All leave from one processor, so that
none overtakes another.
"""
import os
import socket
import struct
import sys

import pkt

HOST_MAC = "02:00:5e:10:00:02"


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def routed(kind, src, sport, dst, dport, data):
    """A datagram to the host's public address, whose next hop is DST"""
    if kind == "srh":
        data = pkt.udp(src, sport, dst, dport, data)
        via = "2001:db8:113::2"
        head = struct.pack("!BBBBBBH", pkt.UDP, 4, 4, 1, 1, 0, 0) + pkt.pack(dst) + pkt.pack(via)
        return b"\x86\xdd" + pkt.ip(src, via, 43, head + data)
    option = bytes([131 if kind == "lsrr" else 137, 7, 4]) + pkt.pack(dst) + b"\0"
    return b"\x08\0" + pkt.ip(src, "203.0.113.2", pkt.UDP,
                              pkt.udp(src, sport, dst, dport, data), options=option)


def build(words, own, to):
    kind = words[0]
    if kind == "arp":
        who, tell = words[1:3]
        return b"\xff" * 6 + own + b"\x08\x06" + struct.pack("!HHBBH", 1, 0x800, 6, 4, 1) \
            + own + pkt.pack(tell) + b"\0" * 6 + pkt.pack(who)
    if kind == "isat":
        who = pkt.pack(words[1])
        return b"\xff" * 6 + own + b"\x08\x06" + struct.pack("!HHBBH", 1, 0x800, 6, 4, 2) \
            + own + who + b"\xff" * 6 + who
    if kind == "vlan":
        frame = build(words[2:], own, to)
        return frame[:12] + struct.pack("!HH", 0x8100, int(words[1])) + frame[12:]
    if kind == "ns":
        who, tell = words[1:3]
        group = "ff02::1:ff" + pkt.pack(who)[-3:].hex()[:2] + ":" + pkt.pack(who)[-2:].hex()
        body = pkt.icmp(tell, group, 135, 0, b"\0" * 4, pkt.pack(who) + b"\x01\x01" + own)
        return b"\x33\x33\xff" + pkt.pack(who)[-3:] + own + b"\x86\xdd" \
            + pkt.ip(tell, group, pkt.ICMP6, body, ttl=255)
    if kind == "na":
        who, src = words[1:3]
        body = pkt.icmp(src, "ff02::1", 136, 0, b"\x20\0\0\0", pkt.pack(who) + b"\x02\x01" + own)
        return b"\x33\x33\0\0\0\1" + own + b"\x86\xdd" \
            + pkt.ip(src, "ff02::1", pkt.ICMP6, body, ttl=255)
    src, sport = pkt.endpoint(words[1])
    dst, dport = pkt.endpoint(words[2])
    text = " ".join(words[3:]).encode()
    if kind in ("lsrr", "ssrr", "srh"):
        return to + own + routed(kind, src, sport, dst, dport, text + b"\n")
    if kind == "nops":
        return to + own + b"\x08\0" + pkt.ip(src, dst, pkt.UDP,
                                             pkt.udp(src, sport, dst, dport, text + b"\n"),
                                             options=b"\1\1\1\0")
    if kind == "udp":
        l4 = pkt.UDP, pkt.udp(src, sport, dst, dport, text + b"\n")
    elif kind == "tcp":
        l4 = pkt.TCP, pkt.tcp(src, sport, dst, dport, words[3])
    elif pkt.is6(src):
        l4 = pkt.ICMP6, pkt.icmp(src, dst, 128, 0, data=text)
    else:
        l4 = pkt.ICMP, pkt.icmp(src, dst, 8, 0, data=text)
    return to + own + (b"\x86\xdd" if pkt.is6(src) else b"\x08\0") + pkt.ip(src, dst, *l4)


def main():
    args = sys.argv[1:]
    to = HOST_MAC
    if "--to" in args:
        i = args.index("--to")
        to = args[i + 1]
        del args[i:i + 2]
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((args[0], 0))
    own = s.getsockname()[4]
    for frame in args[1:]:
        s.send(build(frame.split(), own, mac(to)))


main()
