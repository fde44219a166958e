#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "the manual is formatted without a warning, EXAMPLES before DESCRIPTION"
requires groff

groff -mandoc -ww -Tutf8 "$SOURCE/docs/man/vhdtool.1" >"$out" 2>"$err"
equal "warnings" "" "$(cat "$err")"
order=$(sed -n 's/^\.Sh //p' "$SOURCE/docs/man/vhdtool.1" |
    grep -nE 'EXAMPLES|DESCRIPTION' | cut -d: -f2 | tr '\n' ' ')
equal "order of the sections" "EXAMPLES DESCRIPTION " "$order"
