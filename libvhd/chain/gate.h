/* SPDX-License-Identifier: BSD-3-Clause */
/* gate.h - keeps guests and jobs apart, window by window.
 *
 * A guest holds the windows of its request shared from resolving the owner
 * until its data is written and its bits are set in memory (live-rules P1); a
 * job, and a change that is not a plain write, close them.  A job that copies
 * first only bars them: readers go on, because what is copied stays where it
 * is, and wait only while the job switches over. */
#ifndef VHDI_GATE_H
#define VHDI_GATE_H
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#define WINDOW_SHIFT   21
#define WINDOW_SIZE    (UINT64_C(1) << WINDOW_SHIFT)
#define WINDOW_SECTORS 4096u
#define GATE_STRIPES   24 /* ThreadSanitizer follows at most 64 locks */

struct gate {
	struct {
		pthread_rwlock_t writers; /* taken before lock */
		pthread_rwlock_t lock;
		_Atomic uint32_t visits; /* of guests, counted */
	} __attribute__((aligned(64))) stripe[GATE_STRIPES];
};

void gate_init(struct gate *gate);
void gate_free(struct gate *gate);

/* To read. */
void gate_share(struct gate *gate, uint64_t window);
void gate_unshare(struct gate *gate, uint64_t window);

/* To write. */
void gate_share_write(struct gate *gate, uint64_t window);
void gate_unshare_write(struct gate *gate, uint64_t window);

/* Every window that [offset, offset + len) touches, len > 0; in an order that
 * cannot deadlock.  len may span more windows than there are stripes. */
void gate_close(struct gate *gate, uint64_t offset, uint64_t len);
void gate_open(struct gate *gate, uint64_t offset, uint64_t len);

/* The same in two steps: writers out, then readers too; and back. */
void gate_bar(struct gate *gate, uint64_t offset, uint64_t len);
void gate_close_barred(struct gate *gate, uint64_t offset, uint64_t len);
void gate_open_barred(struct gate *gate, uint64_t offset, uint64_t len);
void gate_unbar(struct gate *gate, uint64_t offset, uint64_t len);

void gate_close_all(struct gate *gate);
void gate_open_all(struct gate *gate);

/* A guest that closes the gate itself says so; sharing is counted anyway. */
void gate_visit(struct gate *gate, uint64_t window);
/* Changes with every visit. */
uint64_t gate_visits(struct gate *gate);
#endif
