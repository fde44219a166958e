#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "nbdkit starts by socket activation, as [ ] of nbdcopy does it"
chain
run 0 nbdcopy -- [ env LD_PRELOAD="$PRELOAD" nbdkit "$PLUGIN" leaf.vhd ] out.raw
content_is leaf.vhd out.raw
vhdtool 0 create new.vhd 10M
run 0 nbdcopy -- [ env LD_PRELOAD="$PRELOAD" nbdkit "$PLUGIN" leaf.vhd ] \
    [ env LD_PRELOAD="$PRELOAD" nbdkit "$PLUGIN" new.vhd ]
content_is new.vhd out.raw
sound new.vhd
