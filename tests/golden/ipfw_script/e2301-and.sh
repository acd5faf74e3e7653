ipfw -q flush && ipfw add allow ip from any to any
