# SPDX-License-Identifier: BSD-3-Clause
"""Random trees of odd images under random commands, kills included: after
each one every image that is left reads as it must, by the oracle.

INTEROP_SEEDS=FIRST-LAST runs other or more seeds than the usual few; the
first failing seed is named, and its commands are shown.
"""
import os
import random
import signal
import subprocess
import time

import vhdcheck
from interop import (VHDTOOL, Failed, claim, equal, folder, main, memory,
                     need_vhdtool, to_raw, vhdtool, vhdtool_json)
from refvhd import KiB, MiB, SECTOR, Chain, Image, sha256_file
from vhdmake import Recipe

STEPS = 14
DIALECTS = ('win', 'win', 'tap', 'vbox', 'vpc', 'caml', 'xo', 'd2v')
LAYOUTS = (None, None, None, 'header@0x200 blocks locators bat footer',
           'header@0x200 bat@0x600 locators gap:70000 blocks gap:9000 footer')


def seeds():
    first, _, last = os.environ.get('INTEROP_SEEDS', '1-10').partition('-')
    return range(int(first), int(last or first) + 1)


class Tree:
    """Images in this directory; what: path -> the bytes its guest sees."""
    def __init__(self, seed):
        self.rnd, self.what, self.parent, self.log = \
            random.Random(seed), {}, {}, []
        self.count = 0
        for _ in range(2):
            self.image(None)
        for _ in range(self.rnd.randrange(2, 6)):
            self.image(self.rnd.choice(sorted(self.what)))

    def name(self):
        self.count += 1
        return f'd{self.count}.vhd'

    def leaves(self):
        return sorted(set(self.what) - set(self.parent.values()))

    def children(self):
        return sorted(p for p in self.leaves() if p in self.parent)

    def ancestors(self, path):
        while path in self.parent:
            path = self.parent[path]
            yield path

    def image(self, parent):
        """One by the oracle, with random content."""
        rnd, path = self.rnd, self.name()
        size = len(self.what[parent]) if parent else \
            rnd.randrange(1, 7000) * SECTOR
        if parent and rnd.random() < 0.15:
            size = rnd.randrange(1, 7000) * SECTOR
        kind = 'differencing' if parent else rnd.choice(['dynamic'] * 4 +
                                                        ['fixed'])
        r = Recipe(kind, size, rnd.choice(DIALECTS), parent=parent,
                   block_size=rnd.choice([2 * MiB, 512 * KiB, 4 * KiB]),
                   align=rnd.choice([None, 512, 4096]))
        if r.dialect not in ('tap', 'caml'):
            r.layout = rnd.choice(LAYOUTS)
        for _ in range(rnd.randrange(0, 10)):
            at = rnd.randrange(size // SECTOR)
            n = min(rnd.choice([1, 7, 64, 600, 5000]), size // SECTOR - at)
            r.write(at * SECTOR, n * SECTOR, rnd.choice([0, 1, 2, 3]) and
                    rnd.randrange(1, 1 << 30))
        r.write_file(path)
        if parent:
            self.parent[path] = parent
        self.what[path] = Chain(path).read()
        self.log.append(f'{path}: {kind} {size} {r.dialect} '
                        f'{r.block_size} of {parent}')

    def run(self, *args, expect=(0,)):
        self.log.append('vhdtool ' + ' '.join(map(str, args)))
        done = vhdtool(*args, expect=None)
        if done.returncode not in expect:
            raise Failed(f'exit {done.returncode}, expected one of {expect}: '
                         f'{done.stderr.decode()}')
        return done.returncode

    def gone(self, path):
        del self.what[path]
        self.parent.pop(path, None)
        if os.path.exists(path):
            raise Failed(f'{path} is still there')

    # -- what may happen; each gives false when there is nothing to do --

    def do_create(self):
        base = self.rnd.choice(sorted(self.what))
        path = self.name()
        self.run('create', '--parent', base, path)
        self.parent[path], self.what[path] = base, self.what[base]

    def do_image(self):
        self.image(self.rnd.choice(sorted(self.what)))

    def alone(self, layers):
        """No other image stands on these parents."""
        return all(list(self.parent.values()).count(p) == 1 for p in layers)

    def merge_target(self):
        """(leaf, the ancestor to merge into, the layers that end)."""
        if not self.children():
            return None
        leaf = self.rnd.choice(self.children())
        up = list(self.ancestors(leaf))
        layers = up[:self.rnd.randrange(1, len(up) + 1)]
        return leaf, layers

    def merged(self, leaf, layers, at_parent):
        grand = self.parent.get(layers[-1])
        content = self.what[leaf]
        for path in [leaf, *layers]:
            del self.what[path]
            self.parent.pop(path, None)
        stays = layers[-1] if at_parent else leaf
        self.what[stays] = content
        if grand:
            self.parent[stays] = grand
        for path in [leaf, *layers]:
            equal(os.path.exists(path), path == stays, f'{path} exists')

    def do_merge(self):
        target = self.merge_target()
        if not target:
            return False
        leaf, layers = target
        at_parent = self.rnd.random() < 0.3
        args = ['merge', *(['--into', layers[-1]] if len(layers) > 1 else []),
                *(['--at-parent'] if at_parent else []), leaf]
        free = self.alone(layers)
        self.run(*args, expect=(0,) if free else (7,))
        if free:
            self.merged(leaf, layers, at_parent)

    def do_killed_merge(self):
        target = self.merge_target()
        if not target or not self.alone(target[1]):
            return False
        leaf, layers = target
        into = ['--into', layers[-1]] if len(layers) > 1 else []
        if self.killed('merge', *into, leaf):
            self.reads_same(leaf)
            self.finish(leaf, layers)
        self.merged(leaf, layers, False)

    def killed(self, *args):
        """Runs a job, slowly, and stops it; false: it was done before."""
        rate = self.rnd.choice(['100K', '1M', '8M', '1G'])
        wait = self.rnd.choice([0, .002, .005, .01, .02, .05, .2])
        how = self.rnd.choice([signal.SIGKILL, signal.SIGTERM])
        args = [*map(str, args), '--rate', rate]
        self.log.append(f'{" ".join(args)}, {how.name} after {wait}')
        job = subprocess.Popen([VHDTOOL, *args], stderr=subprocess.PIPE)
        time.sleep(wait)
        job.send_signal(how)
        _, err = job.communicate()
        allowed = (0, -how, 8) if how == signal.SIGTERM else (0, -how)
        if job.returncode not in allowed:
            raise Failed(f'exit {job.returncode}: {err.decode()}')
        return job.returncode

    def reads_same(self, path):
        if Chain(path).read() != self.what[path]:
            raise Failed(f'{path}: other content after the kill')
        equal(sha256_file(to_raw(path)), Chain(path).sha256(),
              'content by vhdtool after the kill')

    def finish(self, leaf, layers):
        """The same command carries on; once all is done it finds nothing
        more to merge into."""
        into = [] if len(layers) == 1 else ['--into', layers[-1]]
        left = [p for p in layers if os.path.exists(p)]
        hidden = [n for n in os.listdir('.') if '@.merging-' in n]
        if left or hidden:
            self.run('merge', *into, leaf)

    def do_compact(self):
        path = self.rnd.choice(sorted(self.what))
        mode = self.rnd.choice(['punch', 'repack'])
        fixed = Image(path).type == 2
        self.run('compact', '--mode', mode, path,
                 expect=(0,) if path in self.leaves() and not fixed else
                 (0, 1, 7))

    def do_killed_compact(self):
        path = self.rnd.choice(self.leaves())
        if Image(path).type == 2:
            return False
        args = ['compact', '--mode', self.rnd.choice(['punch', 'repack']),
                path]
        if self.killed(*args):
            self.reads_same(path)
            self.run(*args)

    def do_killed_resize(self):
        path = self.rnd.choice(self.leaves())
        size = self.rnd.randrange(1, 9000) * SECTOR
        old = self.what[path]
        new = old[:size].ljust(size, b'\0')
        if self.killed('resize', '--shrink', path, size):
            if Chain(path).read() not in (old, new):
                raise Failed(f'{path}: neither old nor new after the kill')
            self.run('resize', '--shrink', path, size)
        self.what[path] = new

    def do_killed_rebase(self):
        if not self.children():
            return False
        leaf = self.rnd.choice(self.children())
        size = len(self.what[leaf])
        same = [p for p in sorted(self.what) if p != leaf and
                len(self.what[p]) == size and
                leaf not in self.ancestors(p)]
        if not same:
            return False
        new = self.rnd.choice(same)
        if self.killed('rebase', '--parent', new, leaf):
            self.reads_same(leaf)
            self.run('rebase', '--parent', new, leaf)
        self.parent[leaf] = new

    def do_resize(self):
        path = self.rnd.choice(sorted(self.what))
        size = self.rnd.randrange(1, 9000) * SECTOR
        old = self.what[path]
        code = self.run('resize', '--shrink', path, size,
                        expect=(0,) if path in self.leaves() else (7,))
        if not code:
            self.what[path] = old[:size].ljust(size, b'\0')

    def do_rebase(self):
        if not self.children():
            return False
        leaf = self.rnd.choice(self.children())
        new = self.rnd.choice(sorted(set(self.what) - {leaf}))
        if self.run('rebase', '--parent', new, leaf, expect=(0, 1)) == 0:
            self.parent[leaf] = new

    def do_convert(self):
        source, path = self.rnd.choice(sorted(self.what)), self.name()
        kind = self.rnd.choice(['dynamic', 'fixed'])
        self.run('convert', '-O', kind, source, path)
        self.what[path] = self.what[source]

    def do_move(self):
        """A parent gets another name; relink finds it."""
        parents = sorted(set(self.parent.values()))
        if not parents:
            return False
        old, new = self.rnd.choice(parents), self.name()
        os.rename(old, new)
        self.log.append(f'mv {old} {new}')
        self.what[new] = self.what.pop(old)
        if old in self.parent:
            self.parent[new] = self.parent.pop(old)
        for path, parent in self.parent.items():
            if parent == old:
                self.parent[path] = new
        self.run('relink', '.')

    # -- what must hold --

    def verify(self):
        for path, want in self.what.items():
            chain = Chain(path)
            up = [os.path.basename(i.path) for i in chain.layers[1:]]
            equal(up, list(self.ancestors(path)), f'{path}: its parents')
            if chain.read() != want:
                raise Failed(f'{path}: other content by the oracle')
            bad = [f for f in vhdcheck.check(path)
                   if f.severity in ('error', 'fatal')]
            equal(bad, [], f'{path}: findings')

    def verify_tool(self):
        for path, want in self.what.items():
            with open(to_raw(path), 'rb') as f:
                if f.read() != want:
                    raise Failed(f'{path}: other content by vhdtool')
            result = vhdtool_json('check', '--chain', '--json', path)
            equal(result['errors'], 0, f'{path}: {result["findings"]}')


ACTIONS = ('merge', 'merge', 'killed_merge', 'killed_merge', 'create',
           'image', 'compact', 'compact', 'resize', 'rebase', 'convert',
           'move', 'killed_compact', 'killed_resize', 'killed_rebase')


def one(seed):
    tree = Tree(seed)
    try:
        for _ in range(STEPS):
            if len(tree.what) > 12:
                continue
            action = tree.rnd.choice(ACTIONS)
            if getattr(tree, 'do_' + action)() is not False:
                tree.verify()
        tree.verify_tool()
    except Exception as e:
        raise Failed(f'seed {seed}: {type(e).__name__}: {e}\n  ' +
                     '\n  '.join(tree.log))


@claim('random trees read right after every random command')
def _():
    for seed in seeds():
        with folder(str(seed)):
            one(seed)


@claim('a merge of three killed at any instant carries on')
def _():
    size, done, wait = 2 * MiB, 0, 0
    while done < 3 and wait < 1:
        for name in os.listdir('.'):
            os.unlink(name)
        Recipe(size=size).write(0, MiB, 1).write_file('a.vhd')
        Recipe('differencing', size, parent='a.vhd').write(
            512, MiB, 2).write_file('b.vhd')
        Recipe('differencing', size, parent='b.vhd').write(
            1024, MiB, 3).write_file('c.vhd')
        want = Chain('c.vhd').sha256()
        job = subprocess.Popen([VHDTOOL, 'merge', '--into', 'a.vhd', 'c.vhd'],
                               stderr=subprocess.PIPE)
        time.sleep(wait)
        job.kill()
        job.communicate()
        wait += .0002
        equal(Chain('c.vhd').sha256(), want, f'content after {wait:.4f} s')
        if job.returncode == 0:
            done += 1
        elif len(os.listdir('.')) > 1:
            vhdtool('merge', '--into', 'a.vhd', 'c.vhd')
        equal(os.listdir('.'), ['c.vhd'], f'files, killed after {wait:.4f} s')
        equal(Chain('c.vhd').sha256(), want, 'content of the result')


need_vhdtool()
main(memory())
