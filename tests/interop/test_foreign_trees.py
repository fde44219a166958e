# SPDX-License-Identifier: BSD-3-Clause
"""Trees that other products made, moved, copied or damaged are worked on like
our own, and no state but the one that is meant changes."""
import os
import shutil

from interop import (Failed, claim, equal, folder, main, memory, need_vhdtool,
                     to_raw, true, vhdtool, vhdtool_json)
from refvhd import KiB, MiB, SECTOR, Chain, Image, sha256_file
from vhdmake import Recipe

SIZE = 4 * MiB
GUID = '2F1A7B3C-0000-4AAA-9111-0123456789A'


def image(path, parent, seed, dialect, **fields):
    """An image with something of its own."""
    kind = 'differencing' if parent else fields.pop('kind', 'dynamic')
    r = Recipe(kind, SIZE, dialect, parent=parent, **fields)
    r.write(seed * 37 * SECTOR, 200 * SECTOR, seed)
    r.write(SIZE - seed * SECTOR, seed * SECTOR, 100 + seed)
    r.write_file(path)
    return path


def hyper_v():
    """Checkpoints in a sub-folder, a branch, full Windows paths."""
    os.mkdir('snaps')
    base = image('web01.vhd', None, 1, 'win')

    def child(n, parent, seed):
        path = f'snaps/web01_{GUID}{n}.avhd'
        return image(path, parent, seed, 'win')
    one = child(1, base, 2)
    two = child(2, one, 3)
    branch = child(3, one, 4)
    return {'files': [base, one, two, branch], 'disk': two,
            'inner': os.path.basename(one), 'search': ['.', 'snaps']}


def xen():
    """Names are UUIDs, inner nodes are marked as hidden."""
    names = [f'{n}{n}{n}{n}0000-aaaa-4bbb-8ccc-0123456789ab.vhd'
             for n in range(1, 5)]
    image(names[0], None, 1, 'tap', footer={'reserved': b'\1'.ljust(427, b'\0')})
    image(names[1], names[0], 2, 'tap', footer={'reserved': b'\1'.ljust(427, b'\0')})
    image(names[2], names[1], 3, 'tap')
    image(names[3], names[1], 4, 'tap')
    return {'files': names, 'disk': names[2], 'inner': names[1],
            'search': []}


def virtual_box():
    """{uuid}.vhd in a folder below that of the base."""
    os.mkdir('Snapshots')
    base = image('Windows 7.vhd', None, 1, 'vbox')
    one = image(f'Snapshots/{{{GUID.lower()}1}}.vhd', base, 2, 'vbox')
    two = image(f'Snapshots/{{{GUID.lower()}2}}.vhd', one, 3, 'vbox')
    return {'files': [base, one, two], 'disk': two,
            'inner': os.path.basename(one), 'search': ['.', 'Snapshots']}


def xen_orchestra():
    names = [f'20240{n}01T000000Z.vhd' for n in range(1, 4)]
    image(names[0], None, 1, 'xo')
    image(names[1], names[0], 2, 'xo')
    image(names[2], names[1], 3, 'xo')
    return {'files': names, 'disk': names[2], 'inner': names[1],
            'search': []}


TREES = {'hyper-v': hyper_v, 'xenserver': xen, 'virtualbox': virtual_box,
         'xen-orchestra': xen_orchestra}


def each():
    for name, make in TREES.items():
        with folder(name):
            tree = make()
            tree['search'] = [a for d in tree['search']
                              for a in ('--search', d)]
            tree['dirs'] = [os.path.abspath(d) for d in tree['search'][1::2]]
            tree['content'] = {f: content(f, tree['dirs'])
                               for f in tree['files']}
            try:
                yield name, tree
            except Failed as e:
                raise Failed(f'{name}: {e}')


def content(path, dirs=()):
    return Chain(path, dirs=dirs).sha256()


def expect_content(tree, gone=(), **more):
    """Every state but those that are gone reads what it did."""
    for f, want in tree['content'].items():
        if f in gone:
            continue
        equal(content(f, tree['dirs']), want, f)
        vhdtool('convert', '-O', 'raw', '--force', *tree['search'], f,
                'out.raw')
        equal(sha256_file('out.raw'), want, f'{f}, by vhdtool')
    os.unlink('out.raw')


def everything():
    """Bytes, modes and times of all files below here."""
    result = {}
    for at, _, files in os.walk('.'):
        for f in files:
            path = os.path.join(at, f)
            st = os.stat(path)
            result[path] = (sha256_file(path), st.st_mode, st.st_mtime_ns,
                            st.st_ino)
    return result


def refused(status, *args):
    """One sentence, and nothing changed; returns the sentence."""
    before = everything()
    done = vhdtool(*args, expect=status)
    text = done.stderr.decode()
    equal(done.stdout, b'', 'stdout')
    equal(text.count('\n'), 1, f'lines of: {text}')
    equal(everything(), before, f'after: {text}')
    return text


def says(text, *words):
    for word in words:
        true(word in text, f'the message should have {word!r}: {text}')


