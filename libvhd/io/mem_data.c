/* SPDX-License-Identifier: BSD-3-Clause */
/* mem_data.c - pages in a list sorted by place, counted by their users. */
#include "io/mem_data.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/arith.h"

struct page {
	_Atomic uint32_t users;
	uint8_t bytes[MEM_PAGE];
};

struct slot {
	uint64_t index; /* offset / MEM_PAGE */
	struct page *page;
};

struct mem_data {
	_Atomic uint32_t users;
	uint64_t size;
	struct slot *slots; /* by index */
	size_t n, room;
};

static void
page_free(struct page *page)
{
	if (atomic_fetch_sub(&page->users, 1) == 1)
		free(page);
}

int
mem_data_new(struct mem_data **ret)
{
	struct mem_data *data = calloc(1, sizeof(*data));

	if (!data)
		return fail_nomem();
	atomic_init(&data->users, 1);
	*ret = data;
	return 0;
}

struct mem_data *
mem_data_share(struct mem_data *data)
{
	atomic_fetch_add(&data->users, 1);
	return data;
}

void
mem_data_free(struct mem_data *data)
{
	if (!data || atomic_fetch_sub(&data->users, 1) != 1)
		return;
	for (size_t i = 0; i < data->n; i++)
		page_free(data->slots[i].page);
	free(data->slots);
	free(data);
}

/* Make *data one that nobody else uses. */
static int
own(struct mem_data **data)
{
	struct mem_data *old = *data, *copy = NULL;
	int err;

	if (atomic_load(&old->users) == 1)
		return 0;
	err = mem_data_new(&copy);
	if (err)
		return err;
	copy->room = old->n + 8;
	copy->slots = malloc(copy->room * sizeof(*copy->slots));
	if (!copy->slots) {
		free(copy);
		return fail_nomem();
	}
	if (old->n)
		memcpy(copy->slots, old->slots, old->n * sizeof(*old->slots));
	for (size_t i = 0; i < old->n; i++)
		atomic_fetch_add(&old->slots[i].page->users, 1);
	copy->n = old->n;
	copy->size = old->size;
	mem_data_free(old);
	*data = copy;
	return 0;
}

uint64_t
mem_data_size(const struct mem_data *data)
{
	return data->size;
}

uint64_t
mem_data_pages(const struct mem_data *data)
{
	return data->n;
}

