#!/bin/sh
cmd="ipfw -q add
$cmd 10 allow ip from any to any via lo0
ext="em0"
$cmd 20 allow ip from any to any via $ext
