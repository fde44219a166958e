# SPDX-License-Identifier: BSD-3-Clause
"""File systems live through every job: their own checkers find them clean
and their files are the same afterwards.  Nothing is mounted."""
import os
import random
import shutil

from interop import claim, equal, main, need_vhdtool, run, to_raw, vhdtool
from refvhd import Chain, KiB, MiB, sha256_file
from vhdmake import make_diff

SIZE = 40 * MiB


def make_files(folder, seed, count=12):
    """{name: content} of some files, written into the folder too."""
    rnd, files = random.Random(seed), {}
    os.makedirs(folder, exist_ok=True)
    for i in range(count):
        name = f's{seed}_{i}.bin'
        files[name] = rnd.randbytes(rnd.choice([0, 1, 700, 5000, 300 * KiB]))
        with open(os.path.join(folder, name), 'wb') as f:
            f.write(files[name])
    return files


class Ext4:
    def make(self, raw, folder):
        with open(raw, 'wb') as f:
            f.truncate(SIZE)
        run('mkfs.ext4', '-q', '-F', '-E', 'root_owner=0:0', '-d', folder,
            raw)

    def add(self, raw, folder, names):
        for name in names:
            run('debugfs', '-w', '-R', f'write {folder}/{name} {name}', raw)

    def remove(self, raw, name):
        run('debugfs', '-w', '-R', f'rm {name}', raw)

    def read(self, raw, name):
        return run('debugfs', '-R', f'cat {name}', raw).stdout

    def clean(self, raw):
        run('e2fsck', '-fn', raw)


class Ntfs:
    def make(self, raw, folder):
        with open(raw, 'wb') as f:
            f.truncate(SIZE)
        run('mkfs.ntfs', '-q', '-F', '-Q', '-s', 512, raw)
        self.add(raw, folder, sorted(os.listdir(folder)))

    def add(self, raw, folder, names):
        for name in names:
            run('ntfscp', '-f', raw, f'{folder}/{name}', name)

    def read(self, raw, name):
        return run('ntfscat', '-f', raw, name).stdout

    def clean(self, raw):
        run('ntfsfix', '-n', raw)


class Fat:
    def make(self, raw, folder):
        with open(raw, 'wb') as f:
            f.truncate(SIZE)
        run('mkfs.vfat', raw)
        self.add(raw, folder, sorted(os.listdir(folder)))

    def add(self, raw, folder, names):
        for name in names:
            run('mcopy', '-i', raw, f'{folder}/{name}', f'::{name}')

    def read(self, raw, name):
        return run('mtype', '-i', raw, f'::{name}').stdout

    def clean(self, raw):
        run('fsck.vfat', '-n', raw)


class Disk:
    """base.vhd with two children; wanted: what the leaf must hold."""
    def __init__(self, fs):
        self.fs, self.wanted = fs, make_files('first', 1)
        fs.make('new.raw', 'first')
        vhdtool('convert', '-f', 'raw', '-O', 'dynamic', 'new.raw',
                'base.vhd')
        self.layer(2, 'base.vhd', 'middle.vhd')
        self.layer(3, 'middle.vhd', 'leaf.vhd')
        self.digest = sha256_file('new.raw')

    def layer(self, seed, parent, child):
        """More files, one less where the tools can, in a new layer."""
        more = make_files(f'more{seed}', seed, 6)
        if hasattr(self.fs, 'remove'):
            self.fs.remove('new.raw', f's1_{seed}.bin')
            del self.wanted[f's1_{seed}.bin']
        self.fs.add('new.raw', f'more{seed}', sorted(more))
        self.wanted.update(more)
        make_diff(parent, 'new.raw', child)

    def holds(self, path, grown=False):
        raw = to_raw(path)
        equal(Chain(path).sha256(), sha256_file(raw), f'{path}: oracle')
        if grown:  # what was added must be zero, and no part of it
            with open(raw, 'r+b') as f:
                f.seek(SIZE)
                equal(any(f.read()), False, f'{path}: data in what was added')
                f.truncate(SIZE)
        equal(sha256_file(raw), self.digest, f'{path}: content')
        self.fs.clean(raw)
        for name, data in self.wanted.items():
            if self.fs.read(raw, name) != data:
                equal('another content', 'the same', f'{path}: {name}')


