#!/bin/sh
add="ipfw -q add" # prefix
if=em0; x=${y:-"a b"}
$add 10 pass all from any to any via "$if" \
  ${x} ${z:='q'}$z 2>&1 || true
sysctl -w net.inet.ip.fw.one_pass=0; export a=1
