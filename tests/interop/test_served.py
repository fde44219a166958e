# SPDX-License-Identifier: BSD-3-Clause
"""Odd layouts and random chains are served over NBD as the oracle reads
them, and what a client writes is where the oracle looks for it."""
import os
import random

import vhdcheck
from interop import (PLUGIN, Failed, claim, equal, folder, main, memory,
                     need_plugin, run, true)
from layouts import LAYOUTS, READ_ONLY
from refvhd import KiB, MiB, SECTOR, Chain, sha256_file
from vhdmake import Recipe


def serve(path, command, read_only=False):
    return run('nbdkit', '-U', '-', *(['-r'] if read_only else []), PLUGIN,
               f'file={path}', *(['readonly=true'] if read_only else []),
               '--run', command)


def each(names):
    for name in names:
        with folder(name) as path:
            LAYOUTS[name](os.path.join(path, 'x.vhd'))
            yield name


def collect(names, function):
    failures = []
    for name in each(names):
        try:
            function(name)
        except Exception as e:  # noqa: all of them are wanted
            failures.append(f'{name}: {type(e).__name__}: {e}')
    true(not failures, f'{len(failures)} of them:\n  ' +
         '\n  '.join(failures))


def serious(path):
    return [f for f in vhdcheck.check(path) if f[1] in ('error', 'fatal')]


class Writer:
    """Random commands of qemu-io, and what the disk holds afterwards."""
    def __init__(self, data, seed):
        self.rnd, self.data, self.commands = \
            random.Random(seed), bytearray(data), []

    def write(self):
        rnd, size = self.rnd, len(self.data)
        unit = rnd.choice([1, SECTOR, 4 * KiB])
        at = rnd.randrange(size) // unit * unit
        n = max(1, min(rnd.randrange(1, 300 * KiB) // unit * unit,
                       size - at))
        kind = rnd.choice(['write', 'write', 'write -f', 'write -z',
                           'write -z -u'])
        byte = rnd.randrange(1, 256)
        if '-z' in kind:
            self.data[at:at + n] = bytes(n)
            self.commands.append(f'{kind} {at} {n}')
        else:
            self.data[at:at + n] = bytes([byte]) * n
            self.commands.append(f'{kind} -P {byte} {at} {n}')
        if rnd.random() < .2:
            self.commands.append('flush')

    def run(self, path):
        shell = ' '.join(f'-c "{c}"' for c in self.commands)
        serve(path, f'qemu-io -f raw {shell} "$uri"')


@claim(f'{len(LAYOUTS)} layouts are served as the oracle reads them',
       'nbdkit', 'nbdcopy')
def _():
    def one(_name):
        serve('x.vhd', 'nbdcopy "$uri" out.raw', read_only=True)
        equal(sha256_file('out.raw'), Chain('x.vhd').sha256(), 'content')
    collect(LAYOUTS, one)


@claim('what a client writes to them is what the oracle then reads',
       'nbdkit', 'qemu-io')
def _():
    def one(name):
        writer = Writer(Chain('x.vhd').read(), name)
        for _ in range(25):
            writer.write()
        writer.run('x.vhd')
        if Chain('x.vhd').read() != writer.data:
            raise Failed('other content; ' + '; '.join(writer.commands))
        equal(serious('x.vhd'), [], 'check')
        if os.path.exists('base.vhd'):
            equal(serious('base.vhd'), [], 'check of the parent')
    collect([n for n in LAYOUTS if n not in READ_ONLY], one)


@claim('a parent is not touched by writes to its child', 'nbdkit', 'qemu-io')
def _():
    Recipe(size=5 * MiB).write(0, 3 * MiB, 1).write_file('base.vhd')
    Recipe('differencing', 5 * MiB, parent='base.vhd').write_file('x.vhd')
    before = sha256_file('base.vhd'), os.stat('base.vhd').st_mtime_ns
    writer = Writer(Chain('x.vhd').read(), 1)
    for _ in range(30):
        writer.write()
    writer.run('x.vhd')
    true(Chain('x.vhd').read() == writer.data, 'content')
    equal((sha256_file('base.vhd'), os.stat('base.vhd').st_mtime_ns), before,
          'the parent, and its time')


@claim('a file system made over NBD in a chain is clean', 'nbdkit',
       'qemu-img', 'mkfs.ext4', 'e2fsck', 'nbdcopy')
def _():
    os.mkdir('files')
    for i in range(20):
        with open(f'files/{i}', 'wb') as f:
            f.write(os.urandom(10000 * i))
    with open('fs.raw', 'wb') as f:
        f.truncate(24 * MiB)
    run('mkfs.ext4', '-q', '-F', '-d', 'files', 'fs.raw')
    Recipe(size=24 * MiB).write(0, 20 * MiB, 1).write_file('base.vhd')
    Recipe('differencing', 24 * MiB, parent='base.vhd').write_file('x.vhd')
    serve('x.vhd', 'nbdcopy fs.raw "$uri"')
    Chain('x.vhd').to_raw('out.raw')
    equal(sha256_file('out.raw'), sha256_file('fs.raw'), 'content')
    run('e2fsck', '-fn', 'out.raw')


need_plugin()
main(memory())
