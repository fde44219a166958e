# SPDX-License-Identifier: BSD-3-Clause
"""jobs.py - merge, compact, check, open, reads and scans, against what the
machine can do at all and against qemu-img.

The files lie on a file system with a disk below it, because making things
durable is part of the work: for root an ext4 in a file of its own, else, and
with --disk, a directory.  Everything is in the page cache, and written back,
when a clock starts.
"""
import atexit
import os
import shutil
import sys
import tempfile
import threading
import time

import mounts
from harness import GiB, MiB, Case, Goal, Limit, Skip, have, run

READS = 250000  # by each thread, for each second asked for


def rate(size, seconds, cpu=0):
    return {'mib_s': size / MiB / seconds, 'seconds': seconds,
            'cpu_s': cpu}


class Peak(threading.Thread):
    """The most space a directory takes while something runs."""
    def __init__(self, place):
        super().__init__()
        self.place, self.peak, self.over = place, 0, threading.Event()

    def now(self):
        total = 0
        for entry in os.scandir(self.place):
            try:
                total += entry.stat(follow_symlinks=False).st_blocks * 512
            except FileNotFoundError:
                pass
        return total

    def run(self):
        while not self.over.wait(0.002):
            self.peak = max(self.peak, self.now())

    def __enter__(self):
        self.peak = self.now()
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


