/* SPDX-License-Identifier: BSD-3-Clause */
/* crash_log.c - record writes and sizes; make them durable. */
#include "crash_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/arith.h"
#include "base/iszero.h"

void *
crash_room(void *list, size_t n, size_t room, size_t element)
{
	void *more;

	(void)n;
	more = realloc(list, (room ? room * 2 : 8) * element);
	if (!more)
		abort();
	return more;
}

static uint32_t
min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void
must(int err)
{
	if (err)
		abort();
}

uint64_t
crash_sector_hash(const uint8_t bytes[CRASH_SECTOR], uint64_t number)
{
	if (is_zero(bytes, CRASH_SECTOR))
		return 0;
	return crash_hash(bytes, CRASH_SECTOR, number);
}

static void
forget_sectors(struct crash_file *file)
{
	for (size_t i = 0; i < file->nsectors; i++) {
		for (uint32_t v = 0; v < file->sectors[i].n; v++)
			free(file->sectors[i].versions[v]);
		free(file->sectors[i].versions);
	}
	file->nsectors = 0;
}

void
crash_log_free(struct crash_log *log)
{
	struct crash_file *file;

	while ((file = log->files)) {
		log->files = file->next;
		forget_sectors(file);
		free(file->sectors);
		free(file->sizes);
		free(file->kept);
		mem_data_free(file->durable);
		free(file);
	}
	crash_names_free(log);
}

static void
add_size(struct crash_file *file, uint64_t when, uint64_t size)
{
	CRASH_GROW(file->sizes, file->nsizes, file->sizes_room);
	file->sizes[file->nsizes++] = (struct crash_size){when, size};
}

struct crash_file *
crash_log_file(struct crash_log *log, uint64_t inode)
{
	struct crash_file *file;

	for (file = log->files; file; file = file->next)
		if (file->inode == inode)
			return file;
	file = calloc(1, sizeof(*file));
	if (!file)
		abort();
	file->inode = inode;
	must(mem_data_new(&file->durable));
	add_size(file, 0, 0);
	file->next = log->files;
	log->files = file;
	return file;
}

