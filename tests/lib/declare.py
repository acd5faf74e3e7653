#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""declare.py SEED DIR - random declarations of a jail host: DIR/{rc,jail,sysctl,pf}.conf

The host has igb0 and br7, and addresses of its own on both, as lab.sh makes them.
"""
import random
import sys


def addresses(r, n):
    """ip4.addr or ip6.addr of jail N"""
    iface = r.choice(["lo1", "lo1", "lo2", "igb0"])
    four = f"203.0.113.{40 + n}" if iface == "igb0" else f"10.{r.randint(20, 22)}.{n}.{r.randint(2, 250)}"
    lines = [f'ip4.addr = "{iface}|{four}/{r.choice([32, 32, 32, 24])}";']
    if r.random() < 0.4:
        lines.append(f'ip6.addr = "{r.choice(["lo1", "lo2"])}|fd00:{20 + n:x}::{r.randint(2, 99):x}/128";')
    if r.random() < 0.3:
        lines.append(f'ip4.addr += "lo1|10.30.{n}.{r.randint(2, 250)}/32";')
    return lines


def forwards(r, n, v6):
    words = []
    for i in range(r.randint(0, 4)):
        port = 1000 + 100 * n + 10 * i
        ports = r.choice([f"{port}", f"{port}:80", f"{port}-{port + 5}", f"{port}-{port + 5}:8000-*",
                          f"{port},{port + 1}:81"])
        more = r.choice(["", "", " from 198.51.100.0/24", " log", " filtered", " on igb0"])
        words.append(f'$forward += "{r.choice(["tcp", "udp", "tcp+udp"])} {ports}{more}";')
    return words


def jail(r, n):
    lines = []
    if r.random() < 0.15:
        lines += ["vnet;", f'$address = "10.40.{n}.5/32";']
    else:
        lines += addresses(r, n)
    if r.random() < 0.7:
        lines.append('$nat = "igb0";')
        lines += forwards(r, n, False)
    return f"j{n} {{\n\t" + "\n\t".join(lines) + "\n}\n"


def rules(r):
    lines = []
    if r.random() < 0.6:
        lines.append("set skip on lo")
    lines.append("table <bad> persist { 192.0.2.66, 192.0.2.128/25 }")
    if r.random() < 0.5:
        lines.append("nat on igb0 from 10.30.0.0/16 to any -> (igb0)")
    if r.random() < 0.5:
        lines.append("rdr on igb0 proto tcp to port 9000:9010 -> 10.30.1.9 port 9000:*")
    lines.append(r.choice(["block in on igb0", "block in log on igb0", "pass in all"]))
    if r.random() < 0.5:
        lines.append("antispoof for igb0")
    for i in range(r.randint(0, 8)):
        lines.append(r.choice([
            f"pass in on igb0 proto tcp to port {r.randint(1, 900)}",
            f"pass in quick on igb0 proto udp from 198.51.100.0/24 to port {r.randint(1, 900)}",
            "block in quick on igb0 from <bad>",
            f"pass in on br7 from 10.7.0.0/24 to 10.30.{i}.0/24 keep state",
            f"block return in on igb0 proto tcp to port {r.randint(1, 900)}",
        ]))
    lines.append("pass out all")
    return lines


def main():
    r = random.Random(int(sys.argv[1]))

    def write(name, lines):
        with open(f"{sys.argv[2]}/{name}", "w", encoding="ascii") as f:
            f.write("".join(line + "\n" for line in lines))

    rc = ['cloned_interfaces="lo1 lo2"']
    if r.random() < 0.5:
        rc.append('ifconfig_lo1_aliases="inet 10.50.0.1/29 inet 10.50.0.2-4/29 inet6 fd50::1/64"')
    if r.random() < 0.5:
        rc.append('gateway_enable="YES"')
    if r.random() < 0.3:
        rc.append('ipv6_gateway_enable="YES"')
    write("rc.conf", rc)
    write("jail.conf", [jail(r, n) for n in range(1, r.randint(1, 6))])
    write("sysctl.conf", r.sample(["net.inet.ip.forwarding=1", "net.inet6.ip6.forwarding=0",
                                   "net.inet.ip.redirect=0", "net.inet.icmp.drop_redirect=1"],
                                  r.randint(0, 2)))
    write("pf.conf", rules(r))


main()