@claim('tree and snapshot list show them whole')
def _():
    for name, tree in each():
        found = vhdtool_json('tree', '--json', '.', *tree['dirs'])
        equal(len(found), len(tree['files']), 'images')
        equal([i['filename'] for i in found if i['orphan']], [], 'orphans')
        found = vhdtool_json('snapshot', 'list', '--json', *tree['search'],
                             tree['disk'])
        equal(len(found), len(tree['files']), 'images of the disk')
        live, = [i for i in found if i['live']]
        equal(live['filename'], os.path.realpath(tree['disk']), 'live')


@claim('an inner state is deleted, all others stay')
def _():
    for name, tree in each():
        gone = tree['files'][1]
        vhdtool('snapshot', 'delete', *tree['search'], tree['disk'],
                tree['inner'])
        true(not os.path.exists(gone), f'{gone} is still there')
        expect_content(tree, [gone])


@claim('so is the root')
def _():
    for name, tree in each():
        gone = tree['files'][0]
        vhdtool('snapshot', 'delete', *tree['search'], tree['disk'],
                os.path.basename(gone))
        true(not os.path.exists(gone), f'{gone} is still there')
        expect_content(tree, [gone])


@claim('a state is named by its UUID as well')
def _():
    for name, tree in each():
        gone = tree['files'][1]
        uuid = Image(gone).uuid.hex()
        uuid = '-'.join([uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20],
                         uuid[20:]])
        vhdtool('snapshot', 'delete', *tree['search'], tree['disk'], uuid)
        expect_content(tree, [gone])


@claim('snapshots are taken of them, gone back to, renamed and cloned')
def _():
    for name, tree in each():
        s, disk, inner = tree['search'], tree['disk'], tree['inner']
        stem, extension = os.path.splitext(disk)
        want = tree['content'][disk]
        vhdtool('snapshot', 'create', *s, disk, 'ours')
        ours = f'{stem}@ours{extension}'
        equal(content(ours, tree['dirs']), want, ours)
        expect_content(tree)
        vhdtool('snapshot', 'clone', *s, disk, inner, 'clone.vhd')
        equal(content('clone.vhd', tree['dirs']),
              tree['content'][tree['files'][1]], 'clone')
        vhdtool('snapshot', 'revert', *s, disk, inner)
        equal(content(disk, tree['dirs']),
              tree['content'][tree['files'][1]], 'reverted')
        vhdtool('snapshot', 'revert', *s, '--keep', 'k', disk, 'ours')
        equal(content(disk, tree['dirs']), want, 'reverted again')
        vhdtool('snapshot', 'rename', *s, disk, 'ours', 'mine')
        expect_content(tree)


@claim('a merge of two of them keeps the others')
def _():
    for name, tree in each():
        if name == 'virtualbox' or name == 'xen-orchestra':
            vhdtool('merge', *tree['search'], tree['disk'])
            expect_content(tree, [tree['files'][1]])
        else:
            text = refused(7, 'merge', *tree['search'], tree['disk'])
            says(text, os.path.basename(tree['files'][3]))


@claim('a tree that was moved as a whole works at once; one whose base went '
       'elsewhere is repaired by one relink')
def _():
    for name, tree in each():
        os.mkdir('away')
        for f in sorted(os.listdir('.')):
            if f != 'away':
                shutil.move(f, 'away')
        os.chdir('away')
        tree['dirs'] = [d.replace(name, f'{name}/away')
                        for d in tree['dirs']]
        expect_content(tree)
        os.mkdir('base')
        base = tree['files'][0]
        os.rename(base, 'base/renamed.vhd')
        text = refused(6, 'snapshot', 'create', tree['disk'], 'x')
        says(text, 'relink --search', os.path.basename(base))
        search = tree['search'] or ['--search', '.']
        places = {os.path.dirname(f) or '.' for f in tree['files'][1:]}
        vhdtool('relink', *search, '--search', 'base', *sorted(places))
        tree['dirs'].append(os.path.abspath('base'))
        tree['search'] += ['--search', 'base']
        expect_content(tree, [base])
        found = vhdtool_json('relink', '--json', '--dry-run',
                             *tree['search'], tree['disk'])
        equal(found, [], 'links that are still broken')
        os.chdir('..')


@claim('a copy of a whole tree is a tree of its own, and stays so')
def _():
    for name, tree in each():
        os.mkdir('copy')
        for f in sorted(os.listdir('.')):
            if f != 'copy':
                (shutil.copytree if os.path.isdir(f) else shutil.copy2)(
                    f, os.path.join('copy', f))
        before = {f: sha256_file(f) for f in tree['files']}
        os.chdir('copy')
        dirs = tree['dirs']
        tree['dirs'] = [d.replace(name, f'{name}/copy') for d in dirs]
        vhdtool('snapshot', 'delete', *tree['search'], tree['disk'],
                tree['inner'])
        expect_content(tree, [tree['files'][1]])
        os.chdir('..')
        equal({f: sha256_file(f) for f in tree['files']}, before,
              'the original')


