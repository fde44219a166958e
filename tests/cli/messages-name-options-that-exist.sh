#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "an option that a sentence of the library tells to try is there"
commands | while read -r command; do
	# shellcheck disable=SC2086
	"$VHDTOOL" $command --long-options
done | sort -u >options
equal "options that are not" "" "$(grep -rhoE '"[^"]*[ (]--[a-z][^"]*"' \
    "$SOURCE/libvhd" | grep -oE -- '--[a-z-]+' | sort -u |
	grep -vxFf options)"
