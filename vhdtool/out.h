/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * out.h - results on stdout.
 *
 * A command builds its whole result as one tree before a byte is printed, so
 * that stdout gets all of it or nothing.  Text is printed from that same tree,
 * so that the two forms cannot disagree.  Memory running out ends the program.
 */
#ifndef VHDTOOL_OUT_H
#define VHDTOOL_OUT_H
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

json_t *out_object(void);
json_t *out_array(void);

/* Bytes that are not UTF-8 are replaced by U+FFFD. */
json_t *out_string(const char *text);

/* Add to an object; text and UUIDs may be NULL, which is null. */
void out_text(json_t *object, const char *key, const char *text);
void out_number(json_t *object, const char *key, uint64_t number);
void out_bool(json_t *object, const char *key, bool value);
void out_uuid(json_t *object, const char *key, const uint8_t *uuid);
/* 2011-10-27T12:00:00Z */
void out_time(json_t *object, const char *key, int64_t when);
void out_null(json_t *object, const char *key);
void out_add(json_t *object, const char *key, json_t *value); /* takes value */
void out_append(json_t *array, json_t *value);                /* takes value */

/* Look at an object again; "" and 0 for null. */
const char *get_text(const json_t *object, const char *key);
uint64_t get_number(const json_t *object, const char *key);
bool get_bool(const json_t *object, const char *key);
bool is_null(const json_t *object, const char *key);

/* A line "label:  value" of text output. */
enum row_kind {
	ROW_TEXT = 0,
	ROW_SIZE, /* 2 MiB (2097152 bytes) */
	ROW_NUMBER,
	ROW_BOOL, /* yes, no */
};

struct row {
	const char *label; /* NULL ends a list */
	const char *key;
	enum row_kind kind;
};

/* Print those rows whose key is there and not null. */
void out_rows(const json_t *object, const struct row *rows);
void out_row(const char *label, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Print the whole result, as JSON or by text(); returns the exit status. */
int out_result(const json_t *result, bool json,
	       void (*text)(const json_t *result));

/* Everything is printed: did it arrive?  Returns the exit status. */
int out_finish(void);
#endif
