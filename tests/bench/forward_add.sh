#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# forward_add.sh - what `forward add`, `del`, `off` and `on` cost with N forwards there
#
#	forward-add-N, forward-del-N, forward-off-N, forward-on-N
#			milliseconds, the start of a process not counted
#	forward-udp-N	the same of adding a forward of UDP: flows in its way are looked for
#	forward-del-row-N
#			the same of deleting, one command at once after the other: each
#			waits until the kernel has freed what the one before has deleted
#
# Commands are 40 ms apart, but for forward-del-row.  Forwards are switched off and on in
# turns, one at a time.
# The median of 40 runs, less that of a run that does nothing.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

declare_jails()	# N
{
	awk -v n="$1" 'BEGIN {
		for (i = 0; i < n; i++) {
			if (i % 100 == 0)
				printf "%sj%d {\nip4.addr = \"lo1|10.1.%d.%d/32\";\n", i ? "}\n" : "",
				       i / 100, i / 25600, i / 100 % 256
			printf "$forward += \"%s %d:80 to 203.0.113.2\";\n",
			       i % 2 ? "udp" : "tcp", 1 + i / 2
		}
		print "}"
	}'
}

# Medians of the two kinds of runs, as milliseconds
measure()	# N
{
	on_host "$PYTHON" - "$SALLYPORT" "$TMP/state" "$1" <<-'END'
		import subprocess, sys, time
		program, state, n = sys.argv[1:]

		def run(*args, rest=0.04):
		    time.sleep(rest)
		    start = time.perf_counter()
		    subprocess.run([program, "-q", "--state-dir", state, *args], check=True,
		                   stdout=subprocess.DEVNULL)
		    return (time.perf_counter() - start) * 1e3

		run("forward", "add", "j0", "tcp", "60000:80", "--to", "203.0.113.2")
		none = sorted(run("explain", "E1001") for _ in range(40))[20]
		def median(changes, **how):
		    return sorted(run("forward", *r, **how) for r in changes)[20] - none

		ports = [str(60001 + i) for i in range(40)]
		def each(verb, proto, ext="{}", *more):
		    return [(verb, "j0", proto, ext.format(p), *more) for p in ports]

		there = ("{}:80", "--to", "203.0.113.2")
		add = median(each("add", "tcp", *there))
		offs, ons = [], []
		for p in ports:
		    offs.append(run("forward", "off", "j0", "tcp", p))
		    ons.append(run("forward", "on", "j0", "tcp", p))
		off, on = (sorted(v)[20] - none for v in (offs, ons))
		delete = median(each("del", "tcp"))
		udp = median(each("add", "udp", *there))
		row = median(each("del", "udp"), rest=0)
		for name, ms in (("add", add), ("del", delete), ("off", off), ("on", on), ("udp", udp),
		                 ("del-row", row)):
		    print(f"forward-{name}-{n} {ms:.2f} ms")
	END
}

lab_bare HOST
echo 'cloned_interfaces="lo1"' >"$TMP/rc.conf"
for n in 10 1000 100000; do
	declare_jails "$n" >"$TMP/jail.conf"
	sp_must --state-dir "$TMP/state" -q --no-verify -f "$TMP/rc.conf" -f "$TMP/jail.conf" apply
	measure "$n" || exit 1
	sp_must --state-dir "$TMP/state" -q destroy --forget
done
