#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "commands that only read change no byte and no time stamp"
chain
printf '%s\n' 'type fixed' 'size 1M' | image fixed.vhd
touch -d 2020-01-01 ./*
before=$(state ./*)

unchanged() # STATUS ARGUMENT...
{
	vhdtool "$@"
	equal "$last: the files" "$before" "$(state ./*)"
}

for file in leaf.vhd base.vhd fixed.vhd; do
	for command in inspect "inspect --chain --json" map measure check \
	    "check --chain" "check --no-data"; do
		# shellcheck disable=SC2086 # words
		unchanged 0 $command $file
	done
	unchanged 0 convert -O raw --force $file "$place/raw"
	unchanged 0 compare $file $file
done
unchanged 0 tree .
unchanged 3 compare leaf.vhd base.vhd
