# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# many.sh - hosts with many forwards, and what a command costs there, for benchmarks

# Jails of a hundred forwards each
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

# Processor time and the most memory of a command on the host, as NAME VALUE UNIT
cost()		# NAME COMMAND...
{
	on_host "$PYTHON" -EsB -c 'import resource, subprocess, sys
subprocess.run(sys.argv[2:], check=True, stdout=subprocess.DEVNULL)
r = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{sys.argv[1]} {(r.ru_utime + r.ru_stime) * 1e3:.0f} ms")
print(f"{sys.argv[1]}-memory {r.ru_maxrss / 1024:.0f} MiB")' "$@" || exit 1
}
