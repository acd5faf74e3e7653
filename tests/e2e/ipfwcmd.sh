#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The ipfw command: scripts written for ipfw(8) run by a real shell, the rules
# that they leave behind with real packets, and calls at the same time.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

lab_build
mkdir "$TMP/bin"
ln -s "$SALLYPORT" "$TMP/bin/ipfw"
PATH=$TMP/bin:$PATH
cp "$EXAMPLE"/*.conf "$TMP"

# On the host; output in $out, messages in $err, exit status in $rc
fw()		# ARGS
{
	rc=0
	on_host ipfw "$@" >"$TMP/out" 2>"$TMP/err" </dev/null || rc=$?
	out=$(cat "$TMP/out") err=$(cat "$TMP/err")
}

fw_must()	# ARGS
{
	fw "$@"
	[ "$rc" -eq 0 ] || not_ok "ipfw $*" "exit status $rc: $err"
}

# Packets that the rule with this number has counted
packets()	# NUMBER
{
	on_host ipfw show "$1" | awk '{ print $2 }'
}

# The kernel's rules with their handles, which a rule has until it goes
nft_rules()
{
	on_host nft -a list table inet sallyport
}

# "CHAIN handle H" of a rule by its number
rule_of()	# NUMBER
{
	nft_rules | awk -v n=" 0*$1 " '$1 == "chain" { c = $2 }
		$0 ~ "comment.*" n { print c, "handle", $NF; exit }'
}

handles_of()	# RULES
{
	grep -o 'handle [0-9]*$' <<<"$1" | sort
}

no_drift()	# WHEN
{
	sp -q --json status
	is "no drift: $1" "0 0" "$rc $(jq '.sallyport.status[0].drift | length' <<<"$out")"
}

# ---- a script, as people write it ------------------------------------------

sp_must -q -f rc.conf -f jail.conf apply
cat >fw.sh <<'END'
#!/bin/sh
pif="igb0"
www="192.168.100.2"
cmd="ipfw -q add"
ks="keep-state"
skip="skipto 10000"

ipfw -q -f flush
ipfw disable one_pass
$cmd 10 allow all from any to any via lo0
$cmd 20 allow all from any to any via lo1
# before its instance, as FreeBSD takes it
$cmd 100 nat 1 ip4 from any to any via $pif in
ipfw -q nat 1 config if $pif same_ports reset \
	redirect_port tcp $www:80 80
$cmd 110 check-state
for port in 53 80; do
	$cmd $skip tcp from any to any $port out via $pif setup $ks
	$cmd $skip udp from any to any $port out via $pif $ks
done
if ipfw list 110 >/dev/null; then
	$cmd 5000 allow tcp from any to $www 80 in setup $ks
fi
$cmd 5010 allow tcp from any to me 22 in setup $ks
$cmd 5020 allow tcp from any to table\(friends\) 8080 in via $pif setup $ks
$cmd 6000 allow ip6 from any to any
$cmd 9999 deny all from any to any
$cmd 10000 nat 1 ip4 from any to any via $pif out
$cmd 10001 allow ip from any to any
END
check "a script runs by a real shell" on_host sh -e fw.sh
fw list
is "what it leaves behind" '00010 allow ip from any to any via lo0
00020 allow ip from any to any via lo1
00100 nat 1 ip4 from any to any via igb0 in
00110 check-state :default
00210 skipto 10000 tcp from any to any 53 out via igb0 setup keep-state :default
00310 skipto 10000 udp from any to any 53 out via igb0 keep-state :default
00410 skipto 10000 tcp from any to any 80 out via igb0 setup keep-state :default
00510 skipto 10000 udp from any to any 80 out via igb0 keep-state :default
05000 allow tcp from any to 192.168.100.2 80 in setup keep-state :default
05010 allow tcp from any to me 22 in setup keep-state :default
05020 allow tcp from any to table(friends) 8080 in via igb0 setup keep-state :default
06000 allow ip6 from any to any
09999 deny ip from any to any
10000 nat 1 ip4 from any to any via igb0 out
10001 allow ip from any to any
65535 deny ip from any to any' "$out"
fw nat show config
is "its nat instance" "ipfw nat 1 config if igb0 same_ports reset redirect_port tcp 192.168.100.2:80 80" "$out"
no_drift "after a script"

serve "$HOST" www tcp:192.168.100.2:80
serve "$HOST" host tcp:203.0.113.2:22 tcp:203.0.113.2:8080
serve "$INET" inet tcp:192.0.2.80:80 udp:192.0.2.80:53 tcp:192.0.2.80:25
is "packets: redirect, allowed, not in the table yet" "www 198.51.100.7
host 198.51.100.7
silence" "$(ask "$CLIENT" --wait "$GONE" tcp:203.0.113.2:80 tcp:203.0.113.2:22 tcp:203.0.113.2:8080)"
is "packets: a jail goes out translated, and not where it may not" "inet 203.0.113.2
inet 203.0.113.2
silence" "$(ask "$HOST" --from 192.168.100.2 --wait "$GONE" tcp:192.0.2.80:80 udp:192.0.2.80:53 tcp:192.0.2.80:25)"

# ---- the rules change, and what is there stays -----------------------------

fw -D list
has "dynamic rules have their rule and flow" \
	'^00310 STATE udp 192\.168\.100\.2 [0-9]+ <-> 192\.0\.2\.80 53 :default$' "$out"
has "and a headline with their number and size" '^## Dynamic rules \([0-9]+ [0-9]+\):$' "$out"
states=$(grep -c STATE <<<"$out") size=$(sed -n 's/.* \([0-9]*\)):$/\1/p' <<<"$out")
is "which is FreeBSD's size" $((16 + 136 * states)) "$size"
denied=$(packets 9999)
check "a rule has counted" test "$denied" -gt 0
is "a question and its answer are two packets of the rule that made the state" 2 "$(packets 310)"
fw table friends add 203.0.113.2
is "a table says what was added" "added: 203.0.113.2/32 0" "$out"
is "packets: in the table now" "host 198.51.100.7" "$(ask "$CLIENT" tcp:203.0.113.2:8080)"
before=$(nft_rules)
fw_must add 30 count udp from any to any 9
is "an added rule is shown" "00030 count udp from any to any 9" "$out"
check "counts stay when another rule comes" test "$(packets 9999)" -ge "$denied"
left=$(comm -23 <(handles_of "$before") <(handles_of "$(nft_rules)"))
is "the kernel keeps every other rule as it is" "" "$left"
fw -D list
has "states stay when another rule comes" \
	'^00310 STATE udp 192\.168\.100\.2 [0-9]+ <-> 192\.0\.2\.80 53 :default$' "$out"
no_drift "after one more rule"
on_host sh -c "nft replace rule inet sallyport $(rule_of 9999) counter accept"
fw_must -q add 31 count udp from any to any 9
no_drift "after another tool's change and one more rule"
fw_must -q delete 31
no_drift "after one rule less"
fw -d show 310
has "with their seconds" '^00310 .*\([0-9]+s\) STATE udp ' "$out"
fw zero 9999
is "zero" "Entry 9999 cleared. 0" "$out $(packets 9999)"
fw_must -q delete 310
fw -D list
check "states go with their rule" eval '! grep -q "^00310" <<<"$out"'
no_drift "after single commands"
sp_must -q apply
fw list 30
is "apply without files keeps the rules" "00030 count udp from any to any 9" "$out"
no_drift "after apply without files"

# ---- what no model of a flow sees -------------------------------------------

# Datagrams from the client to port 9 of the host, with these bytes as IP options
datagram()	# OPTIONS-IN-HEX [TYPE-OF-SERVICE]
{
	in_ns "$CLIENT" "$PYTHON" -c 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if sys.argv[1]:
    s.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, bytes.fromhex(sys.argv[1]))
s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, int(sys.argv[2], 0))
s.sendto(b"x", ("203.0.113.2", 9))' "$1" "${2-0}"
}

printf '%s\n' 'add 41 count udp from any to me 9 in ipoptions rr' \
	'add 42 count udp from any to me 9 in ipoptions !rr' \
	'add 43 count udp from any to me 9 in not ipoptions rr' >options.rules
fw_must -q "$TMP/options.rules"
datagram ""
datagram 0707040000000001
datagram 0101010107030400
datagrams_counted()
{
	[ "$(packets 41)" -eq 2 ]
}
check "datagrams with options of IP have come" wait_for 5 datagrams_counted
is "options of IP: recorded, not recorded, not recorded" "2 1 1" \
	"$(packets 41) $(packets 42) $(packets 43)"
fw_must -q delete 41 42 43

printf '%s\n' 'add 44 count udp from any to me 9 in' \
	'add 45 count udp from any to me 9 in dscp af11,ef' \
	'add 46 count udp from any to me 9 in not iptos lowdelay,!throughput' \
	'add 47 count udp from any to me 9 in ipprecedence 5' >service.rules
fw_must -q "$TMP/service.rules"
for tos in 0xb8 0x2a 0x12 0; do
	datagram "" "$tos"
done
services_counted()
{
	[ "$(packets 44)" -eq 4 ]
}
check "datagrams with types of service have come" wait_for 5 services_counted
is "types of service: two code points, all but one, one precedence" "2 3 1" \
	"$(packets 45) $(packets 46) $(packets 47)"
no_drift "with sets of code points"
fw_must -q delete 44 45 46 47

# ---- refusals --------------------------------------------------------------

says()		# STATUS LINE ARGS
{
	local status=$1 line=$2

	shift 2
	fw "$@"
	is "ipfw $*" "$status $line" "$rc $(head -n 1 <<<"$err")"
}

before=$(on_host ipfw -S list)
says 69 "ipfw: rule 999 not found" delete 999
says 0 "ipfw: rule 999 not found" -f delete 999
says 69 "ipfw: rule 999 does not exist" list 999
says 64 "ipfw: bad command \`frobnicate'" frobnicate
says 64 "ipfw: missing \`\`to''" add 1 allow ip from any
says 65 "ipfw: invalid action permti" add 1 permti ip from any to any
says 68 "ipfw: hostname \`\`a.example'' unknown" add 1 allow ip from a.example to any
says 1 "ipfw: unknown interface name em9" nat 7 config if em9
says 71 "ipfw: Adding record failed: record already exists" table friends add 203.0.113.2
says 0 "" -q table friends add 203.0.113.2
says 71 "ipfw: failed to destroy table friends: Device busy" table friends destroy
says 71 "ipfw: failed to destroy table foes: No such process" table foes destroy
says 64 "ipfw: Please specify action. Available: config,log" nat show
printf 'add 1 count ip from any to any\nadd 2 allow tcp from any\n' >bad.rules
says 64 "Line 2: missing \`\`to''" -q "$TMP/bad.rules"
is "what was refused has changed nothing, the file's first line included" "$before" \
	"$(on_host ipfw -S list)"
fw add 40 nat 9 ip4 from 192.0.2.99 to any
has "a rule before its nat instance denies until then" W2401 "$err"
fw_must -q delete 40

# ---- a file is one transaction ---------------------------------------------

printf 'add 31 set 5 count ip from any to any\nset disable 5\nadd 32 count ip from any to me\n' >more.rules
g=$(genid "$HOST")
fw_must -q "$TMP/more.rules"
is "a file is one transaction" $((g + 1)) "$(genid "$HOST")"
fw -S list 31 32
is "sets" '# DISABLED 00031 set 5 count ip from any to any
00032 set 0 count ip from any to me' "$out"
g=$(genid "$HOST")
fw_must list
fw_must -d show
fw_must -n add 1 deny ip from any to any
is "questions and tests write nothing" "$g" "$(genid "$HOST")"

# ---- many at once, and one that dies ---------------------------------------

for i in $(seq 20); do
	on_host ipfw -q add $((20000 + i)) count ip from any to 192.0.2."$i" &
	pids[i]=$!
done
for i in $(seq 20); do
	wait "${pids[i]}" || not_ok "add $i at the same time" "exit status $?"
done
is "20 at the same time, none is lost" 20 "$(on_host ipfw list | grep -c '^200')"
no_drift "after 20 at the same time"

# Killed at some moment of its work, again and again: what is there is whole, and
# the next call goes on from it
for i in $(seq 12); do
	nsenter --net="/run/netns/$HOST" -- ipfw -q add $((30000 + i)) count ip from any to 192.0.2."$i" &
	read -rt "0.00$((i * 7 % 10))" -u "$lab_never" || :
	{ kill -9 $! && wait $!; } 2>/dev/null
	fw -q add $((31000 + i)) count ip from any to 192.0.2."$i"
	[ "$rc" -eq 0 ] || not_ok "after a kill" "exit status $rc: $err"
done
is "after kills, the calls that were not killed are all there" 12 \
	"$(on_host ipfw list | grep -c '^310')"
no_drift "after kills"
is "packets: and the rules still hold" "www 198.51.100.7" "$(ask "$CLIENT" tcp:203.0.113.2:80)"

# ---- beside apply ----------------------------------------------------------

printf 'add 700 allow ip from any to any\n' >plain.ipfw.rules
sp_must -q -f rc.conf -f jail.conf -f plain.ipfw.rules apply
fw list
is "apply with ipfw files replaces the rules" '00700 allow ip from any to any
65535 deny ip from any to any' "$out"
fw_must -q add deny tcp from any to any 23
fw list
is "and the command goes on from them" '00700 allow ip from any to any
00800 deny tcp from any to any 23
65535 deny ip from any to any' "$out"
no_drift "after a change of what was applied"
sp_must -q -f rc.conf -f jail.conf -f pf.conf apply
fw -q add allow ip from any to any
is "under a pf.conf it is refused" 65 "$rc"
has "and says why" '^ipfw: pf rules are in force here: .*pf\.conf.*E2403' "$err"
no_drift "after the refusal"
sp_must -q destroy
fw list
is "destroy leaves no rules" "65535 deny ip from any to any" "$out"

# ---- the seed, in its place ------------------------------------------------

seed=${SALLYPORT_CORPUS-}/ipfw/00-seed.rules
if [ ! -r "$seed" ]; then
	skip "the seed ruleset as it is" "../shared absent"
	lab_done
fi
lab_bare BARE em0 lo1
ip netns add peer
in_ns "$BARE" ip -batch - <<-END
	link set p-em0 netns peer
	addr add 198.51.100.2/24 dev em0
	addr add 10.1.0.2/32 dev lo1
	route add default via 198.51.100.1
END
in_ns peer ip -batch - <<-END
	link set lo up
	link set p-em0 up
	addr add 198.51.100.1/24 dev p-em0
	addr add 192.0.2.80/32 dev lo
END
check "the seed ruleset as it is" in_ns "$BARE" sh -e "$seed"
check "one_pass" in_ns "$BARE" ipfw disable one_pass
serve peer out tcp:192.0.2.80:80 udp:192.0.2.80:53
serve "$BARE" web tcp:198.51.100.2:80 tcp:198.51.100.2:23
is "the seed: packets out" "out 198.51.100.2
out 198.51.100.2" "$(ask "$BARE" --from 10.1.0.2 tcp:192.0.2.80:80 udp:192.0.2.80:53)"
is "the seed: packets in" "web 198.51.100.1
silence" "$(ask peer --wait "$GONE" tcp:198.51.100.2:80 tcp:198.51.100.2:23)"
has "the seed: its state" '^01000 STATE udp 10\.1\.0\.2 [0-9]+ <-> 192\.0\.2\.80 53 :default$' \
	"$(in_ns "$BARE" ipfw -D list)"
lab_done
