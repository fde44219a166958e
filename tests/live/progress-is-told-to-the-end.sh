#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "the progress of a served disk's job is told in whole words, to the end"
requires jq
two_layers 64
serve "$PLUGIN" disk.vhd
vhdtool 0 merge --rate 40M --progress json disk.vhd
jq -e .phase <"$err" >/dev/null ||
    fail "lines of progress" "JSON objects" "$(cat "$err")"
equal "the last phase" merge "$(tail -n 1 "$err" | jq -r .phase)"
stop
