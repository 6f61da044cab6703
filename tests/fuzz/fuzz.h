/* fuzz.h - entry point of every fuzz target; also run by replay.c over the committed corpus in plain builds. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H
#include <stddef.h>
#include <stdint.h>
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
#endif
