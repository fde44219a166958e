#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# boots-debian.sh - a Debian kernel boots from a root file system on a
# differencing VHD, through the nbdkit plugin, works on it, and shuts down.
#
#	bash tests/long/boots-debian.sh BUILD_DIR
#
# Needs root, debootstrap, busybox-static, cpio, kmod, qemu-system-x86 and a mirror;
# some minutes, because the machine is emulated.
set -euo pipefail
build=$(cd "${1:?usage: boots-debian.sh BUILD_DIR}" && pwd)
PATH=$build/vhdtool:/usr/sbin:/sbin:$PATH
export LD_LIBRARY_PATH=$build/libvhd${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
plugin=$build/nbdkit-plugin/nbdkit-vhd-plugin.so
for tool in debootstrap busybox qemu-system-x86_64 nbdkit mke2fs debugfs cpio depmod; do
	command -v "$tool" >/dev/null || {
		echo "skipped: $tool is not here"
		exit 77
	}
done
dir=$(mktemp -d "${TMPDIR:-/var/tmp}/vhd-debian.XXXXXX")
trap 'rm -rf "$dir"' EXIT
cd "$dir"

echo "a Debian root file system, and a kernel"
debootstrap --variant=minbase bookworm root >debootstrap.log
kernel=$(apt-cache depends linux-image-cloud-amd64 |
	sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
apt-get download -qq "$kernel"
dpkg-deb -x "$kernel"_*.deb kernel
version=$(basename kernel/lib/modules/*)

# What the machine does instead of an init system.
cat >root/work.sh <<'END'
#!/bin/bash
mount -t proc proc /proc
mount -o remount,rw /
echo "debian $(cat /etc/debian_version), $(dpkg -l | grep -c ^ii) packages"
md5sum /usr/bin/dpkg /bin/bash
for i in $(seq 200); do head -c 20000 /dev/urandom >/root/file$i; done
rm -rf /usr/share/doc
cd /root && md5sum file* >/root/sums
sync
mount -o remount,ro /
echo "guest: done"
echo o >/proc/sysrq-trigger
sleep 60
END
chmod +x root/work.sh

echo "an initial file system with the drivers"
mkdir -p init/{bin,dev,proc,mod,root}
cp "$(command -v busybox)" init/bin/
modules=
want()
{
	local m
	for m in $(sed -n "s|^kernel/.*/$1.ko: ||p" \
		"kernel/lib/modules/$version/modules.dep" |
		xargs -n 1 basename -s .ko | tac) $1; do
		local file
		file=$(find kernel/lib/modules -name "$m.ko" | head -n 1)
		[ -n "$file" ] || continue
		cp "$file" init/mod/
		case " $modules " in *" $m "*) ;; *) modules="$modules $m" ;; esac
	done
}
depmod -b kernel "$version"
for m in virtio_pci virtio_blk crc32c_generic ext4; do
	want $m
done
cat >init/init <<END
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
for m in $modules; do /bin/busybox insmod /mod/\$m.ko; done
/bin/busybox mount -o ro -t ext4 /dev/vda /root
exec /bin/busybox switch_root /root /work.sh
END
sed -i '1s|.*|#!/bin/busybox sh|' init/init
chmod +x init/init
(cd init && find . | cpio -o -H newc --quiet | gzip >../initrd)

echo "the disk: the system in the parent, the guest's work in the child"
truncate -s 2G root.raw
mke2fs -q -t ext4 -d root root.raw
vhdtool convert -f raw root.raw base.vhd
vhdtool create --parent base.vhd disk.vhd
before=$(sha256sum <base.vhd)
nbdkit -f -U "$dir/socket" -P "$dir/pid" "$plugin" disk.vhd &
server=$!
while [ ! -s pid ]; do sleep 0.1; done
timeout 1500 qemu-system-x86_64 -accel tcg -m 512 -nodefaults -display none \
	-no-reboot -serial stdio -kernel kernel/boot/vmlinuz-"$version" \
	-initrd initrd -append "console=ttyS0 quiet panic=-1" \
	-drive file="nbd:unix:$dir/socket",format=raw,if=virtio \
	</dev/null | tee serial
kill "$server"
wait "$server" || true
grep -q "guest: done" serial

echo "what the guest did is there, and only in the child"
[ "$(sha256sum <base.vhd)" = "$before" ]
vhdtool check disk.vhd
vhdtool convert -O raw disk.vhd after.raw
e2fsck -fn after.raw
mkdir out
debugfs -R "rdump /root out" after.raw 2>/dev/null
(cd out/root && md5sum -c --quiet sums)
vhdtool merge disk.vhd
vhdtool convert -O raw --force disk.vhd merged.raw
cmp after.raw merged.raw
echo "boots-debian: all right"
