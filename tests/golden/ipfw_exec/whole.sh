#!/bin/sh
# What a host's script does that only a shell can
set -e
. /etc/rc.subr
load_rc_config ipfw
fw="/sbin/ipfw -q"
num=100

allow_in() {
	for port in $2; do
		$fw add $num allow $1 from any to me $port in setup keep-state
		num=$((num + 10))
	done
}

$fw -f flush
$fw table 5 create
sysctl net.inet.ip.fw.one_pass=0
ip=$(ifconfig em0 | awk '/inet /{ print $2 }')
allow_in tcp "22 80"
if ! ipfw table 6 info >/dev/null 2>&1; then
	$fw add 500 allow ip from $ip to any
fi
echo "192.0.2.0/24 198.51.100.7" | tr ' ' '\n' | while read -r net; do
	$fw table 5 add "$net"
done
[ "$(ipfw table 5 list | grep -c /)" -eq 2 ] && $fw add 600 deny ip from 'table(5)' to any
$fw add $(($(ipfw list | wc -l) * 1000)) allow ip from me to any
