ipfw show > /var/log/ipfw.before
