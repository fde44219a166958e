#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# demo.sh - the main job, end to end, on a disk with a real file system:
# snapshots, a month of writing, a merge, and other tools' word that nothing
# was lost.  setup.sh runs it; DIR is where libvhd was built.
#
#	bash docs/demo.sh DIR
set -euo pipefail
build=$(cd "${1:?usage: demo.sh BUILD_DIR}" && pwd)
PATH=$build/vhdtool:/usr/sbin:/sbin:$PATH
export LD_LIBRARY_PATH=$build/libvhd${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
dir=$(mktemp -d "${TMPDIR:-/tmp}/vhd-demo.XXXXXX")
trap 'rm -rf "$dir"' EXIT
cd "$dir"

say()
{
	printf '\n\033[1m%s\033[0m\n' "$*"
}

run()
{
	printf '$ %s\n' "$*"
	"$@"
}

# A file system as it is after some more work: files added, changed, removed.
work()
{
	mkdir -p files
	for i in $(seq "$1" "$2"); do
		head -c $((i * 20011)) /dev/urandom >"files/file$i"
	done
	rm -f "files/file$3"
	rm -f "$4"
	truncate -s 1G "$4"
	mke2fs -q -t ext4 -E hash_seed=f0f0f0f0-1111-4222-8333-444455556666 \
		-U f0f0f0f0-1111-4222-8333-444455556666 -d files "$4"
}

# The difference between two states, as a guest would have written it.
layer()
{
	vhdtool convert -f raw "$3" "new-$1"
	vhdtool create --parent "new-$1" "$1"
	vhdtool rebase --parent "$2" "$1"
	rm "new-$1"
}

say "A 1 GiB disk with an ext4 file system, and two snapshots on top of it"
work 1 60 0 state1.raw
run vhdtool convert -f raw state1.raw base.vhd
work 61 100 7 state2.raw
layer disk@monday.vhd base.vhd state2.raw
work 90 140 33 state3.raw
layer disk.vhd disk@monday.vhd state3.raw
run vhdtool tree .
want=$(sha256sum <state3.raw)

say "What merging would take, before anything happens"
run vhdtool merge --into base.vhd --dry-run disk.vhd

say "The merge: down into the base, and the disk's path stays"
du_before=$(du -k --total ./*.vhd | tail -n 1 | cut -f 1)
run vhdtool merge --into base.vhd disk.vhd
run vhdtool tree .
du_after=$(du -k disk.vhd | cut -f 1)
echo "on disk: $du_before KiB in three files before, $du_after KiB in one now"

say "Nothing is lost, and other tools say so"
run vhdtool check disk.vhd
run qemu-img convert -f vpc -O raw disk.vhd merged.raw
got=$(sha256sum <merged.raw)
[ "$got" = "$want" ] || {
	echo "the content differs: $got, should be $want" >&2
	exit 1
}
echo "qemu-img reads exactly the bytes that were last written"
run e2fsck -fn merged.raw
mkdir out
run debugfs -R "rdump / out" merged.raw
diff -r --exclude=lost+found files out
echo "every file of the guest is there: $(find files -type f | wc -l) files"
# It calls a VHD a container of one file, and that is the disk.
7zz x -so -tvhd disk.vhd >seven.raw
cmp seven.raw state3.raw
echo "7-Zip reads the same"

say "Now the same while the disk is in use: nbdkit serves it, and fio writes"
rm -f ./*.raw
uri="nbd+unix:///?socket=$dir/sock"
nbdkit -f -P "$dir/pid" -U "$dir/sock" \
	"$build/nbdkit-plugin/nbdkit-vhd-plugin.so" disk.vhd 2>nbdkit.log &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
for _ in $(seq 100); do
	[ -s pid ] && break
	sleep 0.1
done
[ -s pid ] || { cat nbdkit.log >&2; exit 1; }
guest()
{
	fio --name="$1" --ioengine=nbd --uri="$uri" --rw=randwrite \
		--bsrange=4k-128k --blockalign=4k --offset=512M --size=384M \
		--io_size="$2" --rate=,64M --iodepth=4 --fsync=64 \
		--verify=crc32c --verify_state_save=0 --verify_fatal=1 \
		--do_verify=1 >"$1.log" 2>&1 || { cat "$1.log" >&2; return 1; }
}
guest before 192M
run vhdtool snapshot create disk.vhd tuesday
guest during 384M &
fio=$!
sleep 2
run vhdtool tree .
du_before=$(du -k --total ./*.vhd | tail -n 1 | cut -f 1)
echo "The merge, while the guest writes:"
run vhdtool merge --rate 48M --progress bar disk.vhd
wait "$fio" || {
	echo "the guest read something else than it wrote" >&2
	exit 1
}
echo "fio read back all it wrote, before, during and after the merge"
run vhdtool tree .
du_after=$(du -k disk.vhd | cut -f 1)
echo "on disk: $du_before KiB in two files before, $du_after KiB in one now"
want=$(nbdcopy "$uri" - | sha256sum)
kill "$server"
wait "$server"
run vhdtool check disk.vhd
run qemu-img convert -f vpc -O raw disk.vhd served.raw
[ "$(sha256sum <served.raw)" = "$want" ] || {
	echo "the content differs from what the guest saw" >&2
	exit 1
}
echo "the file has exactly what the guest saw last"
