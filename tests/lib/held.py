#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""held.py ADDR:PORT PORT --ready FD - a TCP connection and a UDP flow that are held

Both to serve.py at ADDR:PORT, the flow from PORT of one's own.  For each line of the
input it answers with one:
    tcp         what the server says on the connection: `answered PORT`, the port it sees;
                or `closed`, or an error
    udp         what it says to the flow, and `silence` after a while
    numbers     `PORT SEND RECEIVE`: the connection's own port, and the sequence numbers
                that it sends next and waits for
"""
import os
import socket
import struct
import sys

TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21
RECEIVES, SENDS = 1, 2
OFF_IN_SILENCE = -1
PATIENCE = 20.0


def port_of(answer):
    return "answered " + answer.split()[-1].decode() if answer else "closed"


def say_tcp(s):
    try:
        s.send(b"hold\r\n")
        return port_of(s.recv(200))
    except TimeoutError:
        return "silence"
    except OSError as e:
        return e.strerror.lower()


def answer_of(s):
    """The next datagram of the server's own; None after a second without any"""
    while True:
        try:
            data = s.recv(200)
            if data.endswith(b"\n") and data.count(b" ") == 2:
                return data
        except TimeoutError:
            return None
        except OSError:
            pass        # an error that somebody made up


def say_udp(s):
    """What came before is none of the answer; a question may be lost"""
    s.settimeout(0)
    while True:
        try:
            s.recv(200)
        except BlockingIOError:
            break
        except OSError:
            pass
    s.settimeout(1)
    for _ in range(int(PATIENCE)):
        try:
            s.send(b"hold\r\n")
        except OSError:
            continue
        if data := answer_of(s):
            return port_of(data)
    return "silence"


def numbers(s):
    queues = []
    s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    for queue in (SENDS, RECEIVES):
        s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, queue)
        queues.append(struct.unpack("=I", s.getsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ, 4))[0])
    s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, OFF_IN_SILENCE)
    return " ".join(map(str, [s.getsockname()[1], *queues]))


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    to = host, int(port)
    tcp = socket.create_connection(to, timeout=PATIENCE)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("", int(sys.argv[2])))
    udp.connect(to)
    ready = int(sys.argv[sys.argv.index("--ready") + 1])
    os.write(ready, b"ready\n")
    os.close(ready)
    does = {"tcp": lambda: say_tcp(tcp), "udp": lambda: say_udp(udp), "numbers": lambda: numbers(tcp)}
    for line in sys.stdin:
        print(does[line.strip()](), flush=True)


main()
