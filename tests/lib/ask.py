#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""ask.py [--from ADDR[:PORT]] [--wait SECONDS] [--ports] PROTO:ADDR:PORT[=TEXT]...

Asks servers, all at the same time, and prints a line for each in order: the
first line of its answer (its last word, the client's port, only with --ports),
or `refused`, `reset`, `silence`, `unreachable`, `denied`.  Silence is told after
SECONDS, and later by as much as this machine is slow today.  PROTO http is tcp with a
GET; TEXT is what is sent.
"""
import errno
import os
import selectors
import socket
import sys
import time

ERRORS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.EADDRNOTAVAIL: "unreachable",
    errno.EPERM: "denied",
    errno.EACCES: "denied",
}


START = 0.1  # seconds that a process takes to come here, at most, on an idle machine


def slowness():
    """How many times slower this machine is than an idle one: by the start of this process"""
    with open("/proc/self/stat", encoding="ascii") as f:
        ticks = int(f.read().rpartition(")")[2].split()[19])
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return max(1.0, age / START)


class Question:
    def __init__(self, spec, source, text):
        self.proto, rest = spec.split(":", 1)
        rest, _, own = rest.partition("=")
        addr, port = rest.rsplit(":", 1)
        addr = addr.strip("[]")
        text = own or text
        self.data = b"GET / HTTP/1.0\r\n\r\n" if self.proto == "http" else text.encode() + b"\r\n"
        self.answer = None
        self.got = b""
        self.sent = False
        self.last = 0.0
        family = socket.AF_INET6 if ":" in addr else socket.AF_INET
        kind = socket.SOCK_DGRAM if self.proto == "udp" else socket.SOCK_STREAM
        self.s = socket.socket(family, kind)
        self.s.setblocking(False)
        try:
            if source:
                self.s.bind(source)
            rc = self.s.connect_ex((addr, int(port)))
            if rc not in (0, errno.EINPROGRESS):
                self.fail(rc)
        except OSError as e:
            self.fail(e.errno)

    def fail(self, rc):
        self.answer = ERRORS.get(rc) or errno.errorcode.get(rc, str(rc)).lower()

    def step(self):
        """Something can be read or written"""
        try:
            if not self.sent:
                rc = self.s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if rc:
                    return self.fail(rc)
                self.s.send(self.data)
                self.sent = True
                return None
            data = self.s.recv(65535)
        except BlockingIOError:
            return None
        except OSError as e:
            return self.fail(e.errno)
        self.got += data
        body = self.got
        if self.proto == "http":
            if b"\r\n\r\n" not in body:
                body = b""
            else:
                body = body.split(b"\r\n\r\n", 1)[1]
        if b"\n" in body:
            self.answer = body.split(b"\n")[0].decode("ascii", "replace")
        elif not data and self.proto != "udp":
            self.answer = "closed"
        return None


def option(args, name, default=None):
    if name not in args:
        return default
    i = args.index(name)
    value = args[i + 1]
    del args[i:i + 2]
    return value


def main():
    args = sys.argv[1:]
    source = option(args, "--from")
    wait = float(option(args, "--wait", "8")) * slowness()
    text = option(args, "--text", "hello")
    ports = "--ports" in args
    if ports:
        args.remove("--ports")
    if source:
        addr, port = source, 0
        if source.startswith("["):
            addr, _, port = source[1:].partition("]")
            port = int(port[1:] or 0)
        elif source.count(":") == 1:
            addr, port = source.split(":")
        source = (addr, int(port))
    asked = [Question(spec, source, text) for spec in args]
    deadline = time.monotonic() + wait
    sel = selectors.DefaultSelector()
    for q in asked:
        if q.answer is None:
            sel.register(q.s, selectors.EVENT_WRITE, q)
    left = wait
    while sel.get_map() and left >= 0:
        # Once in any case: a question that was not sent would be no silence
        for key, _ in sel.select(left):
            q = key.data
            q.step()
            if q.answer is not None:
                sel.unregister(q.s)
                if q.answer.count(" ") == 2 and not ports:
                    q.answer = q.answer.rsplit(" ", 1)[0]
            elif q.sent:
                sel.modify(q.s, selectors.EVENT_READ, q)
        left = deadline - time.monotonic()
    for q in asked:
        print(q.answer or "silence")


main()
sys.stdout.flush()
os._exit(0)
