/* SPDX-License-Identifier: BSD-3-Clause */
/* crash_choice.c - make the state that a choice stands for. */
#include "crash_choice.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arith.h"

static void *
need(size_t n, size_t size)
{
	void *ret = calloc(n + 1, size);

	if (!ret)
		abort();
	return ret;
}

static void
count_everything(size_t *ret_versions, struct crash_choice *choice)
{
	size_t versions = 0;

	for (struct crash_file *file = choice->log->files; file;
	     file = file->next) {
		choice->nfiles++;
		choice->nunits += file->nsectors;
		for (size_t i = 0; i < file->nsectors; i++)
			versions += file->sectors[i].n;
	}
	*ret_versions = versions;
}

void
crash_choice_init(struct crash_choice *choice, const struct crash_log *log)
{
	struct crash_file *file = log->files;
	struct crash_unit *unit;
	size_t versions;

	*choice = (struct crash_choice){.log = log};
	count_everything(&versions, choice);
	choice->files = need(choice->nfiles, sizeof(struct crash_file *));
	choice->sizes = need(choice->nfiles, sizeof(*choice->sizes));
	choice->bases = need(choice->nfiles, sizeof(*choice->bases));
	choice->units = need(choice->nunits, sizeof(*choice->units));
	choice->pool = need(versions, sizeof(struct crash_version *));
	choice->name_room =
		need(log->nnames + 2 * log->nops, sizeof(*choice->name_room));
	unit = choice->units;
	for (uint32_t i = 0; i < choice->nfiles; i++, file = file->next) {
		choice->files[i] = file;
		for (size_t k = 0; k < file->nsectors; k++)
			*unit++ = (struct crash_unit){
				.sector = &file->sectors[k],
				.file = i,
			};
	}
}

void
crash_choice_free(struct crash_choice *choice)
{
	free(choice->files);
	free(choice->sizes);
	free(choice->bases);
	free(choice->units);
	free(choice->pool);
	free(choice->name_room);
}

static uint64_t
chosen_size(const struct crash_choice *choice, uint32_t file)
{
	return choice->files[file]->sizes[choice->sizes[file]].size;
}

void
crash_choice_sizes(struct crash_choice *choice)
{
	const struct crash_version **next = choice->pool;

	for (size_t i = 0; i < choice->nunits; i++) {
		struct crash_unit *unit = &choice->units[i];
		uint32_t size = choice->sizes[unit->file];
		bool inside = unit->sector->number * CRASH_SECTOR <
			      chosen_size(choice, unit->file);

		unit->options = next;
		unit->n = 0;
		unit->picked = 0;
		for (uint32_t v = 0; inside && v < unit->sector->n; v++) {
			const struct crash_version *version =
				unit->sector->versions[v];

			if (version->first_size <= size &&
			    size <= version->last_size)
				next[unit->n++] = version;
		}
		next += unit->n;
	}
}

static void
must(int err)
{
	if (err)
		abort();
}

/* The durable content with what the sizes up to the chosen one cut off. */
static struct mem_data *
resized_content(const struct crash_choice *choice, uint32_t file)
{
	const struct crash_file *of = choice->files[file];
	struct mem_data *data = mem_data_share(of->durable);

	for (uint32_t i = 1; i <= choice->sizes[file]; i++)
		if (of->sizes[i].size < mem_data_size(data))
			must(mem_data_resize(&data, of->sizes[i].size));
	if (mem_data_size(data) != chosen_size(choice, file))
		must(mem_data_resize(&data, chosen_size(choice, file)));
	return data;
}

/* A sector, with zeros behind the end. */
static const uint8_t *
read_base(uint8_t ret[static CRASH_SECTOR], const struct mem_data *data,
	  uint64_t number)
{
	uint64_t offset = number * CRASH_SECTOR, size = mem_data_size(data);
	size_t len = (size_t)min_u64(CRASH_SECTOR,
				     offset < size ? size - offset : 0);

	memset(ret, 0, CRASH_SECTOR);
	if (len)
		mem_data_read(data, ret, len, offset);
	return ret;
}

static void
apply_version(struct mem_data **data, uint64_t number,
	      const struct crash_version *version)
{
	uint64_t offset = number * CRASH_SECTOR;
	uint64_t len = min_u64(CRASH_SECTOR, mem_data_size(*data) - offset);

	if (version->zero)
		must(mem_data_punch(data, offset, len));
	else
		must(mem_data_write(data, version->bytes, (size_t)len, offset));
}

static struct mem_data *
build_content(const struct crash_choice *choice, uint32_t file)
{
	struct mem_data *data = resized_content(choice, file);

	for (size_t i = 0; i < choice->nunits; i++) {
		const struct crash_unit *unit = &choice->units[i];

		if (unit->file == file && unit->picked)
			apply_version(&data, unit->sector->number,
				      unit->options[unit->picked - 1]);
	}
	return data;
}

static size_t
chosen_names(const struct crash_choice *choice)
{
	const struct crash_log *log = choice->log;
	size_t n = log->nnames;

	if (n)
		memcpy(choice->name_room, log->names, n * sizeof(*log->names));
	for (size_t i = 0; i < log->nops; i++)
		if (crash_name_happened(choice, i))
			n = crash_name_apply(choice->name_room, n,
					     &log->ops[i]);
	return n;
}

