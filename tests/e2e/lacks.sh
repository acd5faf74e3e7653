#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A kernel that lacks a feature: a clear refusal, exit 69, and the host as it was.
#
# A library between the program and the kernel gives an expression, or a chain's type, a
# name that no kernel knows, so the refusal is the kernel's own.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

CC=${CC:-gcc}
cat >"$TMP/lacks.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Rename what is asked for wherever it stands as an attribute's string */
ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to,
	       socklen_t to_len)
{
	ssize_t (*next)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
	const char *name = getenv("LACKS");
	const unsigned short attr_len = name != NULL ? (unsigned short)(4 + strlen(name) + 1) : 0;
	char *copy = malloc(len + 1), *p;

	*(void **)&next = dlsym(RTLD_NEXT, "sendto");
	memcpy(copy, data, len);
	for (p = copy; name != NULL && len > attr_len && p < copy + len - attr_len; p += 4)
		if (memcmp(p, &attr_len, 2) == 0 && p[2] == 1 && p[3] == 0 &&
		    memcmp(p + 4, name, attr_len - 4u) == 0)
			p[4] = 'x';
	len = (size_t)next(fd, copy, len, flags, to, to_len);
	free(copy);
	return (ssize_t)len;
}
END
if [ -n "${ASAN_OPTIONS-}" ] || ! $CC -shared -fPIC -o "$TMP/lacks.so" "$TMP/lacks.c" -ldl 2>/dev/null; then
	skip lacks "no shared library can be made or put before the program"
	exit 0
fi

cat >"$TMP/rc.conf" <<'END'
cloned_interfaces="lo1"
gateway_enable="YES"
END
cat >"$TMP/jail.conf" <<'END'
www {
	ip4.addr = "lo1|192.168.100.2/32";
	$nat = "igb0";
	$forward = "tcp 4000:80", "tcp 5000 from 198.51.100.0/24 log";
}
END
cat >"$TMP/pf.conf" <<'END'
set skip on lo
block in log on igb0
block in on igb0 from urpf-failed
pass in on igb0 proto tcp to port 22 keep state (max-src-conn-rate 3/3600)
pass in on igb0 proto udp to port 53 probability 50%
pass out on igb0
END
files=(--state-dir "$TMP/state" -f "$TMP/rc.conf" -f "$TMP/jail.conf" -f "$TMP/pf.conf")

lacking()	# NAME COMMAND...
{
	LACKS=$1 LD_PRELOAD=$TMP/lacks.so sp "${files[@]}" "${@:2}"
}

lab_bare HOST
foreign_things
snapshot "$HOST" "$TMP/before"
found=0
for name in fib ct meta payload lookup nat counter immediate log limit numgen exthdr reject bitwise \
	cmp masq dynset; do
	lacking $name apply
	# Not every program needs everything
	if [ "$rc" -eq 0 ]; then
		sp "${files[@]}" destroy
		continue
	fi
	found=$((found + 1))
	is "without $name: exits 69" 69 "$rc"
	has "without $name: says what it cannot" "the kernel refuses .*: No such file or directory.*E1703" \
		"$(tr '\n' ' ' <<<"$err")"
	snapshot "$HOST" "$TMP/after"
	same "without $name: the host is as it was" "$TMP/before" "$TMP/after"
done
check "many were looked for ($found)" test $found -ge 8
lacking fib --json check
check "check tells it too" jq -e '.sallyport | .error + .warning | any(.code == "E1703")' <<<"$out"
lacking fib --json doctor
check "so does the doctor, with what needs it and where" jq -e '.sallyport.doctor |
	any(.object == "this kernel" and (.what | test("kernel refuses")) and .cure != null and
		(.file | test("conf$")))' <<<"$out"
sp "${files[@]}" apply
is "with all of them: exits 0" 0 "$rc"
sp "${files[@]}" destroy

# Nothing of netlink at all
if command -v strace >/dev/null && strace -qq -o /dev/null true 2>/dev/null; then
	rc=0
	on_host strace -qq -o /dev/null -e trace=socket -e inject=socket:error=EPROTONOSUPPORT \
		"$SALLYPORT" "${files[@]}" apply >"$TMP/out" 2>"$TMP/err" || rc=$?
	is "without netlink: exits 69" 69 "$rc"
	has "without netlink: says so" "error: .*Protocol not supported" "$(cat "$TMP/err")"
	snapshot "$HOST" "$TMP/after"
	same "without netlink: the host is as it was" "$TMP/before" "$TMP/after"
else
	skip "without netlink" "no strace here"
fi

awk 'BEGIN { print "www { ip4.addr = \"lo1|192.168.100.2/32\";"
	for (i = 0; i < 20000; i++) printf "$forward += \"tcp %d to 203.0.113.2\";\n", 10000 + i
	print "}" }' >"$TMP/many.jail.conf"

# ---- no room for the record of what is applied ------------------------------------

mkdir -p "$TMP/state"
mount -t tmpfs -o mode=700,size=128k none "$TMP/state"
sp_must "${files[@]}" apply
snapshot "$HOST" "$TMP/with"
sp --state-dir "$TMP/state" --no-verify -f "$TMP/rc.conf" -f "$TMP/many.jail.conf" apply
is "no room for the record: exits 71" 71 "$rc"
has "no room for the record: says so" "error: cannot record .*nothing is changed: No space" "$err"
snapshot "$HOST" "$TMP/after"
same "no room for the record: the host is as it was" "$TMP/with" "$TMP/after"
sp --state-dir "$TMP/state" plan
is "no room for the record: what was applied is still declared" 0 "$rc"
sp_must --state-dir "$TMP/state" destroy
umount "$TMP/state"

# ---- a user namespace: no privilege to have buffers of any size -------------------

cat >"$TMP/inside" <<'END'
ip link set lo up
"$SALLYPORT" --state-dir "$1" -q --no-verify -f "$2/rc.conf" -f "$2/many.jail.conf" apply >"$2/out" || exit
nft list table inet sallyport | grep -c ' : 192.168.100.2 \. '
END
if unshare --user --map-root-user --net true 2>/dev/null; then
	is "20,000 forwards in a user namespace" 20000 \
		"$(unshare --user --map-root-user --net bash "$TMP/inside" "$TMP/user" "$TMP" 2>&1)"
	is "20,000 forwards: each is told" 20000 "$(grep -c '^+ element .* forward www tcp' "$TMP/out")"
else
	skip "20,000 forwards in a user namespace" "no user namespaces here"
fi
lab_done
