/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_map.c - vhdtool map: where every byte of a disk is stored.
 *
 * A map may have millions of extents, so they are kept as they come, which is
 * small, and only one at a time is turned into the tree that out.h prints.
 */
#include "cmd.h"
#include "disk.h"
#include "exit.h"
#include "memory.h"
#include "out.h"
#include "say.h"
#include "svg.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct map_args {
	const char *file;
	const char *svg;
	bool json;
	bool force;
	struct chain_args chain;
};

#define TO(member) .to = offsetof(struct map_args, member)

static const struct opt options[] = {
	{.name = "json",
	 .help = "print a JSON array, as qemu-img map does",
	 TO(json)},
	{.name = "svg",
	 .value = "OUT",
	 .help = "draw a picture into the new file OUT instead (- for stdout)",
	 .read = value_text,
	 TO(svg)},
	{.name = "force", .help = "replace OUT if it exists", TO(force)},
	OPT_CHAIN(struct map_args, chain),
	{0},
};

static const struct operand operands[] = {
	{"FILE", value_text, offsetof(struct map_args, file), 0},
	{0},
};

static const char *const examples[] = {
	"map disk.avhd",
	"List which part of the disk is stored in which image.",
	"map --svg map.svg disk.avhd",
	"Draw it: one square per part, one colour per image.",
	"map --json disk.vhd | jq 'map(select(.data).length) | add'",
	"Count the bytes that are stored.",
	NULL,
};

struct map {
	struct vhd_extent *extents;
	size_t count;
	size_t room;
	json_t **layers; /* their paths */
	uint32_t depth;
};

static void
map_free(struct map *map)
{
	for (uint32_t i = 0; map->layers && i < map->depth; i++)
		json_decref(map->layers[i]);
	free(map->layers);
	free(map->extents);
}

/* Do two neighbours say the same, so that they are one? */
static bool
continues(const struct vhd_extent *last, const struct vhd_extent *next)
{
	if (last->flags != next->flags)
		return false;
	if (!(last->flags & VHD_EXTENT_DATA))
		return true;
	return last->layer == next->layer &&
	       last->file_offset + last->length == next->file_offset;
}

static int
add_extent(const struct vhd_extent *extent, void *user)
{
	struct map *map = user;

	if (map->count > 0 &&
	    continues(&map->extents[map->count - 1], extent)) {
		map->extents[map->count - 1].length += extent->length;
		return 0;
	}
	if (map->count == map->room) {
		size_t room = map->room ? 2 * map->room : 256;

		map->extents = must(reallocarray(map->extents, room,
						 sizeof(*map->extents)));
		map->room = room;
	}
	map->extents[map->count++] = *extent;
	return 0;
}

static int
read_map(struct map *map, vhd_t *disk)
{
	int err;

	map->depth = vhd_depth(disk);
	map->layers = must(calloc(map->depth, sizeof(*map->layers)));
	for (uint32_t i = 0; i < map->depth; i++) {
		struct vhd_info info = VHD_INFO_INIT;

		err = vhd_get_info(&info, disk, i);
		if (err)
			return err;
		map->layers[i] = out_string(info.path);
	}
	return vhd_extents(disk, 0, vhd_size(disk), add_extent, map);
}

/* What is stored nowhere has the depth of the last image that was asked. */
static json_t *
describe(const struct map *map, const struct vhd_extent *extent)
{
	bool data = extent->flags & VHD_EXTENT_DATA;
	bool zero = !data || (extent->flags & VHD_EXTENT_ZERO);
	json_t *object = out_object();

	out_number(object, "start", extent->offset);
	out_number(object, "length", extent->length);
	out_number(object, "depth", data ? extent->layer : map->depth - 1);
	out_bool(object, "present", data);
	out_bool(object, "zero", zero);
	out_bool(object, "data", data);
	if (data) {
		out_add(object, "filename",
			json_incref(map->layers[extent->layer]));
		out_number(object, "offset", extent->file_offset);
	}
	return object;
}

static void
print_extent(const json_t *extent)
{
	bool data = get_bool(extent, "data");

	printf("%16" PRIu64 " %16" PRIu64, get_number(extent, "start"),
	       get_number(extent, "length"));
	if (!data) {
		puts("  zero");
		return;
	}
	printf("  %s  %5" PRIu64 " %16" PRIu64 "  ",
	       get_bool(extent, "zero") ? "hole" : "data",
	       get_number(extent, "depth"), get_number(extent, "offset"));
	say_plain(stdout, get_text(extent, "filename"));
	putchar('\n');
}

static int
print_map(const struct map *map, bool json)
{
	if (json)
		putchar('[');
	else
		printf("%16s %16s  %s  %s %16s  %s\n", "start", "length",
		       "kind", "layer", "file offset", "file");
	for (size_t i = 0; i < map->count; i++) {
		json_auto_t *extent = describe(map, &map->extents[i]);

		if (!json) {
			print_extent(extent);
			continue;
		}
		fputs(i == 0 ? "" : ",\n", stdout);
		json_dumpf(extent, stdout, 0);
	}
	if (json)
		puts("]");
	return out_finish();
}

static int
draw_map(const struct map *map, const struct map_args *args, uint64_t size)
{
	struct svg_run *runs = must(calloc(map->count + 1, sizeof(*runs)));
	const char **names = must(calloc(map->depth, sizeof(*names)));
	struct svg_map picture = {
		.size = size,
		.runs = runs,
		.nruns = map->count,
		.layers = names,
		.nlayers = map->depth,
	};
	int status;

	for (uint32_t i = 0; i < map->depth; i++)
		names[i] = json_string_value(map->layers[i]);
	picture.title = names[0];
	for (size_t i = 0; i < map->count; i++) {
		const struct vhd_extent *e = &map->extents[i];
		bool data = e->flags & VHD_EXTENT_DATA;

		runs[i].offset = e->offset;
		runs[i].length = e->length;
		runs[i].layer = data ? e->layer : SVG_NOWHERE;
	}
	status = svg_save(args->svg, args->force, svg_draw_map, &picture);
	free(names);
	free(runs);
	return status;
}

static int
run(const void *user)
{
	const struct map_args *args = user;
	__attribute__((cleanup(map_free))) struct map map = {0};
	AUTO_DISK vhd_t *disk = NULL;
	int err;

	if (args->svg && args->json)
		return opt_usage(&command_map, "--svg and --json exclude "
					       "each other");
	if (args->force && !args->svg)
		return opt_usage(&command_map, "--force goes with --svg only");
	err = disk_open(&disk, args->file, DISK_LOOK, &args->chain);
	if (!err)
		err = read_map(&map, disk);
	if (err)
		return say_err(err);
	if (args->svg)
		return draw_map(&map, args, vhd_size(disk));
	return print_map(&map, args->json);
}

const struct command command_map = {
	.name = "map",
	.brief = "show where every byte of a disk is stored",
	.about = "List the extents of the disk that the guest of FILE sees: "
		 "where each begins, how long it is, and which image stores "
		 "it, and where. Layer 0 is FILE, 1 its parent, and so on. "
		 "What no image stores reads as zero.",
	.options = options,
	.operands = operands,
	.examples = examples,
	.args_size = sizeof(struct map_args),
	.run = run,
};
