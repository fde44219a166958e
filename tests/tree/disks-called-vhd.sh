#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "whatever a disk is called, only its own commands settle it"
vhdtool 0 create other.vhd 4M
vhdtool 0 create vhd-1.vhd 4M
vhdtool 0 snapshot create vhd-1.vhd one
# As a renaming leaves it that was killed.
ln vhd-1@one.vhd .vhd-1.vhd@rename.partial
ln vhd-1@one.vhd vhd-1@new.vhd
vhdtool 0 snapshot create other.vhd x
[ -e .vhd-1.vhd@rename.partial ] || fail "$last" "the mark stays" "it is gone"
vhdtool 0 snapshot create vhd-1.vhd two
equal "$last: names of one file" 1 "$(stat -c %h vhd-1@[no]*.vhd)"
vhdtool 0 check --chain vhd-1.vhd

# Two long names that begin alike; one of the disks is being worked on.
long=$(printf 'x%.0s' {1..210})
vhdtool 0 create "${long}1.vhd" 4M
vhdtool 0 create "${long}2.vhd" 4M
"$HELPERS/kill_at" 10 "$VHDTOOL" snapshot create "${long}1.vhd" one \
    2>"$err" >"$out"
[ $? = 77 ] && skip "programs cannot be traced here"
left=$(echo .xx*)
[ -e "$left" ] || fail "killed at 10" "an unfinished file" "$(ls -A)"
vhdtool 0 snapshot create "${long}2.vhd" one
[ -e "$left" ] || fail "$last" "that of the other disk stays" "it is gone"
vhdtool 0 snapshot create "${long}1.vhd" two
equal "unfinished files" ".xx*" "$(echo .xx*)"