/* The sector's place in the list, where it is or would be. */
static size_t
find_sector(const struct crash_file *file, uint64_t number)
{
	size_t low = 0, high = file->nsectors;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (file->sectors[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct crash_sector *
get_sector(struct crash_file *file, uint64_t number)
{
	size_t at = find_sector(file, number);

	if (at < file->nsectors && file->sectors[at].number == number)
		return &file->sectors[at];
	CRASH_GROW(file->sectors, file->nsectors, file->sectors_room);
	memmove(file->sectors + at + 1, file->sectors + at,
		(file->nsectors - at) * sizeof(*file->sectors));
	file->nsectors++;
	file->sectors[at] = (struct crash_sector){.number = number};
	return &file->sectors[at];
}

/* A sector as it is in a content, zeros past the end. */
static void
read_sector(uint8_t ret[static CRASH_SECTOR], const struct mem_data *data,
	    uint64_t number)
{
	uint64_t offset = number * CRASH_SECTOR;
	uint64_t size = mem_data_size(data);
	size_t len = offset < size
			     ? (size_t)min_u64(CRASH_SECTOR, size - offset)
			     : 0;

	memset(ret + len, 0, CRASH_SECTOR - len);
	if (len)
		mem_data_read(data, ret, len, offset);
}

static bool
version_equal(const struct crash_version *version, const uint8_t *bytes)
{
	if (version->zero)
		return is_zero(bytes, CRASH_SECTOR);
	return memcmp(version->bytes, bytes, CRASH_SECTOR) == 0;
}

/* The newest size that cut this sector, whole or in part. */
static uint32_t
last_cut(const struct crash_file *file, uint64_t number)
{
	for (uint32_t i = file->nsizes - 1; i > 0; i--)
		if (file->sizes[i].size < file->sizes[i - 1].size &&
		    file->sizes[i].size < (number + 1) * CRASH_SECTOR)
			return i;
	return 0;
}

/* Does the sector hold this already, whatever of it survives? */
static bool
says_nothing_new(const struct crash_file *file, uint64_t number,
		 const uint8_t *bytes)
{
	size_t at = find_sector(file, number);
	const struct crash_sector *sector = &file->sectors[at];
	const struct crash_version *last;
	uint8_t durable[CRASH_SECTOR];

	if (at < file->nsectors && sector->number == number && sector->n) {
		last = sector->versions[sector->n - 1];
		return last->last_size == UINT32_MAX &&
		       version_equal(last, bytes);
	}
	read_sector(durable, file->durable, number);
	return last_cut(file, number) == 0 &&
	       memcmp(durable, bytes, CRASH_SECTOR) == 0;
}

static void
add_version(struct crash_log *log, struct crash_file *file,
	    const struct mem_data *live, uint64_t number)
{
	struct crash_version *version;
	struct crash_sector *sector;
	uint8_t bytes[CRASH_SECTOR];
	size_t room;

	read_sector(bytes, live, number);
	if (says_nothing_new(file, number, bytes))
		return;
	room = is_zero(bytes, CRASH_SECTOR) ? 0 : CRASH_SECTOR;
	version = malloc(sizeof(*version) + room);
	if (!version)
		abort();
	*version = (struct crash_version){
		.when = log->now,
		.first_size = last_cut(file, number),
		.last_size = UINT32_MAX,
		.zero = room == 0,
		.hash = crash_sector_hash(bytes, number),
	};
	memcpy(version->bytes, bytes, room);
	sector = get_sector(file, number);
	CRASH_GROW(sector->versions, sector->n, sector->room);
	sector->versions[sector->n++] = version;
}

static void
keep(struct crash_file *file, uint64_t number, uint64_t when)
{
	CRASH_GROW(file->kept, file->nkept, file->kept_room);
	file->kept[file->nkept++] = (struct crash_kept){number, when};
}

/* What was lost is written again. */
static void
find_again(struct crash_file *file, uint64_t first, uint64_t end)
{
	size_t n = 0;

	for (size_t i = 0; i < file->nkept; i++) {
		const struct crash_kept *k = &file->kept[i];

		if (k->when != UINT64_MAX || k->number < first ||
		    k->number >= end)
			file->kept[n++] = *k;
	}
	file->nkept = n;
}

void
crash_log_write(struct crash_log *log, struct crash_file *file,
		const struct mem_data *live, uint64_t offset, uint64_t length)
{
	uint64_t size = mem_data_size(live);
	uint64_t end = ceil_div(offset + length, CRASH_SECTOR);

	log->now++;
	for (uint64_t i = offset / CRASH_SECTOR; i < end; i++)
		add_version(log, file, live, i);
	find_again(file, offset / CRASH_SECTOR, end);
	if (size > file->sizes[file->nsizes - 1].size)
		add_size(file, log->now, size);
}

/* What was written so far from this sector on goes with the sizes before the
 * newest. */
static void
cut_versions(struct crash_file *file, uint64_t first)
{
	uint32_t last = file->nsizes - 2;

	for (size_t i = find_sector(file, first); i < file->nsectors; i++) {
		struct crash_sector *sector = &file->sectors[i];

		for (uint32_t v = 0; v < sector->n; v++)
			if (sector->versions[v]->last_size > last)
				sector->versions[v]->last_size = last;
	}
}

void
crash_log_resize(struct crash_log *log, struct crash_file *file,
		 const struct mem_data *live, uint64_t old_size)
{
	uint64_t size = mem_data_size(live);

	if (size == old_size)
		return;
	log->now++;
	add_size(file, log->now, size);
	if (size > old_size)
		return;
	cut_versions(file, size / CRASH_SECTOR);
	if (size % CRASH_SECTOR)
		add_version(log, file, live, size / CRASH_SECTOR);
}

/* The sizes up to a moment are durable: the rest count from there. */
static void
forget_sizes(struct crash_file *file, uint64_t mark)
{
	uint32_t k = 0;

	while (k + 1 < file->nsizes && file->sizes[k + 1].when <= mark)
		k++;
	file->nsizes -= k;
	memmove(file->sizes, file->sizes + k,
		file->nsizes * sizeof(*file->sizes));
	file->sizes[0].when = 0;
	for (size_t i = 0; i < file->nsectors; i++)
		for (uint32_t v = 0; v < file->sectors[i].n; v++) {
			struct crash_version *version =
				file->sectors[i].versions[v];

			version->first_size -= min_u32(version->first_size, k);
			if (version->last_size != UINT32_MAX)
				version->last_size -=
					min_u32(version->last_size, k);
		}
}

/* Drop the versions of [first, end) up to a moment; of every sector those
 * that the first `cut` sizes after the durable one took away. */
static void
forget_versions(struct crash_file *file, uint64_t first, uint64_t end,
		uint64_t mark, uint32_t cut)
{
	size_t kept = 0;

	for (size_t i = 0; i < file->nsectors; i++) {
		struct crash_sector sector = file->sectors[i];
		bool inside = sector.number >= first && sector.number < end;
		uint32_t n = sector.n;

		sector.n = 0;
		for (uint32_t v = 0; v < n; v++) {
			struct crash_version *version = sector.versions[v];

			if ((inside && version->when <= mark) ||
			    version->last_size < cut)
				free(version);
			else
				sector.versions[sector.n++] = version;
		}
		if (sector.n)
			file->sectors[kept++] = sector;
		else
			free(sector.versions);
	}
	file->nsectors = kept;
}

static void
write_durable(struct mem_data **durable, const uint8_t *bytes, uint64_t number)
{
	uint64_t size = mem_data_size(*durable), at = number * CRASH_SECTOR;

	if (at < size)
		must(mem_data_write(durable, bytes,
				    (size_t)min_u64(CRASH_SECTOR, size - at),
				    at));
}

/* The content of a flush, but for what is durable otherwise. */
static struct mem_data *
with_kept(struct crash_file *file, struct mem_data *content, uint64_t mark)
{
	struct mem_data *durable = mem_data_share(content);
	size_t n = 0;

	for (size_t i = 0; i < file->nkept; i++) {
		const struct crash_kept k = file->kept[i];
		uint8_t bytes[CRASH_SECTOR];

		if (k.when <= mark)
			continue;
		read_sector(bytes, file->durable, k.number);
		write_durable(&durable, bytes, k.number);
		file->kept[n++] = k;
	}
	file->nkept = n;
	return durable;
}

void
crash_log_lose(struct crash_file *file, uint64_t mark,
	       uint64_t (*draw)(uint64_t *state, uint64_t below),
	       uint64_t *state)
{
	for (size_t i = 0; i < file->nsectors; i++) {
		const struct crash_sector *s = &file->sectors[i];
		const struct crash_version *v;
		uint32_t n = 0;
		uint64_t k;

		while (n < s->n && s->versions[n]->when <= mark)
			n++;
		if (!n)
			continue;
		keep(file, s->number, UINT64_MAX);
		k = draw(state, n + 1);
		v = k ? s->versions[k - 1] : NULL;
		if (v && v->last_size == UINT32_MAX) {
			uint8_t bytes[CRASH_SECTOR] = {0};

			if (!v->zero)
				memcpy(bytes, v->bytes, CRASH_SECTOR);
			write_durable(&file->durable, bytes, s->number);
		}
	}
	forget_versions(file, 0, UINT64_MAX, mark, 0);
}

/* One that began before another which is done has nothing to add. */
void
crash_log_flush(struct crash_file *file, struct mem_data *content,
		uint64_t mark)
{
	struct mem_data *durable;

	if (mark < file->flushed)
		return;
	if (mark != UINT64_MAX)
		file->flushed = mark;
	forget_versions(file, 0, UINT64_MAX, mark, 0);
	forget_sizes(file, mark);
	durable = with_kept(file, content, mark);
	mem_data_free(file->durable);
	file->durable = durable;
	file->sizes[0].size = mem_data_size(content);
}

static bool
has_shrunk(const struct crash_file *file)
{
	for (uint32_t i = 1; i < file->nsizes; i++)
		if (file->sizes[i].size < file->sizes[i - 1].size)
			return true;
	return false;
}

/* Every size up to a moment happens, with what it cuts off. */
static void
flush_sizes(struct crash_file *file, uint64_t mark)
{
	uint32_t last = 0;

	for (uint32_t i = 1; i < file->nsizes && file->sizes[i].when <= mark;
	     i++) {
		must(mem_data_resize(&file->durable, file->sizes[i].size));
		last = i;
	}
	forget_versions(file, 0, 0, 0, last);
	forget_sizes(file, mark);
}

void
crash_log_flush_range(struct crash_file *file, const struct mem_data *content,
		      uint64_t mark, uint64_t offset, uint64_t length)
{
	uint64_t first = offset / CRASH_SECTOR;
	uint64_t end = ceil_div(offset + length, CRASH_SECTOR);
	uint64_t size;

	if (mark < file->flushed)
		return;
	if (offset + length > file->sizes[0].size || has_shrunk(file))
		flush_sizes(file, mark);
	size = mem_data_size(file->durable);
	for (uint64_t i = first; i < end; i++) {
		uint8_t bytes[CRASH_SECTOR];

		read_sector(bytes, content, i);
		must(mem_data_write(
			&file->durable, bytes,
			(size_t)min_u64(CRASH_SECTOR, size - i * CRASH_SECTOR),
			i * CRASH_SECTOR));
		keep(file, i, mark);
	}
	forget_versions(file, first, end, mark, 0);
}

bool
crash_log_pending(const struct crash_log *log)
{
	if (log->nops)
		return true;
	for (struct crash_file *file = log->files; file; file = file->next)
		if (file->nsectors || file->nsizes > 1)
			return true;
	return false;
}
