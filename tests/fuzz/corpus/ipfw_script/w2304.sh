ipfw -q flush
route add 192.168.1.0/24 192.168.0.1
/sbin/ifconfig igb0 192.0.2.2
exit 0
route add default 192.168.0.2
