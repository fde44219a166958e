# SPDX-License-Identifier: BSD-3-Clause
"""The largest images, the longest chains and the fullest directories are
opened in bounded memory.  Times are not judged, only that it ends."""
import os

from interop import (VHDTOOL, Skipped, claim, equal, main, need_vhdtool,
                     true, vhdtool, vhdtool_json)
from refvhd import GiB, KiB, MiB, Chain, sha256_file
from vhdmake import Recipe

HUGE = 2040 * GiB
BLOCKS = HUGE // (2 * MiB)


def huge(path, **fields):
    """Every block allocated, almost all of it holes in the file."""
    r = Recipe(size=HUGE, all_blocks=True, **fields)
    for n, index in enumerate((0, 1, 77, BLOCKS // 2, BLOCKS - 1)):
        r.block(index, [(0, 8), (4088, 8)], n + 1)
    try:
        return r.write_file(path)
    except OSError as e:
        raise Skipped(f'this file system has no such files: {e}')


def is_sanitized():
    with open(VHDTOOL, 'rb') as f:
        program = f.read()
    return b'__asan_init' in program or b'__tsan_init' in program


def peak(*args):
    """Peak memory of a vhdtool run, bytes."""
    pid = os.posix_spawn(VHDTOOL, [VHDTOOL, *args], os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, '/dev/null', os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    equal(os.waitstatus_to_exitcode(status), 0, f'vhdtool {args}: exit')
    return usage.ru_maxrss * KiB


@claim('an image of 2040 GiB with a million blocks is inspected and mapped')
def _():
    huge('huge.vhd')
    ours = vhdtool_json('inspect', '--json', 'huge.vhd')
    equal((ours['virtual-size'], ours['blocks-allocated']), (HUGE, BLOCKS),
          'size and blocks')
    true(ours['actual-size'] < 64 * MiB, 'the file is almost all holes')
    maps = vhdtool_json('map', '--json', 'huge.vhd')
    data = [(m['start'], m['length']) for m in maps if m['data']]
    equal(data[:4], [(0, 4 * KiB), (2 * MiB - 4 * KiB, 4 * KiB),
                     (2 * MiB, 4 * KiB), (4 * MiB - 4 * KiB, 4 * KiB)],
          'the runs of the first two blocks')
    equal(data[-1], (HUGE - 4 * KiB, 4 * KiB), 'the last run')


@claim('opening it takes its table of 4 MiB and 4 MiB more at most')
def _():
    if is_sanitized():
        raise Skipped('a sanitizer is in the way')
    huge('huge.vhd')
    vhdtool('create', 'small.vhd', '3M')
    base = peak('inspect', 'small.vhd')
    used = peak('inspect', 'huge.vhd')
    true(used - base <= 8 * MiB, f'{used - base} bytes more than for a small '
         'one, at most 8388608 expected')


@claim('check walks through a million blocks')
def _():
    huge('huge.vhd')
    result = vhdtool_json('check', '--json', 'huge.vhd')
    equal(result['errors'], 0, f'errors: {str(result["findings"])[:500]}')


@claim('check finds two blocks of a million that overlap')
def _():
    huge('huge.vhd')
    with open('huge.vhd', 'r+b') as f:
        f.seek(0x600 + 4 * 5)
        entry = f.read(4)
        f.seek(0x600 + 4 * (BLOCKS - 7))
        f.write(entry)
    result = vhdtool_json('check', '--json', 'huge.vhd', expect=3)
    found = [f for f in result['findings'] if f['code'] == 'V73']
    equal(len(found), 1, f'V73 in {str(result["findings"])[:500]}')
    true(str(BLOCKS - 7) in found[0]['message'], found[0]['message'])


@claim('a child of the largest disk is created, merged and measured')
def _():
    huge('huge.vhd')
    r = Recipe('differencing', HUGE, parent='huge.vhd')
    r.write(HUGE - 2 * MiB + 4 * KiB, 8 * KiB, 9).write_file('child.vhd')
    plan = vhdtool_json('merge', '--dry-run', '--json', 'child.vhd')
    true(0 < plan['bytes-to-copy'] <= 2 * MiB, f'{plan}')
    vhdtool('merge', 'child.vhd')
    chain = Chain('child.vhd')
    last = list(chain.layers[0].runs(chain.size // 512 - 4096, 4096))
    equal([(n, bool(at)) for _, n, at in last],
          [(24, True), (4064, False), (8, True)], 'sectors of the last block')


def tower(depth):
    """A chain with one sector of its own in each layer."""
    parent = None
    for k in range(depth):
        r = Recipe('differencing' if parent else 'dynamic', 4 * MiB,
                   parent=parent, block_size=512 * KiB)
        r.write(k * 37 % 4000 * KiB, 1024, k + 1)
        parent = r.write_file(f'layer{k:03}.vhd')
    return parent


@claim('a chain of 100 is read, measured, checked and merged into one')
def _():
    leaf = tower(100)
    want = Chain(leaf).sha256()
    layers = vhdtool_json('inspect', '--chain', '--json', leaf)
    equal([os.path.basename(i['filename']) for i in layers],
          [f'layer{k:03}.vhd' for k in range(99, -1, -1)], 'the layers')
    vhdtool('convert', '-O', 'raw', leaf, 'x.raw')
    equal(sha256_file('x.raw'), want, 'content')
    equal(vhdtool_json('check', '--chain', '--json', leaf)['errors'], 0,
          'errors')
    vhdtool('merge', '--into', 'layer000.vhd', leaf)
    equal(sorted(n for n in os.listdir('.') if n.endswith('.vhd')), [leaf],
          'what is left')
    equal(Chain(leaf).sha256(), want, 'content after the merge')


@claim('a chain beyond 256 is refused, not followed')
def _():
    leaf = tower(258)
    done = vhdtool('convert', '-O', 'raw', leaf, 'x.raw', expect=None)
    true(done.returncode in (1, 6, 7), f'exit {done.returncode}')
    true(b'256' in done.stderr, f'the limit is named: {done.stderr}')


@claim('tree shows a directory of 1,000 images')
def _():
    for k in range(250):
        Recipe(size=MiB).write_file(f'd{k}.vhd')
        for c in 'abc':
            Recipe('differencing', MiB, parent=f'd{k}.vhd').write_file(
                f'd{k}{c}.vhd')
    text = vhdtool('tree', '--json', '.').stdout.decode()
    for k in (0, 131, 249):
        for c in ('', 'a', 'b', 'c'):
            true(f'd{k}{c}.vhd"' in text, f'd{k}{c}.vhd is in the tree')
    equal(text.count('.vhd"') >= 1000, True, 'all of them')
    equal(vhdtool('tree', '.').stdout.count(b'.vhd') >= 1000, True,
          'all of them in text')


need_vhdtool()
main()
