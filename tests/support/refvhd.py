#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""refvhd.py - reads VHD files, independently of libvhd.

The oracle of the interoperability tests: written from docs/format.md alone,
with the standard library alone, so that a mistake in the library cannot
confirm itself.  Its companions are vhdmake.py (writes images, odd ones
included), vhdcheck.py (a strict validator) and vhddamage.py (images with
exactly one defect).  Section numbers are those of docs/format.md.

    refvhd.py make RECIPE [FILE]    build the image a recipe describes
    refvhd.py hash FILE...          SHA-256 of what the guest sees
    refvhd.py info FILE             footer, header, layout, findings as JSON
    refvhd.py cat FILE              what the guest sees, to stdout
    refvhd.py raw FILE OUT          the same into a sparse file
    refvhd.py check FILE            findings, one a line
    refvhd.py damage CODE FILE      a minimal image with that finding
    refvhd.py diff PARENT RAW CHILD a child that makes PARENT read as RAW

Parents are found by name and UUID beside the child; -p FILE (repeatable,
nearest first) names them instead.
"""
import array
import collections
import hashlib
import json
import os
import re
import struct
import sys
import urllib.parse
import uuid as uuids

SECTOR = 512
KiB, MiB, GiB = 1 << 10, 1 << 20, 1 << 30
FIXED, DYNAMIC, DIFFERENCING = 2, 3, 4
TYPES = {FIXED: 'fixed', DYNAMIC: 'dynamic', DIFFERENCING: 'differencing'}
UNUSED = 0xffffffff
ONES = 0xffffffffffffffff
EPOCH = 946684800  # 2000-01-01, 3.1
CHUNK = MiB


class Error(Exception):
    """The file cannot be used; str() says why."""


def roundup(a, b):
    return -(-a // b) * b


def nonzero(data):
    """any(data), but fast."""
    return data != bytes(len(data))


def checksum(data, at):
    """3.2: complement of the sum of all bytes but the field itself."""
    return ~(sum(data) - sum(data[at:at + 4])) & 0xffffffff


def geometry(size):
    """6.1"""
    n = min(size // SECTOR, 65535 * 16 * 255)
    if n >= 65535 * 16 * 63:
        s, h, t = 255, 16, n // 255
    else:
        s, t = 17, n // 17
        h = max((t + 1023) // 1024, 4)
        if t >= h * 1024 or h > 16:
            s, h, t = 31, 16, n // 31
        if t >= h * 1024:
            s, h, t = 63, 16, n // 63
    return t // h, h, s


class Record:
    """A fixed-size structure with named fields and a checksum."""
    def __init__(self, **fields):
        for name, default in self.FIELDS.items():
            setattr(self, name, fields.pop(name, default))
        if fields:
            raise Error('no such field: ' + ', '.join(fields))

    @classmethod
    def unpack(cls, data):
        values = struct.unpack(cls.FORMAT, data)
        rec = cls(**dict(zip(cls.FIELDS, values)))
        rec.bytes = bytes(data)
        rec.sum_ok = rec.checksum == checksum(data, cls.SUM_AT)
        return rec

    def pack(self):
        """The bytes; a checksum of None is computed."""
        values = [getattr(self, n) for n in self.FIELDS]
        where = list(self.FIELDS).index('checksum')
        stored, values[where] = values[where], 0
        data = bytearray(struct.pack(self.FORMAT, *values))
        if stored is None:
            stored = checksum(data, self.SUM_AT)
        struct.pack_into('>I', data, self.SUM_AT, stored)
        return bytes(data)


class Footer(Record):
    """3.1"""
    SIZE, SUM_AT = 512, 64
    FORMAT = '>8sIIQI4sI4sQQHBBII16sB427s'
    FIELDS = dict(cookie=b'conectix', features=2, version=0x00010000,
                  data_offset=ONES, timestamp=0, creator=b'win ',
                  creator_version=0x000a0000, creator_os=b'Wi2k',
                  original_size=0, size=0, cylinders=0, heads=0, spt=0,
                  type=DYNAMIC, checksum=None, uuid=bytes(16),
                  saved_state=0, reserved=bytes(427))

    @property
    def is_tap(self):
        return self.creator[:3] == b'tap'


class Header(Record):
    """8; the eight locators are kept as they are stored."""
    SIZE, SUM_AT = 1024, 36
    FORMAT = '>8sQQIIII16sII512s192s256s'
    FIELDS = dict(cookie=b'cxsparse', data_offset=ONES, table_offset=0,
                  version=0x00010000, max_entries=0, block_size=2 * MiB,
                  checksum=None, parent_uuid=bytes(16), parent_time=0,
                  reserved1=0, parent_name=bytes(512), locators=bytes(192),
                  reserved2=bytes(256))

    def locator_entries(self):
        return [Locator(*e) for e in
                struct.iter_unpack('>4sIIIQ', self.locators)]

    @property
    def name(self):
        """8.1: UTF-16BE up to the first NUL; tap 0.1 stored it swapped."""
        units = self.parent_name
        end = next((i for i in range(0, 512, 2) if units[i:i + 2] == b'\0\0'),
                   512)
        swapped = end and units[1] == 0 and units[0] != 0
        return units[:end].decode('utf-16-le' if swapped else 'utf-16-be',
                                  'replace')


class Locator(collections.namedtuple('Locator',
                                     'code space length reserved offset')):
    """9.1"""
    @property
    def room(self):
        """9.3: below 512 it counts sectors."""
        return self.space * SECTOR if self.space < SECTOR else self.space

    def decode(self, data):
        """9.2: what is stored, as a string."""
        if self.code in (b'W2ru', b'W2ku'):
            return data[:len(data) & ~1].decode('utf-16-le',
                                                'replace').rstrip('\0')
        if self.code == b'MacX':
            return urllib.parse.unquote(data.decode('utf-8', 'replace'))
        return data.decode('latin-1').rstrip('\0')


def as_path(platform, text):
    """A locator's text as a relative POSIX path, or None."""
    if platform == 'MacX':
        match = re.fullmatch(r'file://(?:\.|localhost)?/(.*)', text)
        return match.group(1) if match and text[7] == '.' else None
    path = text.replace('\\', '/')
    return None if re.match(r'/|[A-Za-z]:', path) else path


