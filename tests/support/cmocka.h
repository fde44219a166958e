/* SPDX-License-Identifier: BSD-3-Clause */
/* cmocka.h - the test framework, with what it needs in front of it, and
 * without its macro fail(), which is a function of base/error.h here. */
#ifndef VHD_TEST_CMOCKA_H
#define VHD_TEST_CMOCKA_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include_next <cmocka.h>
#undef fail
#undef fail_msg
#define fail_msg(...)                                                          \
	do {                                                                   \
		print_error("ERROR: " __VA_ARGS__);                            \
		print_error("\n");                                             \
		_fail(__FILE__, __LINE__);                                     \
	} while (0)
#endif
