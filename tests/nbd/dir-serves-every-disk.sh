#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "dir= serves each image as an export of its own, and lists them"
chain
vhdtool 0 create 'with space.vhd' 20M
vhdtool 0 create --type fixed fixed.vhd 1M
echo text >notes.txt
mkdir sub.vhd
serve "$PLUGIN" dir=.

run 0 nbdinfo --list --json "$uri"
json_is '[.exports[]."export-name"] | sort | join(",")' \
    'base.vhd,fixed.vhd,leaf.vhd,mid.vhd,with space.vhd'
run 0 nbdinfo --json "$(export_uri leaf.vhd)"
json_is '.exports[0] | [."export-size", .is_read_only, .description] | @csv' \
    '10485760,false,"differencing VHD, 10 MiB, in 3 images"'
run 0 nbdinfo --json "$(export_uri mid.vhd)"
json_is '.exports[0].is_read_only' true
run 0 nbdinfo --size "$(export_uri with%20space.vhd)"
stdout_is 20971520
stop
