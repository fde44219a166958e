#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "completion offers what the program says, and holds no names itself"
script=$SOURCE/completions/vhdtool.bash
touch disk.vhd
. "$script"

offers() # EXPECTED WORD...: after vhdtool, the cursor at the end
{
	local want=$1

	shift
	COMP_WORDS=("$VHDTOOL" "$@") COMP_CWORD=$#
	_vhdtool 2>/dev/null
	equal "completion of '$*'" "$want" "${COMPREPLY[*]}"
}

offers "compare compact" compa
offers "--version" --v
offers "--created --creator" create --crea
offers "dynamic fixed" create --type ""
offers "repack" compact --mode = r
offers "raw" convert -O r
offers "disk.vhd" inspect di
offers "revert rename" snapshot re
offers "--keep" snapshot revert --k
offers "json" snapshot delete --progress j
offers "disk.vhd" snapshot list di

for name in $(commands); do
	equal "$name in $script" "" "$(grep -nw "$name" "$script" |
	    grep -vE '#|\$command|command=' | grep -v 'compgen')"
done