/* The path under which an earlier name leads to the same file. */
static const char *
earlier_name(const struct crash_name *names, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (names[k].file == names[i].file)
			return names[k].path;
	return NULL;
}

void
crash_choice_build(struct fs *fs, const struct crash_choice *choice)
{
	const struct crash_name *names = choice->name_room;
	size_t n = chosen_names(choice);

	for (size_t i = 0; i < n; i++) {
		const char *other = earlier_name(names, i);
		struct mem_data *data;
		uint32_t file = 0;

		if (other) {
			must(fs->ops->link(fs, other, names[i].path));
			continue;
		}
		while (choice->files[file] != names[i].file)
			file++;
		data = build_content(choice, file);
		must(mem_fs_put_data(fs, names[i].path, data));
		mem_data_free(data);
	}
}

/* ---- hashes ---- */

static uint64_t
content_hash(const struct mem_data *data)
{
	uint64_t size = mem_data_size(data), end, hash = 0;
	uint8_t bytes[CRASH_SECTOR];
	bool is_data;

	for (uint64_t at = 0; at < size; at = end) {
		mem_data_extent(&is_data, &end, data, at);
		for (; is_data && at < end; at += CRASH_SECTOR)
			hash += crash_sector_hash(
				read_base(bytes, data, at / CRASH_SECTOR),
				at / CRASH_SECTOR);
	}
	return hash + crash_hash(&size, sizeof(size), UINT64_MAX);
}

/* The sizes chosen may be others than last time. */
static void
update_bases(struct crash_choice *choice)
{
	for (uint32_t i = 0; i < choice->nfiles; i++) {
		struct crash_base *base = &choice->bases[i];
		struct mem_data *data;
		uint8_t bytes[CRASH_SECTOR];

		if (base->size == choice->sizes[i] + 1)
			continue;
		data = resized_content(choice, i);
		base->size = choice->sizes[i] + 1;
		base->hash = content_hash(data);
		for (size_t k = 0; k < choice->nunits; k++) {
			struct crash_unit *unit = &choice->units[k];
			uint64_t number = unit->sector->number;

			if (unit->file == i)
				unit->base = crash_sector_hash(
					read_base(bytes, data, number), number);
		}
		mem_data_free(data);
	}
}

static uint64_t
file_hash(const struct crash_choice *choice, uint32_t file)
{
	uint64_t hash = choice->bases[file].hash;

	for (size_t i = 0; i < choice->nunits; i++) {
		const struct crash_unit *unit = &choice->units[i];

		if (unit->file == file && unit->picked)
			hash += unit->options[unit->picked - 1]->hash -
				unit->base;
	}
	return hash;
}

uint64_t
crash_choice_hash(struct crash_choice *choice)
{
	size_t n = chosen_names(choice);
	uint64_t hash = 0;

	update_bases(choice);
	for (size_t i = 0; i < n; i++) {
		const struct crash_name *name = &choice->name_room[i];
		char path[64] = "";
		uint64_t seed;

		(void)snprintf(path, sizeof(path), "%s", name->path);
		seed = crash_hash(path, sizeof(path), strlen(name->path)) +
		       name->file->inode;
		for (uint32_t k = 0; k < choice->nfiles; k++)
			if (choice->files[k] == name->file) {
				uint64_t content = file_hash(choice, k);

				hash += crash_hash(&content, 8, seed);
			}
	}
	return hash;
}

/* ---- for a person ---- */

struct text {
	char *to;
	size_t room;
};

static void __attribute__((format(printf, 2, 3)))
say(struct text *text, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text->to, text->room, fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= text->room)
		n = (int)text->room - 1;
	text->to += n;
	text->room -= (size_t)n;
}

static void
say_file(struct text *text, const struct crash_choice *choice, uint32_t file,
	 const char *path)
{
	const struct crash_file *of = choice->files[file];

	say(text, "%s: %" PRIu64 " bytes (size %u of %u);", path,
	    chosen_size(choice, file), choice->sizes[file], of->nsizes - 1);
	for (size_t i = 0; i < choice->nunits; i++) {
		const struct crash_unit *unit = &choice->units[i];

		if (unit->file == file && unit->n)
			say(text, " %" PRIu64 ":%u/%u", unit->sector->number,
			    unit->picked, unit->n);
	}
	say(text, "\n");
}

void
crash_state_text(char *ret, size_t ret_size, const struct crash_state *state)
{
	const struct crash_choice *choice = state->choice;
	struct text text = {ret, ret_size};
	size_t n = chosen_names(choice);

	say(&text, "changes of names:");
	for (size_t i = 0; i < choice->log->nops; i++)
		say(&text, " %d", crash_name_happened(choice, i));
	say(&text, "; sector:version/versions\n");
	for (size_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < choice->nfiles; k++)
			if (choice->files[k] == choice->name_room[i].file)
				say_file(&text, choice, k,
					 choice->name_room[i].path);
}
