#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a merge stopped by Ctrl-C exits 8, reads the same, and carries on"
chain
want=$(content leaf.vhd)

# A background job of a script ignores SIGINT, unless it is told not to.
env --default-signal=INT "$VHDTOOL" merge --rate 50K --into base.vhd leaf.vhd \
    >"$out" 2>"$err" &
job=$!
for _ in $(seq 200); do
	[ -e base.vhd ] || break
	sleep 0.1
done
[ ! -e base.vhd ] || fail "base.vhd" "gone from the beginning" "there"
kill -INT $job
wait $job
equal "the stopped merge" 8 $?
last="the stopped merge"
stderr_has "^vhdtool: interrupted"
stdout_is ""
vhdtool 0 convert -O raw leaf.vhd "$place/raw"
equal "content of the stopped merge" "$want" \
    "$(sha256sum <"$place/raw" | cut -d' ' -f1)"
vhdtool 0 check --chain leaf.vhd

vhdtool 0 merge --into base.vhd leaf.vhd
equal "files" "leaf.vhd" "$(echo *)"
equal "content" "$want" "$(content leaf.vhd)"
