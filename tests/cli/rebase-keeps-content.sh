#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "rebase copies what differs; --unsafe only writes the link"
requires jq
chain
printf '%s\n' 'type dynamic' 'size 10M' 'block 0 = pattern 1' \
    'block 3 = pattern 9' | image new.vhd
want=$(content leaf.vhd)

vhdtool 0 rebase --parent new.vhd leaf.vhd
vhdtool 0 inspect --json leaf.vhd
json_is '."full-parent-filename" | split("/") | last' new.vhd
equal "content" "$want" "$(content leaf.vhd)"
vhdtool 0 check --chain leaf.vhd

# mid.vhd loses its parent; a copy of that is as good.
vhdtool 0 convert base.vhd copy.vhd
want=$(content mid.vhd)
rm base.vhd
vhdtool 6 rebase --parent copy.vhd mid.vhd
vhdtool 0 rebase --unsafe --parent copy.vhd mid.vhd
equal "content" "$want" "$(content mid.vhd)"

# Nothing stands on itself.
vhdtool 6 rebase --parent mid.vhd mid.vhd
stderr_has 'mid\.vhd: cannot be its own parent$'
vhdtool 0 create --parent mid.vhd leaf2.vhd
vhdtool 6 rebase --unsafe --parent leaf2.vhd mid.vhd
stderr_has 'leaf2\.vhd: stands on .*mid\.vhd, so it cannot be its parent$'

# What stands on it may know it by its time.
touch -d '2020-01-01 UTC' mid.vhd
vhdtool 0 convert copy.vhd another.vhd
vhdtool 0 rebase --parent another.vhd mid.vhd
equal "time of a parent" 1577836800 "$(stat -c %Y mid.vhd)"
