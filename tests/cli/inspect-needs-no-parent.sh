#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "inspect shows an image without its parents, and says they are missing"
requires jq
chain
rm mid.vhd

vhdtool 0 inspect --json leaf.vhd
json_is '."parent-status"' missing
json_is '."full-parent-filename"' null
json_is '."parent-filename"' mid.vhd
vhdtool 0 inspect leaf.vhd
stdout_has '^parent status: +missing$'

for command in "inspect --chain" map measure "convert -O raw"; do
	# shellcheck disable=SC2086 # words
	case $command in
	convert*) vhdtool 6 $command leaf.vhd raw ;;
	*) vhdtool 6 $command leaf.vhd ;;
	esac
	stdout_is ""
	stderr_has "^vhdtool: .*leaf.vhd.*"
done
