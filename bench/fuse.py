# SPDX-License-Identifier: BSD-3-Clause
"""fuse.py - vhdfuse against QEMU's FUSE export and vhdimount.

The disk lies in memory.  Each run has a mount of its own.
"""
import os
import subprocess
import time

from harness import GiB, MiB, Case, Goal, Process, Skip, fio, have, run

FILL = os.urandom(16 * MiB)


class Daemon:
    """A program that goes into the background: the process that has words on
    its command line, until it is unmounted."""
    def __init__(self, words, mountpoint, ready, timeout=60):
        self.mountpoint = mountpoint
        run(*words)
        end = time.monotonic() + timeout
        while not ready():
            if time.monotonic() > end:
                raise Skip(f'{words[0]} did not start')
            time.sleep(0.01)
        self.pid = self.find([str(w) for w in words])

    @staticmethod
    def find(words):
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open(f'/proc/{pid}/cmdline') as f:
                    if f.read().split('\0')[:-1] == words:
                        return int(pid)
            except OSError:
                continue
        raise Skip(f'{words[0]} is gone')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(['umount', self.mountpoint], check=False)
        while os.path.exists(f'/proc/{self.pid}/exe'):
            time.sleep(0.01)

    cpu = Process.cpu


class Mounts:
    """Ours and those of others; each tells where the disk is."""
    def __init__(self, place, options):
        self.vhdtool, self.vhdfuse = options.vhdtool, options.vhdfuse
        self.dir = os.path.join(place, 'mount')
        self.file = os.path.join(place, 'mounted')
        self.disk = os.path.join(place, 'fuse.vhd')
        self.empty = os.path.join(place, 'empty.vhd')

    def prepare(self):
        """The disk, full of data, and places to mount on."""
        os.makedirs(self.dir, exist_ok=True)
        open(self.file, 'w').close()
        if os.path.exists(self.disk):
            return
        raw = self.disk + '.raw'
        with open(raw, 'wb') as f:
            for _ in range(GiB // len(FILL)):
                f.write(FILL)
        run(self.vhdtool, 'convert', '-f', 'raw', raw, self.disk)
        os.unlink(raw)

    def vhd(self, *options):
        path = os.path.join(self.dir, 'disk')
        return Process([self.vhdfuse, '-f', *options, self.disk, self.dir],
                       lambda: os.path.exists(path)), path

    def qemu(self):
        have('qemu-storage-daemon')
        return Process(
            ['qemu-storage-daemon',
             '--blockdev', f'file,node-name=file,filename={self.disk}',
             '--blockdev', 'vpc,node-name=disk,file=file,read-only=on',
             '--export', 'fuse,id=export,node-name=disk,writable=off,'
             f'mountpoint={self.file}'],
            lambda: os.path.getsize(self.file) == GiB), self.file

    def vhdimount(self):
        have('vhdimount')
        path = os.path.join(self.dir, 'vhdi1')
        return Daemon(['vhdimount', self.disk, self.dir], self.dir,
                      lambda: os.path.exists(path)), path


def loads(options):
    """The words of fio for each kind of load."""
    common = ['--ioengine=psync', '--direct=1', '--randrepeat=0',
              f'--size={GiB}', '--group_reporting', '--thread',
              '--time_based', f'--runtime={options.seconds}',
              '--norandommap']
    return {
        'randread': common + ['--rw=randread', '--bs=4k', '--numjobs=4'],
        'randwrite': common + ['--rw=randwrite', '--bs=4k', '--numjobs=4'],
        'seqread': common + ['--rw=read', '--bs=1M'],
        'seqwrite': common + ['--rw=write', '--bs=1M'],
    }


def cases(place, options):
    """Every case of FUSE."""
    if os.geteuid() != 0 or not os.access('/dev/fuse', os.W_OK):
        raise Skip('mounting needs root and /dev/fuse')
    have('fio', 'fusermount3')
    mounts = Mounts(place, options)
    words = loads(options)

    def one(start, load, *more):
        def measure():
            mounts.prepare()
            server, path = start(*more)
            with server:
                return fio(server, f'--filename={path}', *words[load])
        return measure

    def all_three(load):
        return {'libvhd': one(mounts.vhd, load),
                'qemu-storage-daemon': one(mounts.qemu, load),
                'vhdimount': one(mounts.vhdimount, load)}

    goals = [Goal('libvhd', 1.3, 'qemu-storage-daemon'),
             Goal('libvhd', 30, 'vhdimount')]
    mib = ('mib_s', 'p99_us', 'cpu_us')
    return [
        Case('fuse-randread-4k',
             '4 KiB random reads of 4 threads, past the page cache',
             all_three('randread'), goals),
        Case('fuse-read-1m', '1 MiB reads in order of 1 thread',
             all_three('seqread'), goals, mib),
        # QEMU's writable export corrupts data with two writes in flight.
        Case('fuse-randwrite-4k',
             '4 KiB random writes of 4 threads to blocks that are there',
             {'libvhd': one(mounts.vhd, 'randwrite')}),
        Case('fuse-write-1m',
             '1 MiB writes in order of 1 thread to blocks that are there',
             {'libvhd': one(mounts.vhd, 'seqwrite')}, (), mib),
    ]
