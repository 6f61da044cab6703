/* unchecked.h - lets fuzz targets use the worlds of unit tests: their assertions abort. Before any header of those. */
#ifndef TESTS_FUZZ_UNCHECKED_H
#define TESTS_FUZZ_UNCHECKED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TESTS_UNIT_H /* in the place of tests/unit/unit.h */
#define ck_assert(x) ((x) ? (void)0 : abort())
#define ck_assert_msg(x, ...) ck_assert(x)
#define ck_assert_int_eq(x, y) ck_assert((x) == (y))
#define ck_assert_uint_eq(x, y) ck_assert((x) == (y))
#define ck_assert_uint_ne(x, y) ck_assert((x) != (y))
#define ck_assert_ptr_nonnull(x) ck_assert(x)
#define ck_assert_mem_eq(x, y, n) ck_assert(memcmp(x, y, n) == 0)

#endif
