/* SPDX-License-Identifier: BSD-3-Clause */
/* test_io_stream.c - a pipe is used front to back and in no other way. */
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/io_gzip.h"
#include "io/io_stream.h"

struct both {
	int fd[2];
	struct io *in, *out;
};

static struct both
new_pipe(void)
{
	struct both p;

	assert_int_equal(pipe(p.fd), 0);
	assert_int_equal(stream_new(&p.in, p.fd[0], "input"), 0);
	assert_int_equal(stream_new(&p.out, p.fd[1], "output"), 0);
	return p;
}

static void
end_pipe(struct both *p)
{
	assert_int_equal(io_close(p->in), 0);
	assert_int_equal(io_close(p->out), 0);
	close(p->fd[0]);
	close(p->fd[1]);
}

static void
test_bytes_come_out_as_they_went_in(void **state)
{
	struct both p = new_pipe();
	char buf[8] = "";

	(void)state;
	assert_int_equal(p.out->ops->pwrite(p.out, "abc", 3, 0), 0);
	assert_int_equal(p.out->ops->pwrite(p.out, "def", 3, 3), 0);
	assert_int_equal(p.in->ops->pread(p.in, buf, 4, 0), 0);
	assert_int_equal(p.in->ops->pread(p.in, buf + 4, 2, 4), 0);
	assert_string_equal(buf, "abcdef");
	end_pipe(&p);
}

static void
test_there_is_no_way_back(void **state)
{
	struct both p = new_pipe();
	uint64_t size;
	char buf[1];

	(void)state;
	assert_int_equal(p.out->ops->pwrite(p.out, "abc", 3, 0), 0);
	assert_int_equal(p.out->ops->pwrite(p.out, "x", 1, 0),
			 VHD_E_UNSUPPORTED);
	assert_int_equal(p.out->ops->pwrite(p.out, "x", 1, 4),
			 VHD_E_UNSUPPORTED);
	assert_int_equal(p.in->ops->pread(p.in, buf, 1, 1), VHD_E_UNSUPPORTED);
	assert_int_equal(p.in->ops->size(&size, p.in), VHD_E_UNSUPPORTED);
	end_pipe(&p);
}

static void
test_end_is_told_from_failure(void **state)
{
	struct both p = new_pipe();
	char buf[8];
	size_t n = 99;

	(void)state;
	assert_int_equal(p.out->ops->pwrite(p.out, "abc", 3, 0), 0);
	close(p.fd[1]);
	assert_int_equal(stream_read(&n, p.in, buf, 8), 0);
	assert_int_equal(n, 3);
	assert_int_equal(stream_read(&n, p.in, buf, 8), 0);
	assert_int_equal(n, 0);
	assert_int_equal(p.in->ops->pread(p.in, buf, 1, 3), VHD_E_CORRUPT);
	end_pipe(&p);
}

static void
test_pipe_that_does_not_block_is_waited_for(void **state)
{
	struct both p = new_pipe();
	char buf[4] = "";
	size_t n;

	(void)state;
	assert_int_equal(fcntl(p.fd[0], F_SETFL, O_NONBLOCK), 0);
	if (fork() == 0) {
		usleep(50000);
		_exit(write(p.fd[1], "abc", 3) == 3 ? 0 : 1);
	}
	assert_int_equal(stream_read(&n, p.in, buf, 3), 0);
	assert_int_equal(n, 3);
	assert_string_equal(buf, "abc");
	end_pipe(&p);
}

static void
test_pipe_needs_no_flush(void **state)
{
	struct both p = new_pipe();

	(void)state;
	assert_int_equal(p.out->ops->flush(p.out), 0);
	end_pipe(&p);
}

static void
test_compressed_stream_stores_no_time(void **state)
{
	static const uint8_t zeros[1000];
	struct both p = new_pipe();
	struct io *gzip = NULL;
	uint8_t buf[256];
	size_t n;

	(void)state;
	assert_int_equal(gzip_new(&gzip, p.out), 0);
	assert_int_equal(gzip->ops->pwrite(gzip, zeros, 1000, 0), 0);
	assert_int_equal(gzip->ops->pwrite(gzip, zeros, 1, 7),
			 VHD_E_UNSUPPORTED);
	assert_int_equal(gzip->ops->flush(gzip), 0);
	assert_int_equal(io_close(gzip), 0);
	assert_int_equal(io_close(p.out), 0);
	close(p.fd[1]);
	assert_int_equal(stream_read(&n, p.in, buf, sizeof(buf)), 0);
	assert_memory_equal(buf, "\x1f\x8b", 2);
	assert_memory_equal(buf + 4, zeros, 4);
	assert_int_equal(io_close(p.in), 0);
	close(p.fd[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_come_out_as_they_went_in),
		cmocka_unit_test(test_there_is_no_way_back),
		cmocka_unit_test(test_end_is_told_from_failure),
		cmocka_unit_test(test_pipe_that_does_not_block_is_waited_for),
		cmocka_unit_test(test_pipe_needs_no_flush),
		cmocka_unit_test(test_compressed_stream_stores_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
