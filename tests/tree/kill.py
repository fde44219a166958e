#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""kill.py - kill -9 of vhdtool in the middle of snapshot commands.

A real directory and the real program: random commands, each killed before a
random one of the system calls by which it changes something (kill_at), and
again while it is carried on.  After each kill every state that is there must
read as before the command or as after it, to vhdtool and to an independent
reader, and no state that is kept may be missing.  In the end, once the command
was repeated, the directory holds what it should and nothing else.

    kill.py [--rounds N] [--seed S] [--commands N] [--verbose]
"""
import argparse
import copy
import os
import random
import shutil
import stat
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'support'))
from refvhd import Chain, Error, SECTOR, MiB  # noqa: E402
from vhdmake import pattern  # noqa: E402

VHDTOOL = os.environ['VHDTOOL']
HELPERS = os.environ['HELPERS']
SIZE = MiB
SECTORS = SIZE // SECTOR
KILLED = 137
EXISTS_ALREADY = ('exists already', 'has no snapshot', 'has no parent',
                  'cannot find', 'is not on')


class Wrong(Exception):
    """A claim of this test does not hold."""


class State:
    """What one file must read, and on which it stands."""
    def __init__(self, number, parent, content, live):
        self.number, self.parent = number, parent
        self.content, self.live = content, live


class Model:
    """Every state by its path."""
    def __init__(self):
        self.states, self.numbers = {}, 0

    def add(self, path, parent, content, live):
        self.numbers += 1
        self.states[path] = State(self.numbers, parent, bytes(content), live)
        return self.states[path]

    def by_number(self, number):
        return next((p for p, s in self.states.items()
                     if s.number == number), None)

    def children(self, path):
        number = self.states[path].number
        return [p for p, s in self.states.items() if s.parent == number]

    def depth(self, path):
        n = 0
        while path:
            path, n = self.by_number(self.states[path].parent), n + 1
        return n

    def subtree(self, path):
        return [path] + [p for c in self.children(path)
                         for p in self.subtree(c)]

    def take_out(self, path):
        gone = self.states.pop(path)
        for s in self.states.values():
            if s.parent == gone.number:
                s.parent = gone.parent

    def snapshots(self, disk):
        """Those in the tree of the disk, that have its name."""
        return [p for p in self.states if name_of(p)
                and p.split('@')[0] == disk[:-4]]

    def disks(self):
        return [p for p, s in self.states.items() if s.live]


def name_of(path):
    return path[:-4].split('@')[1] if '@' in path else None


def file_of(disk, name):
    return f'{disk[:-4]}@{name}.vhd'


def run(*argv):
    """Exit status, stdout, stderr."""
    p = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True)
    return p.returncode, p.stdout, p.stderr.decode(errors='replace').strip()


# ---- Commands: what the user types, and what it does to the states ----

class Game:
    def __init__(self, seed, verbose):
        self.random = random.Random(seed)
        self.model = Model()
        self.verbose, self.log = verbose, []
        self.names = self.kills = self.commands = 0

    def note(self, text):
        self.log.append(text)
        if self.verbose:
            print(text, flush=True)

    def new_name(self):
        self.names += 1
        return self.random.choice(['s', 'before ü', 'x.y-']) + str(self.names)

    def start(self):
        must('create', '--block-size', '512K', 'disk.vhd', str(SIZE))
        self.model.add('disk.vhd', None, bytes(SIZE), True)
        for _ in range(3):
            self.write()
            must('snapshot', 'create', 'disk.vhd', name := self.new_name())
            self.do_create(self.model, 'disk.vhd', name)

    def write(self):
        """A guest writes; nobody kills it."""
        disk = self.random.choice(self.model.disks())
        state, argv = self.model.states[disk], []
        content = bytearray(state.content)
        for _ in range(self.random.randint(1, 4)):
            first = self.random.randrange(SECTORS)
            count = self.random.randint(1, min(300, SECTORS - first))
            value = self.random.randint(1, 1 << 40)
            argv += [str(first), str(count), str(value)]
            content[first * SECTOR:(first + count) * SECTOR] = \
                pattern(value)(first, count)
        status, _, err = run(HELPERS + '/guest', disk, *argv)
        if status:
            raise Wrong(f'{disk} cannot be written: {err}')
        state.content = bytes(content)

    def choose(self):
        """A command, and what carries it out on a model."""
        r, m = self.random, self.model
        disk = r.choice(m.disks())
        snapshots = m.snapshots(disk)
        kinds = ['create'] * (2 + 2 * (len(m.states) < 5))
        if snapshots:
            kinds += ['revert', 'keep', 'delete', 'delete', 'delete', 'tree',
                      'rename', 'clone', 'merge']
        kind = r.choice(kinds)
        if len(m.states) > 9:
            kind = 'delete' if snapshots else 'remove'
        snapshot = r.choice(snapshots) if snapshots else None
        name = name_of(snapshot) if snapshot else None
        new = self.new_name()
        if kind == 'create':
            return ('snapshot', 'create', disk, new), \
                lambda m: self.do_create(m, disk, new)
        if kind == 'revert':
            return ('snapshot', 'revert', disk, name), \
                lambda m: self.do_revert(m, disk, snapshot, None)
        if kind == 'keep':
            return ('snapshot', 'revert', '--keep', new, disk, name), \
                lambda m: self.do_revert(m, disk, snapshot, new)
        if kind == 'delete':
            return ('snapshot', 'delete', disk, name), \
                lambda m: m.take_out(snapshot)
        if kind == 'tree':
            if any(m.states[p].live for p in m.subtree(snapshot)):
                return None
            return ('snapshot', 'delete', '--tree', disk, name), \
                lambda m: [m.take_out(p) for p in m.subtree(snapshot)]
        if kind == 'rename':
            return ('snapshot', 'rename', disk, name, new), \
                lambda m: m.states.update(
                    {file_of(disk, new): m.states.pop(snapshot)})
        if kind == 'clone':
            if len(m.disks()) > 2:
                return None
            path = f'clone{self.names}.vhd'
            return ('snapshot', 'clone', disk, name, path), \
                lambda m: m.add(path, m.states[snapshot].number,
                                m.states[snapshot].content, True)
        return self.choose_merge()

    def choose_merge(self):
        m = self.model
        able = [p for p, s in m.states.items() if m.by_number(s.parent)
                and len(m.children(m.by_number(s.parent))) == 1]
        if not able:
            return None
        child = self.random.choice(able)
        parent = m.by_number(m.states[child].parent)
        if m.states[parent].live:
            return None
        if m.children(child):
            return None  # refused: that would change what others stand on
        return ('merge', child), lambda m: m.take_out(parent)

    @staticmethod
    def do_create(m, disk, name):
        live = m.states[disk]
        frozen = m.add(file_of(disk, name), live.parent, live.content, False)
        live.parent = frozen.number

    def do_revert(self, m, disk, snapshot, keep):
        if keep:
            self.do_create(m, disk, keep)
        m.states[disk].parent = m.states[snapshot].number
        m.states[disk].content = m.states[snapshot].content

    # ---- One step ----

    def step(self):
        if self.random.random() < 0.6:
            self.write()
        chosen = self.choose()
        if not chosen:
            return
        argv, apply = chosen
        before, after = self.model, copy.deepcopy(self.model)
        apply(after)
        self.note('vhdtool ' + ' '.join(argv))
        self.commands += 1
        killed = self.kill(argv)
        while killed:
            check_between(before, after)
            if argv[0] == 'merge' and is_merged(before, after):
                killed = False
                break  # again would merge the next one
            if self.random.random() < 0.3:
                self.other_command()
                check_between(before, after)
            if self.random.random() < 0.3:
                break
            killed = self.kill(argv)
        if killed:
            repeat(argv)
        self.model = after
        check(after)

    def other_command(self):
        """One that only has to clean up behind the interrupted one."""
        disk = self.random.choice(self.model.disks())
        self.note(f'  another command on {disk}')
        run(VHDTOOL, 'snapshot', 'rename', disk, 'no such', 'thing')

    def kill(self, argv):
        at = self.random.randint(1, self.random.choice((12, 30, 100, 300)))
        status, _, err = run(HELPERS + '/kill_at', str(at), VHDTOOL, *argv)
        if status == 77:
            print('SKIP kill: programs cannot be traced here')
            sys.exit(77)
        if status == KILLED:
            self.kills += 1
            self.note(f'  killed at {at}')
            return True
        if status and not any(t in err for t in EXISTS_ALREADY):
            raise Wrong(f'vhdtool {" ".join(argv)}: {err}')
        return False


def must(*argv):
    status, out, err = run(VHDTOOL, *argv)
    if status:
        raise Wrong(f'vhdtool {" ".join(argv)}: {err}')
    return out


def repeat(argv):
    """Done already is as good as done."""
    status, _, err = run(VHDTOOL, *argv)
    if status and not any(t in err for t in EXISTS_ALREADY):
        raise Wrong(f'again: vhdtool {" ".join(argv)}: {err}')


def is_merged(before, after):
    gone = [p for p in before.states if p not in after.states]
    return not any('@.merging-' in f or f in gone for f in os.listdir('.'))


# ---- Checks ----

def read_both(path):
    status, ours, err = run(VHDTOOL, 'convert', '-O', 'raw', path, '-')
    if status:
        raise Wrong(f'{path} does not open: {err}')
    try:
        theirs = Chain(path).read()
    except (Error, OSError) as e:
        raise Wrong(f'{path}: {e}') from e
    if ours != theirs:
        raise Wrong(f'{path} reads {differs(ours, theirs)} to us and to the '
                    'independent reader')
    return ours


def differs(a, b):
    if len(a) != len(b):
        return f'{len(a)} and {len(b)} bytes'
    at = next(i for i in range(0, len(a), SECTOR)
              if a[i:i + SECTOR] != b[i:i + SECTOR])
    return f'different things in sector {at // SECTOR}'


def check_content(path, *states):
    content = read_both(path)
    wanted = [s.content for s in states if s]
    if content not in wanted:
        raise Wrong(f'{path} is wrong: '
                    + '; '.join(differs(w, content) for w in wanted))


def check_between(before, after):
    for path, state in before.states.items():
        there = after.by_number(state.number)
        if there and not os.path.exists(path) and not os.path.exists(there):
            raise Wrong(f'{path} is gone')
    for path in {**before.states, **after.states}:
        if os.path.exists(path):
            check_content(path, before.states.get(path),
                          after.states.get(path))


def check(model):
    files = set(os.listdir('.'))
    if files != set(model.states):
        raise Wrong(f'files: {sorted(files)}, should be '
                    f'{sorted(model.states)}')
    for path, state in model.states.items():
        st = os.stat(path)
        if st.st_nlink != 1:
            raise Wrong(f'{path} has {st.st_nlink} names')
        if name_of(path) and stat.S_IMODE(st.st_mode) & 0o222:
            raise Wrong(f'{path} is a snapshot and may be written to')
        if state.live and not stat.S_IMODE(st.st_mode) & 0o200:
            raise Wrong(f'{path} is a disk and is marked as read-only')
        check_content(path, state)


def play(seed, commands, verbose):
    game = Game(seed, verbose)
    with tempfile.TemporaryDirectory(prefix='vhd-kill.', dir=os.environ.get(
            'TMPDIR', '/dev/shm' if os.path.isdir('/dev/shm') else None)) as d:
        os.chdir(d)
        try:
            game.start()
            check(game.model)
            while game.commands < commands:
                game.step()
        except Wrong as e:
            keep = f'{d}.failed'
            shutil.copytree(d, keep)
            tail = '\n  '.join(game.log[-30:])
            print(f'FAIL kill: {e}\n  {tail}\n  files: {keep}\n'
                  f'  rerun: kill.py --seed {seed} --commands {commands}')
            sys.exit(1)
        finally:
            os.chdir('/')
    return game


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--rounds', type=int, default=1)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--commands', type=int, default=40)
    parser.add_argument('--verbose', action='store_true')
    args = parser.parse_args()
    kills = commands = 0
    for i in range(args.rounds):
        game = play(args.seed + i, args.commands, args.verbose)
        kills, commands = kills + game.kills, commands + game.commands
    print(f'kill: {commands} commands, killed {kills} times, '
          'every state as it should be')


main()
