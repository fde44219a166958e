#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A program is built against the installed library with what pkg-config says,
# shared and static, and makes a disk.
# usage: installed.sh BUILD COMPILER FLAGS
set -eu
build=$1 compiler=$2 flags=${3-}
place=$(mktemp -d "${TMPDIR:-/tmp}/vhd-installed.XXXXXX")
trap 'rm -rf "$place"' EXIT

DESTDIR=$place cmake --install "$build" >/dev/null
pc=$(find "$place" -name libvhd.pc)
[ -n "$pc" ] || { echo "expected: libvhd.pc is installed"; exit 1; }
export PKG_CONFIG_LIBDIR=${pc%/*}:$(pkg-config --variable pc_path pkg-config)
export PKG_CONFIG_SYSROOT_DIR=$place
cat >"$place/program.c" <<'C'
#include <stdio.h>
#include <vhd.h>

int main(int argc, char **argv)
{
	struct vhd_create_opts opts = VHD_CREATE_OPTS_INIT;

	(void)argc;
	opts.virtual_size = 1 << 20;
	if (!vhd_create(argv[1], &opts))
		return 0;
	fprintf(stderr, "%s\n", vhd_last_message());
	return 1;
}
C

attempt() # NAME ARGUMENT...
{
	local name=$1
	shift
	# shellcheck disable=SC2086
	"$compiler" $flags "$place/program.c" -o "$place/$name" "$@" || {
		echo "expected: a program links with libvhd, $name"
		exit 1
	}
	LD_LIBRARY_PATH=$(dirname "${pc%/*}") "$place/$name" "$place/$name.vhd" || {
		echo "expected: the program that was linked $name makes a disk"
		exit 1
	}
}

# shellcheck disable=SC2046
attempt shared $(pkg-config --cflags --libs libvhd)
archive=$(find "$place" -name libvhd.a)
# shellcheck disable=SC2046
attempt static $(pkg-config --cflags libvhd) "$archive" \
	$(pkg-config --static --libs libvhd | sed 's/-L[^ ]* *//; s/-lvhd//')
