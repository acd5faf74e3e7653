#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""bulk.py serve PORT --ready FD | send [--from ADDR] ADDR PORT [BYTES]

Sends BYTES (8 MiB) to a server that sends them back, and compares.
"""
import random
import socket
import sys
import threading


def serve(port, ready):
    s = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    with open(ready, "w", encoding="ascii") as f:
        f.write("ready\n")
    while True:
        c, _ = s.accept()
        threading.Thread(target=echo, args=(c,), daemon=True).start()


def echo(c):
    with c:
        while data := c.recv(1 << 18):
            c.sendall(data)


def send(source, addr, port, n):
    data = random.Random(n).randbytes(n)
    c = socket.create_connection((addr, port), 20, (source, 0) if source else None)

    def put():
        c.sendall(data)
        c.shutdown(socket.SHUT_WR)

    threading.Thread(target=put, daemon=True).start()
    got = bytearray()
    while piece := c.recv(1 << 18):
        got += piece
    if bytes(got) != data:
        sys.exit(f"{len(got)} of {n} bytes came back, or others")


def main():
    words = sys.argv[1:]
    if words[0] == "serve":
        serve(int(words[1]), int(words[words.index("--ready") + 1]))
    source = None
    if words[1] == "--from":
        source = words[2]
        del words[1:3]
    send(source, words[1], int(words[2]), int(words[3]) if len(words) > 3 else 8 << 20)


main()
