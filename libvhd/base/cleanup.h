/* SPDX-License-Identifier: BSD-3-Clause */
/* cleanup.h - variables that clean up after themselves.
 *
 *	AUTO_FREE uint8_t *buf = malloc(n);
 *	...
 *	*ret = TAKE(buf);       hand it out; buf is NULL from here on */
#ifndef VHDI_CLEANUP_H
#define VHDI_CLEANUP_H
#include <stdlib.h>

static inline void
cleanup_free(void *p)
{
	free(*(void **)p);
}

#define AUTO_FREE __attribute__((cleanup(cleanup_free)))

/* AUTO(image_close) struct image *img: the destructor takes the pointer. */
#define AUTO(destructor) __attribute__((cleanup(cleanup_##destructor)))
#define DEFINE_CLEANUP(type, destructor)                                       \
	static inline void cleanup_##destructor(type **p)                      \
	{                                                                      \
		(void)destructor(*p);                                          \
	}                                                                      \
	struct cleanup_##destructor##_semicolon

#define TAKE(p)                                                                \
	__extension__({                                                        \
		__typeof__(p) taken_ = (p);                                    \
		(p) = NULL;                                                    \
		taken_;                                                        \
	})
#endif
