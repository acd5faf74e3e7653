${cmd} add 65001 deny ip from any to any