def bit_runs(bitmap, nbits, reversed_bytes=False):
    """11.2: (first, count) of each run of ones."""
    if reversed_bytes:  # 11.2: tap 0.1
        bitmap = bytes(int(f'{b:08b}'[::-1], 2) for b in bitmap)
    text = bin(int.from_bytes(b'\1' + bitmap, 'big'))[3:][:nbits]
    for match in re.finditer('1+', text):
        yield match.start(), match.end() - match.start()


class Raw:
    """A plain disk at the end of a chain."""
    type, uuid = FIXED, bytes(16)

    def __init__(self, path):
        self.path = path
        self.file = open(path, 'rb')
        self.size = self.file.seek(0, os.SEEK_END)
        self.sectors = -(-self.size // SECTOR)

    def runs(self, first, count):
        """(first, count, file offset or None) in order, without gaps."""
        if count:
            yield first, count, first * SECTOR

    def pread(self, length, offset):
        data = os.pread(self.file.fileno(), length, offset)
        return data + bytes(length - len(data))


class Image(Raw):
    """One VHD file."""
    def __init__(self, path, ignore_bitmap=False):
        super().__init__(path)
        self.length = self.size
        self.ignore_bitmap = ignore_bitmap
        self.find_footer()
        f = self.footer
        self.type, self.uuid, self.size = f.type, f.uuid, f.size
        self.sectors = self.size // SECTOR
        self.header = self.bat = None
        if self.type != FIXED:
            self.read_header()

    def candidate(self, at, length=SECTOR):
        """4.4: the footer at this place, or None."""
        if at < 0 or at + length > self.length:
            return None
        f = Footer.unpack(self.pread(length, at).ljust(SECTOR, b'\0'))
        good = f.cookie == b'conectix' and f.version >> 16 == 1 and \
            f.type in TYPES and (f.sum_ok or self.hidden_ok(f))
        if not good:
            return None
        if f.type == FIXED:
            return f if f.size <= at else None
        if f.data_offset + Header.SIZE > self.length:
            return None
        h = self.pread(8, f.data_offset)
        return f if h == b'cxsparse' else None

    @staticmethod
    def hidden_ok(f):
        """15.1: old tap set byte 85 without redoing the sum."""
        if not f.is_tap or f.creator_version not in (1, 0x10001):
            return False
        data = bytearray(f.bytes)
        data[85] = 0
        return f.checksum == checksum(data, Footer.SUM_AT)

    def find_footer(self, scan=16 * MiB):
        """4.4"""
        n = self.length
        if self.pread(8, 0) == b'vhdxfile':
            raise Error(f'{self.path}: a VHDX file, not VHD')
        aligned = roundup(n, SECTOR) - SECTOR
        places = [(aligned, n - aligned)] if n % SECTOR in (0, 511) else []
        places += [(n - 512, 512), (n - 511, 511),
                   (n // SECTOR * SECTOR - SECTOR, 512)]
        self.copy = self.candidate(0)
        if self.copy and self.copy.type == FIXED:
            self.copy = None
        for at, length in places:
            self.footer = self.candidate(at, length)
            if self.footer:
                self.footer_at, self.footer_length = at, length
                self.found = 'end'
                return
        self.footer, self.footer_at, self.footer_length = self.copy, None, 512
        self.found = 'copy'
        if self.footer:
            return
        for at in range(aligned, max(aligned - scan, 0), -SECTOR):
            self.footer = self.candidate(at)
            if self.footer:
                self.footer_at, self.found = at, 'scan'
                return
        raise Error(f'{self.path}: no footer: not a VHD')

    def read_header(self):
        self.header = h = Header.unpack(
            self.pread(Header.SIZE, self.footer.data_offset))
        if h.block_size < SECTOR or h.block_size & (h.block_size - 1):
            raise Error(f'{self.path}: block size {h.block_size}')
        if h.table_offset + 4 * h.max_entries > self.length:
            raise Error(f'{self.path}: table beyond the end')
        self.need = -(-self.size // h.block_size)
        if h.max_entries < self.need:
            raise Error(f'{self.path}: table too short')
        self.spb = h.block_size // SECTOR
        self.bitmap_bytes = roundup(-(-self.spb // 8), SECTOR)
        self.bat = array.array('I', self.pread(4 * h.max_entries,
                                               h.table_offset))
        if sys.byteorder == 'little':
            self.bat.byteswap()
        self.lsb_first = self.footer.is_tap and \
            self.footer.creator_version == 1

    def bitmap(self, block):
        return self.pread(self.bitmap_bytes, self.bat[block] * SECTOR)

    def data_offset(self, block):
        """10: where the block's guest data begins in the file."""
        return self.bat[block] * SECTOR + self.bitmap_bytes

    def present(self, block):
        """(first, count) of the sectors of an allocated block held here."""
        if self.ignore_bitmap:
            return [(0, self.spb)]
        return list(bit_runs(self.bitmap(block), self.spb, self.lsb_first))

    def runs(self, first, count):
        if self.type == FIXED:
            yield from super().runs(first, count)
            return
        end, hole = first + count, first
        for block in range(first // self.spb, -(-end // self.spb)):
            if self.bat[block] == UNUSED:
                continue
            base = block * self.spb
            for start, n in self.present(block):
                lo = max(first, base + start)
                hi = min(end, base + start + n)
                if lo >= hi:
                    continue
                if lo > hole:
                    yield hole, lo - hole, None
                yield lo, hi - lo, \
                    self.data_offset(block) + (lo - base) * SECTOR
                hole = hi
        if hole < end:
            yield hole, end - hole, None

    def locators(self):
        """(platform, text as stored) of the used entries."""
        return [(e.code.decode('latin-1'), e.decode(
                 self.pread(min(e.length, 64 * KiB), e.offset)))
                for e in self.header.locator_entries() if e.code != bytes(4)]


def extents(layers, first, count):
    """13.2: (first, count, image or None, file offset) of a chain, leaf
    first; None reads as zero."""
    img = layers[0] if layers else None
    inside = max(0, min(count, img.sectors - first)) if img else 0
    for start, n, offset in img.runs(first, inside) if inside else ():
        if offset is not None:
            yield start, n, img, offset
        elif img.type == DIFFERENCING:
            yield from extents(layers[1:], start, n)
        else:
            yield start, n, None, 0
    if inside < count:
        yield first + inside, count - inside, None, 0


class Chain:
    """A disk as its guest sees it: the leaf and all its parents."""
    def __init__(self, path, parents=(), dirs=(), raw_parent=False,
                 ignore_bitmap=False):
        self.layers = [Image(path, ignore_bitmap)]
        parents, seen = list(parents), {self.layers[0].uuid}
        while self.layers[-1].type == DIFFERENCING:
            child = self.layers[-1]
            parent = self.find(child, parents, dirs, raw_parent)
            if child.header.parent_uuid != parent.uuid:
                raise Error(f'{parent.path}: not the parent of {child.path}')
            if isinstance(parent, Image) and parent.uuid in seen:
                raise Error(f'{child.path}: the chain is a loop')
            seen.add(parent.uuid)
            self.layers.append(parent)
        self.size = self.layers[0].size

    @staticmethod
    def find(child, parents, dirs, raw_parent):
        """13.5: the named file, then locators, name and UUID nearby."""
        if parents:
            path = parents.pop(0)
            return Raw(path) if raw_parent and not parents else Image(path)
        here = os.path.dirname(os.path.abspath(child.path))
        names = [as_path(*item) for item in child.locators()]
        names.append(child.header.name.replace('\\', '/').split('/')[-1])
        names = [os.path.join(here, n) for n in names if n]
        if raw_parent and child.header.parent_uuid == bytes(16):
            return Raw(next(n for n in names if os.path.isfile(n)))
        for directory in (here, *dirs):
            names += sorted(e.path for e in os.scandir(directory)
                            if e.is_file())
        for name in names:
            try:
                image = Image(name)
            except (Error, OSError):
                continue
            if image.uuid == child.header.parent_uuid:
                return image
        raise Error(f'{child.path}: parent {child.header.name!r} not found')

    def extents(self):
        yield from extents(self.layers, 0, self.layers[0].sectors)

    def chunks(self):
        """(offset, length, bytes or None for zeros) of the whole disk."""
        for first, count, img, offset in self.extents():
            done, total = 0, count * SECTOR
            while done < total:
                n = min(CHUNK, total - done) if img else total - done
                yield first * SECTOR + done, n, \
                    img.pread(n, offset + done) if img else None
                done += n

    def sha256(self):
        digest, zeros = hashlib.sha256(), bytes(CHUNK)
        for _, length, data in self.chunks():
            if data is not None:
                digest.update(data)
                continue
            for _ in range(length // CHUNK):
                digest.update(zeros)
            digest.update(zeros[:length % CHUNK])
        return digest.hexdigest()

    def is_zero(self):
        return not any(data and nonzero(data) for _, _, data in self.chunks())

    def to_raw(self, path):
        """Into a sparse file."""
        with open(path, 'wb') as out:
            for offset, _, data in self.chunks():
                if data and nonzero(data):
                    out.seek(offset)
                    out.write(data)
            out.truncate(self.size)

    def read(self):
        return b''.join(bytes(n) if d is None else d
                        for _, n, d in self.chunks())


def sha256_file(path):
    """Of a plain file, holes included."""
    digest = hashlib.sha256()
    with open(path, 'rb') as f:
        while chunk := f.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def info(path):
    """What the file says about itself, for people and scripts."""
    img = Image(path)
    f = img.footer
    out = {
        'filename': path, 'type': TYPES[img.type], 'virtual-size': img.size,
        'original-size': f.original_size, 'file-length': img.length,
        'uuid': str(uuids.UUID(bytes=f.uuid)),
        'creator-app': f.creator.decode('latin-1'),
        'creator-version': f.creator_version,
        'creator-os': f.creator_os.decode('latin-1'),
        'geometry': [f.cylinders, f.heads, f.spt], 'timestamp': f.timestamp,
        'footer': img.found, 'footer-offset': img.footer_at,
        'copy': img.copy is not None,
    }
    if img.header:
        h = img.header
        used = [i for i, e in enumerate(img.bat[:img.need]) if e != UNUSED]
        out.update({
            'block-size': h.block_size, 'table-offset': h.table_offset,
            'entries': h.max_entries, 'blocks-total': img.need,
            'blocks-allocated': len(used), 'blocks': used[:64],
            'bat': [img.bat[i] for i in used[:64]],
        })
    if img.type == DIFFERENCING:
        out.update({
            'parent-uuid': str(uuids.UUID(bytes=h.parent_uuid)),
            'parent-time': h.parent_time, 'parent-name': h.name,
            'locators': [list(e) for e in img.locators()],
        })
    return out


def main(argv):
    import vhdcheck
    import vhddamage
    import vhdmake
    command, args, parents = argv[1] if len(argv) > 1 else '', argv[2:], []
    while '-p' in args:
        at = args.index('-p')
        parents.append(args[at + 1])
        del args[at:at + 2]
    if command == 'make' and len(args) in (1, 2):
        vhdmake.make_from_text(*args)
    elif command == 'hash' and args:
        for path in args:
            print(Chain(path, parents).sha256(), path)
    elif command == 'info' and len(args) == 1:
        found = [list(f) for f in vhdcheck.check(args[0])]
        print(json.dumps({**info(args[0]), 'findings': found}, indent=1))
    elif command == 'cat' and len(args) == 1:
        for _, n, data in Chain(args[0], parents).chunks():
            sys.stdout.buffer.write(bytes(n) if data is None else data)
    elif command == 'raw' and len(args) == 2:
        Chain(args[0], parents).to_raw(args[1])
    elif command == 'check' and len(args) == 1:
        for finding in vhdcheck.check(args[0]):
            print(*finding)
    elif command == 'damage' and len(args) == 2:
        vhddamage.damage(args[1], args[0])
    elif command == 'diff' and len(args) == 3:
        vhdmake.make_diff(*args, parents)
    else:
        sys.exit(__doc__)


if __name__ == '__main__':
    sys.modules['refvhd'] = sys.modules['__main__']  # the companions' import
    try:
        main(sys.argv)
    except (Error, OSError) as e:
        sys.exit(f'refvhd: {e}')