def through_jobs(fs):
    disk = Disk(fs)
    disk.holds('leaf.vhd')
    vhdtool('convert', '-O', 'fixed', 'leaf.vhd', 'fixed.vhd')
    disk.holds('fixed.vhd')
    vhdtool('compact', '--mode', 'repack', 'base.vhd', expect=None)
    disk.holds('leaf.vhd')
    vhdtool('merge', 'leaf.vhd')
    disk.holds('leaf.vhd')
    vhdtool('compact', 'leaf.vhd')
    disk.holds('leaf.vhd')
    vhdtool('merge', 'leaf.vhd')
    vhdtool('compact', '--mode', 'repack', 'leaf.vhd')
    disk.holds('leaf.vhd')
    vhdtool('resize', 'leaf.vhd', '+8M')
    disk.holds('leaf.vhd', grown=True)


@claim('ext4 lives through layers, merge, compact, convert and resize',
       'mkfs.ext4', 'debugfs', 'e2fsck')
def _():
    through_jobs(Ext4())


@claim('NTFS lives through the same', 'mkfs.ntfs', 'ntfscp', 'ntfscat',
       'ntfsfix')
def _():
    through_jobs(Ntfs())


@claim('FAT lives through the same', 'mkfs.vfat', 'mcopy', 'fsck.vfat')
def _():
    through_jobs(Fat())


@claim('an empty FAT disk stays clean', 'mkfs.vfat', 'fsck.vfat')
def _():
    with open('x.raw', 'wb') as f:
        f.truncate(SIZE)
    run('mkfs.vfat', 'x.raw')
    for kind in ('dynamic', 'fixed'):
        vhdtool('convert', '-f', 'raw', '-O', kind, 'x.raw', f'{kind}.vhd')
        raw = to_raw(f'{kind}.vhd')
        equal(sha256_file(raw), sha256_file('x.raw'), kind)
        run('fsck.vfat', '-n', raw)


@claim('a grown ext4 disk takes resize2fs', 'mkfs.ext4', 'resize2fs',
       'e2fsck')
def _():
    disk = Disk(Ext4())
    vhdtool('merge', 'leaf.vhd')
    vhdtool('merge', 'leaf.vhd')
    vhdtool('resize', 'leaf.vhd', '+24M')
    raw = to_raw('leaf.vhd')
    run('resize2fs', '-f', raw)
    equal(os.path.getsize(raw), SIZE + 24 * MiB, 'size')
    disk.fs.clean(raw)
    vhdtool('convert', '-f', 'raw', '-O', 'dynamic', raw, 'grown.vhd')
    disk.digest = sha256_file(raw)
    disk.holds('grown.vhd')


@claim('rebase to a flat copy keeps the file system', 'mkfs.ext4', 'e2fsck',
       'debugfs')
def _():
    disk = Disk(Ext4())
    vhdtool('convert', '-O', 'dynamic', 'middle.vhd', 'flat.vhd')
    vhdtool('rebase', '--parent', 'flat.vhd', 'leaf.vhd')
    os.unlink('base.vhd')
    os.unlink('middle.vhd')
    disk.holds('leaf.vhd')


@claim('punched space of a base returns to the host', 'mkfs.ext4', 'debugfs')
def _():
    make_files('first', 1)
    Ext4().make('x.raw', 'first')
    run('dd', 'if=/dev/urandom', 'of=big', 'bs=1M', 'count=16')
    run('debugfs', '-w', '-R', 'write big big', 'x.raw')
    vhdtool('convert', '-f', 'raw', '-O', 'dynamic', 'x.raw', 'base.vhd')
    shutil.copy('x.raw', 'new.raw')
    with open('new.raw', 'r+b') as f:  # as a guest's zero-fill would
        for at in range(SIZE // 2, SIZE, MiB):
            f.seek(at)
            f.write(bytes(MiB))
    make_diff('base.vhd', 'new.raw', 'leaf.vhd', grain=4 * KiB)
    want = Chain('leaf.vhd').sha256()
    vhdtool('merge', 'leaf.vhd')
    before = os.path.getsize('leaf.vhd')
    vhdtool('compact', '--mode', 'repack', 'leaf.vhd')
    equal(Chain('leaf.vhd').sha256(), want, 'content')
    after = os.path.getsize('leaf.vhd')
    equal(after <= before, True, f'smaller: {before} to {after}')


need_vhdtool()
main()
