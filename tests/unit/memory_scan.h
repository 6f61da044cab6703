/* memory_scan.h - whether some bytes stand anywhere in this process: in its heaps, stacks and variables. */
#ifndef TESTS_MEMORY_SCAN_H
#define TESTS_MEMORY_SCAN_H

#include <check.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* A sanitizer keeps copies of its own, and so much memory that a scan takes minutes. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SCAN_TELLS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SCAN_TELLS 0
#endif
#endif
#ifndef SCAN_TELLS
#define SCAN_TELLS 1
#endif

#define SCAN_MASK 0x5au
#define SCAN_REGION_MAX ((size_t)256 << 20) /* what is larger is a sanitizer's */

/* Bytes that are looked for, so written that these here are not what is found. */
typedef struct {
    uint8_t masked[128];
    size_t n;
} scan_for_t;

static inline scan_for_t scan_for(const void *p, size_t n)
{
    scan_for_t s = { .n = n };
    for (size_t i = 0; i < n; i++)
        s.masked[i] = (uint8_t)(((const uint8_t *)p)[i] ^ SCAN_MASK);
    return s;
}

/* What was freed is left as it is, so that it is found. */
static inline void scan_begin(void)
{
    mallopt(M_PERTURB, 0);
}

static inline unsigned scan_region(const volatile uint8_t *at, size_t n, const scan_for_t *s)
{
    unsigned found = 0;
    for (size_t i = 0; i + s->n <= n; i++) {
        size_t k = 0;
        while (k < s->n && (at[i + k] ^ SCAN_MASK) == s->masked[k])
            k++;
        found += k == s->n;
    }
    return found;
}

/* In how many places they stand. */
static inline unsigned scan_count(const scan_for_t *s)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    unsigned found = 0;
    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof line, maps)) {
        unsigned long from, to;
        char may[5];
        if (sscanf(line, "%lx-%lx %4s", &from, &to, may) != 3 || may[0] != 'r' || may[1] != 'w' ||
            to - from > SCAN_REGION_MAX || strstr(line, "[v"))
            continue;
        found += scan_region((const volatile uint8_t *)from, to - from, s); /* NOLINT(performance-no-int-to-ptr) */
    }
    fclose(maps);
    return found;
}

#endif
