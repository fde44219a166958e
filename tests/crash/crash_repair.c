/* SPDX-License-Identifier: BSD-3-Clause */
/* crash_repair.c - cut the power at every flush of repairs, and of taking
 * them back.
 *
 *	crash_repair [STATES [SEED]]    look at so many states
 *	crash_repair --mutants          each mistake of REPAIR_MUTANTS must be
 *	                                found
 *
 * Each state either is the damaged image still or has an undo file that makes
 * it so again; and a second repair leaves what the first one would have left:
 * no error that can be repaired, and for the guest what it could read before.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arith.h"
#include "damages.h"
#include "image/image.h"
#include "image/mutant.h"
#include "io_crash.h"
#include "job/check.h"

#define DISK   "/disk.vhd"
#define UNDO   "/disk.undo"
#define AGAIN  "/again.undo"
#define PIECE  32768u
#define PIECES (HAND_SIZE / PIECE)

struct content {
	uint8_t bytes[HAND_SIZE];
	bool readable[PIECES];
};

static struct {
	struct crash_limits limits;
	uint64_t states, seed, random;
	struct hand hand;
	struct content before;
	struct vhd_check_result after; /* a repair without a power cut */
	bool undoing, failed;
	const char *damage;
} t;

static int __attribute__((format(printf, 1, 2))) wrong(const char *fmt, ...)
{
	va_list args;

	if (t.failed)
		return VHD_E_CORRUPT;
	t.failed = true;
	(void)fprintf(stderr, "crash_repair 1 %" PRIu64 " (%s%s): ", t.seed,
		      t.damage, t.undoing ? ", taken back" : "");
	va_start(args, fmt);
	(void)vfprintf(stderr, fmt, args);
	va_end(args);
	(void)fprintf(stderr, "\n");
	return VHD_E_CORRUPT;
}

static void
must(int err)
{
	if (err) {
		(void)fprintf(stderr, "cannot go on: %s\n", error_message());
		abort();
	}
}

static uint32_t
any(uint32_t below)
{
	t.random ^= t.random << 13;
	t.random ^= t.random >> 7;
	t.random ^= t.random << 17;
	return (uint32_t)(t.random >> 11) % below;
}

/* ---- What is there ---- */

static void
read_content(struct content *ret, const struct fs *fs)
{
	struct image *img;
	struct io *io;

	memset(ret->readable, 0, sizeof(ret->readable));
	must(fs->ops->open(&io, fs, DISK, 0));
	if (image_open(&img, io, IMAGE_DAMAGED) != 0)
		return;
	for (uint64_t i = 0; i < PIECES; i++)
		if (range_ok(i * PIECE, PIECE, img->size))
			ret->readable[i] = !image_pread(
				img, ret->bytes + i * PIECE, PIECE, i * PIECE);
	must(image_close(img));
}

static int
expect_kept(const struct fs *fs)
{
	static struct content now;

	read_content(&now, fs);
	for (uint64_t i = 0; i < PIECES; i++)
		if (t.before.readable[i] &&
		    (!now.readable[i] ||
		     memcmp(t.before.bytes + i * PIECE, now.bytes + i * PIECE,
			    PIECE) != 0))
			return wrong("what the guest reads at %u changed",
				     (unsigned)(i * PIECE));
	return 0;
}

static bool
is_original(const struct fs *fs)
{
	static uint8_t bytes[2 * HAND_LENGTH];
	struct mem_data *data;
	bool same;

	must(mem_fs_get_data(&data, (struct fs *)(uintptr_t)fs, DISK));
	same = mem_data_size(data) == t.hand.length;
	if (same)
		mem_data_read(data, bytes, t.hand.length, 0);
	mem_data_free(data);
	return same && !memcmp(bytes, t.hand.bytes, t.hand.length);
}

/* ---- Work ---- */

static int
repair(struct vhd_check_result *ret, const struct fs *fs, const char *undo)
{
	struct vhd_check_opts opts = VHD_CHECK_OPTS_INIT;

	*ret = (struct vhd_check_result)VHD_CHECK_RESULT_INIT;
	opts.flags = VHD_CHECK_REPAIR;
	opts.undo = undo;
	return job_check(ret, fs, DISK, &opts);
}

static int
copy_file(const char *path, void *user)
{
	struct fs *const *fs = user;
	struct mem_data *data;

	must(mem_fs_get_data(&data, fs[0], path));
	must(mem_fs_put_data(fs[1], path, data));
	mem_data_free(data);
	return 0;
}

