#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a command that fails prints nothing on stdout; a full disk is a failure"
chain
rm base.vhd
echo text >text

for command in inspect "inspect --json" map "map --json" measure check tree; do
	# shellcheck disable=SC2086 # words
	case $command in
	inspect*) vhdtool 6 $command --chain leaf.vhd ;;
	map* | measure) vhdtool 6 $command leaf.vhd ;;
	*) vhdtool 1 $command nowhere.vhd ;;
	esac
	stdout_is ""
	stderr_has "^vhdtool: [^ ]"
	equal "$last: lines on stderr" 1 "$(wc -l <"$err")"
done

for command in "inspect leaf.vhd" "inspect --json leaf.vhd" "tree ." \
    "inspect --help" --version; do
	# shellcheck disable=SC2086 # words
	"$VHDTOOL" $command >/dev/full 2>"$err"
	equal "$command >/dev/full" 1 $?
	stderr_has "^vhdtool: standard output: "
done
