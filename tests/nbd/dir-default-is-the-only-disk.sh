#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a client that names no export gets the only live disk of a directory"
chain
serve "$PLUGIN" dir=.
run 0 nbdinfo --json "$uri"
json_is '.exports[0].description' "differencing VHD, 10 MiB, in 3 images"

vhdtool 0 create second.vhd 20M
run 1 nbdinfo "$uri"
log_has "has no export ''; ask for one of its files by name"
