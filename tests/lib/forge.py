#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""forge.py KIND OWN PEER COUNT [TEXT] - packets in others' names, about a flow

OWN is the flow's end that they go to, as its peer knows it; PEER the other end, both as
ADDR:PORT.  KIND is one of
    rst=SEQ unreachable=SEQ too-big=SEQ     of TCP: in PEER's name, or of a router, quoting what
                OWN has sent; the sequence numbers are far off SEQ, but not the last of COUNT if
                TEXT is `exact`
    strangers   errors that quote flows between the two which there are not
    unreachable too-big     of UDP, quoting the flow's own datagrams
    ports       UDP of PEER's address from and to all ports but the flow's
    elsewhere   UDP of others to the flow's own port
    syn         SYNs of many addresses to OWN
    syns        SYNs of PEER to all ports of OWN's address
    fragments   first parts of datagrams of many addresses whose rest never comes
    middles     parts of datagrams of PEER's, one of each
    odd=SEQ     what is no packet: cut, and with bytes changed
    udp         a datagram with TEXT, of the flow
Prints how many were sent.
"""
import os
import random
import socket
import struct
import sys

import pkt

FAR = 1 << 31
ROUTER = "198.51.100.99"
PTB_MTU = struct.pack("!HH", 0, 576)


def strange(i):
    """Addresses of half the world, none of the lab's"""
    return f"{100 + i % 20}.{i // 20 % 250}.{i // 5000 % 250}.{1 + i % 250}"


class Flow:
    def __init__(self, own, peer, text):
        self.own, self.peer, self.text = pkt.endpoint(own), pkt.endpoint(peer), text

    def error(self, kind, code, rest, quoted, src=ROUTER):
        """Of type 3 or 11; it quotes the header and 28 bytes"""
        return pkt.ip(src, self.own[0], pkt.ICMP,
                      pkt.icmp(src, self.own[0], kind, code, rest, quoted[:48]))

    def sent_tcp(self, seq, sport=None, dport=None):
        body = pkt.tcp(self.own[0], sport or self.own[1], self.peer[0], dport or self.peer[1],
                       "A", seq % (1 << 32), 1)
        return pkt.ip(self.own[0], self.peer[0], pkt.TCP, body)

    def sent_udp(self, sport=None, dport=None):
        body = pkt.udp(self.own[0], sport or self.own[1], self.peer[0], dport or self.peer[1],
                       b"hold\r\n" + b"\0" * 16)
        return pkt.ip(self.own[0], self.peer[0], pkt.UDP, body)

    def from_peer(self, proto, body):
        return pkt.ip(self.peer[0], self.own[0], proto, body)

    def seq(self, seq, i, count):
        exact = self.text == "exact" and i == count - 1
        return seq if exact else (seq + FAR + (i - count // 2) * 4099) % (1 << 32)

    # ---- about TCP ----

    def rst(self, seq, i, count):
        return self.from_peer(pkt.TCP, pkt.tcp(*self.peer, *self.own, "RA" if i % 2 else "R",
                                               self.seq(seq, i, count)))

    def unreachable(self, seq, i, count):
        if seq is None:
            return self.error(3, i % 16, bytes(4), self.sent_udp())
        return self.error(3, i % 16, bytes(4), self.sent_tcp(self.seq(seq, i, count)))

    def too_big(self, seq, i, count):
        if seq is None:
            return self.error(3, 4, PTB_MTU, self.sent_udp())
        return self.error(3, 4, PTB_MTU, self.sent_tcp(self.seq(seq, i, count)))

    def strangers(self, _, i, __):
        """Ports of OWN that have flows, with ports of PEER that none has, and the reverse"""
        sport = self.own[1] if i % 2 else 1 + i % 65535
        sent = (self.sent_tcp if i % 4 < 2 else self.sent_udp)
        quoted = sent(0, sport, 1024 + i) if i % 4 < 2 else sent(sport, 1024 + i)
        return self.error(11 if i % 3 == 0 else 3, 0 if i % 3 == 0 else i % 16, PTB_MTU, quoted)

    # ---- of UDP, of beginnings and of parts ----

    def ports(self, _, i, __):
        return self.from_peer(pkt.UDP, pkt.udp(self.peer[0], 1024 + i, self.own[0],
                                               1 + i * 13 % 65535, b"forged"))

    def elsewhere(self, _, i, __):
        src = strange(i)
        return pkt.ip(src, self.own[0], pkt.UDP, pkt.udp(src, self.peer[1], *self.own, b"forged"))

    def syn(self, _, i, __):
        src = strange(i)
        return pkt.ip(src, self.own[0], pkt.TCP, pkt.tcp(src, 1024 + i, *self.own, "S", i))

    def syns(self, _, i, __):
        port = 1 + (self.own[1] + i * 13) % 65535
        return self.from_peer(pkt.TCP, pkt.tcp(*self.peer, self.own[0], port, "S"))

    def fragments(self, _, i, __):
        src = strange(i)
        return pkt.ip(src, self.own[0], pkt.UDP,
                      struct.pack("!HHHH", 53, self.own[1], 3000, 0) + bytes(1000),
                      ident=i % 65536, frag=0x2000)

    def middles(self, _, i, __):
        return pkt.ip(self.peer[0], self.own[0], pkt.UDP, bytes(800), ident=i % 65536,
                      frag=0x2000 | 100)

    def odd(self, seq, i, count):
        rnd = random.Random(i)
        whole = bytearray(self.unreachable(seq, i, count) if i % 2 else self.fragments(0, i, 1))
        for _ in range(3):
            whole[rnd.randrange(20, len(whole))] = rnd.randrange(256)
        return bytes(whole[:rnd.randrange(20, len(whole) + 1)])

    def udp(self, _, __, ___):
        return self.from_peer(pkt.UDP, pkt.udp(*self.peer, *self.own, self.text.encode()))


def main():
    kind, _, seq = sys.argv[1].partition("=")
    flow = Flow(sys.argv[2], sys.argv[3], sys.argv[5] if len(sys.argv) > 5 else "")
    make, count = getattr(flow, kind.replace("-", "_")), int(sys.argv[4])
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    sent = 0
    for i in range(count):
        try:
            s.sendto(make(int(seq) if seq else None, i, count), (flow.own[0], 0))
            sent += 1
        except OSError:
            pass        # no room: lost, as on any wire
    print(sent)


main()
