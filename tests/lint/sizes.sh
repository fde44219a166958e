#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# No function above 60 lines, no file above 600.  include/vhd.h may be longer: it
# is the whole interface in one place, and three quarters of it is comment.
cd "$1" || exit 99
. tests/lint/sources.sh
bad=0

# file:function of option and command tables that are longer, one a line.
exceptions=''

# A definition starts with its name in the first column, after a line with
# its type, and ends with a brace in the first column.
long_functions()
{
	awk '
	FNR == 1 { name = "" }
	/^[A-Za-z_][A-Za-z0-9_]*\(/ {
		name = $0; sub(/\(.*/, "", name); from = FNR; body = 0
	}
	/^{/ { body = 1 }
	/;$/ && !body { name = "" } # a prototype
	/^}/ {
		if (name != "" && FNR - from + 1 > 60)
			print FILENAME ":" from ": " name " has " \
			      FNR - from + 1 " lines, 60 are allowed"
		name = ""
	}' "$@"
}

mapfile -t files < <(sources '*.c' '*.h' '*.cc')
while read -r place name rest; do
	grep -qxF "${place%%:*}:$name" <<<"$exceptions" && continue
	echo "$place $name $rest"
	bad=1
done < <(long_functions "${files[@]}")

while read -r lines file; do
	[ "$file" = total ] && continue
	[ "$lines" -le 600 ] || [ "$file" = include/vhd.h ] && continue
	echo "$file:1: $lines lines, 600 are allowed"
	bad=1
done < <(wc -l "${files[@]}")
exit $bad
