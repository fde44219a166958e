/* SPDX-License-Identifier: BSD-3-Clause */
/* driver.c - run a fuzz target without a fuzzer.
 *
 *	fuzz-X-replay [--rounds=N] [--seed=N] FILE|DIRECTORY...
 *
 * Every file is one input; with --rounds each is also tried that often with
 * random changes, the same ones for the same seed.  The input being tried is
 * kept in crash-X, so that it is there when the target ends the program.
 * Exit 77: no input at all. */
#include "fuzz.h"

#include <dirent.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_ROOM (1u << 20)

static uint64_t random_state = 1;
static unsigned long rounds, ninputs, nruns;
static char crash_file[PATH_MAX];

/* Without the mutator, an input is changed as a whole. */
__attribute__((weak)) size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			unsigned seed)
{
	(void)seed;
	return LLVMFuzzerMutate(data, size, max_size);
}

static uint32_t
next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32);
}

static size_t
insert(uint8_t *data, size_t size, size_t max_size)
{
	size_t at = next_random() % (size + 1), n = 1 + next_random() % 8;

	if (size + n > max_size)
		return size;
	memmove(data + at + n, data + at, size - at);
	memset(data + at, (int)(next_random() & 0xff), n);
	return size + n;
}

static size_t delete (uint8_t *data, size_t size)
{
	size_t at = next_random() % size, n = 1 + next_random() % 8;

	if (n > size - at)
		n = size - at;
	memmove(data + at, data + at + n, size - at - n);
	return size - n;
}

size_t
LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
	static const uint8_t edge[] = {0, 1, 0x7f, 0x80, 0xff};
	size_t at;

	if (size == 0)
		return insert(data, size, max_size);
	at = next_random() % size;
	switch (next_random() % 5) {
	case 0:
		data[at] ^= (uint8_t)(1u << (next_random() & 7));
		return size;
	case 1:
		data[at] = (uint8_t)next_random();
		return size;
	case 2:
		data[at] = edge[next_random() % sizeof(edge)];
		return size;
	case 3:
		return insert(data, size, max_size);
	default:
		return delete (data, size);
	}
}

static void
keep_input(const uint8_t *data, size_t size)
{
	FILE *f = fopen(crash_file, "wb");

	if (!f)
		return;
	(void)fwrite(data, 1, size, f);
	(void)fclose(f);
}

/* From an exact allocation, so that a sanitizer sees a byte too many. */
static void
run(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);

	CHECK(exact);
	memcpy(exact, data, size);
	keep_input(data, size);
	(void)LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	nruns++;
}

static void
run_rounds(const uint8_t *data, size_t size)
{
	static uint8_t work[INPUT_ROOM];

	for (unsigned long i = 0; i < rounds; i++) {
		size_t n = size;

		memcpy(work, data, size);
		for (uint32_t k = next_random() % 4; k < 4; k++)
			n = LLVMFuzzerCustomMutator(work, n, sizeof(work),
						    next_random());
		run(work, n);
	}
}

static void
run_file(const char *path)
{
	static uint8_t input[INPUT_ROOM];
	FILE *f = fopen(path, "rb");
	size_t size;

	if (!f) {
		perror(path);
		exit(99);
	}
	size = fread(input, 1, sizeof(input), f);
	(void)fclose(f);
	ninputs++;
	run(input, size);
	run_rounds(input, size);
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void
run_path(const char *path)
{
	struct dirent **names;
	struct stat st;
	int n;

	if (stat(path, &st) != 0)
		return;
	if (!S_ISDIR(st.st_mode)) {
		run_file(path);
		return;
	}
	n = scandir(path, &names, NULL, by_name);
	for (int i = 0; i < n; i++) {
		char file[PATH_MAX];

		(void)snprintf(file, sizeof(file), "%s/%s", path,
			       names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			run_path(file);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

int
main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');

	(void)snprintf(crash_file, sizeof(crash_file), "crash-%s",
		       name ? name + 1 : argv[0]);
	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], "--rounds=", 9) == 0)
			rounds = strtoul(argv[i] + 9, NULL, 10);
		else if (strncmp(argv[i], "--seed=", 7) == 0)
			random_state = strtoul(argv[i] + 7, NULL, 10) | 1;
		else
			run_path(argv[i]);
	(void)unlink(crash_file);
	printf("%lu inputs, %lu runs\n", ninputs, nruns);
	return ninputs ? 0 : 77;
}
