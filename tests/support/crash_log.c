/* SPDX-License-Identifier: BSD-3-Clause */
/* crash_log.c - record writes, sizes and names; make them durable. */
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

static void
must(int err)
{
	if (err)
		abort();
}

static char *
copy_text(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		abort();
	return copy;
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

static void
free_op(struct crash_name_op *op)
{
	for (int i = 0; i < op->n; i++)
		free(op->set[i].path);
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
		mem_data_free(file->durable);
		free(file);
	}
	for (size_t i = 0; i < log->nnames; i++)
		free(log->names[i].path);
	for (size_t i = 0; i < log->nops; i++)
		free_op(&log->ops[i]);
	free(log->names);
	free(log->ops);
}

static void
add_size(struct crash_file *file, uint64_t when, uint64_t size)
{
	CRASH_GROW(file->sizes, file->nsizes, file->sizes_room);
	file->sizes[file->nsizes++] = (struct crash_size){when, size};
}

static void
begin_sizes(struct crash_file *file)
{
	file->nsizes = 0;
	file->shrunk = false;
	add_size(file, 0, mem_data_size(file->durable));
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
	begin_sizes(file);
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
	};
	memcpy(version->bytes, bytes, room);
	sector = get_sector(file, number);
	CRASH_GROW(sector->versions, sector->n, sector->room);
	sector->versions[sector->n++] = version;
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
	file->shrunk = true;
	cut_versions(file, size / CRASH_SECTOR);
	if (size % CRASH_SECTOR)
		add_version(log, file, live, size / CRASH_SECTOR);
}

void
crash_log_flush(struct crash_file *file, struct mem_data *live)
{
	forget_sectors(file);
	mem_data_free(file->durable);
	file->durable = mem_data_share(live);
	begin_sizes(file);
}

static void
forget_sector(struct crash_file *file, uint64_t number)
{
	size_t at = find_sector(file, number);
	struct crash_sector *sector = &file->sectors[at];

	if (at == file->nsectors || sector->number != number)
		return;
	while (sector->n)
		free(sector->versions[--sector->n]);
	free(sector->versions);
	file->nsectors--;
	memmove(sector, sector + 1, (file->nsectors - at) * sizeof(*sector));
}

/* Every size that is pending happens, with what it cuts off. */
static void
flush_sizes(struct crash_file *file)
{
	uint32_t last = file->nsizes - 1;

	for (uint32_t i = 1; i <= last; i++)
		must(mem_data_resize(&file->durable, file->sizes[i].size));
	for (size_t i = 0; i < file->nsectors; i++) {
		struct crash_sector *sector = &file->sectors[i];
		uint32_t n = sector->n;

		sector->n = 0;
		for (uint32_t v = 0; v < n; v++) {
			sector->versions[v]->first_size = 0;
			if (sector->versions[v]->last_size >= last)
				sector->versions[sector->n++] =
					sector->versions[v];
			else
				free(sector->versions[v]);
		}
		if (!sector->n)
			forget_sector(file, file->sectors[i--].number);
	}
	begin_sizes(file);
}

void
crash_log_flush_range(struct crash_file *file, const struct mem_data *live,
		      uint64_t offset, uint64_t length)
{
	uint64_t end = ceil_div(offset + length, CRASH_SECTOR);
	uint64_t size;

	if (offset + length > file->sizes[0].size || file->shrunk)
		flush_sizes(file);
	size = mem_data_size(file->durable);
	for (uint64_t i = offset / CRASH_SECTOR; i < end; i++) {
		uint8_t bytes[CRASH_SECTOR];

		read_sector(bytes, live, i);
		must(mem_data_write(
			&file->durable, bytes,
			(size_t)min_u64(CRASH_SECTOR, size - i * CRASH_SECTOR),
			i * CRASH_SECTOR));
		forget_sector(file, i);
	}
}

static void
add_op(struct crash_log *log, struct crash_name_op op)
{
	CRASH_GROW(log->ops, log->nops, log->ops_room);
	op.when = ++log->now;
	log->ops[log->nops++] = op;
}

void
crash_log_name(struct crash_log *log, const char *path, struct crash_file *file)
{
	add_op(log, (struct crash_name_op){
			    .set = {{copy_text(path), file}},
			    .n = 1,
		    });
}

void
crash_log_names(struct crash_log *log, const char *a, struct crash_file *a_file,
		const char *b, struct crash_file *b_file)
{
	add_op(log,
	       (struct crash_name_op){
		       .set = {{copy_text(a), a_file}, {copy_text(b), b_file}},
		       .n = 2,
	       });
}

size_t
crash_name_apply(struct crash_name *names, size_t n,
		 const struct crash_name_op *op)
{
	for (int k = 0; k < op->n; k++) {
		size_t i = 0;

		while (i < n && strcmp(names[i].path, op->set[k].path) != 0)
			i++;
		if (op->set[k].file) {
			names[i] = op->set[k];
			n += i == n;
		} else if (i < n) {
			names[i] = names[--n];
		}
	}
	return n;
}

/* Into the durable list, whose paths are its own. */
static void
commit_op(struct crash_log *log, const struct crash_name_op *op)
{
	for (int k = 0; k < op->n; k++) {
		size_t i = 0;

		while (i < log->nnames &&
		       strcmp(log->names[i].path, op->set[k].path) != 0)
			i++;
		if (i < log->nnames && !op->set[k].file) {
			free(log->names[i].path);
			log->names[i] = log->names[--log->nnames];
		} else if (i < log->nnames) {
			log->names[i].file = op->set[k].file;
		} else if (op->set[k].file) {
			CRASH_GROW(log->names, log->nnames, log->names_room);
			log->names[log->nnames++] = (struct crash_name){
				copy_text(op->set[k].path), op->set[k].file};
		}
	}
}

/* Are two paths in the same directory? */
static bool
same_directory(const char *a, const char *b)
{
	size_t a_len = (size_t)(strrchr(a, '/') - a);
	size_t b_len = (size_t)(strrchr(b, '/') - b);

	return a_len == b_len && memcmp(a, b, a_len) == 0;
}

void
crash_log_sync_dir(struct crash_log *log, const char *path)
{
	size_t end = 0;

	for (size_t i = 0; i < log->nops; i++)
		for (int k = 0; k < log->ops[i].n; k++)
			if (same_directory(log->ops[i].set[k].path, path))
				end = i + 1;
	for (size_t i = 0; i < end; i++) {
		commit_op(log, &log->ops[i]);
		free_op(&log->ops[i]);
	}
	memmove(log->ops, log->ops + end,
		(log->nops - end) * sizeof(*log->ops));
	log->nops -= end;
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
