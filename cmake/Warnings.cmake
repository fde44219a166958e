# SPDX-License-Identifier: BSD-3-Clause
add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes
                    -Wmissing-prototypes -Wvla -Wundef -Wpointer-arith
                    -Wwrite-strings)
if(VHD_WERROR)
	add_compile_options(-Werror)
endif()
add_compile_definitions(_GNU_SOURCE _FILE_OFFSET_BITS=64)
