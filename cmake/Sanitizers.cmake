# SPDX-License-Identifier: BSD-3-Clause
if(VHD_SANITIZE)
	add_compile_options(-fsanitize=${VHD_SANITIZE} -fno-omit-frame-pointer
	                    -fno-sanitize-recover=all)
	add_link_options(-fsanitize=${VHD_SANITIZE})
endif()

# What libFuzzer needs to see of the library; its programs are in tests/fuzz.
option(VHD_FUZZ "build the fuzz targets with libFuzzer (clang)" OFF)
if(VHD_FUZZ)
	if(NOT CMAKE_C_COMPILER_ID MATCHES Clang)
		message(FATAL_ERROR "VHD_FUZZ needs clang")
	endif()
	add_compile_options(-fsanitize=fuzzer-no-link)
endif()
