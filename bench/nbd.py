# SPDX-License-Identifier: BSD-3-Clause
"""nbd.py - the nbdkit plugin against nbdkit's file plugin and qemu-nbd.

All disks lie in memory (or in the page cache), so that what is measured is
what the servers do.  Each run has a server of its own.
"""
import os
import random
import subprocess
import time

from harness import GiB, MiB, Case, Goal, Limit, Process, fio, have, run

FILL = os.urandom(16 * MiB)


class Disks:
    """Disk images, made when they are first asked for."""
    def __init__(self, place, vhdtool, plugin, size=GiB):
        self.place, self.vhdtool, self.plugin = place, vhdtool, plugin
        self.size = size

    def path(self, name):
        return os.path.join(self.place, name)

    def once(self, name, make):
        path = self.path(name)
        if not os.path.exists(path):
            make(path)
        return path

    def fresh(self, name, make):
        path = self.path(name)
        if os.path.exists(path):
            os.unlink(path)
        make(path)
        return path

    def through(self, path, command):
        """Run a shell command on "$uri" of a VHD."""
        run('nbdkit', '-U', '-', self.plugin, path, '--run', command)

    # A whole disk of data, in each format.

    def raw(self):
        def make(path):
            with open(path, 'wb') as f:
                for _ in range(self.size // len(FILL)):
                    f.write(FILL)
        return self.once('full.raw', make)

    def vhd(self):
        def make(path):
            self.empty_vhd(path)
            self.through(path, f'nbdcopy {self.raw()} "$uri"')
        return self.once('full.vhd', make)

    def qcow2(self):
        return self.once('full.qcow2', lambda path: run(
            'qemu-img', 'convert', '-O', 'qcow2', self.raw(), path))

    # An empty one.

    def empty_raw(self, path):
        with open(path, 'wb') as f:
            f.truncate(self.size)

    def empty_vhd(self, path):
        run(self.vhdtool, 'create', '--force', path, self.size)

    def empty_qcow2(self, path):
        run('qemu-img', 'create', '-q', '-f', 'qcow2', path, self.size)

    # Chains: a whole disk of data, and in each layer on it writes all over.

    LAYERS = 32

    def writes(self, layer):
        """qemu-io commands for what a layer holds."""
        dice = random.Random(layer)
        words = []
        for _ in range(128):
            at = dice.randrange(self.size // 65536) * 65536
            words.append(f"-c 'write -q -P {layer} {at} 64k'")
        return ' '.join(words)

    def vhd_chain(self):
        def make(path):
            below = self.vhd()
            for i in range(1, self.LAYERS):
                layer = self.path(f'chain-{i}.vhd')
                run(self.vhdtool, 'create', '--force', '--parent', below,
                    layer)
                self.through(layer,
                             f'qemu-io -f raw {self.writes(i)} "$uri"')
                below = layer
            os.rename(below, path)
        return self.once('chain.vhd', make)

    def vhd_flat(self):
        return self.once('flat.vhd', lambda path: run(
            self.vhdtool, 'convert', '--force', self.vhd_chain(), path))

    def qcow2_chain(self):
        def make(path):
            below = self.qcow2()
            for i in range(1, self.LAYERS):
                layer = self.path(f'chain-{i}.qcow2')
                run('qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'qcow2',
                    '-b', below, layer)
                run('sh', '-c', f'qemu-io -f qcow2 {self.writes(i)} {layer}')
                below = layer
            os.rename(below, path)
        return self.once('chain.qcow2', make)

    def qcow2_flat(self):
        return self.once('flat.qcow2', lambda path: run(
            'qemu-img', 'convert', '-O', 'qcow2', self.qcow2_chain(), path))


class Servers:
    """Ours and those of others, each at the same socket."""
    def __init__(self, place, plugin):
        self.socket = os.path.join(place, 'socket')
        self.pidfile = os.path.join(place, 'pid')
        self.uri = f'nbd+unix:///?socket={self.socket}'
        self.plugin = plugin

    def start(self, *words):
        for path in (self.socket, self.pidfile):
            if os.path.exists(path):
                os.unlink(path)
        return Process(words, lambda: os.path.exists(self.pidfile) and
                       os.path.getsize(self.pidfile) > 0)

    def nbdkit(self, *words):
        return self.start('nbdkit', '-f', '-U', self.socket, '-P',
                          self.pidfile, *words)

    def vhd(self, path):
        return self.nbdkit(self.plugin, path)

    def file(self, path):
        return self.nbdkit('file', path)

    def qemu(self, kind):
        def start(path):
            have('qemu-nbd')
            return self.start('qemu-nbd', '-t', '-k', self.socket,
                              f'--pid-file={self.pidfile}',
                              '--discard=unmap', '-f', kind, path)
        return start


def loads(servers, options, size):
    """The words of fio for each kind of load."""
    common = ['--ioengine=nbd', f'--uri={servers.uri}', '--randrepeat=0']
    timed = ['--time_based', f'--runtime={options.seconds}',
             '--norandommap']
    return {
        'randread': common + timed + ['--rw=randread', '--bs=4k',
                                      '--iodepth=32'],
        'randwrite': common + timed + ['--rw=randwrite', '--bs=4k',
                                       '--iodepth=32'],
        # Each place once, so that every write is new.
        'new': common + ['--rw=randwrite', '--bs=4k', '--iodepth=32',
                         f'--io_size={size // 8}'],
        'seqread': common + timed + ['--rw=read', '--bs=1M', '--iodepth=4'],
        'seqwrite': common + timed + ['--rw=write', '--bs=1M',
                                      '--iodepth=4'],
    }


def idle(servers, start, path):
    """What a server of a large disk takes while its client does nothing."""
    with start(path) as server:
        client = subprocess.Popen(
            ['qemu-io', '-f', 'raw', '-c', 'read 1T 64k', '-c', 'sleep 3000',
             servers.uri], stdout=subprocess.DEVNULL)
        time.sleep(1.5)
        rss, anon = server.memory()
        client.kill()
        client.wait()
    return {'rss': rss, 'anon': anon}


def cases(place, options):
    """Every case of NBD."""
    have('nbdkit', 'nbdcopy', 'fio', 'qemu-img', 'qemu-io')
    disks = Disks(place, options.vhdtool, options.plugin,
                  options.size * MiB)
    servers = Servers(place, options.plugin)
    words = loads(servers, options, disks.size)

    def one(start, disk, load):
        def measure():
            path = disk()
            with start(path) as server:
                return fio(server, *words[load])
        return measure

    def new(start, name, make, load):
        return one(start, lambda: disks.fresh(name, make), load)

    ours = lambda load: one(servers.vhd, disks.vhd, load)
    file = lambda load: one(servers.file, disks.raw, load)
    vpc = lambda load: one(servers.qemu('vpc'), disks.vhd, load)
    against_file = [Goal('libvhd', 0.95, 'nbdkit-file')]
    large = lambda path: run(options.vhdtool, 'create', path, '2040G')

    return [
        Case('nbd-randread-4k',
             '4 KiB random reads, 32 in flight, of a dynamic disk',
             {'libvhd': ours('randread'), 'nbdkit-file': file('randread'),
              'qemu-nbd-vpc': vpc('randread'),
              'qemu-nbd-raw': one(servers.qemu('raw'), disks.raw,
                                  'randread'),
              'qemu-nbd-qcow2': one(servers.qemu('qcow2'), disks.qcow2,
                                    'randread')},
             against_file + [Goal('libvhd', 1.5, 'qemu-nbd-vpc')]),
        Case('nbd-randwrite-4k',
             '4 KiB random writes, 32 in flight, to blocks that are there',
             {'libvhd': ours('randwrite'), 'nbdkit-file': file('randwrite'),
              'qemu-nbd-vpc': vpc('randwrite')},
             against_file + [Goal('libvhd', 4, 'qemu-nbd-vpc')]),
        Case('nbd-randwrite-4k-new',
             '4 KiB random writes, 32 in flight, to an empty disk',
             {'libvhd': new(servers.vhd, 'new.vhd', disks.empty_vhd, 'new'),
              'nbdkit-file': new(servers.file, 'new.raw', disks.empty_raw,
                                 'new'),
              'qemu-nbd-vpc': new(servers.qemu('vpc'), 'new.vhd',
                                  disks.empty_vhd, 'new'),
              'qemu-nbd-qcow2': new(servers.qemu('qcow2'), 'new.qcow2',
                                    disks.empty_qcow2, 'new')},
             [Goal('libvhd', 0.6, 'nbdkit-file'),
              Goal('libvhd', 4, 'qemu-nbd-vpc')]),
        Case('nbd-read-1m', '1 MiB reads in order, 4 in flight',
             {'libvhd': ours('seqread'), 'nbdkit-file': file('seqread'),
              'qemu-nbd-vpc': vpc('seqread')},
             against_file, ('mib_s', 'p99_us', 'cpu_us')),
        Case('nbd-write-1m',
             '1 MiB writes in order, 4 in flight, to blocks that are there',
             {'libvhd': ours('seqwrite'), 'nbdkit-file': file('seqwrite'),
              'qemu-nbd-vpc': vpc('seqwrite')},
             against_file, ('mib_s', 'p99_us', 'cpu_us')),
        Case('nbd-chain-randread-4k',
             '4 KiB random reads of 32 images, data scattered over all, '
             'against the same disk in one image',
             {'libvhd': one(servers.vhd, disks.vhd_chain, 'randread'),
              'libvhd-flat': one(servers.vhd, disks.vhd_flat, 'randread'),
              'qemu-nbd-qcow2': one(servers.qemu('qcow2'),
                                    disks.qcow2_chain, 'randread'),
              'qemu-nbd-qcow2-flat': one(servers.qemu('qcow2'),
                                         disks.qcow2_flat, 'randread')},
             [Goal('libvhd', 0.9, 'libvhd-flat')]),
        Case('nbd-idle-memory',
             'memory of a server with a disk of 2040 GiB and a client that '
             'does nothing',
             {'libvhd': lambda: idle(servers, servers.vhd, disks.once(
                 'large.vhd', large)),
              'qemu-nbd-vpc': lambda: idle(servers, servers.qemu('vpc'),
                                           disks.once('large.vhd', large))},
             [Limit('libvhd', 24 * MiB, 'rss')], ('rss', 'anon')),
    ]
