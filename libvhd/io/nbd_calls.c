/* SPDX-License-Identifier: BSD-3-Clause */
/* nbd_calls.c - load libnbd, once. */
#if VHD_NBD
#include "io/nbd_calls.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#define LIBRARY "libnbd.so.0"

static struct nbd_calls calls;
static bool loaded;

static bool
find(void *ret_function, void *library, const char *name)
{
	void *function = dlsym(library, name);

	memcpy(ret_function, &function, sizeof(function));
	return function;
}

static void
load(void)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return;
	loaded = true;
#define FIND(name) loaded = loaded && find(&calls.name, library, "nbd_" #name);
	NBD_CALLS(FIND)
#undef FIND
}

int
nbd_calls_load(const struct nbd_calls **ret, const char *name)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	if (!loaded)
		return fail(VHD_E_UNSUPPORTED,
			    "%s: needs " LIBRARY ", which is not there or too "
			    "old; try: apt-get install libnbd0",
			    name);
	*ret = &calls;
	return 0;
}
#endif