class Workshop:
    """Disks in one directory, made when they are first needed."""
    def __init__(self, options, memory, place=None):
        self.options = options
        self.tool, self.prims = options.vhdtool, options.prims
        self.size = options.size * MiB
        self.memory, self.place = memory, place

    def path(self, name):
        if not self.place:
            self.place = self.new_place()
        return os.path.join(self.place, name)

    def new_place(self):
        if not self.options.disk and os.geteuid() == 0:
            try:
                return mounts.Mounted('ext4', 16 * self.size + GiB,
                                      self.options.images).place
            except Skip as why:
                print(f'on the file system as it is: {why}', file=sys.stderr)
        place = tempfile.mkdtemp(prefix='vhd-bench.', dir=self.options.disk or
                                 self.options.images)
        atexit.register(shutil.rmtree, place, True)
        return place

    def once(self, name, make):
        path = self.path(name)
        if not os.path.exists(path):
            make(path)
        return path

    def create(self, path, *more):
        run(self.tool, 'create', path, *more)
        return path

    def full(self, path, times=1):
        """A dynamic disk with every block in use."""
        self.create(path, times * self.size)
        run(self.prims, 'fill', path, 0, times * self.size // (2 * MiB))

    def raw(self, path, times=1):
        data = os.urandom(2 * MiB)
        with open(path, 'wb') as f:
            for _ in range(times * self.size // len(data)):
                f.write(data)

    def timed(self, *words):
        """Seconds a command takes, of the clock and of processors, and the
        most memory it had."""
        seconds, cpu, memory = run(self.prims, 'run', *words).split()
        return float(seconds), float(cpu), int(memory)

    def child(self, parent, name='child.vhd'):
        path = self.path(name)
        if os.path.exists(path):
            os.unlink(path)
        return self.create(path, '--parent', parent)

    def merge(self, child, *more):
        os.sync()
        return self.timed(self.tool, 'merge', '--at-parent', *more, child)


# ---- Merge ----

def merge_full(shop):
    """All blocks of a child into an allocated parent."""
    parent = shop.once('full.vhd', shop.full)
    child = shop.child(parent)
    run(shop.prims, 'fill', child, 0, shop.size // (2 * MiB))
    return rate(shop.size, *shop.merge(child)[:2])


def copy_full(shop):
    source = shop.once('source.raw', shop.raw)
    target = shop.once('target.raw', shop.raw)
    os.sync()
    return rate(shop.size, *shop.timed(
        'dd', f'if={source}', f'of={target}', 'bs=2M',
        'conv=notrunc,fdatasync', 'status=none')[:2])


def commit_full(shop):
    have('qemu-img', 'qemu-io')

    def base(path):
        run('qemu-img', 'convert', '-O', 'qcow2',
            shop.once('source.raw', shop.raw), path)
    parent = shop.once('full.qcow2', base)
    child = shop.path('child.qcow2')
    run('qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b',
        parent, child)
    run('qemu-io', '-c', f'write -q -P 90 0 {shop.size}', child)
    os.sync()
    return rate(shop.size, *shop.timed('qemu-img', 'commit', '-q', child)[:2])


def coalesce_full(shop):
    have('vhd-util')
    parent = shop.once('full.vhd', shop.full)
    child = shop.child(parent)
    run(shop.prims, 'fill', child, 0, shop.size // (2 * MiB))
    os.sync()
    return rate(shop.size, *shop.timed('vhd-util', 'coalesce', '-n', child)[:2])


def wide(shop):
    """The disk that pages are scattered over: bytes, and how many pages."""
    return 2 * shop.size, 2 * shop.size // (128 << 10)


def scattered_child(shop):
    parent = shop.once('wide.vhd', lambda path: shop.full(path, 2))
    child = shop.child(parent)
    run(shop.prims, 'scatter', child, *wide(shop), 1)
    return child


def merge_scattered(shop):
    return rate(wide(shop)[1] * 4096,
                *shop.merge(scattered_child(shop))[:2])


def coalesce_scattered(shop):
    have('vhd-util')
    child = scattered_child(shop)
    os.sync()
    return rate(wide(shop)[1] * 4096, *shop.timed('vhd-util', 'coalesce', '-n',
                                             child)[:2])


def write_scattered(shop):
    target = shop.once('wide.raw', lambda path: shop.raw(path, 2))
    os.sync()
    return rate(wide(shop)[1] * 4096, float(
        run(shop.prims, 'scatter-raw', target, *wide(shop), 1)))


def layers(shop):
    """Nine children, each over half of what the one before has."""
    blocks = shop.size // (2 * MiB)
    step = blocks // 10
    return [(i * step, 2 * step) for i in range(9)], 10 * step


def merge_layers(shop):
    root = parent = shop.once('full.vhd', shop.full)
    parts, union = layers(shop)
    for i, (first, count) in enumerate(parts):
        parent = shop.child(parent, f'layer{i}.vhd')
        run(shop.prims, 'fill', parent, first, count)
    return rate(union * 2 * MiB, *shop.merge(parent, '--into', root)[:2])


def merge_union(shop):
    parent = shop.once('full.vhd', shop.full)
    _, union = layers(shop)
    child = shop.child(parent)
    run(shop.prims, 'fill', child, 0, union)
    return rate(union * 2 * MiB, *shop.merge(child)[:2])


def copy_union(shop):
    source = shop.once('source.raw', shop.raw)
    target = shop.once('target.raw', shop.raw)
    _, union = layers(shop)
    os.sync()
    return rate(union * 2 * MiB, *shop.timed(
        'dd', f'if={source}', f'of={target}', 'bs=2M', f'count={union}',
        'conv=notrunc,fdatasync', 'status=none')[:2])


def merge_space(shop):
    """Into an empty parent, so that every block is new there."""
    place = shop.path('space')
    shutil.rmtree(place, True)
    os.mkdir(place)
    parent = shop.create(os.path.join(place, 'parent.vhd'), shop.size)
    child = shop.create(os.path.join(place, 'child.vhd'), '--parent', parent)
    run(shop.prims, 'fill', child, 0, shop.size // (2 * MiB))
    os.sync()
    with Peak(place) as peak:
        before = peak.now()
        seconds, cpu, _ = shop.timed(shop.tool, 'merge', '--at-parent', child)
        after = peak.now()
    shutil.rmtree(place)
    return {**rate(shop.size, seconds, cpu),
            'extra': peak.peak - max(before, after)}


def merge_on(shop, kind):
    with mounts.Mounted(kind, 4 * shop.size + GiB,
                        shop.options.images) as place:
        return merge_full(Workshop(shop.options, shop.memory, place))


# ---- Compact, check, open, reads, scans ----

def compacted(shop):
    """A disk of 100 GiB, every second of its blocks zero"""
    path = shop.path('sparse.vhd')
    if os.path.exists(path):
        os.unlink(path)
    shop.create(path, 100 * GiB)
    count = shop.size // (2 * MiB)
    for i in range(0, count, 32):
        at = i * (50000 // count)
        run(shop.prims, 'fill', path, at, 16)
        run(shop.prims, 'fill', path, at + 16, 16, 'zero')
    os.sync()
    return path


def compact(shop):
    path = compacted(shop)
    return rate(shop.size, *shop.timed(shop.tool, 'compact', '--mode', 'punch',
                                  path)[:2])


def cat(shop):
    path = compacted(shop)
    return rate(shop.size, *shop.timed('cat', path)[:2])


def blocks_of_huge(shop):
    """As many as a VHD can have, unless a quick run is wanted."""
    return min(1044480, 1020 * shop.options.size)


def huge(shop):
    """Its bitmaps take 4 GiB, in a million places: to write them to a disk
    can take minutes, so this one lies in memory."""
    path = os.path.join(shop.memory, 'huge.vhd')
    if not os.path.exists(path):
        shop.create(path, blocks_of_huge(shop) * 2 * MiB)
        run(shop.prims, 'allocate', path)
    return path


def check(shop, *more):
    seconds, cpu, memory = shop.timed(shop.tool, 'check', *more, huge(shop))
    return {'seconds': seconds, 'cpu_s': cpu, 'rss': memory}


def in_process(shop, *words):
    """Two numbers from prims: seconds of the clock, and of processors."""
    wall, cpu = (float(x) for x in run(shop.prims, *words).split())
    return {'ms': wall * 1000, 'cpu_ms': cpu * 1000}


def chain(shop, depth, size, runs):
    """The top of a chain: a full root (or an empty one, of a disk that is
    larger), and runs of a page, scattered, in each layer."""
    def make(path):
        shop.create(path, size)
        if size <= GiB:
            run(shop.prims, 'fill', path, 0, size // (2 * MiB))
        run(shop.prims, 'stack', path, size, runs, depth)
    return shop.once(f'chain{depth}-{size >> 20}.vhd', make)


def reads(shop, kind, path, size, threads=1):
    count = int(READS * shop.options.seconds)
    wall, cpu = (float(x) for x in run(shop.prims, 'read', kind, path, size,
                                       threads, count).split())
    return {'iops': count * threads / wall,
            'cpu_us': cpu * 1e6 / count / threads}


def family(shop):
    def make(path):
        root = shop.create(shop.path('root.vhd'), 100 * MiB)
        child = shop.create(shop.path('leaf.vhd'), '--parent', root)
        os.mkdir(path)
        run(shop.prims, 'family', path, root, child, 10000)
    return shop.once('family', make)


def tree(shop):
    seconds, cpu, memory = shop.timed(shop.tool, 'tree', '--json', family(shop))
    return {'ms': seconds * 1000, 'cpu_ms': cpu * 1000, 'rss': memory}


def inspect(shop):
    path = shop.once('small.vhd', lambda p: shop.create(p, 100 * MiB))
    seconds, cpu, memory = min(
        shop.timed(shop.tool, 'inspect', '--json', path) for _ in range(10))
    return {'ms': seconds * 1000, 'cpu_ms': cpu * 1000, 'rss': memory}


COPY = ('mib_s', 'seconds', 'cpu_s')
LOOK = ('seconds', 'cpu_s', 'rss')
READ = ('iops', 'cpu_us')


def merge_cases(shop, bind):
    return [
        Case('merge-full',
             f'{shop.size >> 20} MiB of full blocks into an allocated parent',
             {'libvhd': bind(merge_full), 'dd': bind(copy_full),
              'qemu-img-commit': bind(commit_full),
              'vhd-util': bind(coalesce_full)},
             [Goal('libvhd', 0.9, 'dd', 'mib_s'),
              Goal('libvhd', 1.3, 'qemu-img-commit', 'mib_s'),
              Goal('libvhd', 3, 'vhd-util', 'mib_s')], COPY),
        Case('merge-scattered',
             f'{wide(shop)[1]} runs of 4 KiB in a disk of '
             f'{wide(shop)[0] >> 20} MiB; pwrite in the order of the disk',
             {'libvhd': bind(merge_scattered),
              'pwrite': bind(write_scattered),
              'vhd-util': bind(coalesce_scattered)},
             [Goal('libvhd', 0.25, 'pwrite', 'mib_s'),
              Goal('libvhd', 8, 'vhd-util', 'mib_s')], COPY),
        Case('merge-reflink',
             'the same full blocks on file systems that share extents',
             {'ext4': bind(merge_full), 'btrfs': bind(merge_on, 'btrfs'),
              'xfs': bind(merge_on, 'xfs')},
             [Goal('btrfs', 15, 'ext4', 'mib_s'),
              Goal('xfs', 15, 'ext4', 'mib_s')], COPY),
        Case('merge-layers',
             'ten layers into the root; one layer with their union; dd of '
             'the union',
             {'libvhd': bind(merge_layers), 'one-layer': bind(merge_union),
              'dd': bind(copy_union)},
             [Goal('libvhd', 1 / 1.1, 'one-layer', 'mib_s'),
              Goal('libvhd', 1 / 1.1, 'dd', 'mib_s')], COPY),
        Case('merge-space',
             'space beyond the larger of before and after, into an empty '
             'parent',
             {'libvhd': bind(merge_space)},
             [Limit('libvhd', 64 * MiB, 'extra')], COPY + ('extra',)),
    ]


def other_cases(shop, bind):
    small = min(shop.size, 512 * MiB)
    top = lambda depth: chain(shop, depth, small, 64)
    at = lambda depth: lambda: reads(shop, 'vhd', top(depth), small)
    raw = lambda: shop.once('source.raw', shop.raw)
    deep = lambda: chain(shop, 100, 100 * GiB, 8)
    return [
        Case('compact',
             'punch a disk of 100 GiB whose every second stored block is '
             'zero; cat of the same file',
             {'libvhd': bind(compact), 'cat': bind(cat)},
             [Goal('libvhd', 0.9, 'cat', 'mib_s')], COPY),
        Case('check',
             f'{blocks_of_huge(shop) >> 9} GiB, all {blocks_of_huge(shop)} blocks '
             'there: table only, and bitmaps and data (holes)',
             {'table': bind(check, '--no-data'), 'all': bind(check)},
             [Limit('table', 3, 'seconds'), Limit('all', 30, 'seconds'),
              Limit('table', 64 * MiB, 'rss'), Limit('all', 64 * MiB, 'rss')],
             LOOK),
        Case('open',
             'that image, and reading as many bytes as its table has; a '
             'chain of 100 disks of 100 GiB',
             {'huge': lambda: in_process(shop, 'open', huge(shop)),
              'its-table': lambda: in_process(shop, 'table', huge(shop),
                                              4 * blocks_of_huge(shop)),
              'deep': lambda: in_process(shop, 'open', deep())},
             [Limit('huge', 10, 'ms'), Limit('deep', 100, 'ms')],
             ('ms', 'cpu_ms')),
        Case('read-depth',
             '4 KiB random reads in process, scattered runs in every layer',
             {'depth-1': at(1), 'depth-32': at(32), 'depth-100': at(100)},
             [Goal('depth-32', 0.95, 'depth-1'),
              Goal('depth-100', 0.95, 'depth-1')], READ),
        Case('read',
             '4 KiB random reads in process, one thread and two, libvhd and '
             'pread of a raw file',
             {'libvhd': at(1),
              'pread': lambda: reads(shop, 'raw', raw(), small),
              'libvhd-2': lambda: reads(shop, 'vhd', top(1), small, 2),
              'pread-2': lambda: reads(shop, 'raw', raw(), small, 2)},
             [Goal('libvhd', 0.9, 'pread'),
              Goal('libvhd-2', 0.9, 'pread-2'),
              Goal('libvhd-2', 1.7, 'libvhd')], READ),
        Case('tree', '10,000 images in one directory',
             {'libvhd': bind(tree)}, [Limit('libvhd', 1500, 'ms')],
             ('ms', 'cpu_ms', 'rss')),
        Case('inspect', 'inspect --json of one image, from exec to exit',
             {'libvhd': bind(inspect)}, [Limit('libvhd', 5, 'ms')],
             ('ms', 'cpu_ms', 'rss')),
    ]


def cases(place, options):
    """Every case of jobs."""
    have('dd', 'cat')
    shop = Workshop(options, place)

    def bind(function, *more):
        return lambda: function(shop, *more)
    return merge_cases(shop, bind) + other_cases(shop, bind)
