/* SPDX-License-Identifier: BSD-3-Clause */
/* findings.h - what an examination of one file has to say.
 *
 * The rules have the numbers of format 20.  A damaged table can break a rule
 * a million times: the first CHECK_EACH findings of a rule (of notes,
 * CHECK_EACH_NOTE) are kept one by one, the others are counted and told in one
 * sentence. */
#ifndef VHDI_FINDINGS_H
#define VHDI_FINDINGS_H
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vhd.h>

#include "base/cleanup.h"
#include "base/error.h"

#define CHECK_EACH      20
#define CHECK_EACH_NOTE 3

/* R(rule, severity unless the finding says otherwise, can it be repaired?) */
#define CHECK_RULES(R)                                                         \
	R(V01, VHD_FATAL, false)    /* too short for a footer */               \
	R(V02, VHD_FATAL, false)    /* a VHDX */                               \
	R(V03, VHD_FATAL, true)     /* no footer anywhere */                   \
	R(V04, VHD_ERROR, true)     /* end footer missing */                   \
	R(V05, VHD_ERROR, true)     /* copy at 0 missing */                    \
	R(V06, VHD_ERROR, true)     /* copies differ */                        \
	R(V07, VHD_ERROR, true)     /* wrong checksum of a footer */           \
	R(V08, VHD_WARNING, true)   /* data after the footer */                \
	R(V09, VHD_WARNING, true)   /* odd file size */                        \
	R(V10, VHD_NOTE, true)      /* footer of 511 bytes */                  \
	R(V11, VHD_FATAL, false)    /* unknown version */                      \
	R(V12, VHD_WARNING, true)   /* features bit 1 clear */                 \
	R(V13, VHD_WARNING, false)  /* unknown features */                     \
	R(V14, VHD_NOTE, false)     /* temporary */                            \
	R(V15, VHD_FATAL, false)    /* unknown type */                         \
	R(V16, VHD_WARNING, true)   /* fixed: data_offset */                   \
	R(V17, VHD_FATAL, false)    /* sparse: data_offset */                  \
	R(V18, VHD_NOTE, false)     /* header not at 512 */                    \
	R(V19, VHD_FATAL, false)    /* impossible disk size */                 \
	R(V20, VHD_ERROR, false)    /* past 2040 GiB */                        \
	R(V21, VHD_ERROR, false)    /* fixed: data cut */                      \
	R(V22, VHD_WARNING, false)  /* fixed: bytes too many */                \
	R(V23, VHD_WARNING, false)  /* original size */                        \
	R(V24, VHD_WARNING, true)   /* geometry larger than the disk */        \
	R(V25, VHD_NOTE, false)     /* unusual geometry */                     \
	R(V26, VHD_WARNING, false)  /* readers disagree about the size */      \
	R(V27, VHD_WARNING, false)  /* no UUID */                              \
	R(V28, VHD_WARNING, false)  /* saved state */                          \
	R(V29, VHD_WARNING, false)  /* reserved bytes */                       \
	R(V30, VHD_NOTE, false)     /* created in the future */                \
	R(V31, VHD_ERROR, false)    /* poisoned by tapdisk */                  \
	R(V32, VHD_NOTE, false)     /* unknown creator */                      \
	R(V40, VHD_FATAL, false)    /* no header */                            \
	R(V41, VHD_FATAL, false)    /* wrong checksum of the header */         \
	R(V42, VHD_FATAL, false)    /* unknown header version */               \
	R(V43, VHD_WARNING, true)   /* header: data_offset */                  \
	R(V44, VHD_ERROR, false)    /* table misaligned */                     \
	R(V45, VHD_FATAL, false)    /* table outside the file */               \
	R(V46, VHD_ERROR, false)    /* table overlaps metadata */              \
	R(V47, VHD_FATAL, false)    /* impossible block size */                \
	R(V48, VHD_WARNING, false)  /* unusual block size */                   \
	R(V49, VHD_FATAL, false)    /* table too short */                      \
	R(V50, VHD_NOTE, false)     /* table too long */                       \
	R(V51, VHD_FATAL, false)    /* table without entries */                \
	R(V52, VHD_WARNING, true)   /* reserved bytes of the header */         \
	R(V53, VHD_WARNING, false)  /* dynamic, but names a parent */          \
	R(V54, VHD_WARNING, false)  /* parent UUID missing */                  \
	R(V55, VHD_ERROR, false)    /* parent not named at all */              \
	R(V56, VHD_WARNING, true)   /* no W2ru */                              \
	R(V57, VHD_WARNING, false)  /* parent name malformed */                \
	R(V58, VHD_WARNING, false)  /* unknown locator code */                 \
	R(V59, VHD_WARNING, true)   /* unused locator not zero */              \
	R(V60, VHD_WARNING, true)   /* reserved field of a locator */          \
	R(V61, VHD_ERROR, false)    /* locator outside, or overlaps */         \
	R(V62, VHD_WARNING, false)  /* locator misaligned */                   \
	R(V63, VHD_WARNING, false)  /* locator length */                       \
	R(V64, VHD_WARNING, false)  /* locator space */                        \
	R(V65, VHD_NOTE, false)     /* locators disagree */                    \
	R(V66, VHD_NOTE, false)     /* parent time in the future */            \
	R(V70, VHD_ERROR, false)    /* block overlaps metadata */              \
	R(V71, VHD_ERROR, false)    /* block past the end */                   \
	R(V72, VHD_ERROR, true)     /* block overlaps the end footer */        \
	R(V73, VHD_ERROR, false)    /* two entries, one place */               \
	R(V74, VHD_ERROR, false)    /* blocks overlap partly */                \
	R(V75, VHD_NOTE, false)     /* not on 4 KiB boundaries */              \
	R(V76, VHD_WARNING, true)   /* entry past the disk in use */           \
	R(V77, VHD_NOTE, false)     /* padding of the table not FF */          \
	R(V78, VHD_NOTE, false)     /* block below metadata */                 \
	R(V79, VHD_NOTE, false)     /* unreferenced space */                   \
	R(V80, VHD_NOTE, false)     /* old footer in unreferenced space */     \
	R(V81, VHD_NOTE, false)     /* blocks not in order */                  \
	R(V82, VHD_WARNING, false)  /* dynamic: data under a clear bit */      \
	R(V83, VHD_NOTE, true)      /* block without a bit */                  \
	R(V84, VHD_NOTE, true)      /* bits past the end */                    \
	R(V85, VHD_NOTE, false)     /* dynamic: block all zero */              \
	R(V86, VHD_NOTE, false)     /* differencing: leftovers */              \
	R(V87, VHD_ERROR, false)    /* unreadable */                           \
	R(V88, VHD_WARNING, true)   /* batmap header */                        \
	R(V89, VHD_ERROR, true)     /* batmap says full, bitmap does not */    \
	R(V90, VHD_ERROR, false)    /* bitmaps of tap 0.1 */                   \
	R(V100, VHD_ERROR, false)   /* parent not found */                     \
	R(V101, VHD_ERROR, false)   /* not the right parent */                 \
	R(V102, VHD_WARNING, false) /* parent time differs */                  \
	R(V103, VHD_FATAL, false)   /* loop */                                 \
	R(V104, VHD_ERROR, false)   /* UUID twice */                           \
	R(V105, VHD_FATAL, false)   /* too deep */                             \
	R(V106, VHD_WARNING, false) /* sizes differ */                         \
	R(V107, VHD_NOTE, false)    /* parent changed later */                 \
	R(V108, VHD_ERROR, false)   /* parent damaged */                       \
	R(V109, VHD_ERROR, false)   /* parent is no VHD */                     \
	R(V110, VHD_WARNING, false) /* parent outside */                       \
	R(V111, VHD_WARNING, false) /* parent in use or in saved state */

