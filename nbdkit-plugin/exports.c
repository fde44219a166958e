/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * exports.c - which disk a client gets for which name.
 *
 * An export is called like its file, extension included.  A directory is
 * looked at anew for each client, so that files may come and go.  Names come
 * from clients and are not trusted: one that is more than the name of a
 * regular file in the directory is refused.
 */
#include "exports.h"

#include "config.h"
#include "plugin.h"
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *
file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool
is_plain(const char *name)
{
	return name[0] != '\0' && name[0] != '.' && !strchr(name, '/');
}

/* ---- Open ---- */

/* A server of one disk takes any name for it, as filters and users of other
 * plugins expect; but who asks for a snapshot must not get the live disk. */
static int
open_file(struct disk **ret, const char *name, bool readonly)
{
	readonly = readonly || config.readonly || config.snapshot;
	if (strchr(name, '@') && strcmp(name, file_name(config.file)) != 0)
		return report_errno(ENOENT,
				    "'%s' is not served, only %s is; for "
				    "snapshots use snapshot= or dir=",
				    name, config.file);
	return disk_acquire(ret, config.file,
			    readonly ? DISK_READ : DISK_WRITE);
}

static int
open_in_dir(struct disk **ret, const char *name, bool readonly)
{
	struct stat st;
	char *path;
	int err;

	if (!is_plain(name))
		return report_errno(ENOENT,
				    "%s: has no export '%s'; ask for one of "
				    "its files by name",
				    config.dir, name);
	if (asprintf(&path, "%s/%s", config.dir, name) < 0)
		return report_errno(ENOMEM, "out of memory");
	readonly = readonly || config.readonly || strchr(name, '@');
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		err = report_errno(ENOENT, "%s: there is no such disk", path);
	else
		err = disk_acquire(ret, path,
				   readonly ? DISK_READ : DISK_WRITE_OR_PARENT);
	free(path);
	return err;
}

int
export_open(struct disk **ret, const char *name, bool readonly)
{
	return config.dir ? open_in_dir(ret, name, readonly)
			  : open_file(ret, name, readonly);
}

/* ---- Describe ---- */

static const char *
type_name(enum vhd_type type)
{
	switch (type) {
	case VHD_TYPE_FIXED:
		return "fixed";
	case VHD_TYPE_DYNAMIC:
		return "dynamic";
	case VHD_TYPE_DIFFERENCING:
		return "differencing";
	default:
		return "raw";
	}
}

/* "10 GiB", "63.5 MiB". */
static void
size_text(char *ret, size_t ret_size, uint64_t bytes)
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB"};
	double amount = (double)bytes;
	size_t unit = 0;

	while (amount >= 1024 && unit + 1 < sizeof(units) / sizeof(*units)) {
		amount /= 1024;
		unit++;
	}
	(void)snprintf(ret, ret_size, "%.6g %s", amount, units[unit]);
}

const char *
export_describe(void *handle)
{
	vhd_t *vhd = disk_vhd(handle);
	struct vhd_info info = VHD_INFO_INIT;
	char size[40];

	if (vhd_get_info(&info, vhd, 0) != 0) {
		(void)report();
		return NULL;
	}
	size_text(size, sizeof(size), info.virtual_size);
	if (vhd_depth(vhd) == 1)
		return nbdkit_printf_intern("%s VHD, %s", type_name(info.type),
					    size);
	return nbdkit_printf_intern("%s VHD, %s, in %u images",
				    type_name(info.type), size, vhd_depth(vhd));
}

/* What a look at the file tells, without opening its parents. */
static void
describe_node(char *ret, size_t ret_size, const struct vhd_tree_node *node)
{
	char size[40];

	size_text(size, sizeof(size), node->virtual_size);
	(void)snprintf(ret, ret_size, "%s VHD, %s%s%s%s", type_name(node->type),
		       size, node->name ? ", snapshot " : "",
		       node->name ? node->name : "",
		       node->name || node->live ? "" : ", parent of others");
}

/* ---- List ---- */

static int
scan(vhd_tree_t **ret)
{
	const char *paths[] = {config.dir};

	return vhd_tree_scan(ret, paths, 1) ? report() : 0;
}

/* Can this file be asked for? */
static bool
is_export(const struct vhd_tree_node *node)
{
	return !node->err && !node->merging && is_plain(file_name(node->path));
}

static int
list_dir(struct nbdkit_exports *exports)
{
	vhd_tree_t *tree;
	int err = scan(&tree);

	if (err)
		return err;
	for (size_t i = 0; !err && i < vhd_tree_count(tree); i++) {
		const struct vhd_tree_node *node = vhd_tree_get(tree, i);
		char text[256];

		if (!is_export(node))
			continue;
		describe_node(text, sizeof(text), node);
		err = nbdkit_add_export(exports, file_name(node->path), text);
	}
	vhd_tree_free(tree);
	return err;
}

static int
list_file(struct nbdkit_exports *exports)
{
	const char *name = file_name(config.file), *text;
	struct disk *disk;

	if (export_open(&disk, name, false) < 0)
		return -1;
	text = export_describe(disk);
	disk_release(disk);
	return text ? nbdkit_add_export(exports, name, text) : -1;
}

int
export_list(int readonly, int is_tls, struct nbdkit_exports *exports)
{
	(void)readonly;
	(void)is_tls;
	return config.dir ? list_dir(exports) : list_file(exports);
}

/* The only live disk of the directory, or no name at all. */
static const char *
only_disk(const vhd_tree_t *tree)
{
	const char *only = "";

	for (size_t i = 0; i < vhd_tree_count(tree); i++) {
		const struct vhd_tree_node *node = vhd_tree_get(tree, i);

		if (!is_export(node) || !node->live || node->name)
			continue;
		if (*only)
			return "";
		only = file_name(node->path);
	}
	return only;
}

const char *
export_default(int readonly, int is_tls)
{
	vhd_tree_t *tree;
	const char *name;

	(void)readonly;
	(void)is_tls;
	if (!config.dir)
		return file_name(config.file);
	if (scan(&tree) < 0)
		return NULL;
	name = nbdkit_strdup_intern(only_disk(tree));
	vhd_tree_free(tree);
	return name;
}
