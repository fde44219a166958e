#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "nobody but the server's user and root may ask"
requires setpriv socat
[ "$(id -u)" = 0 ] || skip "needs root, to be somebody else"
two_layers 8
chmod 755 "$place" "$place/images"
serve "$PLUGIN" disk.vhd control="$place/images/c.sock"
equal "mode of the socket" 600 "$(stat -c %a c.sock)"
run 1 setpriv --reuid=65534 --clear-groups \
    socat - UNIX-CONNECT:"$place/images/c.sock"
# Even where the mode lets everybody in.
chmod 666 c.sock
run 0 socat -t 1 - UNIX-CONNECT:"$place/images/c.sock"
stdout_has '^\{"QMP"'
run 0 setpriv --reuid=65534 --clear-groups \
    socat -t 1 - UNIX-CONNECT:"$place/images/c.sock"
stdout_is ""
stop
[ ! -e c.sock ] || fail "c.sock" "gone with the server" "there"
