#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""newflows.py serve ADDR:PORT --ready FD - answer UDP and TCP as they come
newflows.py flood ADDR:PORT COUNT FILE - new UDP flows beside one TCP connection

flood opens one UDP flow after the other, some at a time, until FILE is there and
COUNT were opened, and asks once in a while on the one connection.  It prints
`flows N lost N cut N`: flows without an answer, and whether the connection ended.
"""
import os
import select
import socket
import sys
import time

AT_ONCE = 32
PATIENCE = 5.0


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def serve(where, ready):
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(where)
    tcp = socket.socket()
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tcp.bind(where)
    tcp.listen(8)
    os.write(ready, b"ready\n")
    socks = [udp, tcp]
    while True:
        for s in select.select(socks, [], [])[0]:
            if s is udp:
                data, peer = udp.recvfrom(64)
                udp.sendto(data, peer)
            elif s is tcp:
                socks.append(tcp.accept()[0])
            else:
                data = s.recv(64)
                s.sendall(data) if data else socks.remove(s)


class Flood:
    def __init__(self, where):
        self.where = where
        self.poll = select.epoll()
        self.open = {}
        self.flows = self.lost = self.cut = 0
        self.tcp = socket.create_connection(where, timeout=PATIENCE)

    def start(self):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.connect(self.where)
        s.send(b"new")
        self.open[s.fileno()] = (s, time.monotonic() + PATIENCE)
        self.poll.register(s, select.EPOLLIN | select.EPOLLERR)
        self.flows += 1

    def end(self, fd, is_lost):
        self.lost += is_lost
        self.poll.unregister(fd)
        self.open.pop(fd)[0].close()

    def step(self):
        while len(self.open) < AT_ONCE:
            self.start()
        for fd, _ in self.poll.poll(PATIENCE):
            try:
                self.end(fd, self.open[fd][0].recv(64) != b"new")
            except OSError:
                self.end(fd, True)
        for fd in [fd for fd, (_, by) in self.open.items() if by < time.monotonic()]:
            self.end(fd, True)

    def ask(self):
        try:
            self.tcp.sendall(b"still there")
            if self.cut == 0 and self.tcp.recv(64) != b"still there":
                self.cut = 1
        except OSError:
            self.cut = 1


def flood(where, count, stop):
    f = Flood(where)
    steps = 0
    while f.flows < count or not os.path.exists(stop):
        f.step()
        steps += 1
        if steps % 50 == 0:
            f.ask()
    f.ask()
    print("flows", "enough" if f.flows >= count else f.flows, "lost", f.lost, "cut", f.cut)
    print(f.flows, file=sys.stderr)


if sys.argv[1] == "serve":
    serve(address(sys.argv[2]), int(sys.argv[sys.argv.index("--ready") + 1]))
else:
    flood(address(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
