/* precompiles: each precompile alone, result and price. */
#include <stdlib.h>
#include <string.h>

#include "lightclient/evm/precompile.h"
#include "tests/vectors/vec.h"

/* The fork whose prices a file was made for. */
static evm_fork_t fork_of(const char *file)
{
    return strstr(file, "eip2565") ? EVM_PRAGUE : EVM_OSAKA;
}

static void check(vec_t *v, const char *file, unsigned index, const json_t *test)
{
    char name[256];
    arena_t a;
    view_t got;
    uint64_t gas;
    snprintf(name, sizeof name, "%s: %s", file, vec_str(test, "name") ? vec_str(test, "name") : "unnamed");
    arena_init(&a, 64u << 20);
    view_t input = vec_hex(&a, vec_str(test, "input")), want = vec_hex(&a, vec_str(test, "expected"));
    const json_t *price = json_object_get(test, "gas");
    bool fails = json_object_get(test, "error") != NULL;
    rc_t rc = evm_precompile(&got, &gas, &a, input, fork_of(file), index);
    if (strstr(file, "eip198")) /* prices that ended with Berlin; the results are the same */
        gas = (uint64_t)modexp_price(MODEXP_EIP198, input);
    if (rc != (fails ? RC_REFUSED : RC_OK)) {
        vec_fail(v, name, "%s", rc_name(rc));
    } else if (!fails && !view_eq(got, want)) {
        vec_fail(v, name, "another result");
    } else if (!fails && price && (uint64_t)json_integer_value(price) != gas) {
        vec_fail(v, name, "gas %llu", (unsigned long long)gas);
    } else {
        vec_pass(v);
    }
    arena_free(&a);
}

void vec_kind_precompiles(vec_t *v)
{
    arena_t a;
    arena_init(&a, 16u << 20);
    char **files = vec_list(v, &a, "precompiles");
    for (size_t f = 0; files && files[f]; f++) {
        json_t *tests = vec_json(v, "precompiles/%s", files[f]);
        unsigned index = (unsigned)strtoul(files[f], NULL, 16); /* the file's name begins with it */
        for (size_t i = 0; i < json_array_size(tests); i++)
            check(v, files[f], index, json_array_get(tests, i));
        json_decref(tests);
    }
    arena_free(&a);
}
