/* vectors DIR [KIND ...]: runs the vector suites found under DIR; one line per kind, exit 0 only if none failed and something
 * ran. -v names each failing case (-vv the skipped ones too), --slow runs the slow ones. */
#include <string.h>

#include "tests/vectors/vec.h"

static const struct {
    const char *name;
    void (*run)(vec_t *v);
} kinds[] = {
#define KIND(name, fn) { name, fn },
#include "tests/vectors/kinds.def"
#undef KIND
    { NULL, NULL },
};

static bool wanted(const char *name, char **names, int count)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(names[i], name))
            return true;
    return count == 0;
}

static int usage(FILE *out, int status)
{
    fputs("usage: vectors [-v|-vv] [--slow] DIR [KIND ...]\nkinds:", out);
    for (size_t i = 0; kinds[i].name; i++)
        fprintf(out, " %s", kinds[i].name);
    fputc('\n', out);
    return status;
}

int main(int argc, char **argv)
{
    vec_t options = { 0 };
    char *names[64];
    int count = 0;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "-v") || !strcmp(argv[i], "-vv")) {
            options.very_verbose = argv[i][2] || options.verbose;
            options.verbose = true;
        } else if (!strcmp(argv[i], "--slow"))
            options.slow = true;
        else if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help"))
            return usage(stdout, 0);
        else if (!options.dir)
            options.dir = argv[i];
        else if (count < 64)
            names[count++] = argv[i];
    }
    if (!options.dir)
        return usage(stderr, 2);
    for (int k = 0; k < count; k++) {
        size_t i = 0;
        while (kinds[i].name && strcmp(kinds[i].name, names[k]))
            i++;
        if (!kinds[i].name) {
            fprintf(stderr, "vectors: no kind \"%s\" in this build\n", names[k]);
            return 2;
        }
    }
    size_t failed = 0, ran = 0;
    for (size_t i = 0; kinds[i].name; i++) {
        if (!wanted(kinds[i].name, names, count))
            continue;
        vec_t v = options;
        kinds[i].run(&v);
        printf("%s: %zu passed, %zu failed, %zu skipped\n", kinds[i].name, v.passed, v.failed, v.skipped);
        for (size_t r = 0; r < v.reason_count; r++)
            printf("  %zu skipped: %s\n", v.reasons[r].count, v.reasons[r].text);
        fflush(stdout);
        failed += v.failed;
        ran += v.passed + v.failed;
    }
    return failed == 0 && ran > 0 ? 0 : 1;
}
