#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a standard descriptor that is closed is never an image: no message goes \
into it"
vhdtool 0 create disk.vhd 10M
vhdtool 0 create --parent disk.vhd child.vhd
before=$(sha256sum ./*.vhd)

unhurt() # STATUS GOT
{
	equal "$last: exit" "$1" "$2"
	equal "$last: images" "$before" "$(sha256sum ./*.vhd)"
}

last="resize to less, without stderr"
"$VHDTOOL" resize child.vhd 5M 2>&-
unhurt 1 $?
last="the same, with nothing"
"$VHDTOOL" resize child.vhd 5M <&- >&- 2>&-
unhurt 1 $?
last="resize of a parent, without stdin and stderr"
"$VHDTOOL" resize disk.vhd 20M <&- 2>&-
unhurt 7 $?
last="a pipe that is not there"
"$VHDTOOL" convert -f raw - new.vhd <&- 2>"$err"
unhurt 1 $?
stderr_has "Bad file descriptor"
last="inspect, without stdout"
"$VHDTOOL" inspect --chain child.vhd >&- 2>"$err"
unhurt 1 $?
stderr_has "standard output"
vhdtool 0 check --chain child.vhd