#define CHECK_RULE_NAME(rule, severity, repairable) rule,
enum check_rule { CHECK_RULES(CHECK_RULE_NAME) CHECK_RULE_COUNT };
#undef CHECK_RULE_NAME

struct findings {
	char *path;               /* of the file they are about; owned */
	struct vhd_finding *list; /* messages owned */
	size_t n, room;
	uint64_t count[CHECK_RULE_COUNT]; /* also those not in the list */
	enum vhd_severity worst[CHECK_RULE_COUNT];
	uint64_t with[VHD_FATAL + 1]; /* counted by severity */
	int err;                      /* sticky: out of memory */
};

int findings_init(struct findings *ret, const char *path) MUST_CHECK;
void findings_free(struct findings *f);

/* Frees at the end of the block; initialize it in its declaration. */
#define AUTO_FINDINGS __attribute__((cleanup(findings_free)))

enum vhd_severity rule_severity(enum check_rule rule);

/* How often is the rule of that code broken? */
uint64_t findings_count(const struct findings *f, const char *code);

/* Out of memory shows in findings_finish. */
void findings_add(struct findings *f, enum check_rule rule,
		  enum vhd_severity severity, bool repairable, uint64_t offset,
		  const char *fmt, ...) __attribute__((format(printf, 6, 7)));
void findings_vadd(struct findings *f, enum check_rule rule,
		   enum vhd_severity severity, bool repairable, uint64_t offset,
		   const char *fmt, va_list args)
	__attribute__((format(printf, 6, 0)));

/* Nothing more will be added: tell of those left out, and sort by rule. */
int findings_finish(struct findings *f) MUST_CHECK;

/* None of a rule can be repaired in this file. */
void findings_cannot_repair(struct findings *f, enum check_rule rule);

static inline bool
findings_has(const struct findings *f, enum check_rule rule)
{
	return f->count[rule] != 0;
}
#endif
