# SPDX-License-Identifier: BSD-3-Clause
if(VHD_SANITIZE)
	add_compile_options(-fsanitize=${VHD_SANITIZE} -fno-omit-frame-pointer
	                    -fno-sanitize-recover=all)
	add_link_options(-fsanitize=${VHD_SANITIZE})
endif()
