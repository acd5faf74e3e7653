#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""leak.py SRC DST[:PORT] SENTINEL-SRC - packets of a jail that NAT does not know what to do with

From the host's own stack, each class with an IP id (IPv6: flow label) of its
own, which it prints: `ID NAME`.  At the end a datagram from SENTINEL-SRC, so
that who watches the wire knows that all have left.  DST:PORT (IPv4) must answer
TCP: the first class needs a connection.  A datagram from DST:7 to SENTINEL-SRC:53
is to have been let in before: one class is an error about it.
"""
import os
import socket
import struct
import sys

import pkt

BASE = 0x5a00


def let_in(dst, own):
    """The datagram that was let in before: DST:7 to SENTINEL-SRC:53"""
    return pkt.ip(dst, own, pkt.UDP, pkt.udp(dst, 7, own, 53, b"x" * 8))


def classes4(src, dst, port, own):
    """Name, protocol, payload"""
    t, u = pkt.tcp, pkt.udp
    inner = pkt.ip(dst, src, pkt.UDP, pkt.udp(dst, 53, src, 777, b"x" * 8))
    yield "SYN+FIN", pkt.TCP, t(src, 2001, dst, port, "SF")
    yield "stray RST", pkt.TCP, t(src, 2002, dst, port, "R")
    yield "stray FIN+ACK", pkt.TCP, t(src, 2003, dst, port, "FA", ack=7)
    yield "bad TCP checksum", pkt.TCP, t(src, 2004, dst, port, "S", good=False)
    yield "bad UDP checksum", pkt.UDP, u(src, 2005, dst, 53, b"x", good=False)
    yield "short TCP", pkt.TCP, t(src, 2006, dst, port, "S")[:12]
    yield "stray ICMP error", pkt.ICMP, pkt.icmp(src, dst, 3, 3, bytes(4), inner)
    yield "error about what was let in", pkt.ICMP, \
        pkt.icmp(src, dst, 3, 3, bytes(4), let_in(dst, own))
    yield "ICMP type 200", pkt.ICMP, pkt.icmp(src, dst, 200, 0)
    yield "bad SCTP", 132, struct.pack("!HHII", 2009, 36412, 0, 0x12345678) + bytes(8)
    yield "TCP without flags", pkt.TCP, t(src, 2010, dst, port, "")
    yield "TCP with all flags", pkt.TCP, t(src, 2011, dst, port, "FSRPAU")
    yield "wrong UDP length", pkt.UDP, u(src, 2012, dst, 53, b"x", length=4)
    yield "stray echo reply", pkt.ICMP, pkt.icmp(src, dst, 0, 0)
    yield "unknown protocol", 253, b"x" * 16
    yield "stray SYN+ACK", pkt.TCP, t(src, 2015, dst, port, "SA", ack=9)
    yield "ICMP of 4 bytes", pkt.ICMP, pkt.icmp(src, dst, 8, 0)[:4]


def classes6(src, dst, port, own):
    t = pkt.tcp
    inner = pkt.ip(dst, src, pkt.UDP, pkt.udp(dst, 53, src, 777, b"x" * 8))
    yield "SYN+FIN", pkt.TCP, t(src, 2001, dst, port, "SF")
    yield "stray RST", pkt.TCP, t(src, 2002, dst, port, "R")
    yield "stray FIN+ACK", pkt.TCP, t(src, 2003, dst, port, "FA", ack=7)
    yield "short TCP", pkt.TCP, t(src, 2006, dst, port, "S")[:12]
    yield "stray ICMPv6 error", pkt.ICMP6, pkt.icmp(src, dst, 1, 4, bytes(4), inner)
    yield "error about what was let in", pkt.ICMP6, \
        pkt.icmp(src, dst, 1, 4, bytes(4), let_in(dst, own))
    yield "ICMPv6 type 200", pkt.ICMP6, pkt.icmp(src, dst, 200, 0)
    yield "TCP with all flags", pkt.TCP, t(src, 2011, dst, port, "FSRPAU")
    yield "unknown protocol", 253, b"x" * 16


def raw(addr):
    # Of the kind that brings its own IP header, in either family
    return socket.socket(pkt.family(addr), socket.SOCK_RAW, socket.IPPROTO_RAW)


def send(s, packet, dst):
    try:
        s.sendto(packet, (dst, 0))
    except PermissionError:
        pass    # the kernel says that a rule dropped it: what is hoped for


def out_of_window(src, dst, port, ident):
    """A connection of the jail, then data far from what it is to send next"""
    c = socket.socket()
    c.settimeout(10)
    c.bind((src, 0))
    c.connect((dst, port))
    c.sendall(b"hold\r\n")
    c.recv(100)
    # The kernel lets pass what lies behind the window, and where that is nobody
    # knows: of two opposite places one is ahead of it
    for seq in (0x11111111, 0x91111111):
        data = pkt.tcp(src, c.getsockname()[1], dst, port, "PA", seq=seq, ack=0x22222222,
                       data=b"data")
        send(raw(dst), pkt.ip(src, dst, pkt.TCP, data, ident=ident), dst)
    return c


def main():
    src, (dst, port), sentinel = sys.argv[1], pkt.endpoint(sys.argv[2], 80), sys.argv[3]
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    s = raw(dst)
    ident = BASE
    conn = None
    if not pkt.is6(src):
        conn = out_of_window(src, dst, port, ident)
        print(ident, "out-of-window data")
    classes = classes6 if pkt.is6(src) else classes4
    for name, proto, payload in classes(src, dst, port, sentinel):
        ident += 1
        send(s, pkt.ip(src, dst, proto, payload, ident=ident), dst)
        print(ident, name)
    u = socket.socket(pkt.family(sentinel), socket.SOCK_DGRAM)
    u.bind((sentinel, 0))
    u.sendto(b"lab-sentinel", (dst, 9))
    if conn:
        conn.close()


main()
