#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Addresses added by hand, and addresses of pools: stable for a jail, never
# somebody's already, none lost by many at once or by a killed run.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_bare HOST

cat >"$TMP/rc.conf" <<'END'
ifconfig_igb0="inet 203.0.113.2/24"
defaultrouter="203.0.113.1"
END
cat >"$TMP/jail.conf" <<'END'
$pool = "lo1|10.0.0.0/28", "lo1|fd00::/64";
one   { ip4.addr = "lo1|10.0.0.2/32"; }
two   { }
three { ip6.addr = "lo1|fd00::1"; }
four  { ip4 = inherit; ip6 = disable; }
END
files=(-f "$TMP/rc.conf" -f "$TMP/jail.conf")
addrs() { on_host ip -o addr show | awk '$2 == "lo1" && $4 !~ /^fe80/ { print $4 }' | sort -V | tr '\n' ' '; }
of() { jq -r --arg j "$1" '.sallyport.status[0].jails[] | select(.jail == $j) | .addresses | join(" ")' <<<"$out"; }

# ---- by hand ---------------------------------------------------------------

snapshot "$HOST" "$TMP/before"
sp alias add lo1 10.0.0.9/32
is "alias add, with nothing declared: exits 0" "0 " "$rc $err"
is "alias add: it is there" "10.0.0.9/32 " "$(addrs)"
sp alias add lo1 fd00::9
sp alias add lo1 10.0.0.9
is "alias add again: nothing to do" "0 " "$rc $out"
sp --json alias list
is "alias list shows it as ours" "true true" "$(jq -r '[.sallyport.alias[] | .owned] | join(" ")' <<<"$out")"
sp_must "${files[@]}" apply
is "apply keeps it" 2 "$(addrs | tr ' ' '\n' | grep -cE '[.:]9/')"
sp alias add igb0 203.0.113.8/32
has "not on a real interface" E1904 "$rc $err"
sp alias add lo1 10.0.0.2/32
has "not what a jail has" "declared already, by one .E1904" "$err"
sp alias add lo2 10.0.0.9/32
has "not in two ways" E1904 "$err"
sp alias add lo1 nonsense
is "not what is no address" 64 "$rc"
sp alias del lo1 fd00::9
is "alias del" "0 " "$rc $(addrs | tr ' ' '\n' | grep ::9)"
sp alias del lo1 fd00::9
has "alias del of what is not there" E1905 "$rc $err"
sp alias del lo1 10.0.0.2
has "alias del of a jail's" E1905 "$rc $err"
sp plan
is "nothing is left to do" "0 " "$rc $out"

# ---- pools -----------------------------------------------------------------

sp --json status
is "a jail without address has one of each family" "10.0.0.1/32 fd00::3/128" "$(of two)"
is "one with an address has the other family's" "10.0.0.3/32" "$(of three | grep -oE '10\S+')"
is "one that is to have none has none" "" "$(of four)"
sp alias next two
is "alias next JAIL: what it has" "0 10.0.0.1/32" "$rc $out"
sp alias next two --pool 'fd00::/64'
is "alias next JAIL, of the other pool" "fd00::3/128" "$out"
sp_must "${files[@]}" apply
is "apply adds them" "10.0.0.1/32 10.0.0.2/32 10.0.0.3/32 10.0.0.9/32 fd00::1/128 fd00::2/128 fd00::3/128 " \
	"$(addrs)"
sp plan
is "and that is all" "0 " "$rc $out"
sed -i 's/^one .*/one { } new { ip4.addr = "lo1|10.0.0.4\/32"; }/' "$TMP/jail.conf"
sp_must apply
is "who comes before gets another one; who had one keeps it" "10.0.0.5/32" \
	"$(sp --json status; of one | grep -oE '10\S+')"
is "and who had one keeps it" "10.0.0.1/32 fd00::3/128" "$(sp --json status; of two)"
sp down two
sp up two
is "over down and up" "10.0.0.1/32" "$(addrs | tr ' ' '\n' | grep '\.1/')"
rm -r /run/sallyport
sp_must "${files[@]}" apply
is "and over a boot" "10.0.0.1/32 fd00::3/128" "$(sp --json status; of two)"

# Handed out to whoever asks: each gets another, recorded at once
next() { on_host "$SALLYPORT" -q alias next --pool "lo1|10.0.1.0/27" >>"$TMP/handed" 2>>"$TMP/said"; }
pids=()
for _ in $(seq 30); do next & pids+=($!); done
wait "${pids[@]}"
is "thirty at once: each gets another address" 30 "$(sort -u "$TMP/handed" | wc -l)"
is "thirty at once: no complaints" "" "$(cat "$TMP/said")"
is "the lowest that are free, not the network's own two" "10.0.1.1/32 10.0.1.30/32" \
	"$(sort -V "$TMP/handed" | sed -n '1p;$p' | paste -sd ' ')"
sp alias next --pool "lo1|10.0.1.0/27"
has "no more than there are" "E1907" "$rc $err"
sp --json alias next --pool "lo1|10.0.2.0/30" ghost
is "in JSON" "lo1 10.0.2.1/32 ghost" \
	"$(jq -r '.sallyport.alias[0] | "\(.interface) \(.address) \(.jail)"' <<<"$out")"
sp alias next --pool "lo1|10.0.2.0/30" ghost
is "the same for the same name" "10.0.2.1/32" "$out"
sp alias next --pool lo7
has "no such pool" E1908 "$rc $err"
sp alias next --pool "lo1|10.0.2.1/30"
has "no network" E1906 "$err"

# Not what others have
on_host ip -batch - <<-END
	neigh add 203.0.113.161 lladdr 02:00:00:00:00:01 dev igb0
	addr add 203.0.113.162/24 dev igb0
END
sp alias next --pool "igb0|203.0.113.160/29"
is "not a neighbour's address, not the host's" "203.0.113.163/32" "$out"

# Killed anywhere, and again
killed() { on_host timeout -s KILL "0.0$((RANDOM % 10))" "$SALLYPORT" -q apply >/dev/null 2>&1; }
for _ in $(seq 12); do killed; done 2>/dev/null
sp_must apply
is "killed runs lose nothing" "10.0.0.1/32 fd00::3/128" "$(sp --json status; of two)"

# Given back with the declaration: at once, or after its time
sed -i 's/^two .*//' "$TMP/jail.conf"
sp_must apply
sp alias next --pool 10.0.0.0/28
is "free at once when its jail is gone" "10.0.0.1/32" "$out"
sed -i 's/28"/28 hold 3600"/; s/^three .*//' "$TMP/jail.conf"
sp_must apply
sed -i 's/^one .*//' "$TMP/jail.conf"
sp_must apply
has "or rests as long as \$pool says" "one lo1 10.0.0.5 [0-9]{9,} 3600" \
	"$(tr '\0' ' ' </var/lib/sallyport/pool)"
printf x >>/var/lib/sallyport/pool
sp alias next --pool "lo1|10.0.0.0/28"
is "damaged loans are not believed" 71 "$rc"
rm /var/lib/sallyport/pool
sp destroy
is "destroy" "0" "$rc"
snapshot "$HOST" "$TMP/after"
on_host ip addr del 203.0.113.162/24 dev igb0
on_host ip neigh del 203.0.113.161 dev igb0
snapshot "$HOST" "$TMP/after"
same "nothing is left" "$TMP/before" "$TMP/after"
lab_done
