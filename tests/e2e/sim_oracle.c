/* Quotes of a simulated TDX machine for a fake guest agent, which recover.mjs plays.
 *
 *     sim_oracle SEED COLLATERAL
 *
 * Writes the file COLLATERAL, says {"root": ...}, the simulator's root in DER, then for each line of 64 bytes of report data
 * in hex {"quote": ..., "event_log": ...}; end of input ends it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/json.h"
#include "tee/sim/sim.h"

#define TEXT_MAX ((size_t)1 << 20)

static void say(jw_t *w)
{
    jw_end(w);
    const view_t text = jw_done(w);
    if (!text.p)
        exit(1);
    printf("%.*s\n", (int)text.n, (const char *)text.p);
    jw_free(w);
}

static bool write_collateral(const tee_provider_t *tee, const char *path)
{
    arena_t a;
    view_t text;
    arena_init(&a, TEXT_MAX);
    FILE *f = fopen(path, "w");
    const bool good =
        f && !tee->get_collateral(tee->ctx, &text, &a, (int64_t)time(NULL)) && fwrite(text.p, 1, text.n, f) == text.n;
    arena_free(&a);
    return (!f || !fclose(f)) && good;
}

static bool answer(const tee_provider_t *tee, const char *line)
{
    uint8_t report_data[TEE_REPORT_DATA_LEN];
    tee_evidence_t evidence;
    err_t e;
    if (hex_decode_exact(report_data, sizeof report_data, line, strcspn(line, "\n")) ||
        tee->get_evidence(tee->ctx, &evidence, &e, report_data))
        return false;
    jw_t w = jw_of(NULL, TEXT_MAX);
    jw_object(&w, NULL);
    jw_hex(&w, "quote", evidence.quote);
    jw_text(&w, "event_log", evidence.event_log);
    say(&w);
    tee_evidence_free(&evidence);
    return true;
}

int main(int argc, char **argv)
{
    char line[256];
    hash32_t seed;
    tee_provider_t tee;
    err_t e;
    if (argc != 3 || secret_init())
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    sha256(&seed, view_str(argv[1]));
    if (tee_simulator_open(&tee, &e, seed.b) || !write_collateral(&tee, argv[2]))
        return 1;
    jw_t w = jw_of(NULL, TEXT_MAX);
    jw_object(&w, NULL);
    jw_hex(&w, "root", tee.root);
    say(&w);
    bool good = true;
    while (good && fgets(line, sizeof line, stdin))
        good = answer(&tee, line);
    tee.free(tee.ctx);
    return good ? 0 : 1;
}
