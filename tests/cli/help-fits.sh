#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "--help goes to stdout, fits 80 columns and shows examples of the command"

vhdtool 0 --help
stdout_has '^Usage: vhdtool COMMAND'
commands >"$place/commands"
grep -qx "snapshot create" "$place/commands" ||
	fail "commands" "those of groups" "$(cat "$place/commands")"
while read -r command; do
	# shellcheck disable=SC2086 # one or two words
	vhdtool 0 $command --help
	equal "$last: stderr" "" "$(cat "$err")"
	stdout_has "^Usage: vhdtool $command \[OPTION\]\.\.\. "
	stdout_has "^  vhdtool $command "
	stdout_has '^  -h, --help '
	equal "$last: the last line" \
	    "See vhdtool(1) for exit statuses and JSON keys." \
	    "$(tail -n 1 "$out")"
	equal "$last: lines of more than 80 columns" "" \
	    "$(grep -E '^.{81}' "$out")"
	equal "$last: trailing blanks" "" "$(grep -n ' $' "$out")"
	mv "$out" "$place/long"
	# shellcheck disable=SC2086
	vhdtool 0 help $command
	cmp -s "$out" "$place/long" ||
		fail "$last" "the same as $command --help" "another text"
done <"$place/commands"
