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

# The name of a file says again which disk and which snapshot it belongs to.
vhdtool 0 create bare 4M
vhdtool 0 snapshot create bare v1.0
refused 1 'extension' snapshot create bare a.b
refused 1 'extension' snapshot rename bare v1.0 a.b
refused 1 'extension' snapshot revert --keep a.b bare v1.0
vhdtool 0 snapshot delete bare v1.0
equal "files of bare" bare "$(echo bare*)"
