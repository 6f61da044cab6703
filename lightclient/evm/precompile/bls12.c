#include "lightclient/bls/points.h"
#include "lightclient/evm/precompile.h"

/* EIP-2537: seven contracts on BLS12-381. A coordinate is a number of 64 bytes; a point in G1 is two of them, in G2
 * four (real parts first); all zero is infinity; a scalar has 32 bytes. */

#define FIELD_LEN 64u
#define PAD_LEN (FIELD_LEN - BLS_FP_LEN)
#define G1_LEN (2 * FIELD_LEN)
#define G2_LEN (4 * FIELD_LEN)
#define SCALAR_LEN sizeof(bls_scalar_t)
#define G1_TERM_LEN (G1_LEN + SCALAR_LEN)
#define G2_TERM_LEN (G2_LEN + SCALAR_LEN)
#define PAIR_LEN (G1_LEN + G2_LEN)

/* Pieces of work between questions about the deadline; the sum of a longer list is made from parts of TERMS_PIECE. */
#define PAIRS_PIECE 16u
#define TERMS_READ 64u
#define TERMS_PIECE 1024u

#define G1_MUL_GAS 12000
#define G2_MUL_GAS 22500
#define PAIRING_GAS 37700
#define PAIR_GAS 32600

/* Price of a sum of k multiples, in thousandths of k single ones; from 128 on the last. */
#define DISCOUNTS 128u
static const int16_t g1_discount[DISCOUNTS] = {
    1000, 949, 848, 797, 764, 750, 738, 728, 719, 712, 705, 698, 692, 687, 682, 677, 673, 669, 665, 661, 658, 654,
    651,  648, 645, 642, 640, 637, 635, 632, 630, 627, 625, 623, 621, 619, 617, 615, 613, 611, 609, 608, 606, 604,
    603,  601, 599, 598, 596, 595, 593, 592, 591, 589, 588, 586, 585, 584, 582, 581, 580, 579, 577, 576, 575, 574,
    573,  572, 570, 569, 568, 567, 566, 565, 564, 563, 562, 561, 560, 559, 558, 557, 556, 555, 554, 553, 552, 551,
    550,  549, 548, 547, 547, 546, 545, 544, 543, 542, 541, 540, 540, 539, 538, 537, 536, 536, 535, 534, 533, 532,
    532,  531, 530, 529, 528, 528, 527, 526, 525, 525, 524, 523, 522, 522, 521, 520, 520, 519,
};
static const int16_t g2_discount[DISCOUNTS] = {
    1000, 1000, 923, 884, 855, 832, 812, 796, 782, 770, 759, 749, 740, 732, 724, 717, 711, 704, 699, 693, 688, 683,
    679,  674,  670, 666, 663, 659, 655, 652, 649, 646, 643, 640, 637, 634, 632, 629, 627, 624, 622, 620, 618, 615,
    613,  611,  609, 607, 606, 604, 602, 600, 598, 597, 595, 593, 592, 590, 589, 587, 586, 584, 583, 582, 580, 579,
    578,  576,  575, 574, 573, 571, 570, 569, 568, 567, 566, 565, 563, 562, 561, 560, 559, 558, 557, 556, 555, 554,
    553,  552,  552, 551, 550, 549, 548, 547, 546, 545, 545, 544, 543, 542, 541, 541, 540, 539, 538, 537, 537, 536,
    535,  535,  534, 533, 532, 532, 531, 530, 530, 529, 528, 528, 527, 526, 526, 525, 524, 524,
};

static int64_t msm_gas(size_t k, int64_t single, const int16_t discount[DISCOUNTS])
{
    if (k == 0) /* it fails */
        return 0;
    return (int64_t)k * single * discount[(k < DISCOUNTS ? k : DISCOUNTS) - 1] / 1000;
}

int64_t g1_add_gas(evm_fork_t fork, view_t input)
{
    (void)fork, (void)input;
    return 375;
}

int64_t g1_msm_gas(evm_fork_t fork, view_t input)
{
    (void)fork;
    return msm_gas(input.n / G1_TERM_LEN, G1_MUL_GAS, g1_discount);
}

