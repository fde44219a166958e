#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "snapshots that exist already, or do not, are told, and nothing changes"
disk
here=$PWD
refused 1 'a snapshot "one" exists already' snapshot create disk.vhd one
refused 1 'a snapshot "two" exists already' snapshot rename disk.vhd one two
refused 1 'a snapshot "two" exists' snapshot revert --keep two disk.vhd one
refused 1 'disk.vhd: exists already; choose another name$' \
    snapshot clone disk.vhd one disk.vhd
for command in 'revert disk.vhd no' 'delete disk.vhd no' \
    'rename disk.vhd no x' 'clone disk.vhd no x.vhd' \
    'delete --tree disk.vhd no' 'delete --dry-run disk.vhd no' \
    'revert --keep x disk.vhd no'; do
	# shellcheck disable=SC2086
	refused 1 "has no snapshot \"no\"; try: vhdtool snapshot list $here/d" \
	    snapshot $command
done
refused 1 'disk.vhd: is the live disk' snapshot delete disk.vhd disk.vhd
refused 1 'disk.vhd: is the live disk' snapshot revert disk.vhd disk.vhd
refused 1 'no.vhd: .*No such file' snapshot create no.vhd x
refused 1 'no.vhd: .*No such file' snapshot list no.vhd
refused 1 'No such file' snapshot clone disk.vhd one no/clone.vhd
refused 7 'disk.vhd: .*the live disk' snapshot delete --tree disk.vhd two
vhdtool 0 snapshot revert --keep three disk.vhd one
vhdtool 0 snapshot clone disk.vhd three clone.vhd
refused 7 'clone.vhd: stands on that snapshot and is a disk of its own' \
    snapshot delete --tree disk.vhd two