/* The first slot at or after index; n when there is none. */
static size_t
find(const struct mem_data *data, uint64_t index)
{
	size_t low = 0, high = data->n;

	/* Most files grow at their end, and few have holes at their start. */
	if (high && data->slots[high - 1].index < index)
		return high;
	if (index < high && data->slots[index].index == index)
		return (size_t)index;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (data->slots[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t
mem_data_missing(const struct mem_data *data, uint64_t offset, uint64_t length)
{
	uint64_t first = offset / MEM_PAGE;
	uint64_t end = ceil_div(offset + length, MEM_PAGE);

	return length ? end - first - (find(data, end) - find(data, first)) : 0;
}

static size_t
part_in_page(uint64_t offset, uint64_t length)
{
	return (size_t)min_u64(MEM_PAGE - offset % MEM_PAGE, length);
}

void
mem_data_read(const struct mem_data *data, void *buf, size_t len,
	      uint64_t offset)
{
	size_t at = find(data, offset / MEM_PAGE);
	uint8_t *to = buf;

	while (len) {
		size_t part = part_in_page(offset, len);

		if (at < data->n && data->slots[at].index == offset / MEM_PAGE)
			memcpy(to,
			       data->slots[at++].page->bytes +
				       offset % MEM_PAGE,
			       part);
		else
			memset(to, 0, part);
		to += part;
		offset += part;
		len -= part;
	}
}

static int
insert(struct mem_data *data, size_t at, uint64_t index)
{
	struct page *page;
	size_t room = data->room ? data->room * 2 : 8;
	struct slot *more;

	if (data->n == data->room) {
		more = realloc(data->slots, room * sizeof(*more));
		if (!more)
			return fail_nomem();
		data->slots = more;
		data->room = room;
	}
	page = calloc(1, sizeof(*page));
	if (!page)
		return fail_nomem();
	atomic_init(&page->users, 1);
	memmove(data->slots + at + 1, data->slots + at,
		(data->n - at) * sizeof(*data->slots));
	data->slots[at] = (struct slot){index, page};
	data->n++;
	return 0;
}

static int
own_page(struct slot *slot)
{
	struct page *copy;

	if (atomic_load(&slot->page->users) == 1)
		return 0;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return fail_nomem();
	memcpy(copy->bytes, slot->page->bytes, MEM_PAGE);
	atomic_init(&copy->users, 1);
	page_free(slot->page);
	slot->page = copy;
	return 0;
}

/* The page of index, there and not shared, in slot `at`. */
static int
page_for_writing(struct mem_data *data, size_t at, uint64_t index)
{
	if (at == data->n || data->slots[at].index != index)
		return insert(data, at, index);
	return own_page(&data->slots[at]);
}

int
mem_data_write(struct mem_data **data, const void *buf, size_t len,
	       uint64_t offset)
{
	const uint8_t *from = buf;
	size_t at;
	int err;

	err = len ? own(data) : 0;
	at = find(*data, offset / MEM_PAGE);
	while (!err && len) {
		size_t part = part_in_page(offset, len);

		err = page_for_writing(*data, at, offset / MEM_PAGE);
		if (err)
			break;
		memcpy((*data)->slots[at++].page->bytes + offset % MEM_PAGE,
		       from, part);
		from += part;
		offset += part;
		len -= part;
		(*data)->size = max_u64((*data)->size, offset);
	}
	return err;
}

/* Zero what a page shares with [offset, end). */
static int
zero_part(struct slot *slot, uint64_t offset, uint64_t end)
{
	uint64_t start = slot->index * MEM_PAGE;
	uint64_t from = max_u64(start, offset);
	uint64_t to = min_u64(start + MEM_PAGE, end);
	int err;

	err = own_page(slot);
	if (!err)
		memset(slot->page->bytes + (from - start), 0,
		       (size_t)(to - from));
	return err;
}

int
mem_data_punch(struct mem_data **ref, uint64_t offset, uint64_t length)
{
	uint64_t first = offset / MEM_PAGE;
	uint64_t end = offset + length;
	struct mem_data *data;
	size_t from, to, last;
	int err;

	err = length ? own(ref) : 0;
	if (err || !length)
		return err;
	data = *ref;
	from = find(data, first);
	last = find(data, ceil_div(end, MEM_PAGE));
	if (offset % MEM_PAGE && from < last &&
	    data->slots[from].index == first)
		err = zero_part(&data->slots[from++], offset, end);
	if (!err && end % MEM_PAGE && from < last &&
	    data->slots[last - 1].index == end / MEM_PAGE)
		err = zero_part(&data->slots[--last], offset, end);
	if (err)
		return err;
	for (to = from; to < last; to++)
		page_free(data->slots[to].page);
	memmove(data->slots + from, data->slots + last,
		(data->n - last) * sizeof(*data->slots));
	data->n -= last - from;
	return 0;
}

int
mem_data_resize(struct mem_data **data, uint64_t size)
{
	uint64_t old = (*data)->size;
	int err;

	err = size < old ? mem_data_punch(data, size, old - size) : own(data);
	if (!err)
		(*data)->size = size;
	return err;
}

void
mem_data_extent(bool *ret_data, uint64_t *ret_end, const struct mem_data *data,
		uint64_t offset)
{
	uint64_t index = offset / MEM_PAGE;
	size_t at = find(data, index);
	bool there = at < data->n && data->slots[at].index == index;
	uint64_t end = data->size;

	while (there && at < data->n && data->slots[at].index == index) {
		at++;
		index++;
	}
	if (there)
		end = index * MEM_PAGE;
	else if (at < data->n)
		end = data->slots[at].index * MEM_PAGE;
	*ret_data = there;
	*ret_end = min_u64(end, data->size);
}