int64_t g2_add_gas(evm_fork_t fork, view_t input)
{
    (void)fork, (void)input;
    return 600;
}

int64_t g2_msm_gas(evm_fork_t fork, view_t input)
{
    (void)fork;
    return msm_gas(input.n / G2_TERM_LEN, G2_MUL_GAS, g2_discount);
}

int64_t bls_pairing_gas(evm_fork_t fork, view_t input)
{
    (void)fork;
    return PAIRING_GAS + PAIR_GAS * (int64_t)(input.n / PAIR_LEN);
}

int64_t g1_map_gas(evm_fork_t fork, view_t input)
{
    (void)fork, (void)input;
    return 5500;
}

int64_t g2_map_gas(evm_fork_t fork, view_t input)
{
    (void)fork, (void)input;
    return 23800;
}

/* Takes the padding off count coordinates. False when one has any that is not zero. */
static bool unpad(uint8_t *out, const uint8_t *in, size_t count)
{
    static const uint8_t zeros[PAD_LEN];
    for (size_t i = 0; i < count; i++, in += FIELD_LEN, out += BLS_FP_LEN) {
        if (memcmp(in, zeros, PAD_LEN) != 0)
            return false;
        memcpy(out, in + PAD_LEN, BLS_FP_LEN);
    }
    return true;
}

/* The coordinates, padded, as the result. */
static rc_t give(arena_t *a, view_t *out, const uint8_t *coordinates, size_t count)
{
    uint8_t *result = arena_calloc(a, count, FIELD_LEN);
    if (!result)
        return RC_NOMEM;
    for (size_t i = 0; i < count; i++)
        memcpy(result + i * FIELD_LEN + PAD_LEN, coordinates + i * BLS_FP_LEN, BLS_FP_LEN);
    *out = view_of(result, count * FIELD_LEN);
    return RC_OK;
}

static bool g1_read(bls_g1_t *out, const uint8_t in[G1_LEN], bool check_subgroup)
{
    uint8_t xy[BLS_G1_LEN];
    return unpad(xy, in, 2) && bls_g1_decode(out, xy, check_subgroup) == RC_OK;
}

static bool g2_read(bls_g2_t *out, const uint8_t in[G2_LEN], bool check_subgroup)
{
    uint8_t xy[BLS_G2_LEN];
    return unpad(xy, in, 4) && bls_g2_decode(out, xy, check_subgroup) == RC_OK;
}

static rc_t g1_give(arena_t *a, view_t *out, const bls_g1_t *p)
{
    uint8_t xy[BLS_G1_LEN];
    bls_g1_encode(xy, p);
    return give(a, out, xy, 2);
}

static rc_t g2_give(arena_t *a, view_t *out, const bls_g2_t *p)
{
    uint8_t xy[BLS_G2_LEN];
    bls_g2_encode(xy, p);
    return give(a, out, xy, 4);
}

/* Sums take any points of the curve. */
rc_t g1_add_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host)
{
    (void)fork, (void)host;
    bls_g1_t p, q;
    if (input.n != 2 * G1_LEN || !g1_read(&p, input.p, false) || !g1_read(&q, input.p + G1_LEN, false))
        return RC_REFUSED;
    bls_g1_add(&p, &p, &q);
    return g1_give(a, out, &p);
}

rc_t g2_add_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host)
{
    (void)fork, (void)host;
    bls_g2_t p, q;
    if (input.n != 2 * G2_LEN || !g2_read(&p, input.p, false) || !g2_read(&q, input.p + G2_LEN, false))
        return RC_REFUSED;
    bls_g2_add(&p, &p, &q);
    return g2_give(a, out, &p);
}

