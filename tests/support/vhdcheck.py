# SPDX-License-Identifier: BSD-3-Clause
"""vhdcheck.py - a strict validator: the findings of docs/format.md 20.

Independent of libvhd.  check(path) gives a sorted list of Finding(code,
severity, offset, message).  V87 (read errors) is left to the operating
system; a finding about many blocks is reported once, with their number.
"""
import collections
import os
import re
import time

from refvhd import (DIFFERENCING, DYNAMIC, EPOCH, FIXED, GiB, KiB, MiB, ONES,
                    SECTOR, UNUSED, Error, Footer, Header, Image, Raw,
                    as_path, bit_runs, geometry, nonzero, roundup)

FATAL, ERROR, WARNING, NOTE = 'fatal', 'error', 'warning', 'note'
PAGE = 4096

Finding = collections.namedtuple('Finding', 'code severity offset message')

CREATORS = (b'vpc ', b'vs  ', b'win ', b'qemu', b'qem2', b'vbox', b'd2v\0',
            b'tap\0', b'CTXS', b'wa\0\0', b'caml', b'dutl', b'xo  ', b'mVHD',
            b'DBox', b'simh', b'*img', bytes(4))
SIZED = (b'win ', b'qem2', b'd2v ', b'CTXS', b'tap\0')  # 5: by QEMU to 9
CODES = (b'Wi2r', b'Wi2k', b'W2ru', b'W2ku', b'Mac ', b'MacX')


class Fatal(Exception):
    """Nothing more can be looked at."""


