if true; then
	ipfw add 10 allow ip from any to any $none
fi
route add default 203.0.113.254
[ "$(sysctl -n kern.securelevel 2>/dev/null)" = 3 ] && ipfw add 20 deny ip from any to any
[ -n "$(ifconfig em9)" ] || ipfw add 30 count ip from any to any
echo done >&2
