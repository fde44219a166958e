# SPDX-License-Identifier: BSD-3-Clause
"""7-Zip and libvhdi read what we write, chains included."""
import os
import random
import re

from interop import (claim, equal, main, need_vhdtool, run, to_raw, true,
                     vhdtool)
from refvhd import KiB, MiB, SECTOR, Chain, sha256_file
from vhdmake import Recipe

SIZE = 7 * MiB + 4 * KiB


def random_chain(rnd, depth):
    """Layers of any dialect; the path of the leaf."""
    parent = None
    for k in range(depth):
        kind = 'differencing' if parent else rnd.choice(['dynamic', 'fixed'])
        r = Recipe(kind, SIZE, rnd.choice(['win', 'tap', 'vbox', 'vpc']),
                   parent=parent, block_size=rnd.choice([512 * KiB, 2 * MiB]))
        for j in range(rnd.randrange(1, 12)):
            at = rnd.randrange(SIZE // SECTOR)
            n = rnd.randrange(1, min(300, SIZE // SECTOR - at + 1))
            r.write(at * SECTOR, n * SECTOR, rnd.choice([0, k * 100 + j + 1]))
        parent = r.write_file(f'layer{k}.vhd')
    return parent


def seven_zip(path):
    """The content hash by 7-Zip."""
    run('7zz', 'x', '-y', '-oseven', path)
    name, = os.listdir('seven')
    digest = sha256_file('seven/' + name)
    os.unlink('seven/' + name)
    return digest


def agree(path, want=None):
    """The oracle, 7-Zip and we see the same."""
    want = want or Chain(path).sha256()
    equal(Chain(path).sha256(), want, f'{path}: oracle')
    equal(seven_zip(path), want, f'{path}: 7-Zip')
    equal(sha256_file(to_raw(path)), want, f'{path}: vhdtool')
    return want


@claim('7-Zip, the oracle and we agree on random chains', '7zz')
def _():
    for seed in range(12):
        os.mkdir(f's{seed}')
        os.chdir(f's{seed}')
        agree(random_chain(random.Random(seed), 1 + seed % 4))
        os.chdir('..')


@claim('chains that we create, rebase and merge are read by 7-Zip', '7zz')
def _():
    for seed in range(4):
        os.mkdir(f's{seed}')
        os.chdir(f's{seed}')
        rnd = random.Random(seed)
        old = random_chain(rnd, 1)
        os.rename(old, 'old.vhd')
        random_chain(rnd, 2)
        vhdtool('create', '--parent', 'old.vhd', 'child.vhd')
        want = agree('child.vhd')
        vhdtool('rebase', '--parent', 'layer1.vhd', 'child.vhd')
        agree('child.vhd', want)
        vhdtool('merge', 'child.vhd')
        agree('child.vhd', want)
        vhdtool('convert', '-O', 'dynamic', 'child.vhd', 'whole.vhd')
        agree('whole.vhd', want)
        os.chdir('..')


@claim('7-Zip tests and lists what we create', '7zz')
def _():
    for options in ([], ['--type', 'fixed'], ['--block-size', '512K']):
        vhdtool('create', '--force', *options, 'x.vhd', '3M')
        run('7zz', 't', 'x.vhd')
        true(b'3145728' in run('7zz', 'l', 'x.vhd').stdout, 'the size')


@claim('vhdiinfo accepts what we create', 'vhdiinfo')
def _():
    vhdtool('create', 'base.vhd', '10M')
    vhdtool('create', '--parent', 'base.vhd', 'child.vhd')
    vhdtool('create', '--type', 'fixed', 'fixed.vhd', '10M')
    kinds = {'base.vhd': b'Dynamic', 'child.vhd': b'Differential',
             'fixed.vhd': b'Fixed'}
    for path, kind in kinds.items():
        out = run('vhdiinfo', path).stdout
        true(re.search(rb'Disk type\s*: ' + kind, out) and
             b'(10485760 bytes)' in out, f'{path}: {out.decode()}')


need_vhdtool()
main()
