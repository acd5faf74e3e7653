#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# $http: two jails' web servers behind one address, through the real haproxy,
# on the host and in a jail of its own.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

lab_build
mkdir -p /var/lib/haproxy
for name in www blog; do
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$TMP/$name.key" -out "$TMP/$name.crt" \
		-days 1 -subj "/CN=$name.example.org" 2>/dev/null || exit 71
done

# A web server that names itself and the client it was told of
web()		# NAME ADDRESS HTTP-PORT TLS-PORT [proxy_protocol]
{
	cat >"$TMP/$1.nginx" <<-END
		pid $TMP/$1.pid;
		error_log $TMP/$1.log;
		events { }
		http {
			access_log off;
			client_body_temp_path $TMP; proxy_temp_path $TMP;
			fastcgi_temp_path $TMP; uwsgi_temp_path $TMP; scgi_temp_path $TMP;
			server {
				listen $2:$3 ${5-};
				listen $2:$4 ssl ${5-};
				ssl_certificate $TMP/$1.crt;
				ssl_certificate_key $TMP/$1.key;
				return 200 "$1 \$host \$http_x_forwarded_for \$proxy_protocol_addr\n";
			}
		}
	END
	on_host nginx -c "$TMP/$1.nginx" || exit 71
}

cat >"$TMP/rc.conf" <<'END'
cloned_interfaces="lo1"
gateway_enable="YES"
END
jails()		# MORE
{
	cat >"$TMP/jail.conf" <<-END
		www { ip4.addr = "lo1|192.168.100.2/32"; \$nat = "igb0";
			\$http = "www.example.org, *.example.org, both.example.org balance"; }
		blog { ip4.addr = "lo1|192.168.100.3/32"; \$nat = "igb0";
			\$http = "Blog.example.org:8080:8443 proxy, any.example.org:8080:8443 proxy";
			\$http += "both.example.org:8080:8443 proxy balance"; }
		$1
	END
	sp_must -f "$TMP/jail.conf" -f "$TMP/rc.conf" apply
	sp_must -f "$TMP/jail.conf" -f "$TMP/rc.conf" compile --to haproxy -o "$TMP/haproxy.cfg"
}

proxy_start()
{
	check "$1: haproxy takes it" on_host haproxy -c -f "$TMP/haproxy.cfg"
	on_host haproxy -db -f "$TMP/haproxy.cfg" >"$TMP/haproxy.log" 2>&1 &
	proxy=$!
	wait_for 10 fetch http www.example.org
}

# What a client gets who asks the public address for a name
fetch()		# http|https NAME [CURL OPTION...]
{
	local port=80

	[ "$1" = http ] || port=443
	in_ns "$CLIENT" curl -skf --max-time 5 --connect-to "::${outside:-203.0.113.2}:$port" "${@:3}" "$1://$2/"
}

status()	# http|https NAME
{
	in_ns "$CLIENT" curl -sk --max-time 5 -o /dev/null -w '%{http_code}' \
		--connect-to "::203.0.113.2:$([ "$1" = http ] && echo 80 || echo 443)" "$1://$2/"
}

certificate()	# NAME
{
	in_ns "$CLIENT" openssl s_client -connect 203.0.113.2:443 -servername "$1" </dev/null \
		2>/dev/null | grep -m 1 '^subject'
}

asks()		# WHERE
{
	is "$1: by the Host header" "www www.example.org 198.51.100.7 " "$(fetch http www.example.org)"
	is "$1: the other jail, told by the PROXY protocol" \
		"blog blog.example.org 198.51.100.7 198.51.100.7" "$(fetch http blog.example.org)"
	is "$1: case and a last dot do not matter" "blog blog.example.org 198.51.100.7 198.51.100.7" \
		"$(fetch http BLOG.example.ORG.)"
	is "$1: a name below *" "www shop.example.org 198.51.100.7 " "$(fetch http shop.example.org)"
	is "$1: a client cannot say who it is" "www www.example.org 198.51.100.7 " \
		"$(fetch http www.example.org -H 'X-Forwarded-For: 192.0.2.1')"
	is "$1: an unknown name is refused" 421 "$(status http www.example.com)"
	is "$1: so is the * itself" 421 "$(status http example.org)"
	is "$1: TLS goes through to the jail" "subject=CN = www.example.org" "$(certificate www.example.org)"
	is "$1: by the name asked for" "subject=CN = blog.example.org" "$(certificate bLog.example.org)"
	is "$1: and is the jail's own" "www www.example.org  " "$(fetch https www.example.org)"
	is "$1: the jail sees the client" "blog blog.example.org  198.51.100.7" \
		"$(fetch https blog.example.org)"
	is "$1: TLS for an unknown name is closed" "" "$(certificate www.example.com)"
	is "$1: and for none" "" "$(certificate '' 2>/dev/null)"
}

jails ""
web www 192.168.100.2 80 443
web blog 192.168.100.3 8080 8443 proxy_protocol
proxy_start host
asks host
is "host: a name that is written as * is elsewhere" \
	"blog any.example.org 198.51.100.7 198.51.100.7" "$(fetch http any.example.org)"
outside='[2001:db8:113::2]'
is "host: an IPv6 client of a jail without" "www www.example.org 2001:db8:51::7 " \
	"$(fetch http www.example.org)"
is "host: and by TLS" "blog blog.example.org  2001:db8:51::7" "$(fetch https blog.example.org)"
outside=

# Two jails with one name: the checks notice that one has stopped, and the other answers
both=$(fetch http both.example.org)
on_host nginx -c "$TMP/${both%% *}.nginx" -s stop 2>/dev/null
other_answers()
{
	local now

	now=$(fetch http both.example.org) && [ "${now%% *}" != "${both%% *}" ]
}
check "host: a server that stopped is left out" wait_for 20 other_answers
on_host nginx -c "$TMP/${both%% *}.nginx"
kill "$proxy"
wait "$proxy" 2>/dev/null

# In a jail of its own: a forward leads there, and haproxy listens there
jails "proxy { ip4.addr = \"lo1|192.168.100.9/32\"; \$nat = \"igb0\"; \$forward = \"tcp 80,443:444\"; }"
has "jail: it listens where the forward leads" 'bind 192\.168\.100\.9:80$' "$(cat "$TMP/haproxy.cfg")"
has "jail: whatever the port there" 'bind 192\.168\.100\.9:444$' "$(cat "$TMP/haproxy.cfg")"
proxy_start jail
asks jail

lab_done
