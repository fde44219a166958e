#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "create --parent makes a child that reads like its parent, by relative link"
requires jq
chain

vhdtool 0 create --parent leaf.vhd new.vhd
vhdtool 0 inspect --json new.vhd
json_is '[.type, ."virtual-size", ."parent-status"] | @csv' \
    '"differencing",10485760,"ok"'
json_is '."full-parent-filename" | split("/") | last' leaf.vhd
json_is '.locators | map(select(.platform == "W2ru").path)[0]' '.\leaf.vhd'
vhdtool 0 compare new.vhd leaf.vhd
equal "content, told by others" "$(content leaf.vhd)" "$(content new.vhd)"

vhdtool 2 create --parent leaf.vhd --type fixed other.vhd
vhdtool 1 create --parent nowhere.vhd other.vhd
stderr_has "nowhere.vhd"
equal "files" "base.vhd leaf.vhd mid.vhd new.vhd" "$(echo *)"

# Names that no image can hold.
cp leaf.vhd 'x\y.vhd'
cp leaf.vhd $'\xff.vhd'
vhdtool 1 create --parent 'x\y.vhd' other.vhd
stderr_has 'other.vhd: the path of its parent, x\\y.vhd, has a backslash'
vhdtool 1 create --parent $'\xff.vhd' other.vhd
stderr_has 'other.vhd: the path of its parent, .*, is not UTF-8; rename'
[ ! -e other.vhd ] || fail "other.vhd" "not made" "there"