static struct fs *
copy_of(const struct fs *fs)
{
	struct fs *both[2] = {(struct fs *)(uintptr_t)fs};

	must(mem_fs_new(&both[1]));
	must(mem_fs_each(fs, copy_file, both));
	return both[1];
}

/* An undo file that has no header yet protects nothing. */
static int
take_back(const struct fs *fs, const struct fs *seen)
{
	int err = job_undo(fs, DISK, UNDO);

	if (err && err != VHD_E_NOTFOUND && err != VHD_E_FORMAT)
		return wrong("cannot be taken back: %s", error_message());
	if (!is_original(seen))
		return wrong("the image is not as it was");
	return 0;
}

static int
look(const struct crash_state *state, void *user)
{
	AUTO(mem_fs_free) struct fs *copy = copy_of(state->fs);
	struct vhd_check_result again;
	char text[1500];
	int err;

	(void)user;
	t.states++;
	err = take_back(copy, copy);
	if (!err && !t.undoing && repair(&again, state->fs, AGAIN))
		err = wrong("repair: %s", error_message());
	else if (!err && !t.undoing && again.errors > t.after.errors)
		err = wrong("%" PRIu64 " errors, but %" PRIu64
			    " after a repair without a power cut",
			    again.errors, t.after.errors);
	if (!err)
		err = expect_kept(state->fs);
	if (err) {
		crash_state_text(text, sizeof(text), state);
		(void)fprintf(stderr, "%s", text);
	}
	return err;
}

static void
before_flush(struct fs *fs, void *user)
{
	uint64_t count = 0;

	if (!t.failed)
		(void)crash_each_state(&count, fs, &t.limits, look, user);
}

/* ---- One image ---- */

static void
make_damage(void)
{
	const struct damage *damage = &damages[any(NDAMAGES)];

	t.damage = damage->name;
	damage->make(&t.hand);
	for (uint32_t n = any(4); n > 0; n--)
		t.hand.bytes[any(0x2000)] = (uint8_t)any(256);
	if (any(4))
		hand_seal(t.hand.bytes + HAND_HEADER, 1024, 36);
	if (any(2))
		hand_seal(t.hand.bytes, 512, 64);
}

static void
try_one(struct fs *memory)
{
	AUTO(crash_fs_free) struct fs *crash = NULL;
	struct vhd_check_result result;

	must(crash_fs_from(&crash, memory));
	read_content(&t.before, memory);
	must(repair(&t.after, memory, NULL));
	crash_set_hook(crash, before_flush, NULL);
	t.undoing = false;
	must(repair(&result, crash, UNDO));
	before_flush(crash, NULL);
	t.undoing = true;
	if (!t.failed)
		(void)take_back(crash, crash_live(crash));
	before_flush(crash, NULL);
}

static void
one(uint64_t seed)
{
	AUTO(mem_fs_free) struct fs *memory = NULL;

	t.seed = seed;
	t.limits.seed = seed;
	t.limits.loose_names = seed % 2;
	t.random = seed * 0x9e3779b97f4a7c15u | 1;
	(void)any(1);
	make_damage();
	must(mem_fs_new(&memory));
	must(mem_fs_put(memory, DISK, t.hand.bytes, t.hand.length));
	try_one(memory);
	hand_free(&t.hand);
}

static void
run(uint64_t states, uint64_t seed)
{
	t.limits = (struct crash_limits){.exhaustive = 256, .sampled = 96};
	t.states = 0;
	t.failed = false;
	while (t.states < states && !t.failed)
		one(seed++);
}

static int
run_mutants(void)
{
	int survivors = 0;

	for (int m = MUTANT_FIRST_OF_REPAIR; m < MUTANT_FIRST_OF_LIVE; m++) {
		present_mutant = (enum mutant)m;
		run(5000, 1);
		survivors += !t.failed;
		(void)printf("mutant %2d %-28s %s after %" PRIu64 " states\n",
			     m, mutant_names[m],
			     t.failed ? "caught" : "SURVIVES", t.states);
	}
	return survivors != 0;
}

int
main(int argc, char **argv)
{
	uint64_t states = argc > 1 ? strtoull(argv[1], NULL, 10) : 5000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;

	if (argc > 1 && strcmp(argv[1], "--mutants") == 0)
		return run_mutants();
	run(states, seed);
	(void)printf("%" PRIu64 " states, %d violations\n", t.states, t.failed);
	return t.failed;
}
