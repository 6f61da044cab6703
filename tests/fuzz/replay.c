/* Runs a fuzz target over every file of the folders given, over each truncation of small ones, and over a fixed number of
 * pseudo-random mutations, so that plain builds exercise the property too. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define FILE_MAX ((size_t)1 << 20)
#define TRUNCATIONS_BELOW 2048u
#define MUTATIONS 200u

/* An exact-size heap copy, so that ASan sees an over-read by one byte. */
static void run(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (!copy)
        abort();
    memcpy(copy, data, len);
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

static void run_around(uint8_t *data, size_t len)
{
    uint64_t x = 0x9e3779b97f4a7c15u ^ len;
    run(data, len);
    for (size_t n = 0; n < len && len < TRUNCATIONS_BELOW; n++)
        run(data, n);
    for (unsigned i = 0; len && i < MUTATIONS; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        size_t at = (size_t)(x % len);
        uint8_t was = data[at];
        data[at] = (uint8_t)(x >> 32);
        run(data, len);
        data[at] = was;
    }
}

int main(int argc, char **argv)
{
    size_t files = 0;
    uint8_t *buf = malloc(FILE_MAX);
    if (!buf)
        return 1;
    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        if (!dir) {
            fprintf(stderr, "replay: cannot open %s\n", argv[i]);
            return 1;
        }
        for (struct dirent *e; (e = readdir(dir));) {
            char path[4096];
            if (e->d_name[0] == '.')
                continue;
            snprintf(path, sizeof path, "%s/%s", argv[i], e->d_name);
            FILE *f = fopen(path, "rb");
            if (!f)
                continue;
            size_t len = fread(buf, 1, FILE_MAX, f);
            fclose(f);
            run_around(buf, len);
            files++;
        }
        closedir(dir);
    }
    free(buf);
    printf("%zu files replayed\n", files);
    return files ? 0 : 1;
}
