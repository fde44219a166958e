/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * name.c - the words for the enums of vhd.h.
 */
#include "name.h"

const char *
name_of_type(enum vhd_type type)
{
	switch (type) {
	case VHD_TYPE_RAW:
		return "raw";
	case VHD_TYPE_FIXED:
		return "fixed";
	case VHD_TYPE_DYNAMIC:
		return "dynamic";
	case VHD_TYPE_DIFFERENCING:
		return "differencing";
	}
	return "unknown";
}

const char *
name_of_parent_status(enum vhd_parent_status status)
{
	switch (status) {
	case VHD_PARENT_NONE:
		return "none";
	case VHD_PARENT_OK:
		return "ok";
	case VHD_PARENT_MISSING:
		return "missing";
	case VHD_PARENT_UUID_MISMATCH:
		return "uuid-mismatch";
	case VHD_PARENT_TIME_DIFFERS:
		return "timestamp-differs";
	}
	return "unknown";
}

const char *
name_of_footer_copies(enum vhd_footer_copies copies)
{
	switch (copies) {
	case VHD_FOOTER_EQUAL:
		return "equal";
	case VHD_FOOTER_END_MISSING:
		return "end-missing";
	case VHD_FOOTER_START_BAD:
		return "start-bad";
	case VHD_FOOTER_DIFFER:
		return "differ";
	}
	return "unknown";
}

const char *
name_of_severity(enum vhd_severity severity)
{
	switch (severity) {
	case VHD_NOTE:
		return "note";
	case VHD_WARNING:
		return "warning";
	case VHD_ERROR:
		return "error";
	case VHD_FATAL:
		return "fatal";
	}
	return "unknown";
}
