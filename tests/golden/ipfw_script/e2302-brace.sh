ipfw add allow ip from ${me:-1.2.3.4 to any
