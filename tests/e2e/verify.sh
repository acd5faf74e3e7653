#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# verify reads the program back from the kernel and proves it; what a foreign hand
# changed is shown as a packet with the declaration that it breaks.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build

cat >"$TMP/web.pf.conf" <<'END'
nat on igb0 inet from 192.168.100.0/24 to any -> 203.0.113.2
rdr on igb0 inet proto tcp from any to 203.0.113.2 port 4000 -> 192.168.100.2 port 80
block in on igb0
pass in on igb0 proto tcp to 192.168.100.2 port 80
pass out on igb0
END
cat >"$TMP/rc.conf" <<'END'
ifconfig_igb0="inet 203.0.113.2/24"
cloned_interfaces="lo1"
ifconfig_lo1="inet 192.168.100.2/32"
END
files=(-f "$TMP/rc.conf" -f "$TMP/web.pf.conf")

sp "${files[@]}" verify
is "nothing is loaded: differs" 1 "$rc"
sp_must "${files[@]}" apply
sp verify
is "what was applied is proven" 0 "$rc"

# ---- before anything is loaded -----------------------------------------------

sp "${files[@]}" --nat-path userspace apply
is "what cannot be proven is loaded" 0 "$rc"
has "and told" "not proven: .*N1715" "$err"
sp "${files[@]}" --nat-path userspace --no-verify apply
is "--no-verify says nothing" "0 " "$rc $(grep N1715 <<<"$err")"

# ---- headers ---------------------------------------------------------------

cat >"$TMP/scrub.pf.conf" <<'END'
scrub in on igb0 max-mss 1400 min-ttl 10 no-df set-tos 0x10
match out on igb0 scrub (max-mss 1300)
pass
END
sp -f "$TMP/rc.conf" -f "$TMP/scrub.pf.conf" apply
is "changes of headers are proven before they are loaded" "0 " "$rc $(grep N1715 <<<"$err")"
sp verify
is "and as the kernel gives them back" "0 " "$rc $err"
scrub=$(in_ns "$HOST" nft list table inet sallyport |
	sed -n '/chain scrub/{s/.*chain \(.*\) {/\1/;h}; /size set 1400/{g;p}')
in_ns "$HOST" nft delete rule inet sallyport "$scrub" handle "$(rule_handle "$scrub" "size set 1400")"
in_ns "$HOST" nft add rule inet sallyport "$scrub" tcp flags syn tcp option maxseg size set 1401
sp verify
is "another segment size is a difference" 1 "$rc"
has "with a packet and both sizes" "mss at most 1400.*mss at most 1401" "$(tr '\n' ' ' <<<"$out")"
sp_must "${files[@]}" apply

# ---- foreign hands ---------------------------------------------------------

in_ns "$HOST" nft delete rule inet sallyport in_filter handle "$(rule_handle in_filter 'block in on igb0')"
sp --json verify
is "a rule is gone: differs" 1 "$rc"
check "a rule is gone: the declaration and a packet are named" jq -e \
	'.sallyport.verify[0] | .declared == "block" and .kernel == "pass" and .line == 3 and
	 (.file | endswith("web.pf.conf")) and (.packet | startswith("in igb0 "))' <<<"$out"
packet=$(jq -r '.sallyport.verify[0].packet' <<<"$out")
printf '%s\n' "$packet" >"$TMP/packets"
sp "${files[@]}" why --batch "$TMP/packets"
has "why says of that packet what verify says" '"verdict": "block"' "$out"
sp --json status
check "status names the declaration and a packet too" jq -e \
	'.sallyport.status[0] | (.drift | length > 0) and (.broken[0] |
	 .declared == "block" and .line == 3 and (.packet | startswith("in igb0 ")))' <<<"$out"
sp status
has "as text" '^broken ' "$out"
sp_must "${files[@]}" apply
sp verify
is "applied again it is proven again" 0 "$rc"
sp --json status
is "then nothing is broken" "[]" "$(jq -c '.sallyport.status[0].broken' <<<"$out")"

in_ns "$HOST" nft insert rule inet sallyport in_filter tcp dport 2222 accept
sp verify
is "a rule has come: differs" 1 "$rc"
has "a rule has come: a packet that it lets in" '^in igb0 tcp .*:2222 ' "$out"
sp_must "${files[@]}" apply

# What differs is only what becomes of packets with IP options
printf 'pass in on igb0 inet proto icmp\n' >"$TMP/opts.pf.conf"
sp_must -f "$TMP/rc.conf" -f "$TMP/opts.pf.conf" apply
in_ns "$HOST" nft insert rule inet sallyport in_filter tcp dport 80 accept
sp --json verify
jq -r '[.sallyport.verify[].packet | select(endswith(" opts=1"))][0]' <<<"$out" >"$TMP/shown"
sp why --batch "$TMP/shown"
is "a packet with options is shown, and why says the same of it" block "$(jq -r .verdict <<<"$out")"
sp_must "${files[@]}" apply

# ---- the packet shown is one that the kernel judges so -------------------------

cat >"$TMP/dns.pf.conf" <<'END'
block in on igb0 inet proto udp from any to 203.0.113.2 port 53
END
sp_must -f "$TMP/rc.conf" -f "$TMP/dns.pf.conf" apply
in_ns "$HOST" nft -f - <<'END'
table inet seen {
	chain in {
		type filter hook prerouting priority 300
		udp dport 53 counter
		udp dport 54 counter
	}
}
END
seen()	# PORT
{
	in_ns "$HOST" nft list table inet seen | sed -n "s/.*dport $1 counter packets \([0-9]*\).*/\1/p"
}
has_seen() { [ "$(seen "$1")" = "$2" ]; }
in_ns "$HOST" nft delete rule inet sallyport in_filter handle "$(rule_handle in_filter 'block in')"
sp --json verify
read -r _ _ _ src dst _ <<<"$(jq -r '.sallyport.verify[0].packet' <<<"$out")"
is "declared to be blocked, and the kernel lets it in" "block pass" \
	"$(jq -r '.sallyport.verify[0] | "\(.declared) \(.kernel)"' <<<"$out")"
sp why in igb0 udp "$src" "$dst"
is "why: blocked" 1 "$rc"
forge "$NEIGHBOUR" eth0 "udp $src $dst shown"
check "the kernel lets it in" wait_for 5 has_seen 53 1
sp_must -f "$TMP/rc.conf" -f "$TMP/dns.pf.conf" apply
forge "$NEIGHBOUR" eth0 "udp $src $dst shown" "udp 198.51.100.7:9 203.0.113.2:54 settle"
check "what comes behind has come" wait_for 5 has_seen 54 1
is "and not when it is as declared" 1 "$(seen 53)"
in_ns "$HOST" nft delete table inet seen
sp_must "${files[@]}" apply

in_ns "$HOST" nft add set inet sallyport leftover '{ type ipv4_addr; }'
in_ns "$HOST" nft add chain inet sallyport nobody
sp verify
is "a set and a chain that nothing refers to: no difference" 0 "$rc"
sp_must "${files[@]}" apply

in_ns "$HOST" nft 'add table inet sallyport { flags dormant; }'
sp verify
is "a table that sleeps: differs" 1 "$rc"
lab_done
