sysctl net.inet.ip.fw.dyn_udp_lifetime=30 net.inet.ip.fw.dyn_short_lifetime=7
ipfw -q add 10 allow { tcp or udp } from 10.0.0.1 to 10.0.0.2 keep-state
