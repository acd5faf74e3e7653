set -e
ipfw add 100 allow ip from any to any
ipfw delete 200
ipfw add 300 deny ip from any to any
