#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "the exportname filter gives a disk the names of its user"
chain
serve --filter=exportname "$PLUGIN" leaf.vhd default-export=drive \
    exportname=drive exportname-strict=true exportname-list=explicit
run 0 nbdinfo --list --json "$uri"
json_is '[.exports[]."export-name"] | join(",")' drive
run 0 nbdinfo "$(export_uri drive)"
run 1 nbdinfo "$(export_uri leaf.vhd)"
