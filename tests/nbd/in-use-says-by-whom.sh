#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a disk that another process has is refused, with that process's name"
vhdtool 0 create disk.vhd 4M
serve "$PLUGIN" disk.vhd

nbdkit 1 -f -U "$place/second" "$PLUGIN" disk.vhd
stderr_has "disk.vhd: in use for writing by .*nbdkit.* \(pid $server"
nbdkit 1 -f -U "$place/second" "$PLUGIN" disk.vhd readonly=true
stderr_has "disk.vhd: in use for writing by .*nbdkit.* \(pid $server"
vhdtool 5 serve --socket "$place/second" disk.vhd
stderr_has "in use for writing by .*\(pid $server"
stop
