# SPDX-License-Identifier: BSD-3-Clause
"""media.py - what a power cut may leave of files that were logged by passfs.

The model is that of docs/durability.md.  Until a file is flushed, any subset
of the sectors written since may be there, and any of the sizes that it had;
of the changes of names, the first few, or, as not every file system has a
journal, any of them.
"""
import ctypes
import os
import struct

LIBC = ctypes.CDLL(None, use_errno=True)
SECTOR = 512
HEAD = struct.Struct('=4I3Q')  # struct oplog_record
(WRITE, ZERO, TRUNCATE, SYNC, CREATE, LINK, RENAME, EXCHANGE, UNLINK,
 SYNC_DIR) = range(10)


class Record:
    """One operation; `at` is where it begins in the log."""
    def __init__(self, at, head, name, other, data):
        self.at, self.name, self.other, self.data = at, name, other, data
        self.kind, _, _, _, self.inode, self.offset, self.length = head


def records(path, end):
    """Those that were in the log when it had `end` bytes."""
    with open(path, 'rb') as f:
        while f.tell() < end:
            at = f.tell()
            head = HEAD.unpack(f.read(HEAD.size))
            names = f.read(head[1] + head[2]).decode()
            data = f.read(head[6]) if head[0] == WRITE else None
            yield Record(at, head, names[:head[1]], names[head[1]:], data)


def flushes(path, begin, end):
    """Where the log has a flush at which something is pending."""
    pending, result = set(), []
    for r in records(path, end):
        if r.kind in (SYNC, SYNC_DIR) and pending and r.at >= begin:
            result.append(r.at)
        if r.kind == SYNC:
            pending.discard(r.inode)
        elif r.kind == SYNC_DIR:
            pending.discard(0)
        else:
            pending.add(0 if r.name else r.inode)
    return result


def copy_data(to, source):
    """Copy a file with its holes; to is empty."""
    size, at = os.fstat(source).st_size, 0
    while at < size:
        try:
            at = os.lseek(source, at, os.SEEK_DATA)
        except OSError:
            break
        end = os.lseek(source, at, os.SEEK_HOLE)
        os.lseek(to, at, os.SEEK_SET)
        while at < end:
            at += os.sendfile(to, source, at, end - at)
    os.ftruncate(to, size)


class File:
    """The durable content, as a file, and what is pending, in time."""
    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        self.pending = []

    def sizes(self):
        """The durable size, and each that it had since."""
        sizes = [os.fstat(self.fd).st_size]
        for r in self.pending:
            size = size_after(r, sizes[-1])
            if size != sizes[-1]:
                sizes.append(size)
        return sizes

    def settle(self):
        apply(self.fd, self.pending, self.sizes(), Everything)
        self.pending = []


def size_after(r, size):
    if r.kind == TRUNCATE:
        return r.offset
    return max(size, r.offset + r.length) if r.data is not None else size


def apply(fd, pending, sizes, choice):
    """Do a part of what is pending.  A shrink takes what was written before,
    and what is written behind it afterwards comes only with it."""
    last, n, limit = choice.size(len(sizes)), 0, 1 << 62
    for r in pending:
        size = size_after(r, sizes[n])
        if r.kind != TRUNCATE:
            for start, end in choice.parts(r):
                put(fd, r, start, min(end, limit))
        if size == sizes[n]:
            continue
        n += 1
        if r.kind == TRUNCATE and size < sizes[n - 1]:
            if n <= last:
                os.ftruncate(fd, size)
            else:
                limit = min(limit, size)
    os.ftruncate(fd, sizes[last])


def put(fd, r, start, end):
    if start >= end:
        return
    if r.data is None:
        punch(fd, start, end - start)
    else:
        os.pwrite(fd, r.data[start - r.offset:end - r.offset], start)


def punch(fd, start, length):
    """A hole is a part of a file that reads as zero."""
    keep_size, punch_hole = 1, 2
    if LIBC.fallocate(fd, keep_size | punch_hole, ctypes.c_longlong(start),
                      ctypes.c_longlong(length)):
        raise OSError(ctypes.get_errno(), 'no holes here')


class Everything:
    """All that is pending is there."""
    @staticmethod
    def size(n):
        return n - 1

    @staticmethod
    def names(ops):
        return ops

    @staticmethod
    def parts(r):
        yield r.offset, r.offset + r.length


class Nothing:
    @staticmethod
    def size(_):
        return 0

    @staticmethod
    def names(_):
        return []

    @staticmethod
    def parts(_):
        return ()


class Chance:
    """Some of it; in the worst case each sector for itself."""
    def __init__(self, random):
        self.random = random
        self.loose = random.random() < 0.5
        self.kept = random.choice((0.1, 0.5, 0.5, 0.9))
        self.torn = random.choice((0, 0.3, 1))

    def size(self, n):
        return self.random.randrange(n)

    def names(self, ops):
        if self.loose:
            return [op for op in ops if self.random.random() < self.kept]
        return ops[:self.random.randint(0, len(ops))]

    def parts(self, r):
        end = r.offset + r.length
        if self.random.random() >= self.torn:
            if self.random.random() < self.kept:
                yield r.offset, end
            return
        start = r.offset
        while start < end:
            stop = min(end, start - start % SECTOR
                       + SECTOR * self.random.choice((1, 1, 2, 7)))
            if self.random.random() < self.kept:
                yield start, stop
            start = stop


class Media:
    """Everything up to a place in the log: durable, or pending."""
    lies = None  # flushes of 'files', or 'names', that do nothing

    def __init__(self, scratch):
        self.scratch, self.made = scratch, 0
        self.files = {}  # by inode
        self.live, self.names, self.pending = {}, {}, []

    def change_names(self, *changes):
        """One change of at most two names, each (name, file or None)."""
        self.pending.append(changes)
        self.change(self.live, changes)

    @staticmethod
    def change(names, changes):
        for name, file in changes:
            if file:
                names[name] = file
            else:
                names.pop(name, None)

    def feed(self, r):
        file = self.files.get(r.inode)
        if r.kind in (WRITE, ZERO, TRUNCATE):
            file.pending.append(r)
        elif r.kind == SYNC and self.lies != 'files':
            file.settle()
        elif r.kind == SYNC_DIR and self.lies != 'names':
            for changes in self.pending:
                self.change(self.names, changes)
            self.pending = []
        elif r.kind == CREATE:
            self.made += 1
            file = File(f'{self.scratch}/{self.made}')
            self.files[r.inode] = file
            self.change_names((r.name, file))
        elif r.kind == LINK:
            self.change_names((r.name, file))
        elif r.kind == RENAME:
            self.change_names((r.other, self.live[r.name]), (r.name, None))
        elif r.kind == EXCHANGE:
            self.change_names((r.other, self.live[r.name]),
                              (r.name, self.live[r.other]))
        elif r.kind == UNLINK:
            self.change_names((r.name, None))

    def build(self, directory, choice):
        """One state, in an empty directory."""
        names, made = dict(self.names), {}
        for changes in choice.names(self.pending):
            self.change(names, changes)
        for name, file in sorted(names.items()):
            path = f'{directory}/{name}'
            if file in made:
                os.link(made[file], path)
                continue
            made[file] = path
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
            copy_data(fd, file.fd)
            apply(fd, file.pending, file.sizes(), choice)
            os.close(fd)