class Check:
    def __init__(self, path):
        self.path, self.found = path, []
        self.no_end = None  # a bad footer there; False: not even a cookie
        try:
            self.run()
        except Fatal:
            pass

    def say(self, code, severity, offset, message):
        self.found.append(Finding(code, severity, offset or 0, message))
        if severity == FATAL:
            raise Fatal

    def say_if(self, bad, code, severity, offset, message):
        if bad:
            self.say(code, severity, offset, message)

    def run(self):
        if not os.path.isfile(self.path) or os.path.getsize(self.path) < 511:
            self.say('V01', FATAL, 0, 'too short, or no regular file')
        self.raw = Raw(self.path)
        self.length = self.raw.size
        self.find_footer()
        self.check_footer(self.footer, self.footer_at)
        if self.footer.type == FIXED:
            self.check_fixed()
            return
        self.check_header()
        self.check_locators()
        self.read_bat()
        self.check_extents()
        self.check_bitmaps()
        self.check_batmap()

    # -- 20.1 --

    def looks(self, at, length=SECTOR):
        """A footer that has its cookie, or None."""
        if at < 0 or at + length > self.length:
            return None
        data = self.raw.pread(length, at).ljust(SECTOR, b'\0')
        f = Footer.unpack(data)
        return f if f.cookie == b'conectix' else None

    def good(self, f):
        return f and (f.sum_ok or Image.hidden_ok(f)) and \
            f.type in (FIXED, DYNAMIC, DIFFERENCING) and f.version >> 16 == 1

    def find_footer(self):
        n = self.length
        self.say_if(self.raw.pread(8, 0) == b'vhdxfile', 'V02', FATAL, 0,
                    'a VHDX file')
        aligned = roundup(n, SECTOR) - SECTOR
        tries = [(aligned, n - aligned)] if n % SECTOR in (0, 511) else []
        tries += [(n - 512, 512), (n - 511, 511),
                  (n // SECTOR * SECTOR - SECTOR, 512)]
        ends = [(self.looks(*t), t) for t in tries]
        end, where = next((e for e in ends if self.good(e[0])), (None, None))
        copy = self.looks(0)
        good_copy = copy if self.good(copy) and copy.type != FIXED else None
        poisoned = self.poison(aligned)
        if not end and not good_copy:
            end, where = self.scan(aligned)
            if not end:
                self.no_footer([e[0] for e in ends] + [copy])
            self.say('V08', WARNING, where[0], 'data after the footer')
        self.footer = end or good_copy
        self.footer_at, self.footer_length = where or (None, 0)
        if end and end.type != FIXED:
            self.compare(end, good_copy)
        elif not end and not poisoned:
            self.no_end = any(e[0] for e in ends)
            self.say_if(self.no_end, 'V07', ERROR, aligned, 'checksum')
        if where:
            self.say_if(where[1] == 511, 'V10', NOTE, where[0], '511 bytes')
        self.say_if(n % SECTOR not in (0, 511), 'V09', WARNING, n, 'odd size')

    def scan(self, aligned):
        for at in range(aligned, max(-1, aligned - 16 * MiB), -SECTOR):
            f = self.looks(at)
            if self.good(f) and (f.type != FIXED or f.size <= at):
                return f, (at, SECTOR)
        return None, None

    def poison(self, aligned):
        data = self.raw.pread(SECTOR, aligned)
        bad = data == b'\xc7' * SECTOR or data[:8] == b'v_poison' or \
            self.raw.pread(8, 0) == b'v_poison'
        self.say_if(bad, 'V31', ERROR, aligned,
                    'in use or interrupted by tapdisk')
        return bad

    def no_footer(self, seen):
        """Says why none of the footers that have their cookie is good."""
        seen = [f for f in seen if f]
        for f in seen:
            self.say_if(f.sum_ok and f.version >> 16 != 1, 'V11', FATAL, 0,
                        f'version {f.version:#x}')
            self.say_if(f.sum_ok, 'V15', FATAL, 0, f'disk type {f.type}')
        self.say_if(seen, 'V07', FATAL, 0, 'checksum')
        self.say('V03', FATAL, 0, 'no footer')

    def compare(self, end, copy):
        if not copy:
            self.say('V05', ERROR, 0, 'no valid copy at offset 0')
            self.say_if(self.looks(0), 'V07', ERROR, 0, 'checksum')
        elif copy.bytes[:85] + copy.bytes[86:] != \
                end.bytes[:85] + end.bytes[86:] or \
                not end.is_tap and copy.bytes != end.bytes:
            self.say('V06', ERROR, 0, 'the two footers differ')

    def check_footer(self, f, at):
        w = lambda bad, code, sev, text: self.say_if(bad, code, sev, at, text)
        w(f.version & 0xffff, 'V11', WARNING, 'minor version')
        w(not f.features & 2, 'V12', WARNING, 'features bit 1 clear')
        w(f.features & ~3, 'V13', WARNING, f'features {f.features:#x}')
        w(f.features & 1, 'V14', NOTE, 'temporary')
        w(f.size == 0, 'V19', FATAL, 'size 0')
        w(f.size % SECTOR, 'V19', ERROR, f'size {f.size}')
        w(f.type != FIXED and f.size > 2040 * GiB, 'V20', ERROR, 'too big')
        w(f.original_size == 0 or f.original_size > f.size or
          f.original_size % SECTOR, 'V23', WARNING,
          f'original size {f.original_size}')
        self.check_geometry(f, at)
        w(f.uuid == bytes(16), 'V27', WARNING, 'null UUID')
        w(f.saved_state > 1, 'V28', WARNING, f'saved state {f.saved_state}')
        w(f.saved_state == 1, 'V28', NOTE, 'saved state')
        rest = f.reserved[1:] if f.is_tap else f.reserved
        w(f.creator != b'simh' and any(rest), 'V29', WARNING, 'reserved bytes')
        w(f.timestamp + EPOCH > time.time() + 86400, 'V30', NOTE, 'future')
        w(f.creator not in CREATORS, 'V32', NOTE, f'creator {f.creator!r}')

    def check_geometry(self, f, at):
        stored = (f.cylinders, f.heads, f.spt)
        product = f.cylinders * f.heads * f.spt
        if stored in ((65535, 16, 255), (0, 0, 0)):
            return
        if product > f.size // SECTOR:
            self.say('V24', WARNING, at, f'geometry {stored} above the size')
        elif stored != geometry(f.size):
            self.say('V25', NOTE, at, f'geometry {stored}')
        if f.creator not in SIZED and product * SECTOR != f.size:
            self.say('V26', WARNING, at, 'QEMU will show another size')

    def check_fixed(self):
        f, at = self.footer, self.footer_at
        self.say_if(f.data_offset != ONES, 'V16', WARNING, at, 'data offset')
        self.say_if(at < f.size, 'V21', ERROR, at, 'data missing')
        self.say_if(at > f.size, 'V22', WARNING, f.size, 'bytes too many')

    # -- 20.2 --

    def check_header(self):
        at = self.header_at = self.footer.data_offset
        self.say_if(at == ONES or at < SECTOR or
                    at + Header.SIZE > self.length, 'V17', FATAL,
                    self.footer_at, f'header at {at:#x}')
        self.say_if(at % SECTOR, 'V17', WARNING, at, 'header misaligned')
        self.say_if(at != SECTOR and not at % SECTOR, 'V18', NOTE, at,
                    'header not at 512')
        h = self.header = Header.unpack(self.raw.pread(Header.SIZE, at))
        w = lambda bad, code, sev, text: self.say_if(bad, code, sev, at, text)
        w(h.cookie != b'cxsparse', 'V40', FATAL, 'no cxsparse')
        w(not h.sum_ok, 'V41', FATAL, 'header checksum')
        w(h.version >> 16 != 1, 'V42', FATAL, f'version {h.version:#x}')
        w(h.data_offset != ONES, 'V43', WARNING, 'next structure')
        w(h.table_offset % SECTOR, 'V44', ERROR, 'table misaligned')
        w(h.block_size < SECTOR or h.block_size & (h.block_size - 1), 'V47',
          FATAL, f'block size {h.block_size}')
        w(h.block_size not in (2 * MiB, 512 * KiB), 'V48', WARNING,
          f'block size {h.block_size}')
        w(h.max_entries == 0, 'V51', FATAL, 'no entries')
        w(h.table_offset + 4 * h.max_entries > self.length, 'V45', FATAL,
          'table beyond the file')
        self.need = -(-self.footer.size // h.block_size)
        w(h.max_entries < self.need, 'V49', FATAL, 'table too short')
        w(h.max_entries > self.need, 'V50', NOTE, 'table too long')
        w(h.reserved1 or any(h.reserved2), 'V52', WARNING, 'reserved')
        used = any(h.locators) or any(h.parent_name)
        if self.footer.type == DYNAMIC:
            w(any(h.parent_uuid) or h.parent_time or used, 'V53', WARNING,
              'a parent in a dynamic disk')
            return
        w(h.parent_uuid == bytes(16), 'V54', WARNING, 'null parent UUID')
        w(not used, 'V55', ERROR, 'no parent named')
        self.check_name(h, at)
        w(h.parent_time + EPOCH > time.time() + 86400, 'V66', NOTE, 'future')

    def check_name(self, h, at):
        end = re.match(rb'(?:(?!\0\0)..)*', h.parent_name, re.S).end()
        try:
            h.parent_name[:end].decode('utf-16-be')
            good = not end or h.parent_name[1] != 0 or h.parent_name[0] == 0
        except UnicodeDecodeError:
            good = False
        self.say_if(not good, 'V57', WARNING, at + 64, 'parent name')

    def check_locators(self):
        self.metadata = [(0, SECTOR, 'copy'),
                         (self.header_at, Header.SIZE, 'header'),
                         (self.header.table_offset,
                          roundup(4 * self.header.max_entries, SECTOR), 'bat')]
        texts = {}
        for i, e in enumerate(self.header.locator_entries()):
            at = self.header_at + 576 + 24 * i
            if e.code == bytes(4):
                self.say_if(any(e[1:]), 'V59', WARNING, at, f'locator {i}')
                continue
            self.say_if(e.code not in CODES, 'V58', WARNING, at, repr(e.code))
            self.say_if(e.reserved, 'V60', WARNING, at, f'locator {i}')
            self.check_locator_data(e, i, at, texts)
        if self.footer.type == DIFFERENCING:
            used = texts or self.header.name
            self.say_if(used and 'W2ru' not in texts, 'V56', WARNING,
                        self.header_at, 'no W2ru')
            self.check_texts(texts)

    def check_locator_data(self, e, i, at, texts):
        end = e.offset + e.length
        inside = end <= self.length
        clash = [m for m in self.metadata if e.offset < m[0] + m[1] and
                 m[0] < end]
        self.say_if(not inside or clash, 'V61', ERROR, at, f'locator {i}')
        self.say_if(e.offset % SECTOR, 'V62', WARNING, at, 'misaligned')
        self.say_if(e.space >= SECTOR and e.space % SECTOR, 'V64', WARNING,
                    at, f'space {e.space}')
        data = self.raw.pread(min(e.length, 64 * KiB), e.offset) if inside \
            else b''
        wide = e.code in (b'W2ru', b'W2ku')
        nul = inside and data.endswith(b'\0\0' if wide else b'\0')
        self.say_if(e.length == 0 or e.length > e.room or
                    wide and e.length % 2 or nul, 'V63', WARNING, at,
                    f'length {e.length}')
        texts[e.code.decode('latin-1')] = e.decode(data) if inside else ''
        if inside and not clash:
            self.metadata.append((e.offset, e.length, f'loc{i}'))

    def check_texts(self, texts):
        last = lambda t: re.split(r'[\\/]', t)[-1].lower()
        names = {last(t) for t in texts.values() if t}
        if self.header.name:
            names.add(last(self.header.name))
        relative = as_path('W2ru', texts.get('W2ru', '')) is not None
        absolute = as_path('W2ku', texts.get('W2ku', 'C:')) is None
        tap = self.footer.is_tap
        self.say_if(len(names) > 1 or not relative or
                    not absolute and not tap, 'V65', NOTE, self.header_at,
                    f'locators disagree: {sorted(names)}')

    # -- 20.3 --

    def read_bat(self):
        at, h = self.header.table_offset, self.header
        end = at + roundup(4 * h.max_entries, SECTOR)
        clash = [m for m in self.metadata if m[2] != 'bat' and
                 m[0] < end and at < m[0] + m[1]]
        if self.footer_at is not None:
            foot = self.footer_at
            clash += [1] if at < foot + SECTOR and foot < end else []
        self.say_if(clash, 'V46', ERROR, at, 'table overlaps metadata')
        img = self.image = Image.__new__(Image)
        img.__dict__.update(
            path=self.path, file=self.raw.file, footer=self.footer,
            length=self.length, size=self.footer.size, type=self.footer.type,
            ignore_bitmap=False)
        img.read_header()
        pad = self.raw.pread(-4 * h.max_entries % SECTOR,
                             at + 4 * h.max_entries)
        self.say_if(pad.strip(b'\xff'), 'V77', NOTE, end - len(pad),
                    'table padding')
        more = [e for e in img.bat[self.need:] if e != UNUSED]
        self.say_if(more, 'V76', WARNING, at + 4 * self.need,
                    f'{len(more)} entries past the end')

    def blocks(self):
        return [(i, e) for i, e in enumerate(self.image.bat[:self.need])
                if e != UNUSED]

    def batmap_header(self):
        f = self.footer
        if not f.is_tap or f.creator_version < 0x00010001:
            return None
        at = roundup(self.header.table_offset + 4 * self.header.max_entries,
                     SECTOR)
        data = self.raw.pread(SECTOR, at)
        if data[:8] != b'tdbatmap' and f.creator_version == 0x00010001:
            return None
        return at, data

    def check_extents(self):
        """Every used range, sorted once: overlaps and leaks."""
        size = self.image.bitmap_bytes + self.header.block_size
        batmap = self.batmap_header()
        if batmap and batmap[1][:8] == b'tdbatmap':
            map_at = int.from_bytes(batmap[1][8:16], 'big')
            map_len = int.from_bytes(batmap[1][16:20], 'big') * SECTOR
            self.metadata += [(batmap[0], SECTOR, 'batmap'),
                              (map_at, map_len, 'batmap')]
        blocks = [(e * SECTOR, size, i) for i, e in self.blocks()]
        used = sorted(self.metadata + blocks, key=lambda u: u[:2])
        self.check_overlaps(used)
        self.check_missing_end(used)
        self.check_ends(blocks, size)
        self.check_order(blocks)
        self.check_gaps(used)

    def check_overlaps(self, used):
        before = None
        for now in used:
            if before and now[0] < before[0] + before[1]:
                both = [isinstance(u[2], int) for u in (before, now)]
                if all(both):
                    same = now[0] == before[0]
                    self.say('V73' if same else 'V74', ERROR, now[0],
                             f'blocks {before[2]} and {now[2]} overlap')
                elif any(both):
                    self.say('V70', ERROR, now[0],
                             f'{before[2]} and {now[2]} overlap')
            if not before or now[0] + now[1] > before[0] + before[1]:
                before = now

    def check_missing_end(self, used):
        """V04: a crash leaves a free sector and no footer at all, which the
        next writer puts right."""
        if self.no_end is None:
            return
        end = roundup(max(u[0] + u[1] for u in used), SECTOR)
        crash = not self.no_end and end + SECTOR <= self.length
        self.say('V04', WARNING if crash else ERROR, self.length,
                 'no valid footer at the end')

    def check_ends(self, blocks, size):
        foot = self.footer_at
        for at, _, i in blocks:
            if at + size > self.length:
                left = self.footer.size - i * self.header.block_size
                have = self.length - at - self.image.bitmap_bytes
                self.say('V71', WARNING if have >= left else ERROR, at,
                         f'block {i} beyond the end of the file')
            elif foot is not None and at < foot + SECTOR and \
                    foot < at + size:
                self.say('V72', ERROR, at, f'block {i} over the footer')

    def check_order(self, blocks):
        off = [b for b in blocks
               if (b[0] + self.image.bitmap_bytes) % PAGE]
        self.say_if(off, 'V75', NOTE, off and off[0][0],
                    f'{len(off)} blocks not 4 KiB aligned')
        top = max(m[0] + m[1] for m in self.metadata)
        low = [b for b in blocks if b[0] < top and b[0] >= SECTOR]
        inside = [b for b in low if any(b[0] < m[0] + m[1] and m[0] < b[0] +
                                        b[1] for m in self.metadata)]
        self.say_if(len(low) > len(inside), 'V78', NOTE, 0,
                    'blocks below metadata')
        places = [b[0] for b in blocks]
        self.say_if(places != sorted(places), 'V81', NOTE, 0, 'not in order')

    def check_gaps(self, used):
        """V79, V80: a slack of less than a page is what alignment costs;
        a table's page and what is set aside for locators are in use."""
        end, leaked = 0, 0
        foot = self.footer_at if self.footer_at is not None else self.length
        rooms = {e.offset + e.length: e.offset + e.room for e in
                 self.header.locator_entries() if e.code != bytes(4)}
        table = self.metadata[2]
        rooms[table[0] + table[1]] = roundup(table[0] + table[1], PAGE)
        for at, n, what in used + [(foot, SECTOR, 'footer')]:
            if at > end:
                start = max(end, rooms.get(end, 0))
                leaked += at - start if at - start >= PAGE else 0
                if at - end < 16 * MiB:
                    self.look_for_footer(end, at)
            end = max(end, at + n)
        self.say_if(leaked, 'V79', NOTE, 0, f'{leaked} bytes unreferenced')

    def look_for_footer(self, start, end):
        for at in range(roundup(start, SECTOR), end, SECTOR):
            if self.good(self.looks(at)):
                self.say('V80', NOTE, at, 'an old footer')

    def check_bitmaps(self):
        """V82 to V86, each once with the number of blocks."""
        img, seen = self.image, collections.Counter()
        if self.footer.is_tap and self.footer.creator_version == 1:
            self.say('V90', ERROR, 0, 'bitmaps with the bits reversed')
        for i, e in self.blocks():
            if e * SECTOR + img.bitmap_bytes + img.header.block_size > \
                    self.length:
                continue
            for code, severity in self.check_block(i):
                seen[code, severity] += 1
        for (code, severity), n in seen.items():
            self.say(code, severity, 0, f'{n} blocks')

    def check_block(self, i):
        img, h = self.image, self.header
        left = min(img.spb, (self.footer.size - i * h.block_size) // SECTOR)
        bitmap = img.bitmap(i)
        runs = list(bit_runs(bitmap, left, img.lsb_first))
        data = self.raw.pread(left * SECTOR, img.data_offset(i))
        hidden = bytearray(data)
        for first, n in runs:
            hidden[first * SECTOR:(first + n) * SECTOR] = bytes(n * SECTOR)
        child = self.footer.type == DIFFERENCING
        if not runs:
            yield 'V83', WARNING if nonzero(hidden) else NOTE
        elif nonzero(hidden):
            yield ('V86', NOTE) if child else ('V82', WARNING)
        if not child and runs and not nonzero(data):
            yield 'V85', NOTE
        bits = len(bitmap) * 8
        if any(first + n > left for first, n in
               bit_runs(bitmap, bits, img.lsb_first)):
            yield 'V84', NOTE

    def check_batmap(self):
        """15.2"""
        found = self.batmap_header()
        if not found:
            return
        at, head = found
        map_at = int.from_bytes(head[8:16], 'big')
        sectors = int.from_bytes(head[16:20], 'big')
        version = int.from_bytes(head[20:24], 'big')
        inside = map_at + sectors * SECTOR <= self.length
        data = self.raw.pread(sectors * SECTOR, map_at) if inside else b''
        total = sum(data) if version == 0x00010002 else \
            sum(b - 256 * (b > 127) for b in data)
        good = head[:8] == b'tdbatmap' and version in (0x10001, 0x10002) and \
            inside and sectors * SECTOR * 8 >= self.need and \
            ~total & 0xffffffff == int.from_bytes(head[24:28], 'big')
        if not good:
            self.say('V88', WARNING, at, 'batmap')
            return
        img = self.image
        for first, n in bit_runs(data, self.need):
            for i in range(first, first + n):
                full = img.bat[i] != UNUSED and \
                    img.present(i) == [(0, img.spb)]
                self.say_if(not full, 'V89', ERROR, map_at, f'block {i}')


def check(path):
    try:
        return sorted(Check(path).found)
    except Error as e:
        return [Finding('V03', FATAL, 0, str(e))]
