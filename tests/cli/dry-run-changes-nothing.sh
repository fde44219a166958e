#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "--dry-run says what a job would cost, and changes no file at all"
requires jq
chain
printf '%s\n' 'type dynamic' 'size 10M' 'block 3 = pattern 4' | image new.vhd
before=$(state ./*)

plan() # ARGUMENT...
{
	vhdtool 0 "$@" --dry-run --json
	json_is 'keys | join(" ")' \
	    "bytes-to-copy final-size fits free peak-extra"
	json_is '[.fits, (.free > 0), (."final-size" > 0)] | unique | @json' \
	    "[true]"
	equal "$last: the files" "$before" "$(state ./*)"
	vhdtool 0 "$@" --dry-run
	stdout_has "^fits: +yes$"
	equal "$last: the files" "$before" "$(state ./*)"
}

plan merge leaf.vhd
plan merge --into base.vhd leaf.vhd
plan compact base.vhd
plan compact --mode repack leaf.vhd
plan resize leaf.vhd +1G
plan rebase --parent new.vhd leaf.vhd
plan rebase --unsafe --parent new.vhd leaf.vhd
plan convert leaf.vhd copy.vhd
plan convert -O raw leaf.vhd copy.img
vhdtool 1 resize leaf.vhd 2041G --dry-run
stderr_has "at most 2190433320960 "
vhdtool 1 resize leaf.vhd 4000000T
stderr_has "at most 2190433320960 "
vhdtool 0 relink --dry-run .
equal "$last: the files" "$before" "$(state ./*)"

# What a deletion would do, image by image.
vhdtool 0 create --parent mid.vhd other.vhd
before=$(state ./*)
vhdtool 0 snapshot delete --dry-run --json leaf.vhd mid.vhd
json_is '.steps | map([.action, (.filename | split("/") | last)] | @csv) |
    join(" ")' '"copy-up","leaf.vhd" "merge-down","other.vhd"'
json_is '(.steps | map(.bytes) | add) == ."bytes-to-copy"' true
vhdtool 0 snapshot delete --dry-run leaf.vhd mid.vhd
stdout_has '^merge-down: +other\.vhd, nothing to copy$'
equal "$last: the files" "$before" "$(state ./*)"
