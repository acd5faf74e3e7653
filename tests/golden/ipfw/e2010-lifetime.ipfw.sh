ipfw -q add 10 allow ip from any to any
sysctl net.inet.ip.fw.dyn_ack_lifetime=0
