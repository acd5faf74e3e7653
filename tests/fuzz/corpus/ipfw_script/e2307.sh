ipfw table 5 add 192.0.2.1
ipfw add deny ip from table(5) to any
