#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A library shows what vhd.h declares, all of it and nothing else; and there is
# no assertion in it that a file could break.
# usage: symbols.sh SOURCE LIBRARY
header=$1/include/vhd.h
library=$2
command -v nm >/dev/null || { echo "no nm"; exit 77; }
[ -f "$library" ] || { echo "$library: not built"; exit 99; }

case $library in
*.a) list="nm -g --defined-only" ;;
*) list="nm -D --defined-only" ;;
esac
exported=$($list "$library" |
	awk 'NF == 3 && $2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort)
declared=$(sed -n '/^VHD_API/,/;/p' "$header" | tr '\n' ' ' |
	grep -oE 'vhd_[a-z0-9_]+[[:space:]]*\(' | tr -d ' (' | sort)

bad=0
surplus=$(comm -23 <(echo "$exported") <(echo "$declared"))
if [ -n "$surplus" ]; then
	printf 'exported, but not in vhd.h: %s\n' "$surplus"
	bad=1
fi
missing=$(comm -13 <(echo "$exported") <(echo "$declared"))
if [ -n "$missing" ]; then
	printf 'in vhd.h, but not exported: %s\n' "$missing"
	bad=1
fi
if nm -u "$library" 2>/dev/null | grep -wE '__assert_fail|abort|_?exit'; then
	echo "$library ends the process of its caller"
	bad=1
fi
exit $bad
