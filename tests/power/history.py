# SPDX-License-Identifier: BSD-3-Clause
"""history.py - what a guest wrote, and what it must find again.

Each sector holds its number and a version.  A moment, at which something was
asked for, or answered, is the size of the log then, and a number that makes it
later than those before.
"""
import bisect
import struct

SECTOR = 512
NEVER = (1 << 62, 0)
START = (0, 0)
RUN = 64  # sectors that are compared at once
ZERO = bytes(16)


def stamp(sector, version):
    return struct.pack('>QQ', sector, version) if version else ZERO


class Image:
    """A file that must be there from `end` on, and until `gone`.  Unless it
    is what the guest writes to, it has what was written before `begin`, and
    nothing that came after `end`."""
    def __init__(self, path, begin, live=False):
        self.path, self.begin, self.live = path, begin, live
        self.end = self.gone = NEVER


class History:
    def __init__(self, sectors):
        self.sectors = sectors
        self.version = 0
        # Of each sector: versions, when they were asked for, and answered.
        self.writes = [([0], [START], [START]) for _ in range(sectors)]
        # Those that are durable by themselves: of a sector, when, and which.
        self.alone = {}
        self.flushes = []  # asked for, answered
        self.good = {}  # what was right last, by what was allowed

    def asked(self, first, count, moment, zero=False):
        """A write, with its bytes; answered() follows, unless the server is
        killed."""
        self.version += 1
        version = 0 if zero else self.version
        for s in range(first, first + count):
            self.add(s, version, moment, NEVER)
        return b''.join(stamp(s, version) * (SECTOR // 16)
                        for s in range(first, first + count))

    def add(self, sector, *write):
        for of, value in zip(self.writes[sector], write):
            of.append(value)

    def answered(self, first, count, moment, durable=False):
        for s in range(first, first + count):
            versions, _, end = self.writes[s]
            end[-1] = moment
            if durable:
                self.alone.setdefault(s, []).append((moment,
                                                     len(versions) - 1))

    def adopt(self, content, moment):
        """After a kill what is there is what counts, and durable."""
        wrong = self.wrong(content, self.durable_since(moment), moment, moment)
        if wrong:
            return wrong
        for s, (versions, _, end) in enumerate(self.writes):
            if len(versions) > 1:
                end[-1] = min(end[-1], moment)
                there = struct.unpack_from('>QQ', content, s * SECTOR)
                self.add(s, there[1], moment, moment)
        self.flushes.append((moment, moment))
        return None

    def durable_since(self, moment):
        """What was answered for until then is durable at the moment."""
        return max((f[0] for f in self.flushes if f[1] <= moment),
                   default=START)

    def allowed(self, sector, flushed, sure, until):
        """The versions: what was last answered for when a flush was asked for
        at `flushed`, or was durable by itself at `sure`; and what was asked
        for from then `until`."""
        versions, begin, end = self.writes[sector]
        low = bisect.bisect_right(end, flushed) - 1
        for moment, i in self.alone.get(sector, ()):
            if moment <= sure:
                low = max(low, i)
        return versions[low:bisect.bisect_right(begin, until)]

    def wrong(self, content, *bounds):
        """None, or what is wrong."""
        if len(content) != self.sectors * SECTOR:
            return f'{len(content)} bytes, not {self.sectors * SECTOR}'
        good = self.good.get(bounds, b'')
        for first in range(0, self.sectors, RUN):
            run = slice(first * SECTOR, (first + RUN) * SECTOR)
            if content[run] == good[run]:
                continue
            for s in range(first, first + RUN):
                why = self.wrong_sector(content, s, bounds)
                if why:
                    return why
        self.good = dict([*self.good.items()][-3:])
        self.good[bounds] = content
        return None

    def wrong_sector(self, content, sector, bounds):
        at = sector * SECTOR
        number, version = struct.unpack_from('>QQ', content, at)
        versions = self.allowed(sector, *bounds)
        if version in versions and content[at:at + SECTOR] == \
                stamp(sector, version) * (SECTOR // 16):
            return None
        return f'sector {sector} has {number, version}, but only versions ' \
            f'{sorted(versions)} are right'

    def wrong_in(self, image, content, moment):
        flushed = self.durable_since(moment)
        if image.live:
            return self.wrong(content, flushed, moment, moment)
        if moment < image.end:
            flushed = min(flushed, image.begin)
        else:
            flushed = image.begin
        return self.wrong(content, flushed, min(moment, image.begin),
                          min(moment, image.end))
