# SPDX-License-Identifier: BSD-3-Clause
"""Images made by Windows, Hyper-V, VirtualBox, XenServer, QEMU and FreeBSD
read as their README and the oracle say."""
import os
import re

import samples
from interop import (claim, equal, main, need_images, need_vhdtool, run, true,
                     vhdtool, vhdtool_json)
from refvhd import Chain, info, sha256_file

SMALL = 2 << 30


def each():
    samples.unpack_all()
    for name, kind, size, content in samples.rows():
        yield re.sub(r'\.(bz2|gz)$', '', name), kind, size, content


def holes_only(path):
    """No data at all, as the file system tells."""
    with open(path, 'rb') as f:
        try:
            os.lseek(f.fileno(), 0, os.SEEK_DATA)
        except OSError:
            return True
    return False


@claim('convert -O raw gives the content the README says')
def _():
    for path, _kind, size, content in each():
        vhdtool('convert', '-O', 'raw', path, 'out.raw')
        equal(os.path.getsize('out.raw'), size, f'{path}: size')
        if size < SMALL:
            want = content or Chain(path).sha256()
            equal(sha256_file('out.raw'), want, f'{path}: content')
        else:
            true(holes_only('out.raw'), f'{path}: all zero, so all holes')
        os.unlink('out.raw')


@claim('convert to stdout gives the same bytes')
def _():
    for path, _kind, size, _content in each():
        if size < 64 << 20:
            done = vhdtool('convert', '-O', 'raw', path, '-')
            true(done.stdout == Chain(path).read(), f'{path}: stdout')


@claim('inspect agrees with the oracle')
def _():
    for path, kind, size, _content in each():
        ours, want = vhdtool_json('inspect', '--json', path), info(path)
        equal((ours['type'], ours['virtual-size']), (kind, size), path)
        for key in ('file-length', 'block-size', 'blocks-total',
                    'blocks-allocated', 'uuid', 'geometry'):
            equal(ours[key], want[key], f'{path}: {key}')
        equal(ours['format'], 'vhd', f'{path}: format')


@claim('--size-from-chs gives the sizes that QEMU shows')
def _():
    samples.unpack_all()
    for path, size in (('virtualpc-dynamic.vhd', 136363130880),
                       ('vbox.vhd', 41909760)):
        vhdtool('convert', '--size-from-chs', '-O', 'raw', path, 'out.raw')
        equal(os.path.getsize('out.raw'), size, path)
        os.unlink('out.raw')


@claim('check finds no error in them')
def _():
    for path, _kind, _size, _content in each():
        result = vhdtool_json('check', '--json', path)
        bad = [f for f in result['findings'] if f['severity'] in
               ('error', 'fatal')]
        equal((result['errors'], bad), (0, []), path)


@claim('a child is found its parent, and says which is missing')
def _():
    samples.unpack_all()
    ours = vhdtool_json('inspect', '--chain', '--json', 'win8-child.vhd')
    equal([os.path.basename(i['filename']) for i in ours],
          ['win8-child.vhd', 'win8.vhd'], 'the chain')
    equal(ours[0]['parent-status'], 'ok', 'parent-status')
    os.mkdir('alone')
    os.rename('win8-child.vhd', 'alone/win8-child.vhd')
    ours = vhdtool_json('inspect', '--json', 'alone/win8-child.vhd')
    equal(ours['parent-status'], 'missing', 'parent-status alone')
    done = vhdtool('convert', '-O', 'raw', 'alone/win8-child.vhd', 'out.raw',
                   expect=6)
    true(b'win8.vhd' in done.stderr, f'the parent is named: {done.stderr}')
    true(not os.path.exists('out.raw'), 'nothing was written')


@claim('reading changes no byte and no time of a file')
def _():
    paths = [row[0] for row in each()]
    before = {p: (os.stat(p).st_mtime_ns, sha256_file(p)) for p in paths}
    for path in paths:
        for command in (['inspect', path], ['check', path], ['map', path],
                        ['measure', path], ['tree', '.']):
            vhdtool(*command, expect=None)
    after = {p: (os.stat(p).st_mtime_ns, sha256_file(p)) for p in paths}
    equal(after, before, 'times and hashes')


@claim('a VHDX is refused by name')
def _():
    samples.unpack_all()
    for command in (['inspect'], ['convert', '-O', 'raw']):
        args = ['iotest-dynamic-1G.vhdx'] + ['x.raw'] * (len(command) > 1)
        done = vhdtool(*command, *args, expect=1)
        true(b'VHDX' in done.stderr and
             b'iotest-dynamic-1G.vhdx' in done.stderr,
             f'one sentence that names it: {done.stderr}')
        equal(done.stderr.strip().count(b'\n'), 0, 'one line')


@claim('a footer with a bad checksum is refused by name')
def _():
    samples.unpack_all()
    name = 'win7-dynamic-1023GB-badsum.footer'
    done = vhdtool('inspect', name, expect=1)
    true(name.encode() in done.stderr and b'checksum' in done.stderr,
         f'one sentence that names file and reason: {done.stderr}')


@claim('a footer alone is no image')
def _():
    samples.unpack_all()
    for name in sorted(os.listdir('.')):
        if name.endswith('.footer'):
            done = vhdtool('convert', '-O', 'raw', name, 'x.raw', expect=1)
            true(name.encode() in done.stderr, f'named: {done.stderr}')


@claim('e2fsck finds the ext2 sample clean', 'e2fsck')
def _():
    path = samples.unpack('sleuthkit-ext2.vhd.bz2')
    vhdtool('convert', '-O', 'raw', path, 'out.raw')
    run('e2fsck', '-fn', 'out.raw')


need_vhdtool()
need_images()
main()
