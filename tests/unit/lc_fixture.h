/* lc_fixture.h - networks and recorded objects that the consensus tests and fuzz targets share
 * (tests/data/lightclient/README.md). */
#ifndef TESTS_LC_FIXTURE_H
#define TESTS_LC_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "lightclient/consensus/types.h"

static inline hash32_t fx_hash(const char *hex)
{
    hash32_t h;
    if (hex_decode_exact(h.b, 32, hex, strlen(hex)))
        abort();
    return h;
}

/* The chain of minimal-fulu: every fork up to Fulu at genesis. */
static inline lc_network_t fx_minimal_fulu(void)
{
    lc_network_t net = {
        .name = "minimal-fulu",
        .preset = LC_PRESET_MINIMAL,
        .seconds_per_slot = 2,
        .genesis_time = 1795226031,
        .genesis_validators_root = fx_hash("d0df1dbe4029181c27973b00eac8fef87ccfc91d51e612fc8554ef66933ad390"),
        .genesis_fork_version = { 0x00, 0x30, 0x48, 0x01 },
        .chain_id = 1337470,
        .min_withdrawability_delay = 256,
    };
    for (size_t f = 0; f < LC_FORKS; f++)
        memcpy(net.fork_version[f], (uint8_t[4]){ (uint8_t)(f + 1), 0x30, 0x48, 0x01 }, 4);
    net.fork_epoch[LC_GLOAS] = LC_EPOCH_NEVER;
    return net;
}

/* The chain of minimal-forks: Deneb at genesis, Electra at epoch 6, Fulu at epoch 12. */
static inline lc_network_t fx_minimal_forks(void)
{
    lc_network_t net = {
        .name = "minimal-forks",
        .preset = LC_PRESET_MINIMAL,
        .seconds_per_slot = 2,
        .genesis_time = 1795226286,
        .genesis_validators_root = fx_hash("faeaebe92b7063a242a4196966718f76bf698aef5e7933dc138a4ce51ee4eb3d"),
        .genesis_fork_version = { 0x00, 0x6e, 0x1f, 0x01 },
        .fork_epoch = { 0, 0, 0, 0, 6, 12, LC_EPOCH_NEVER },
        .chain_id = 1337525,
        .min_withdrawability_delay = 256,
    };
    for (size_t f = 0; f < LC_FORKS; f++)
        memcpy(net.fork_version[f], (uint8_t[4]){ (uint8_t)(f + 1), 0x6e, 0x1f, 0x01 }, 4);
    return net;
}

/* The chain of minimal-gloas: Gloas at epoch 3, every earlier fork at genesis. */
static inline lc_network_t fx_minimal_gloas(void)
{
    lc_network_t net = {
        .name = "minimal-gloas",
        .preset = LC_PRESET_MINIMAL,
        .seconds_per_slot = 6,
        .genesis_time = 1795226286,
        .genesis_validators_root = fx_hash("44797095dc339c311d90c9679b8bf4b60048a576e5a71d70e5877d82475e5d5f"),
        .genesis_fork_version = { 0x00, 0x00, 0x00, 0x01 },
        .fork_epoch = { [LC_GLOAS] = 3 },
        .chain_id = 1337,
        .min_withdrawability_delay = 256,
    };
    for (size_t f = 0; f < LC_FORKS; f++)
        memcpy(net.fork_version[f], (uint8_t[4]){ (uint8_t)(f + 1), 0x00, 0x00, 0x01 }, 4);
    return net;
}

#define FX_FULU_CHECKPOINT_8 "33299f40416510d4dbf53ec9e70dbd303f168b2da9e26a9205583d4fdc28db06"
#define FX_FULU_CHECKPOINT_104 "be8cb63ab9fd5d639f621a1fdddab939cb9ed1a89cd7c1921ef3c941e66679fa"
#define FX_GLOAS_CHECKPOINT_8 "abbfe0715ab380a769665ba2edb14bf9eb40e2627eb2ca82887144014d78914a"
#define FX_FORKS_CHECKPOINT_8 "15e4356dfa6666316c5663157ab25e1e9443b5fdac64081bea63c42d719cc43f"

/* A file below tests/data/lightclient/, on the heap in its exact size; freed by the caller. */
static inline view_t fx_read(const char *name)
{
    char path[4096];
    const char *root = getenv("TEST_DATA");
    snprintf(path, sizeof path, "%s/lightclient/%s", root ? root : "tests/data", name);
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END)) {
        fprintf(stderr, "cannot open %s\n", path);
        abort();
    }
    long n = ftell(f);
    rewind(f);
    uint8_t *p = malloc(n > 0 ? (size_t)n : 1);
    if (!p || n <= 0 || fread(p, 1, (size_t)n, f) != (size_t)n)
        abort();
    fclose(f);
    return view_of(p, (size_t)n);
}

#endif
