#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "--help and the manual have the same parameters"
manual=$SOURCE/docs/man/nbdkit-vhd-plugin.1
nbdkit 0 "$PLUGIN" --help
equal "parameters" \
    "$(sed -nE 's/^\[?([a-z-]+)=.*/\1/p' "$out" | sort -u)" \
    "$(sed -nE 's/^\.It .*Cm ([a-z-]+)=.*/\1/p' "$manual" | sort -u)"
equal "lines of more than 80 columns" "" \
    "$(sed -n '/^plugin: vhd/,$p' "$out" | grep -v /nbdkit- | grep -E '^.{81}')"
requires groff
run 0 groff -mandoc -ww -Tutf8 "$manual"
equal "warnings of groff" "" "$(cat "$err")"
