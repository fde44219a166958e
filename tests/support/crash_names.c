/* SPDX-License-Identifier: BSD-3-Clause */
/* crash_names.c - record changes of names; make them durable. */
#include <stdlib.h>
#include <string.h>

#include "crash_log.h"

static char *
copy_text(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		abort();
	return copy;
}

static void
free_op(struct crash_name_op *op)
{
	for (int i = 0; i < op->n; i++)
		free(op->set[i].path);
}

void
crash_names_free(struct crash_log *log)
{
	for (size_t i = 0; i < log->nnames; i++)
		free(log->names[i].path);
	for (size_t i = 0; i < log->nops; i++)
		free_op(&log->ops[i]);
	free(log->names);
	free(log->ops);
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
crash_log_sync_dir(struct crash_log *log, const char *path, uint64_t mark)
{
	size_t end = 0;

	for (size_t i = 0; i < log->nops && log->ops[i].when <= mark; i++)
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
