# SPDX-License-Identifier: BSD-2-Clause
"""Packets by hand: build them as wrong as a test wants, and say what one is."""
import ipaddress
import socket
import struct

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
FLAGS = "FSRPAUEC"


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def pack(addr):
    return ipaddress.ip_address(addr).packed


def is6(addr):
    return ":" in addr


def pseudo(src, dst, proto, length):
    if is6(src):
        return pack(src) + pack(dst) + struct.pack("!IxxxB", length, proto)
    return pack(src) + pack(dst) + struct.pack("!BBH", 0, proto, length)


def ip(src, dst, proto, payload, ident=0x4242, frag=0, ttl=64, options=b""):
    """A whole packet; frag is the 16 bits of flags and offset (IPv4 only)"""
    if is6(src):
        return struct.pack("!IHBB", 6 << 28 | ident, len(payload), proto, ttl) \
            + pack(src) + pack(dst) + payload
    ihl = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH4s4s", 4 << 4 | ihl, 0, ihl * 4 + len(payload), ident, frag,
                       ttl, proto, 0, pack(src), pack(dst)) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def udp(src, sport, dst, dport, data, good=True, length=None):
    n = 8 + len(data)
    head = struct.pack("!HHHH", sport, dport, length or n, 0) + data
    c = checksum(pseudo(src, dst, UDP, n) + head) or 0xffff
    return head[:6] + struct.pack("!H", c if good else c ^ 0x5555) + data


def tcp(src, sport, dst, dport, flags, seq=1, ack=0, data=b"", good=True):
    bits = sum(1 << FLAGS.index(f) for f in flags)
    head = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 5 << 4, bits, 8192, 0, 0) + data
    c = checksum(pseudo(src, dst, TCP, len(head)) + head)
    return head[:16] + struct.pack("!H", c if good else c ^ 0x5555) + head[18:]


def icmp(src, dst, kind, code, rest=b"\0\x01\0\x01", data=b""):
    head = struct.pack("!BBH", kind, code, 0) + rest + data
    c = checksum(pseudo(src, dst, ICMP6, len(head)) + head) if is6(src) else checksum(head)
    return head[:2] + struct.pack("!H", c) + head[4:]


def endpoint(text, default=0):
    """203.0.113.2:80 or [2001:db8::2]:80 or an address alone"""
    if text.startswith("["):
        addr, _, port = text[1:].partition("]")
        return addr, int(port[1:] or default)
    if text.count(":") == 1:
        addr, port = text.split(":")
        return addr, int(port)
    return text, default


def show(addr, port=None):
    a = str(ipaddress.ip_address(addr))
    if port is None:
        return a
    return f"[{a}]:{port}" if ":" in a else f"{a}:{port}"


def describe(frame):
    """One line: PROTO SRC DST id=N and what is known of it; None for noise"""
    kind = struct.unpack("!H", frame[12:14])[0]
    p = frame[14:]
    if kind == 0x0806:
        op = struct.unpack("!H", p[6:8])[0]
        sha, spa, tpa = p[8:14], p[14:18], p[24:28]
        if op == 1:
            return f"arp request {show(tpa)} tell {show(spa)}"
        return f"arp reply {show(spa)} is-at {sha.hex(':')}"
    if kind == 0x0800 and len(p) >= 20:
        ihl = (p[0] & 15) * 4
        ident, frag = struct.unpack("!HH", p[4:8])
        proto, src, dst, l4 = p[9], p[12:16], p[16:20], p[ihl:]
        if frag & 0x1fff:
            return f"ip{proto} {show(src)} {show(dst)} id={ident} frag={frag & 0x1fff}"
    elif kind == 0x86dd and len(p) >= 40:
        ident = struct.unpack("!I", p[:4])[0] & 0xfffff
        proto, src, dst, l4 = p[6], p[8:24], p[24:40], p[40:]
    else:
        return None
    if proto in (TCP, UDP) and len(l4) >= 4:
        sport, dport = struct.unpack("!HH", l4[:4])
        text = f"{'tcp' if proto == TCP else 'udp'} {show(src, sport)} {show(dst, dport)} id={ident}"
        if proto == TCP and len(l4) >= 14:
            text += " flags=" + "".join(f for i, f in enumerate(FLAGS) if l4[13] >> i & 1)
        return text
    if proto in (ICMP, ICMP6) and len(l4) >= 2:
        name = "icmp" if proto == ICMP else "icmp6"
        return f"{name} {show(src)} {show(dst)} id={ident} type={l4[0]}/{l4[1]}"
    return f"ip{proto} {show(src)} {show(dst)} id={ident}"


def family(addr):
    return socket.AF_INET6 if is6(addr) else socket.AF_INET
