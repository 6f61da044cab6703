/* image.h - a small virtual firmware and kernel, built part by part, for the tests of measurement. */
#ifndef TESTS_IMAGE_H
#define TESTS_IMAGE_H

#include <stdlib.h>

#include "base/bytes.h"

typedef struct {
    uint32_t data_at, data_len;
    uint64_t address, size;
    uint32_t type, attributes;
} image_section_t;

#define IMAGE_TABLE_LEN 40u /* of GUIDs: one entry of 22 bytes, and the footer's 18 */
#define IMAGE_TABLE_END 32u

static inline uint8_t image_byte(size_t i)
{
    return (uint8_t)(7 * i + (i >> 8) + 1);
}

/* A file of n bytes in a pattern, with metadata at its end. The descriptor stands 1024 + 32 * count bytes before the
 * end. From malloc. */
static inline uint8_t *image_firmware(size_t n, const image_section_t *sections, uint32_t count)
{
    static const uint8_t tdvf[16] = { 0x35, 0x65, 0x7a, 0xe4, 0x4a, 0x98, 0x98, 0x47,
                                      0x86, 0x5e, 0x46, 0x85, 0xa7, 0xbf, 0x8e, 0xc2 };
    static const uint8_t footer[16] = { 0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45,
                                        0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d };
    uint32_t distance = 1024 + 32 * count;
    uint8_t *p = malloc(n);
    if (!p || n < distance)
        abort();
    for (size_t i = 0; i < n; i++)
        p[i] = image_byte(i);
    wr_t w = wr_of(p + n - distance, distance);
    wr_bytes(&w, "TDVF", 4);
    wr_u32le(&w, 16 + 32 * count);
    wr_u32le(&w, 1);
    wr_u32le(&w, count);
    for (uint32_t i = 0; i < count; i++) {
        wr_u32le(&w, sections[i].data_at);
        wr_u32le(&w, sections[i].data_len);
        wr_u64le(&w, sections[i].address);
        wr_u64le(&w, sections[i].size);
        wr_u32le(&w, sections[i].type);
        wr_u32le(&w, sections[i].attributes);
    }
    w = wr_of(p + n - IMAGE_TABLE_END - IMAGE_TABLE_LEN, IMAGE_TABLE_LEN);
    wr_u32le(&w, distance);
    wr_u16le(&w, 22);
    wr_bytes(&w, tdvf, 16);
    wr_u16le(&w, IMAGE_TABLE_LEN);
    wr_bytes(&w, footer, 16);
    return p;
}

/* Where things stand in the kernel. */
enum {
    KERNEL_PE = 0x40,
    KERNEL_OPTIONAL = KERNEL_PE + 24,
    KERNEL_SECTIONS = KERNEL_OPTIONAL + 160,
    KERNEL_HEADERS = 0x400
};
#define KERNEL_LEN 0x1800u

static inline void image_u32(uint8_t *p, uint32_t v)
{
    wr_t w = wr_of(p, 4);
    wr_u32le(&w, v);
}

/* Puts section i of the kernel: its length and place in the file. */
static inline void image_pe_section(uint8_t *kernel, unsigned i, uint32_t at, uint32_t len)
{
    image_u32(kernel + KERNEL_SECTIONS + 40 * i + 16, len);
    image_u32(kernel + KERNEL_SECTIONS + 40 * i + 20, at);
}

/* A bzImage with two PE sections, listed in the wrong order, that cover all behind the headers. From malloc, KERNEL_LEN
 * bytes. */
static inline uint8_t *image_kernel(void)
{
    uint8_t *p = malloc(KERNEL_LEN);
    if (!p)
        abort();
    for (size_t i = 0; i < KERNEL_LEN; i++)
        p[i] = image_byte(i);
    memcpy(p, "MZ", 2);
    image_u32(p + 0x3c, KERNEL_PE);
    wr_t w = wr_of(p + KERNEL_PE, 24);
    wr_bytes(&w, "PE\0\0", 4);
    wr_u16le(&w, 0x8664);
    wr_u16le(&w, 2); /* sections */
    wr_bytes(&w, "------------", 12);
    wr_u16le(&w, 160); /* the optional header: fields and six directories */
    wr_u16le(&w, 0);
    w = wr_of(p + KERNEL_OPTIONAL, 2);
    wr_u16le(&w, 0x20b);
    image_u32(p + KERNEL_OPTIONAL + 60, KERNEL_HEADERS);
    image_u32(p + KERNEL_OPTIONAL + 108, 6);
    memset(p + KERNEL_OPTIONAL + 112, 0, 48);
    image_pe_section(p, 0, 0x1200, KERNEL_LEN - 0x1200);
    image_pe_section(p, 1, KERNEL_HEADERS, 0x1200 - KERNEL_HEADERS);
    memcpy(p + 0x202, "HdrS\x0f\x02", 6); /* protocol 2.15 */
    p[0x211] = 0x01;
    memcpy(p + 0x236, "\x7f\x00", 2);
    return p;
}

#endif
