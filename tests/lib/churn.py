#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""churn.py KIND FROM TO COUNT - packets of many flows

KIND flows: UDP to many ports of TO; ports: from many ports of FROM; fragments: first
parts of datagrams whose rest never comes; icmp: echo requests of many ids.  Prints how
many were sent.
"""
import socket
import struct
import sys


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def ip(src, dst, proto, ident, frag, body):
    # The kernel fills in length and checksum
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 0, ident, frag, 64, proto, 0, src, dst) + body


def udp(sport, dport):
    return struct.pack("!HHHH", sport, dport, 16, 0) + b"churning"


def echo(ident):
    head = struct.pack("!BBHHH", 8, 0, 0, ident, 1)
    return head[:2] + struct.pack("!H", checksum(head)) + head[4:]


KINDS = {
    "flows": lambda a, b, i: ip(a, b, 17, 0, 0, udp(20000, 10000 + i % 50000)),
    "ports": lambda a, b, i: ip(a, b, 17, 0, 0, udp(10000 + i % 50000, 9)),
    "fragments": lambda a, b, i: ip(a, b, 17, 1 + i % 65535, 0x2000, udp(20000, 9) + b"x" * 1000),
    "icmp": lambda a, b, i: ip(a, b, 1, 0, 0, echo(i % 65536)),
}


def main():
    make, src, dst = KINDS[sys.argv[1]], socket.inet_aton(sys.argv[2]), socket.inet_aton(sys.argv[3])
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    s.bind((sys.argv[2], 0))
    sent = 0
    for i in range(int(sys.argv[4])):
        try:
            s.sendto(make(src, dst, i), (sys.argv[3], 0))
            sent += 1
        except OSError:
            pass        # no room in the device's queue: lost, as on any wire
    print(sent)


main()
