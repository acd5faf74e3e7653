#!/bin/sh
ipfw -q flush
if [ -f /etc/local ]; then
	ipfw add allow ip from any to any
fi
