ip=`ifconfig em0 | awk '/inet /{ print $2 }'`
ipfw add allow ip from $ip to any
