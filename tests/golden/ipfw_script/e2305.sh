a="0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
a="$a$a$a$a"
a="$a$a$a$a"
a="$a$a$a$a"
a="$a$a$a$a"
a="$a$a$a$a"
a="$a$a$a$a"
ipfw add allow ip from any to any // $a
