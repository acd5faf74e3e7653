fw="/sbin/ipfw -q"
$fw nat 1 config ip ${natip} reset
$fw nat 2 config ip ${natip:-192.0.2.1} reset $none
empty=
$fw add allow ip from any to any $empty
echo $unset
