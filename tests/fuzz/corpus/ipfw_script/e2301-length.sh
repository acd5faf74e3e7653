a=1.2.3.4/24
ipfw add allow ip from ${a%/*} to any
