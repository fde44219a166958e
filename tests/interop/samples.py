# SPDX-License-Identifier: BSD-3-Clause
"""samples.py - the real images and what their README says of them."""
import bz2
import gzip
import os
import re

from interop import IMAGES

OPEN = {'.bz2': bz2.open, '.gz': gzip.open}


def rows():
    """(file, type, virtual size, content hash or None) of each VHD."""
    with open(os.path.join(IMAGES, 'README.md'), encoding='utf-8') as f:
        lines = [line.split('|')[1:-1] for line in f if line[:1] == '|']
    last = None
    for cells in lines:
        names, _, kind, size, content = [c.strip() for c in cells[:5]]
        if kind not in ('fixed', 'dynamic', 'differencing'):
            continue
        match = re.fullmatch('[0-9a-f]{64}', content)
        last = match.group() if match else last if content == 'same' else None
        sizes = [int(s) for s in size.split(',')]
        for name, n in zip(names.split(','), sizes):
            yield name.strip(), kind, n, last


def unpack(name, folder='.'):
    """Puts a sample into the folder, decompressed; the new path."""
    stem, ext = os.path.splitext(name)
    path = os.path.join(folder, stem if ext in OPEN else name)
    with OPEN.get(ext, open)(os.path.join(IMAGES, name), 'rb') as src, \
            open(path, 'wb') as dst:
        dst.write(src.read())
    return path


def unpack_all(folder='.'):
    for name in os.listdir(IMAGES):
        if not name.endswith('.md'):
            unpack(name, folder)
