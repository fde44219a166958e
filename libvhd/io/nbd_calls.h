/* SPDX-License-Identifier: BSD-3-Clause */
/* nbd_calls.h - the functions of libnbd, loaded when the first is needed: it
 * brings a dozen libraries along, which would make every program that opens
 * a disk take three times as long to start. */
#ifndef VHDI_NBD_CALLS_H
#define VHDI_NBD_CALLS_H
#include <libnbd.h>

#include "base/error.h"

#define NBD_CALLS(X)                                                           \
	X(add_meta_context)                                                    \
	X(block_status)                                                        \
	X(can_flush)                                                           \
	X(can_meta_context)                                                    \
	X(can_zero)                                                            \
	X(close)                                                               \
	X(connect_uri)                                                         \
	X(create)                                                              \
	X(flush)                                                               \
	X(get_errno)                                                           \
	X(get_error)                                                           \
	X(get_size)                                                            \
	X(is_read_only)                                                        \
	X(pread)                                                               \
	X(pwrite)                                                              \
	X(set_uri_allow_local_file)                                            \
	X(shutdown)                                                            \
	X(zero)

struct nbd_calls {
#define NBD_CALL(name) __typeof__(nbd_##name) *name;
	NBD_CALLS(NBD_CALL)
#undef NBD_CALL
};

/* Valid for ever.  VHD_E_UNSUPPORTED: there is no libnbd; name is for the
 * message. */
int nbd_calls_load(const struct nbd_calls **ret, const char *name) MUST_CHECK;
#endif
