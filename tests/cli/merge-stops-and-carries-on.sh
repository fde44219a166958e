#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a merge stopped by Ctrl-C exits 8, reads the same, and carries on"
chain
want=$(content leaf.vhd)

# A background job of a script ignores SIGINT; timeout brings it back.
stop() # ARGUMENT...
{
	timeout --preserve-status -s INT 1 "$VHDTOOL" "$@" >"$out" 2>"$err"
	equal "$*, interrupted" 8 $?
}

stop merge --rate 300K --into base.vhd leaf.vhd
last="the stopped merge"
stderr_has "^vhdtool: interrupted"
equal "stdout" "" "$(cat "$out")"
[ ! -e base.vhd ] || fail "base.vhd" "gone from the beginning" "there"
vhdtool 0 convert -O raw leaf.vhd "$place/raw"
equal "content of the stopped merge" "$want" \
    "$(sha256sum <"$place/raw" | cut -d' ' -f1)"
vhdtool 0 check --chain leaf.vhd

vhdtool 0 merge --into base.vhd leaf.vhd
equal "files" "leaf.vhd" "$(echo *)"
equal "content" "$want" "$(content leaf.vhd)"
