. /etc/ipfw.vars
ipfw add allow ip from $me to any
