#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# forward_add.sh - what `forward add`, `del`, `off` and `on` cost with N forwards there
#
#	forward-add-N, forward-del-N, forward-off-N, forward-on-N
#			milliseconds, the start of a process not counted
#	forward-udp-N	adding a forward of UDP
#	forward-add-N-cpu, forward-del-N-cpu
#			processor time of the first two, the kernel's for them included
#	bare-del-N	a socket that is opened, deletes one element and is closed, which
#			waits until what was deleted is free; ours is left to the kernel
#	forward-del-ratio-N
#			deleting a forward, in comparison with that
#
# Commands are 40 ms apart.  Forwards are switched off and on in turns, one at a time.
# The median of 40 runs, each less a run that does nothing just before it.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=../lib/many.sh
. "$LAB_DIR/many.sh"
lab_enter "$@"

# Medians of the two kinds of runs, as milliseconds
measure()	# N
{
	on_host "$PYTHON" - "$SALLYPORT" "$TMP/state" "$1" <<-'END'
		import os, socket, struct, sys, time
		program, state, n = sys.argv[1:]

		def run(*args):
		    time.sleep(0.04)
		    start = time.perf_counter()
		    pid = os.posix_spawn(program, [program, "-q", "--state-dir", state, *args], os.environ,
		        file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
		    _, status, used = os.wait4(pid, 0)
		    assert status == 0, args
		    return ((time.perf_counter() - start) * 1e3, (used.ru_utime + used.ru_stime) * 1e3)

		def change(*args):
		    none = run("explain", "E1001")
		    return [a - b for a, b in zip(run("forward", *args), none)]

		# By the clock, and of the processor
		def median(runs):
		    return [sorted(v)[20] for v in zip(*runs)]

		ports = [str(60001 + i) for i in range(40)]
		def each(verb, proto, ext="{}", *more):
		    return [(verb, "j0", proto, ext.format(p), *more) for p in ports]

		there = ("{}:80", "--to", "203.0.113.2")
		def changes(*args):
		    return median([change(*c) for c in each(*args)])

		add, add_cpu = changes("add", "tcp", *there)
		switches = [change("off" if i % 2 == 0 else "on", "j0", "tcp", ports[i // 2])
		            for i in range(2 * len(ports))]
		off, on = median(switches[::2])[0], median(switches[1::2])[0]
		delete, delete_cpu = changes("del", "tcp")
		udp, _ = changes("add", "udp", *there)

		def attr(kind, data):
		    return struct.pack("=HH", len(data) + 4, kind) + data + bytes(-len(data) % 4)

		def message(kind, data, family=1, flags=1):
		    return struct.pack("=IHHIIBBH", 20 + len(data), kind, flags, 0, 0, family, 0,
		                       0 if kind != 16 and kind != 17 else 10 << 8) + data

		# NFNL_MSG_BATCH_BEGIN, NFT_MSG_DELSETELEM, NFNL_MSG_BATCH_END
		def delete_element(port):
		    key = attr(0x8001, attr(1, struct.pack(">H", port)))
		    elements = attr(0x8003, attr(0x8001, key))
		    what = attr(1, b"bench\0") + attr(2, b"ports\0") + elements
		    return (message(16, b"", 0) + message(10 << 8 | 14, what, 1, 5) + message(17, b"", 0))

		def bare(port):
		    time.sleep(0.04)
		    start = time.perf_counter()
		    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
		    s.sendto(delete_element(port), (0, 0))
		    error = struct.unpack_from("=i", s.recv(4096), 16)[0]
		    s.close()
		    assert error == 0, error
		    return (time.perf_counter() - start) * 1e3

		lower = sorted(bare(p) for p in range(1, 41))[20]
		for name, ms in (("forward-add", add), ("forward-del", delete), ("forward-off", off),
		                 ("forward-on", on), ("forward-udp", udp), ("bare-del", lower)):
		    print(f"{name}-{n} {ms:.2f} ms")
		for name, ms in (("add", add_cpu), ("del", delete_cpu)):
		    print(f"forward-{name}-{n}-cpu {ms:.2f} ms")
		print(f"forward-del-ratio-{n} {delete / lower:.2f} x")
	END
}

lab_bare HOST
echo 'cloned_interfaces="lo1"' >"$TMP/rc.conf"
for n in 10 1000 100000; do
	declare_jails "$n" >"$TMP/jail.conf"
	sp_must --state-dir "$TMP/state" -q --no-verify -f "$TMP/rc.conf" -f "$TMP/jail.conf" apply
	on_host nft "add table inet bench; add set inet bench ports { type inet_service; };
		add element inet bench ports { $(seq -s, 40) }" || exit 1
	# Others' changes send the next one the long way
	sp_must --state-dir "$TMP/state" -q apply
	measure "$n" || exit 1
	on_host nft delete table inet bench
	sp_must --state-dir "$TMP/state" -q destroy --forget
done
