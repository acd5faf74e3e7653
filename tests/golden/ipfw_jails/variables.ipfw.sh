#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
ipfw add 100 allow tcp from any to $jail_www 80
ipfw add 110 allow ip from $jail_my_db to any