@claim('of two files with one UUID none is guessed')
def _():
    base = image('base.vhd', None, 1, 'win')
    image('disk.vhd', base, 2, 'win')
    want = content('disk.vhd')
    shutil.copy('base.vhd', 'copy.vhd')
    equal(sha256_file(to_raw('disk.vhd')), want, 'the one that was named')
    os.unlink('out.raw')
    os.rename('base.vhd', 'other.vhd')
    for args in (['snapshot', 'create', 'disk.vhd', 'x'],
                 ['convert', '-O', 'raw', 'disk.vhd', 'out.raw'],
                 ['snapshot', 'delete', 'disk.vhd', 'copy.vhd']):
        says(refused(6, *args), 'copy.vhd', 'other.vhd', 'same UUID', 'try:')
    text = vhdtool('tree', '.').stdout.decode()
    equal(text.count('same UUID as another file'), 2, text)
    vhdtool('rebase', '--unsafe', '--parent', 'other.vhd', 'disk.vhd')
    equal(sha256_file(to_raw('disk.vhd')), want, 'after a choice')


@claim('a missing parent: what was wanted, where it was, where was looked, '
       'what to run')
def _():
    image('gone.vhd', None, 1, 'win')
    image('disk.vhd', 'gone.vhd', 2, 'win')
    uuid = Image('gone.vhd').uuid.hex()
    os.unlink('gone.vhd')
    os.mkdir('one')
    os.mkdir('two')
    for args in (['create', 'disk.vhd', 'x'], ['delete', 'disk.vhd', 'x'],
                 ['revert', 'disk.vhd', 'x'], ['clone', 'disk.vhd', 'x', 'y']):
        if args[0] == 'create':
            here = os.getcwd()
            text = refused(6, 'snapshot', args[0], '--search', 'one',
                           '--search', 'two', *args[1:])
            says(text, uuid[:8], 'C:\\vm\\gone.vhd', 'its directory', f'{here}/one',
                 f'{here}/two', 'vhdtool relink --search DIR', 'disk.vhd')
        else:
            says(refused(1, 'snapshot', *args), 'has no snapshot "x"')


@claim('names in other case are found')
def _():
    image('Base.VHD', None, 1, 'win')
    image('disk.vhd', 'Base.VHD', 2, 'win')
    want = content('disk.vhd')
    os.rename('Base.VHD', 'bASE.vhd')
    vhdtool('snapshot', 'create', 'disk.vhd', 'x')
    vhdtool('snapshot', 'delete', 'disk.vhd', 'bASE.vhd')
    equal(content('disk.vhd'), want, 'disk')


@claim('a raw parent needs to be allowed')
def _():
    with open('base.raw', 'wb') as f:
        f.write(os.urandom(SIZE))
    image('disk.vhd', 'base.raw', 2, 'tap')
    want = Chain('disk.vhd', raw_parent=True).sha256()
    says(refused(7, 'snapshot', 'create', 'disk.vhd', 'x'), 'raw', 'try:')
    vhdtool('snapshot', 'create', '--raw-parent', 'disk.vhd', 'x')
    equal(Chain('disk.vhd', raw_parent=True).sha256(), want, 'disk')
    vhdtool('snapshot', 'delete', '--raw-parent', 'disk.vhd', 'x')
    equal(Chain('disk.vhd', raw_parent=True).sha256(), want, 'disk')
    equal(sorted(os.listdir('.')), ['base.raw', 'disk.vhd'], 'files')


@claim('parents that form a loop are errors')
def _():
    a = image('a.vhd', None, 1, 'win')
    image('b.vhd', a, 2, 'win')
    image('c.vhd', 'b.vhd', 3, 'win')
    image('a.vhd', 'b.vhd', 1, 'win')
    text = vhdtool('tree', '.').stdout.decode()
    equal(text.count('loop'), 3, text)
    says(refused(6, 'snapshot', 'create', 'c.vhd', 'x'),
         'comes back', 'b.vhd')
    says(refused(1, 'snapshot', 'delete', 'c.vhd', 'b.vhd'), 'c.vhd')


@claim('children in other directories are found with --search, and stop a '
       'writer')
def _():
    os.mkdir('far')
    image('disk.vhd', None, 1, 'win')
    vhdtool('snapshot', 'create', 'disk.vhd', 'x')
    vhdtool('snapshot', 'clone', 'disk.vhd', 'x', 'far/clone.vhd')
    want = content('far/clone.vhd')
    vhdtool('snapshot', 'rename', '--search', 'far', 'disk.vhd', 'x', 'y')
    equal(content('far/clone.vhd'), want, 'after a renaming')
    says(refused(7, 'merge', '--search', 'far', 'disk.vhd'), 'far/clone.vhd')
    says(refused(7, 'resize', 'disk@y.vhd', '+1M'), 'disk.vhd', 'stands on')
    vhdtool('snapshot', 'delete', '--search', 'far', 'disk.vhd', 'y')
    equal(content('far/clone.vhd'), want, 'after a deletion')
    equal(Image('far/clone.vhd').type, 3, 'a root now')


need_vhdtool()
main(memory())
