# SPDX-License-Identifier: BSD-3-Clause
"""vhdmake.py - writes VHD files of any layout from a short recipe.

Independent of libvhd, like refvhd.py.  A recipe is a Recipe object, or a
text, one statement a line, '#' begins a comment:

    type dynamic | fixed | differencing
    size 8M                 block-size 2M           created 757382400
    uuid 00112233445566778899aabbccddeeff           (of the path if absent)
    dialect win|vpc|vs|qemu|qem2|vbox|tap|d2v|mkimg|caml|xo
    layout TOKEN...         order of the parts in the file, see below
    align 4096 | 512        of the blocks' data
    bat-padding ff | 00     bat-round 512 | 4096    extra-entries 1
    space bytes | sectors   of the locators
    parent FILE             its UUID and name; or parent-uuid, parent-name
    locator W2ru .\\base.vhd                (default: by the dialect)
    block 3 = pattern 7                     all sectors
    block 0 bits 0-1,4095 = pattern 5 garbage 9     garbage: the others
    block 2 bits none = pattern 0
    write 1M 64K = pattern 3                guest bytes, whole sectors
    all-blocks                              every block, nothing written
    footer FIELD VALUE      both copies     header FIELD VALUE
    copy same | none | FIELD VALUE...       the copy at offset 0
    end same | none | 511 | FIELD VALUE...  the footer at the end
    poke OFFSET HEX | bat-entry INDEX VALUE | truncate N | append N

Layout tokens: header, bat, batmap, locators, locN, block:N, blocks (those
left), gap:N, footer; each may have @OFFSET (there) or ~ALIGN (rounded up).

Pattern N: sector S is a 16-byte record (N, S) repeated, so that no two
sectors of two patterns are alike; pattern 0 is zeros.
"""
import array
import hashlib
import os
import struct
import sys
import urllib.parse

from refvhd import (DIFFERENCING, FIXED, ONES, SECTOR, TYPES, UNUSED, Chain,
                    Error, Footer, Header, Image, KiB, Locator, MiB, geometry,
                    nonzero, roundup)

CREATED = 757382400  # 2024-01-01, as in 22.1


def pattern(seed):
    """A source of guest data: (sector, count) -> bytes."""
    def source(sector, count):
        if not seed:
            return bytes(count * SECTOR)
        return b''.join(struct.pack('>QQ', seed, s) * 32
                        for s in range(sector, sector + count))
    return source


def from_chunk(data, first):
    """Guest data from memory that begins at sector first."""
    def source(sector, count):
        at = (sector - first) * SECTOR
        return data[at:at + count * SECTOR]
    return source


