#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "--progress=json prints a line a second on stderr, and nothing by default"
requires jq
chain

vhdtool 0 convert --progress=json --rate 3M leaf.vhd copy.vhd
stdout_is ""
jq -es 'length >= 2 and all(.event == "progress" and .job == "convert") and
    all(keys == ["done", "eta-s", "event", "job", "phase", "rate", "total"]) and
    (map(.done) == (map(.done) | sort)) and
    last.done == last.total and last.done > 0 and last."eta-s" == 0' \
    "$err" >/dev/null ||
	fail "$last: stderr" "two lines or more, to the end" "$(cat "$err")"

for form in "" --progress=none; do
	# shellcheck disable=SC2086 # words
	vhdtool 0 convert $form --force --rate 10M leaf.vhd copy.vhd
	equal "$last: stderr" "" "$(cat "$err")"
done
vhdtool 2 convert --progress=loud --force leaf.vhd copy.vhd
