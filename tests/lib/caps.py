#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""caps.py make FORM LINK   captures from lines on stdin; FORM pcap, nano, be, ng
caps.py show            lines from a capture on stdin

A line is TIME KIND SRC[:PORT] DST[:PORT] [WORD]..., KIND one of udp, tcp, ping, pong,
unreach (the rest is the line of the packet that it quotes), arp.  Words: ttl=N,
flags=S, id=N (of ICMP), data=TEXT, frag=N/M (the N-th of M fragments), cut=N (bytes
kept).  LINK is ether, vlan, qinq, raw, null, sll or sll2.  show tells each packet so, with
"bad-sum" where a checksum is wrong.
"""
import struct
import sys

import pkt

LINKS = {"ether": 1, "vlan": 1, "qinq": 1, "raw": 101, "null": 0, "sll": 113, "sll2": 276}


def packet(words):
    kind, src, dst = words[:3]
    opts = dict(w.split("=", 1) for w in words[3:] if "=" in w)
    ttl, data = int(opts.get("ttl", 64)), opts.get("data", "data").encode()
    (a, sport), (b, dport) = pkt.endpoint(src), pkt.endpoint(dst)
    if kind == "udp":
        proto, load = pkt.UDP, pkt.udp(a, sport, b, dport, data)
    elif kind == "tcp":
        proto = pkt.TCP
        load = pkt.tcp(a, sport, b, dport, opts.get("flags", "S"), int(opts.get("seq", 1)),
                       int(opts.get("ack", 0)), data if "data" in opts else b"")
    else:
        v6 = pkt.is6(a)
        proto = pkt.ICMP6 if v6 else pkt.ICMP
        if kind == "unreach":
            load = pkt.icmp(a, b, 1 if v6 else 3, 4 if v6 else 3, b"\0\0\0\0",
                            packet(words[3:])[:28 + 20 * v6])
        else:
            types = {"ping": (8, 128), "pong": (0, 129)}
            load = pkt.icmp(a, b, types[kind][v6], 0,
                            struct.pack("!HH", int(opts.get("id", 1)), 1), data)
    frag = 0
    if "frag" in opts and kind != "unreach":
        nth, of = map(int, opts["frag"].split("/"))
        step = (len(load) // of + 7) // 8 * 8
        frag = (nth - 1) * step // 8 | (0x2000 if nth < of else 0)
        load = load[(nth - 1) * step:] if nth == of else load[(nth - 1) * step:nth * step]
    return pkt.ip(a, b, proto, load, frag=frag, ttl=ttl)


def frame(link, p):
    kind = b"\x86\xdd" if p[0] >> 4 == 6 else b"\x08\x00"
    macs = bytes.fromhex("020000000001020000000002")
    return {
        "ether": macs + kind + p,
        "vlan": macs + b"\x81\0\0\x05" + kind + p,
        "qinq": macs + b"\x88\xa8\0\x07\x81\0\0\x05" + kind + p,
        "raw": p,
        "null": (b"\x1c" if p[0] >> 4 == 6 else b"\x02") + b"\0\0\0" + p,
        "sll": b"\0\0\0\x01\0\x06" + macs[:8] + kind + p,
        "sll2": kind + b"\0\0\0\0\0\x01\0\x01\0\x06" + macs[:8] + p,
    }[link]


def ng_block(kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def make(form, link):
    order = ">" if form == "be" else "<"
    unit = 10 ** 9 if form == "nano" else 10 ** 6
    out = bytearray()
    if form == "ng":
        out += ng_block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))
        out += ng_block(1, struct.pack("<HHI", LINKS[link], 0, 0))
    else:
        out += struct.pack(order + "IHHIIII", 0xa1b23c4d if form == "nano" else 0xa1b2c3d4,
                           2, 4, 0, 0, 262144, LINKS[link])
    for line in sys.stdin:
        words = line.split()
        if not words:
            continue
        if words[1] == "arp":
            f = bytes.fromhex("ffffffffffff0200000000010806") + bytes(28)
        else:
            f = frame(link, packet(words[1:]))
        cut = next((int(w[4:]) for w in words if w.startswith("cut=")), len(f))
        ticks = round(float(words[0]) * unit)
        if form == "ng":
            out += ng_block(6, struct.pack("<IIIII", 0, ticks >> 32, ticks & 0xffffffff,
                                           len(f[:cut]), len(f)) + f[:cut])
        else:
            out += struct.pack(order + "IIII", ticks // unit, ticks % unit, len(f[:cut]), len(f))
            out += f[:cut]
    sys.stdout.buffer.write(out)


def records(b):
    if b[:4] == b"\x0a\x0d\x0d\x0a":
        at, links = 0, []
        while at < len(b):
            kind, n = struct.unpack("<II", b[at:at + 8])
            if kind == 1:
                links.append((struct.unpack("<H", b[at + 8:at + 10])[0], 10 ** b[at + 20]))
            if kind == 6:
                i, hi, lo, cap, _ = struct.unpack("<IIIII", b[at + 8:at + 28])
                yield links[i][0], (hi << 32 | lo) / links[i][1], b[at + 28:at + 28 + cap]
            at += n
        return
    unit = 10 ** 9 if b[:4] == b"\x4d\x3c\xb2\xa1" else 10 ** 6
    link, at = struct.unpack("<I", b[20:24])[0], 24
    while at < len(b):
        sec, frac, cap, _ = struct.unpack("<IIII", b[at:at + 16])
        yield link, sec + frac / unit, b[at + 16:at + 16 + cap]
        at += 16 + cap


def sums_are_right(p):
    if p[0] >> 4 == 4:
        if pkt.checksum(p[:(p[0] & 15) * 4]) != 0:
            return False
        a, b, proto, load = p[12:16], p[16:20], p[9], p[(p[0] & 15) * 4:]
        if struct.unpack("!H", p[6:8])[0] & 0x3fff:
            return True
        pseudo = a + b + struct.pack("!BBH", 0, proto, len(load))
    else:
        a, b, proto, load = p[8:24], p[24:40], p[6], p[40:]
        pseudo = a + b + struct.pack("!IxxxB", len(load), proto)
    if proto == pkt.ICMP:
        pseudo = b""
    if proto not in (pkt.ICMP, pkt.ICMP6, pkt.TCP, pkt.UDP):
        return True
    return pkt.checksum(pseudo + load) == 0


def show():
    for link, time, f in records(sys.stdin.buffer.read()):
        at = {0: 4, 1: 14, 101: 0, 113: 16, 276: 20}[link]
        tags = ""
        while link == 1 and f[at - 2:at] in (b"\x81\0", b"\x88\xa8"):
            tags += f" vlan={struct.unpack('!H', f[at:at + 2])[0]}"
            at += 4
        p = f[at:]
        text = pkt.describe(bytes(12) + (b"\x86\xdd" if p[0] >> 4 == 6 else b"\x08\0") + p)
        words = [w for w in text.split() if not w.startswith("id=")]
        ttl = p[7] if p[0] >> 4 == 6 else p[8]
        bad = "" if sums_are_right(p) else " bad-sum"
        print(f"{time:g} {' '.join(words)} ttl={ttl}{tags}{bad}")


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(*sys.argv[2:])
    else:
        show()