class Block:
    """What is stored of one block: runs (first, count, source)."""
    def __init__(self):
        self.runs, self.garbage = [], 0

    def bitmap(self, spb, lsb_first=False):
        bits = bytearray(roundup(-(-spb // 8), SECTOR))
        for first, count, _ in self.runs:
            if first % 8 == 0 and count % 8 == 0:
                bits[first // 8:(first + count) // 8] = b'\xff' * (count // 8)
                continue
            for s in range(first, first + count):
                bits[s >> 3] |= (1 << (s & 7)) if lsb_first else \
                    (0x80 >> (s & 7))
        return bytes(bits)

    def pieces(self, base, spb):
        """(first sector, bytes) of the data area."""
        if self.garbage:
            yield 0, pattern(self.garbage)(base, spb)
        for first, count, source in self.runs:
            yield first, source(base + first, count)


class Dialect:
    """What a creator does its own way (3.5, 12.1)."""
    def __init__(self, app, version, host=b'Wi2k', align=SECTOR,
                 bat_pad=b'\xff', bat_round=SECTOR, space='bytes',
                 layout='header@0x200 bat@0x600 blocks footer', diff=None,
                 rooms=(KiB,) * 3, codes=('W2ku', 'W2ru'), max_geometry=False):
        self.app, self.version, self.host = app, version, host
        self.align, self.bat_pad, self.bat_round = align, bat_pad, bat_round
        self.space, self.rooms, self.codes = space, rooms, codes
        self.layout = layout
        self.diff = diff or layout.replace('blocks', 'locators blocks')
        self.max_geometry = max_geometry


DIALECTS = {
    'win': Dialect(b'win ', 0x000a0000, align=4096, bat_round=4096,
                   diff='header@0x200 loc0@0x1000 bat@0x2000 loc1~4096 '
                        'blocks footer', rooms=(4 * KiB, 64 * KiB, KiB)),
    'vpc': Dialect(b'vpc ', 0x00010000,
                   layout='header@0x200 bat@0x600 blocks gap:512 footer'),
    'vs': Dialect(b'vs  ', 0x00010000),
    'qemu': Dialect(b'qemu', 0x00050003),
    'qem2': Dialect(b'qem2', 0x00050003, max_geometry=True),
    'vbox': Dialect(b'vbox', 0x00040003, bat_pad=b'\0'),
    'tap': Dialect(b'tap\0', 0x00010003, host=bytes(4), align=4096,
                   bat_pad=b'\0', codes=('MacX', 'W2ku', 'W2ru'),
                   layout='header@0x200 bat@0x600 batmap blocks footer'),
    'd2v': Dialect(b'd2v\0', 0x00010000, bat_pad=b'\0', max_geometry=True),
    'mkimg': Dialect(b'*img', 0x00020000,
                     layout='header@0x200 bat@0x600 blocks gap:326656 footer'),
    'caml': Dialect(b'caml', 1, host=bytes(4), space='sectors',
                    layout='header@0x200 bat@0x800 blocks footer',
                    diff='header@0x200 locators@0x600 bat~2048 blocks footer',
                    rooms=(SECTOR,) * 3, codes=('MacX',)),
    'xo': Dialect(b'xo  ', 1, space='sectors',
                  diff='header@0x200 locators@0x600 bat blocks footer',
                  rooms=(SECTOR,) * 3, codes=('W2ru',)),
}


def encode_locator(code, text):
    """9.2"""
    if code in ('W2ru', 'W2ku'):
        return text.encode('utf-16-le', 'surrogatepass')
    if code == 'MacX':
        host, path = text[:7], text[7:]
        return (host + urllib.parse.quote(path)).encode()
    return text.encode('latin-1')


class Recipe:
    """See the head of this file.  Fields may be set before write()."""
    def __init__(self, type='dynamic', size=8 * MiB, dialect='win', **fields):
        self.type = {n: t for t, n in TYPES.items()}[type]
        self.size, self.dialect = size, dialect
        self.block_size, self.created, self.uuid = 2 * MiB, CREATED, None
        self.layout = self.align = self.bat_padding = self.bat_round = None
        self.space = self.parent = self.locators = None
        self.parent_uuid, self.parent_name = bytes(16), ''
        self.extra_entries, self.all_blocks = 0, False
        self.blocks = {}     # in the order of their place in the file
        self.data = []       # fixed: (sector, count, source)
        self.footer, self.header = {}, {}
        self.locator_edits = {}  # index: {field: value}
        self.batmap_bits = []    # set although the block is not full
        self.copy = self.end = 'same'
        self.edits = []      # (function of the open file)
        for name, value in fields.items():
            if not hasattr(self, name):
                raise Error('no such field: ' + name)
            setattr(self, name, value)

    # -- guest content --

    @property
    def spb(self):
        return self.block_size // SECTOR

    def block(self, index, bits=None, fill=0, garbage=0):
        """One block: bits is a list of (first, count), or None for all."""
        block = self.blocks.setdefault(index, Block())
        block.garbage = garbage or block.garbage
        for first, count in [(0, self.spb)] if bits is None else bits:
            block.runs.append((first, count, pattern(fill)))
        return self

    def write(self, offset, length, source):
        """Guest bytes, whole sectors; a source or the seed of a pattern."""
        if isinstance(source, int):
            source = pattern(source)
        sector, count = offset // SECTOR, length // SECTOR
        if self.type == FIXED:
            self.data.append((sector, count, source))
            return self
        while count:
            index, first = divmod(sector, self.spb)
            n = min(count, self.spb - first)
            self.blocks.setdefault(index, Block()).runs.append(
                (first, n, source))
            sector, count = sector + n, count - n
        return self

    # -- edits of the finished file, in order --

    def poke(self, offset, data):
        self.edits.append(lambda f: (f.seek(offset), f.write(data)))
        return self

    def truncate(self, length):
        self.edits.append(lambda f: f.truncate(length))
        return self

    def append(self, data):
        self.edits.append(lambda f: (f.seek(0, 2), f.write(data)))
        return self

    def bat_entry(self, index, value):
        self.edits.append(lambda f: (f.seek(self.at['bat'] + 4 * index),
                                     f.write(struct.pack('>I', value))))
        return self

    # -- laying out --

    def make_footer(self, path):
        d = self.style
        cyl, heads, spt = geometry(self.size)
        if d.max_geometry:
            cyl, heads, spt = 65535, 16, 255
        uuid = self.uuid or hashlib.md5(
            os.path.basename(path).encode()).digest()
        return Footer(**{**dict(
            data_offset=ONES if self.type == FIXED else 512,
            timestamp=self.created, creator=d.app, creator_version=d.version,
            creator_os=d.host, original_size=self.size, size=self.size,
            cylinders=cyl, heads=heads, spt=spt, type=self.type,
            uuid=uuid), **self.footer})

    def make_header(self, path):
        self.need = -(-self.size // self.block_size)
        self.entries = self.need + self.extra_entries
        h = dict(max_entries=self.entries, block_size=self.block_size)
        self.stored = []
        if self.type == DIFFERENCING:
            self.read_parent(path)
            name = self.parent_name.encode('utf-16-be', 'surrogatepass')
            h.update(parent_uuid=self.parent_uuid,
                     parent_name=name[:512].ljust(512, b'\0'))
            self.stored = [(code.encode('latin-1'), encode_locator(code, text))
                           for code, text in self.locators]
        return h

    def read_parent(self, path):
        if self.parent:
            try:
                self.parent_uuid = Image(self.parent).uuid
            except Error:
                pass  # 15.3: a raw parent, which has no UUID
            self.parent_name = self.parent_name or \
                os.path.basename(self.parent)
            rel = os.path.relpath(self.parent,
                                  os.path.dirname(os.path.abspath(path)))
        else:
            rel = self.parent_name
        if self.locators is None:
            tap = self.style.host == bytes(4)
            win = rel if rel.startswith('../') else './' + rel
            win = win.replace('/', '\\')
            text = {'W2ru': win, 'W2ku': win if tap else
                    'C:\\vm\\' + self.parent_name, 'MacX': 'file://./' + rel}
            self.locators = [(c, text[c]) for c in self.style.codes]

    def room(self, index):
        """Bytes set aside for a locator's data."""
        data = self.stored[index][1]
        return max(self.style.rooms[min(index, 2)],
                   roundup(len(data), SECTOR))

    def tokens(self):
        style = self.style.diff if self.type == DIFFERENCING else \
            self.style.layout
        for token in (self.layout or style).split():
            if token.startswith('locators'):
                tail = token[len('locators'):]
                for i in range(len(self.stored)):
                    yield f'loc{i}' + (tail if i == 0 else '')
            else:
                yield token

    def lay_out(self):
        """Gives every part its place: self.at, self.places of blocks."""
        self.at, self.places, cursor = {}, {}, SECTOR
        for token in self.tokens():
            part, at, where = token.partition('@')
            part, near, unit = part.partition('~')
            cursor = int(where, 0) if at else \
                roundup(cursor, int(unit, 0) if near else 1)
            part, _, arg = part.partition(':')
            if part == 'blocks':
                left = [i for i in self.order() if i not in self.places]
                for index in left:
                    cursor = self.place_block(index, cursor, False)
            elif part == 'block':
                cursor = self.place_block(int(arg), cursor, at)
            elif part == 'gap':
                cursor += int(arg, 0)
            elif part.startswith('loc'):
                index = int(part[3:])
                if index < len(self.stored):
                    self.at[part] = cursor
                    cursor += self.room(index)
            else:
                self.at[part] = cursor
                cursor += self.length_of(part, cursor)
        last = self.at['footer']
        if self.bat_round == 4096 and '@' not in token:
            last = roundup(last + SECTOR, 4096) - SECTOR
        self.at['footer'] = last

    def order(self):
        return range(self.need) if self.all_blocks else self.blocks

    def place_block(self, index, cursor, exactly):
        bitmap = roundup(-(-self.spb // 8), SECTOR)
        if not exactly:
            cursor = roundup(roundup(cursor, SECTOR) + bitmap,
                             self.align) - bitmap
        self.places[index] = cursor
        return cursor + bitmap + self.block_size

    def length_of(self, part, at):
        if part == 'bat':
            self.bat_end = roundup(at + 4 * self.entries, self.bat_round)
            return self.bat_end - at
        if part == 'batmap':
            return SECTOR + roundup(-(-self.need // 8), SECTOR)
        return {'header': Header.SIZE, 'footer': SECTOR}[part]

    def locator_table(self):
        table = b''
        for i, (code, data) in enumerate(self.stored):
            room = self.room(i)
            entry = dict(code=code, space=room // SECTOR if self.space ==
                         'sectors' else room, length=len(data), reserved=0,
                         offset=self.at[f'loc{i}'])
            entry.update(self.locator_edits.get(i, {}))
            table += struct.pack('>4sIIIQ', *entry.values())
        for i in sorted(set(self.locator_edits) - set(range(len(
                self.stored)))):
            entry = dict.fromkeys(Locator._fields, 0)
            entry.update({'code': bytes(4), **self.locator_edits[i]})
            table = table.ljust(24 * i, b'\0')
            table += struct.pack('>4sIIIQ', *entry.values())
        return table.ljust(192, b'\0')

    # -- writing --

    def write_file(self, path):
        d = self.style = DIALECTS[self.dialect]
        for name in ('align', 'bat_round', 'space'):
            if getattr(self, name) is None:
                setattr(self, name, getattr(d, name))
        if self.bat_padding is None:
            self.bat_padding = d.bat_pad
        with open(path, 'w+b') as f:
            if self.type == FIXED:
                self.at = {'footer': self.size}
                for sector, count, source in self.data:
                    f.seek(sector * SECTOR)
                    f.write(source(sector, count))
                footer = self.make_footer(path)
            else:
                footer = self.write_sparse(f, path)
            self.write_end(f, footer)
            for edit in self.edits:
                edit(f)
        return path

    def write_sparse(self, f, path):
        fields = self.make_header(path)
        self.lay_out()
        footer = self.make_footer(path)
        footer.data_offset = self.footer.get('data_offset', self.at['header'])
        fields.update(table_offset=self.at['bat'],
                      locators=self.locator_table())
        header = Header(**{**fields, **self.header})
        for i, (_, data) in enumerate(self.stored):
            f.seek(self.at[f'loc{i}'])
            f.write(data)
        self.write_blocks(f)
        if 'batmap' in self.at:
            self.write_batmap(f)
        f.seek(self.at['header'])
        f.write(header.pack())
        if self.copy != 'none':
            f.seek(0)
            f.write(self.variant(footer, self.copy).pack())
        self.write_bat(f)
        return footer

    def write_bat(self, f):
        bat = array.array('I', [UNUSED]) * self.entries
        for index, at in self.places.items():
            bat[index] = at // SECTOR
        if sys.byteorder == 'little':
            bat.byteswap()
        f.seek(self.at['bat'])
        f.write(bat.tobytes())
        f.write(self.bat_padding * (self.bat_end - f.tell()))

    def write_blocks(self, f):
        lsb = self.style.app == b'tap\0' and \
            self.footer.get('creator_version') == 1
        for index, block in self.blocks.items():
            at = self.places[index]
            bitmap = block.bitmap(self.spb, lsb)
            f.seek(at)
            f.write(bitmap)
            for first, data in block.pieces(index * self.spb, self.spb):
                f.seek(at + len(bitmap) + first * SECTOR)
                f.write(data)
            f.seek(0, 2)
            f.truncate(max(f.tell(), at + len(bitmap) + self.block_size))

    def write_batmap(self, f):
        """15.2"""
        full = bytearray(roundup(-(-self.need // 8), SECTOR))
        for index, block in self.blocks.items():
            ones = block.bitmap(self.spb)[:self.spb // 8]
            if ones == b'\xff' * (self.spb // 8):
                self.batmap_bits.append(index)
        for index in self.batmap_bits:
            full[index >> 3] |= 0x80 >> (index & 7)
        at = self.at['batmap']
        head = struct.pack('>8sQIII', b'tdbatmap', at + SECTOR,
                           len(full) // SECTOR, 0x00010002,
                           ~sum(full) & 0xffffffff)
        f.seek(at)
        f.write(head.ljust(SECTOR, b'\0') + full)

    def variant(self, footer, how):
        if not isinstance(how, dict):
            return footer
        return Footer(**{**{n: getattr(footer, n) for n in Footer.FIELDS},
                         **how})

    def write_end(self, f, footer):
        if self.end == 'none':
            f.truncate(self.at['footer'])
            return
        data = self.variant(footer, self.end).pack()
        f.seek(self.at['footer'])
        f.write(data[:511] if self.end == '511' else data)


def make(path, **fields):
    """Shorthand for a recipe without blocks."""
    return Recipe(**fields).write_file(path)


# -- text recipes --

def number(text):
    unit = {'K': KiB, 'M': MiB, 'G': KiB * MiB, 'T': MiB * MiB}
    if text[-1:] in unit:
        return int(text[:-1], 0) * unit[text[-1]]
    return int(text, 0)


def bits_of(text):
    """0-1,4095 -> [(0, 2), (4095, 1)]"""
    runs = []
    for part in text.split(',') if text != 'none' else ():
        first, _, last = part.partition('-')
        runs.append((int(first), int(last or first) - int(first) + 1))
    return runs


def field_values(record, words):
    out = {}
    for name, value in zip(words[::2], words[1::2]):
        name = name.replace('-', '_')
        default = record.FIELDS[name]
        out[name] = number(value) if not isinstance(default, bytes) else \
            bytes.fromhex(value[2:]) if value.startswith('0x') else \
            value.encode().ljust(len(default), b' ')
    return out


class TextRecipe:
    """Turns the lines of a text into a Recipe."""
    NUMBERS = ('size', 'block-size', 'created', 'align', 'bat-round',
               'extra-entries')
    WORDS = ('dialect', 'space')

    def __init__(self, text, folder='.'):
        self.recipe, self.folder = Recipe(), folder
        for n, line in enumerate(text.splitlines(), 1):
            words = line.split('#')[0].split()
            if not words:
                continue
            try:
                self.statement(words[0], words[1:])
            except (LookupError, ValueError) as e:
                raise Error(f'line {n}: {line.strip()}: {e}')

    def statement(self, verb, args):
        r, name = self.recipe, verb.replace('-', '_')
        if verb in self.NUMBERS:
            setattr(r, name, number(args[0]))
        elif verb in self.WORDS:
            setattr(r, name, args[0])
        elif hasattr(self, 'do_' + name):
            getattr(self, 'do_' + name)(*args)
        else:
            raise ValueError('no such statement')

    def do_type(self, name):
        self.recipe.type = {n: t for t, n in TYPES.items()}[name]

    def do_uuid(self, value):
        self.recipe.uuid = bytes.fromhex(value.replace('-', ''))

    def do_layout(self, *tokens):
        self.recipe.layout = ' '.join(tokens)

    def do_bat_padding(self, value):
        self.recipe.bat_padding = bytes.fromhex(value)

    def do_parent(self, path):
        self.recipe.parent = os.path.join(self.folder, path)

    def do_parent_uuid(self, value):
        self.recipe.parent_uuid = bytes.fromhex(value.replace('-', ''))

    def do_parent_name(self, *words):
        self.recipe.parent_name = ' '.join(words)

    def do_locator(self, code, *words):
        self.recipe.locators = (self.recipe.locators or []) + \
            [(code, ' '.join(words))]

    def do_all_blocks(self):
        self.recipe.all_blocks = True

    def do_block(self, index, *words):
        pairs = dict(zip(words[::2], words[1::2]))
        if '=' in words:
            at = words.index('=')
            pairs = dict(zip(words[:at:2], words[1:at:2]))
            rest = words[at + 1:]
            pairs.update(zip(rest[::2], rest[1::2]))
        self.recipe.block(int(index),
                          bits_of(pairs['bits']) if 'bits' in pairs else None,
                          int(pairs.get('pattern', 0)),
                          int(pairs.get('garbage', 0)))

    def do_write(self, offset, length, _equals, _pattern, seed):
        self.recipe.write(number(offset), number(length), int(seed))

    def do_footer(self, *words):
        self.recipe.footer.update(field_values(Footer, words))

    def do_header(self, *words):
        self.recipe.header.update(field_values(Header, words))

    def do_copy(self, *words):
        self.recipe.copy = words[0] if len(words) == 1 else \
            field_values(Footer, words)

    def do_end(self, *words):
        self.recipe.end = words[0] if len(words) == 1 else \
            field_values(Footer, words)

    def do_poke(self, offset, data):
        self.recipe.poke(number(offset), bytes.fromhex(data))

    def do_bat_entry(self, index, value):
        self.recipe.bat_entry(number(index), number(value))

    def do_truncate(self, length):
        self.recipe.truncate(number(length))

    def do_append(self, length):
        self.recipe.append(bytes(number(length)))


def make_from_text(recipe_path, path=None):
    """RECIPE may be '-'; the image is RECIPE less its extension + .vhd."""
    if recipe_path == '-':
        text, folder = sys.stdin.read(), '.'
    else:
        folder = os.path.dirname(recipe_path)
        with open(recipe_path, encoding='utf-8') as f:
            text = f.read()
    path = path or os.path.splitext(recipe_path)[0] + '.vhd'
    TextRecipe(text, folder).recipe.write_file(path)


def differing_runs(chain, raw, grain):
    """(sector, count, source) where the raw file differs from the chain."""
    for offset, length, data in chain.chunks():
        for at in range(0, length, MiB):
            n = min(MiB, length - at)
            raw.seek(offset + at)
            new = raw.read(n).ljust(n, b'\0')
            old = data[at:at + n] if data else bytes(n)
            if new == old:
                continue
            for i in range(0, n, grain):
                if new[i:i + grain] != old[i:i + grain]:
                    piece = new[i:i + grain]
                    first = (offset + at + i) // SECTOR
                    yield first, len(piece) // SECTOR, \
                        from_chunk(piece, first)


def make_diff(parent, raw_path, child, parents=(), grain=SECTOR, **fields):
    """A child of parent through which the disk reads as the raw file."""
    chain = Chain(parent, parents)
    r = Recipe(type='differencing', size=chain.size, parent=parent, **fields)
    with open(raw_path, 'rb') as raw:
        for sector, count, source in differing_runs(chain, raw, grain):
            r.write(sector * SECTOR, count * SECTOR, source)
    return r.write_file(child)


def make_from_raw(raw_path, path, **fields):
    """A dynamic image of a raw file; zero sectors are not stored."""
    size = roundup(os.path.getsize(raw_path), SECTOR)
    r = Recipe(size=size, **fields)
    with open(raw_path, 'rb') as raw:
        for first in range(0, size // SECTOR, MiB // SECTOR):
            data = raw.read(MiB)
            data = data.ljust(roundup(len(data), SECTOR), b'\0')
            for s in range(0, len(data), 4 * KiB):
                piece = data[s:s + 4 * KiB]
                if nonzero(piece):
                    at = first + s // SECTOR
                    r.write(at * SECTOR, len(piece), from_chunk(piece, at))
    return r.write_file(path)