/* Multiples and pairings take points of the subgroup, and at least one. */
rc_t g1_msm_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host)
{
    (void)fork;
    size_t k = input.n / G1_TERM_LEN;
    bls_g1_t sum;
    if (k == 0 || input.n % G1_TERM_LEN)
        return RC_REFUSED;
    size_t room = k < TERMS_PIECE ? k : TERMS_PIECE;
    bls_g1_t *points = arena_calloc(a, room, sizeof *points);
    bls_scalar_t *scalars = arena_calloc(a, room, sizeof *scalars);
    if (!points || !scalars)
        return RC_NOMEM;
    for (size_t i = 0; i < k;) {
        bls_g1_t part;
        size_t taken = 0;
        bool first = i == 0;
        for (; i < k && taken < room; i++, taken++) {
            const uint8_t *term = input.p + i * G1_TERM_LEN;
            if (i % TERMS_READ == 0 && precompile_expired(host))
                return RC_TIMEOUT;
            if (!g1_read(&points[taken], term, true))
                return RC_REFUSED;
            memcpy(scalars[taken].b, term + G1_LEN, SCALAR_LEN);
        }
        const arena_mark_t mark = arena_mark(a);
        rc_t rc = bls_g1_msm(a, &part, points, scalars, taken);
        arena_rollback(a, mark);
        if (rc)
            return rc;
        if (first)
            sum = part;
        else
            bls_g1_add(&sum, &sum, &part);
    }
    return g1_give(a, out, &sum);
}

rc_t g2_msm_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host)
{
    (void)fork;
    size_t k = input.n / G2_TERM_LEN;
    bls_g2_t sum;
    if (k == 0 || input.n % G2_TERM_LEN)
        return RC_REFUSED;
    size_t room = k < TERMS_PIECE ? k : TERMS_PIECE;
    bls_g2_t *points = arena_calloc(a, room, sizeof *points);
    bls_scalar_t *scalars = arena_calloc(a, room, sizeof *scalars);
    if (!points || !scalars)
        return RC_NOMEM;
    for (size_t i = 0; i < k;) {
        bls_g2_t part;
        size_t taken = 0;
        bool first = i == 0;
        for (; i < k && taken < room; i++, taken++) {
            const uint8_t *term = input.p + i * G2_TERM_LEN;
            if (i % TERMS_READ == 0 && precompile_expired(host))
                return RC_TIMEOUT;
            if (!g2_read(&points[taken], term, true))
                return RC_REFUSED;
            memcpy(scalars[taken].b, term + G2_LEN, SCALAR_LEN);
        }
        const arena_mark_t mark = arena_mark(a);
        rc_t rc = bls_g2_msm(a, &part, points, scalars, taken);
        arena_rollback(a, mark);
        if (rc)
            return rc;
        if (first)
            sum = part;
        else
            bls_g2_add(&sum, &sum, &part);
    }
    return g2_give(a, out, &sum);
}

rc_t bls_pairing_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host)
{
    (void)fork;
    size_t k = input.n / PAIR_LEN;
    if (k == 0 || input.n % PAIR_LEN)
        return RC_REFUSED;
    uint8_t *word = arena_calloc(a, 1, 32);
    bls_product_t product;
    if (!word)
        return RC_NOMEM;
    bls_product_start(&product);
    for (size_t i = 0; i < k;) {
        bls_g1_t p[PAIRS_PIECE];
        bls_g2_t q[PAIRS_PIECE];
        size_t taken = 0;
        if (precompile_expired(host))
            return RC_TIMEOUT;
        for (; i < k && taken < PAIRS_PIECE; i++, taken++) {
            const uint8_t *pair = input.p + i * PAIR_LEN;
            if (!g1_read(&p[taken], pair, true) || !g2_read(&q[taken], pair + G1_LEN, true))
                return RC_REFUSED;
        }
        bls_product_multiply(&product, p, q, taken);
    }
    word[31] = bls_product_is_one(&product);
    *out = view_of(word, 32);
    return RC_OK;
}

rc_t g1_map_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host)
{
    (void)fork, (void)host;
    uint8_t u[BLS_FP_LEN];
    bls_g1_t p;
    if (input.n != FIELD_LEN || !unpad(u, input.p, 1) || bls_g1_map(&p, u))
        return RC_REFUSED;
    return g1_give(a, out, &p);
}

rc_t g2_map_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host)
{
    (void)fork, (void)host;
    uint8_t u[BLS_FP2_LEN];
    bls_g2_t p;
    if (input.n != 2 * FIELD_LEN || !unpad(u, input.p, 2) || bls_g2_map(&p, u))
        return RC_REFUSED;
    return g2_give(a, out, &p);
}
