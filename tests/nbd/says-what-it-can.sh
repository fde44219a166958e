#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "clients are told everything the plugin can do, and so is --dump-plugin"
vhdtool 0 create disk.vhd 4M
nbdkit 0 -U - "$PLUGIN" disk.vhd --run 'nbdinfo --json "$uri"'
json_is '.exports[0] | [.can_cache, .can_df, .can_fast_zero, .can_flush,
    .can_fua, .can_multi_conn, .can_trim, .can_zero] | all' true
json_is '.exports[0] | [.block_size_minimum, .block_size_preferred,
    .block_size_maximum] | @csv' '1,4096,33554432'
json_is '.exports[0].contexts | join(",")' base:allocation
nbdkit 0 "$PLUGIN" --dump-plugin
stdout_has '^name=vhd$'
stdout_has '^thread_model=parallel$'
stdout_has '^vhd_version=[0-9]+\.[0-9]+\.[0-9]+$'
stdout_has '^magic_config_key=file$'
