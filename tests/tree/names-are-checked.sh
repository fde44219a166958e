#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "names that are not allowed are refused, and nothing changes"
disk
long=$(printf 'x%.0s' {1..129})
wide=$(printf 'ü%.0s' {1..65})
for name in .hidden 'ends in space ' dot. a/b 'a\b' a:b 'a*b' 'a?b' 'a"b' \
    'a<b' 'a>b' 'a|b' a@b $'a\tb' $'a\nb' $'\xff' "$long" "$wide"; do
	refused 1 'cannot name a snapshot' snapshot create disk.vhd "$name"
	refused 1 'cannot name a snapshot' snapshot rename disk.vhd one "$name"
	refused 1 'cannot name a snapshot' \
	    snapshot revert --keep "$name" disk.vhd one
done
refused 1 'has an @' snapshot clone disk.vhd one cl@one.vhd
refused 1 'has an @' snapshot create disk@one.vhd x
for name in 'with space' ünïcödé -dash 'a.b' "${long#x}" '#1 (old)'; do
	vhdtool 0 snapshot create -- disk.vhd "$name"
	[ -f "disk@$name.vhd" ] || fail "$last" "disk@$name.vhd" "$(ls)"
done
