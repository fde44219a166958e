#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "clients that know the key are served over TLS, and others not at all"
chain
echo "alice:$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')" >"$place/psk"
env LD_PRELOAD="$PRELOAD" nbdkit --tls=require --tls-psk="$place/psk" -U - \
    "$PLUGIN" leaf.vhd --run true 2>"$err" ||
	skip "nbdkit without TLS: $(cat "$err")"
serve --tls=require --tls-psk="$place/psk" "$PLUGIN" leaf.vhd

run 0 nbdcopy \
    "nbds+unix://alice@/?socket=$sock&tls-psk-file=$place/psk" out.raw
content_is leaf.vhd out.raw
run 1 nbdinfo "$uri"
echo "alice:$(printf '00%.0s' $(seq 32))" >"$place/wrong"
run 1 nbdinfo "nbds+unix://alice@/?socket=$sock&tls-psk-file=$place/wrong"
