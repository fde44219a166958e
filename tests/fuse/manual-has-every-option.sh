#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "the manual and --help agree on the options, and the manual is formatted"
requires groff
manual=$SOURCE/docs/man/vhdfuse.1
vhdfuse 0 --help
equal "longest line" 1 "$(awk 'length > 79 { bad = 1 } END { print !bad }' "$out")"
options=$(sed -n '/^Options:/,/^See/p' "$out" |
    grep -oE '(^  |, )(-[a-zA-Z]|--[a-z]+|-o [a-z_-]+|gid)' |
    sed -E 's/^(  |, )//; s/^-o //; s/^-+//' | grep -vx -e OPTION -e o | sort -u)
listed=$(awk '/^\.Sh/ { on = $2 == "OPTIONS" } on && /^\.It/' "$manual" |
    sed 's/ , -/ Fl -/g' | grep -oE '(Fl -?[a-zA-Z-]+|Cm [a-z_-]+)' | sed -E 's/^(Fl|Cm) -?//' |
    grep -vxE 'on|off' | sort -u)
equal "options" "$options" "$(grep -vx o <<<"$listed")"
groff -mandoc -ww -Tutf8 "$manual" >/dev/null 2>"$err"
equal "warnings" "" "$(cat "$err")"
order=$(sed -n 's/^\.Sh //p' "$manual" | grep -xE 'EXAMPLES|DESCRIPTION')
equal "order of the sections" "EXAMPLES DESCRIPTION" "$(echo $order)"
