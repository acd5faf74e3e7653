#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""serve.py NAME PROTO:ADDR:PORT... [--ready FD] - servers that say who asked

Every request is answered with `NAME CLIENT-ADDRESS CLIENT-PORT`, as a page to
who speaks HTTP, and told on stdout: `PROTO:ADDR:PORT ADDRESS PORT TEXT`.
"""
import os
import selectors
import socket
import sys


def parse(spec):
    """tcp:203.0.113.2:80 or udp:[2001:db8::2]:53"""
    proto, rest = spec.split(":", 1)
    addr, port = rest.rsplit(":", 1)
    addr = addr.strip("[]")
    return proto, socket.AF_INET6 if ":" in addr else socket.AF_INET, addr, int(port)


def listen(spec):
    proto, family, addr, port = parse(spec)
    kind = socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM
    s = socket.socket(family, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((addr, port))
    if proto == "tcp":
        s.listen(64)
    return s


def tell(spec, peer, data):
    text = data.decode("ascii", "replace").split("\r\n")[0].strip()
    print(spec, peer[0], peer[1], text, flush=True)


def answer(name, peer, data):
    line = f"{name} {peer[0]} {peer[1]}\n".encode()
    if not data.startswith(b"GET "):
        return line
    return (b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n"
            % len(line) + line)


def on_tcp(sel, name, spec, listener):
    conn, peer = listener.accept()
    sel.register(conn, selectors.EVENT_READ, lambda: on_data(sel, name, spec, conn, peer))


def on_data(sel, name, spec, conn, peer):
    try:
        data = conn.recv(4096)
        if data:
            tell(spec, peer, data)
            conn.sendall(answer(name, peer, data))
            # Held open on request, so that a test can disturb the connection
            if b"hold" in data:
                return
    except OSError:
        pass
    sel.unregister(conn)
    conn.close()


def on_udp(name, spec, s):
    data, peer = s.recvfrom(65535)
    tell(spec, peer, data)
    try:
        s.sendto(answer(name, peer, data), peer)
    except OSError:
        pass


def main():
    args = sys.argv[1:]
    ready = None
    if "--ready" in args:
        i = args.index("--ready")
        ready = int(args[i + 1])
        del args[i:i + 2]
    name, specs = args[0], args[1:]
    sel = selectors.DefaultSelector()
    for spec in specs:
        s = listen(spec)
        if spec.startswith("tcp:"):
            call = lambda spec=spec, s=s: on_tcp(sel, name, spec, s)
        else:
            call = lambda spec=spec, s=s: on_udp(name, spec, s)
        sel.register(s, selectors.EVENT_READ, call)
    if ready is not None:
        os.write(ready, b"ready\n")
        os.close(ready)
    while True:
        for key, _ in sel.select():
            key.data()


main()
