#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The egress fence beside an ipfw ruleset whose rules let private sources out:
# told, shown in the plan, holds, and can be switched off, when they do leave.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

cat >"$TMP/rc.conf" <<'END_RC'
cloned_interfaces="lo1"
ifconfig_lo1_aliases="inet 192.168.100.1/29"
gateway_enable="YES"
END_RC
printf 'www { ip4.addr = "lo1|192.168.100.2/32"; }\n' >"$TMP/jail.conf"
cat >"$TMP/host.ipfw.rules" <<'END_RULES'
disable one_pass
nat 1 config if igb0 reset
add 100 nat 1 ip4 from any to any in via igb0
add 110 check-state
add 1000 skipto 10000 udp from any to any 53 out via igb0 keep-state
add 6200 pass all from me to any out keep-state
add 9999 allow ip from any to any
add 10000 nat 1 ip4 from any to any out via igb0
add 10001 pass ip from any to any
END_RULES
cd "$TMP" || exit 1
F=(-f rc.conf -f jail.conf -f host.ipfw.rules)

cat >"$TMP/send.py" <<'END_PY'
import socket
for src, text in ("192.168.100.2", b"x"), ("203.0.113.2", b"lab-sentinel"):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((src, 5000))
    try:
        s.sendto(text, ("192.0.2.80", 7))
    except PermissionError:     # what is dropped on its way out is told so
        pass
END_PY

# How often the jail's own source is seen on the wire
leak()
{
	sniff "$ROUTER" w-host "$TMP/wire" --in
	on_host "$PYTHON" -EsB "$TMP/send.py"
	sniff_end || not_ok "the sentinel is seen" "$(cat "$TMP/wire")"
	grep -c ' 192\.168\.100\.2:5000' "$TMP/wire" || :
}

lab_build
sp "${F[@]}" plan
is "there is something to do" 1 "$rc"
check "the plan shows the fence" grep -qF "fence egress" <<<"$out"
check "told of rule 6200" eval 'grep -F W2031 <<<"$err" | grep -qF host.ipfw.rules:6'
sp "${F[@]}" --no-fence=egress plan
check "--no-fence=egress takes it away" eval '! grep -F "fence egress" <<<"$out"'
check "and no other" grep -qF "fence source" <<<"$out"
sp_must "${F[@]}" apply
is "nothing of the jail leaves as it is" 0 "$(leak)"
sp_must "${F[@]}" --no-fence=egress apply
is "without the fence it does" 1 "$(leak)"

# Answers of a redirected connection that a state lets pass before nat (W2038)
cat >host.ipfw.rules <<'END_RULES'
disable one_pass
nat 1 config if igb0 redirect_port tcp 192.168.100.2:80 80
add 100 nat 1 ip4 from any to any in via igb0
add 110 check-state
add 200 allow tcp from any to 192.168.100.2 80 in via igb0 setup keep-state
add 300 allow ip from any to any via lo0
add 310 allow ip from any to any via lo1
add 400 deny ip from any to any
add 1000 nat 1 ip4 from any to any out via igb0
END_RULES
sp_must "${F[@]}" apply
check "told of rule 200" eval 'grep -F W2038 <<<"$err" | grep -qF host.ipfw.rules:5'
serve "$HOST" www tcp:192.168.100.2:80
is "the kernel translates the answer" "www 198.51.100.7" "$(ask "$CLIENT" tcp:203.0.113.2:80)"

# The owner of a socket
owner() # UID
{
	printf 'add 10 deny udp from me to any 53 out uid %s\nadd 20 allow ip from any to any\n' "$1" \
		>host.ipfw.rules
	sp_must "${F[@]}" apply
}
serve "$INET" inet udp:192.0.2.80:53
owner root
is "what its owner may not send is not sent" denied "$(ask "$HOST" udp:192.0.2.80:53)"
owner 12345
is "another's is" "inet 203.0.113.2" "$(ask "$HOST" udp:192.0.2.80:53)"

lab_done
