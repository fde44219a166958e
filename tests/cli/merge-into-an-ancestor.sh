#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "merge --into takes all between; --at-parent leaves the ancestor's path"
chain
want=$(content leaf.vhd)
mkdir elsewhere
cp base.vhd mid.vhd leaf.vhd elsewhere

vhdtool 0 merge --into base.vhd leaf.vhd
equal "files" "elsewhere leaf.vhd" "$(echo *)"
equal "content" "$want" "$(content leaf.vhd)"

cd elsewhere || exit 99
before=$(state ./*.vhd)
vhdtool 1 merge --into leaf.vhd leaf.vhd
stderr_has "leaf.vhd is not among the parents of leaf.vhd"
vhdtool 1 merge --into ../leaf.vhd leaf.vhd
equal "files" "$before" "$(state ./*.vhd)"
ln -s "$PWD/base.vhd" link
vhdtool 0 merge --into link --at-parent leaf.vhd
rm link
equal "files" "base.vhd" "$(echo *)"
equal "content" "$want" "$(content base.vhd)"
