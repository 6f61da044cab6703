/* The kernel's configfs-tsm: one request from mkdir to rmdir in a folder that stands in for it, and a kernel that misbehaves
 * (number 71 of the negative tests). */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto/secret.h"
#include "tee/provider/configfs.h"
#include "tee/provider/open.h"
#include "tee/quote/quote.h"
#include "tee/sim/sim.h"
#include "tests/unit/unit.h"

/* What the kernel does. Failures strike while their count lasts. */
typedef struct {
    const char *provider;
    int make_error, write_error, read_error; /* -errno of mkdir, inblob, outblob */
    unsigned failures;
    ssize_t write_takes;    /* 0: all */
    unsigned other_writers; /* how many others write in between */
    size_t blob_len;        /* of outblob; 0: the quote padded to 8000 bytes */
    bool empty, flipped;    /* outblob; the report data in it */
    unsigned slow_ms;       /* that a look at the clock takes */
} fault_t;

typedef struct {
    fault_t fault;
    tee_provider_t simulator;
    char base[64];
    unsigned failures_left, made, dropped, pauses, paused_ms, generation;
    uint64_t now_ms;
    unsigned inside, inside_peak; /* requests at the same time */
} kernel_t;

static kernel_t k;
static uint8_t report_data[TEE_REPORT_DATA_LEN];

static void put_file(const char *dir, const char *name, view_t content)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(content.p, 1, content.n, f), content.n);
    fclose(f);
}

static void put_generation(const char *dir)
{
    char text[16];
    snprintf(text, sizeof text, "%u\n", k.generation);
    put_file(dir, "generation", view_str(text));
}

static bool strikes(int error)
{
    if (!error || !k.failures_left)
        return false;
    k.failures_left--;
    return true;
}

static int make(void *ctx, const char *dir)
{
    char text[32];
    int rc = CONFIGFS_KERNEL.make(ctx, dir);
    ck_assert_int_eq(rc, 0);
    if (strikes(k.fault.make_error)) {
        rmdir(dir);
        return k.fault.make_error;
    }
    k.made++;
    k.inside_peak = ++k.inside > k.inside_peak ? k.inside : k.inside_peak;
    snprintf(text, sizeof text, "%s\n", k.fault.provider);
    put_file(dir, "provider", view_str(text));
    put_file(dir, "inblob", view_of("", 0));
    put_file(dir, "outblob", view_of("", 0));
    put_generation(dir);
    return 0;
}

static int drop(void *ctx, const char *dir)
{
    static const char *const names[] = { "provider", "inblob", "outblob", "generation" };
    char path[256];
    for (size_t i = 0; i < 4; i++) { /* the kernel takes the attributes away with their folder */
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    k.dropped++;
    k.inside--;
    return CONFIGFS_KERNEL.drop(ctx, dir);
}

static bool ends_in(const char *file, const char *name)
{
    return !strcmp(strrchr(file, '/') + 1, name);
}

/* Reading outblob makes the quote over what inblob holds. */
static void generate(const char *file)
{
    char dir[200], inblob[256];
    uint8_t asked[65], blob[TEE_QUOTE_LEN_MAX + 100] = { 0 };
    tee_evidence_t e;
    err_t why;
    snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(file, '/') - file), file);
    snprintf(inblob, sizeof inblob, "%s/inblob", dir);
    ck_assert_int_eq(CONFIGFS_KERNEL.read(NULL, inblob, asked, sizeof asked), 64);
    asked[0] ^= k.fault.flipped;
    ck_assert_int_eq(k.simulator.get_evidence(k.simulator.ctx, &e, &why, asked), RC_OK);
    memcpy(blob, e.quote.p, e.quote.n);
    tee_evidence_free(&e);
    put_file(dir, "outblob", view_of(blob, k.fault.empty ? 0 : k.fault.blob_len ? k.fault.blob_len : 8000));
    k.generation += k.fault.other_writers;
    put_generation(dir);
}

static ssize_t read_file(void *ctx, const char *file, uint8_t *out, size_t cap)
{
    if (ends_in(file, "outblob")) {
        if (strikes(k.fault.read_error))
            return k.fault.read_error;
        generate(file);
    }
    return CONFIGFS_KERNEL.read(ctx, file, out, cap);
}

static ssize_t write_file(void *ctx, const char *file, view_t bytes)
{
    char dir[200];
    ck_assert(ends_in(file, "inblob"));
    if (strikes(k.fault.write_error))
        return k.fault.write_error;
    snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(file, '/') - file), file);
    k.generation++;
    put_generation(dir);
    return k.fault.write_takes ? k.fault.write_takes : CONFIGFS_KERNEL.write(ctx, file, bytes);
}

static uint64_t now_ms(void *ctx)
{
    (void)ctx;
    return k.now_ms += k.fault.slow_ms;
}

static void pause_kernel(void *ctx, unsigned ms)
{
    (void)ctx;
    k.pauses++;
    k.paused_ms += ms;
    k.now_ms += ms;
}

static const configfs_kernel_t fake = {
    .make = make, .drop = drop, .read = read_file, .write = write_file, .now_ms = now_ms, .pause = pause_kernel
};

static void set_up(void)
{
    const uint8_t seed[32] = { 9 };
    err_t why = { 0 };
    k = (kernel_t){ .fault = { .provider = "tdx_guest" }, .base = "/tmp/kettle-tsm-XXXXXX", .generation = 41 };
    ck_assert_ptr_nonnull(mkdtemp(k.base));
    ck_assert_int_eq(tee_simulator_open(&k.simulator, &why, seed), RC_OK);
    memset(report_data, 0x5a, sizeof report_data);
}

static void tear_down(void)
{
    ck_assert_uint_eq(k.made, k.dropped); /* every request was removed */
    ck_assert_int_eq(rmdir(k.base), 0);
    k.simulator.free(k.simulator.ctx);
}

static tee_provider_t opened(void)
{
    tee_provider_t p;
    err_t why = { 0 };
    ck_assert_msg(configfs_open(&p, &why, k.base, &fake) == RC_OK, "%s", why.text);
    return p;
}

START_TEST(a_quote_comes_without_its_padding_and_the_request_is_removed)
{
    tee_provider_t p = opened();
    tee_evidence_t e;
    quote_t q;
    err_t fault;
    err_t why = { 0 };
    ck_assert_uint_eq(k.made, 1); /* the look at the provider */
    ck_assert_msg(p.get_evidence(p.ctx, &e, &why, report_data) == RC_OK, "%s", why.text);
    ck_assert_int_eq(e.type, TEE_EVIDENCE_TDX);
    ck_assert_int_eq(quote_parse(&q, &fault, e.quote), RC_OK);
    ck_assert_uint_eq(q.used.n, e.quote.n);
    ck_assert_uint_lt(e.quote.n, 8000);
    ck_assert_mem_eq(q.td.report_data, report_data, sizeof report_data);
    ck_assert_uint_eq(e.event_log.n, 0);
    ck_assert_uint_eq(k.made, 2);
    ck_assert_uint_eq(k.pauses, 0);
    ck_assert_str_eq(p.tee, "tdx");
    ck_assert(tee_is(&p, "tdx") && tee_is(&p, "auto") && !tee_is(&p, "dstack"));
    tee_evidence_free(&e);
    p.free(p.ctx);
}
END_TEST

static const struct {
    const char *name; /* of the case in number 71 */
    fault_t fault;
    rc_t rc;
    const char *why; /* a part of the sentence */
    unsigned pauses;
} cases_71[] = {
    { "generation jumps", { .other_writers = 1 }, RC_IO, "another writer", 0 },
    { "generation stands still", { .other_writers = -1u }, RC_IO, "another writer", 0 },
    { "mkdir EBUSY once", { .make_error = -EBUSY, .failures = 1 }, RC_OK, "", 1 },
    { "inblob EBUSY once", { .write_error = -EBUSY, .failures = 1 }, RC_OK, "", 1 },
    { "inblob EINTR five times", { .write_error = -EINTR, .failures = 5 }, RC_OK, "", 5 },
    { "outblob EBUSY five times", { .read_error = -EBUSY, .failures = 5 }, RC_OK, "", 5 },
    { "outblob EBUSY six times", { .read_error = -EBUSY, .failures = 6 }, RC_IO, "outblob", 5 },
    { "outblob EINTR for ever", { .read_error = -EINTR, .failures = 1000 }, RC_IO, "outblob", 5 },
    { "outblob EBUSY, each after half a minute",
      { .read_error = -EBUSY, .failures = 5, .slow_ms = 30000 },
      RC_TIMEOUT,
      "outblob",
      1 },
    { "outblob ETIMEDOUT", { .read_error = -ETIMEDOUT, .failures = 1 }, RC_TIMEOUT, "outblob", 0 },
    { "outblob EIO", { .read_error = -EIO, .failures = 1 }, RC_IO, "outblob", 0 },
    { "outblob EFBIG", { .read_error = -EFBIG, .failures = 1 }, RC_IO, "outblob", 0 },
    { "outblob longer than any quote", { .blob_len = TEE_QUOTE_LEN_MAX + 1 }, RC_IO, "outblob", 0 },
    { "outblob of the longest length", { .blob_len = TEE_QUOTE_LEN_MAX }, RC_OK, "", 0 },
    { "outblob empty", { .empty = true }, RC_IO, "the quote is empty", 0 },
    { "outblob truncated", { .blob_len = 1000 }, RC_IO, "E_TRUNCATED", 0 },
    { "outblob over other report data", { .flipped = true }, RC_IO, "other report data", 0 },
    { "inblob takes 63 bytes", { .write_takes = 63 }, RC_IO, "inblob", 0 },
    { "inblob takes none", { .write_error = -EINVAL, .failures = 1 }, RC_IO, "inblob", 0 },
    { "mkdir ENXIO", { .make_error = -ENXIO, .failures = 1 }, RC_IO, "no driver", 0 },
};

START_TEST(number_71_a_kernel_that_misbehaves_gives_no_evidence_and_a_reason)
{
    for (size_t i = 0; i < sizeof cases_71 / sizeof cases_71[0]; i++) {
        const char *name = cases_71[i].name;
        err_t why = { 0 };
        tee_evidence_t e = { 0 };
        tee_provider_t p = opened();
        k.fault = cases_71[i].fault;
        k.fault.provider = "tdx_guest";
        k.failures_left = k.fault.failures;
        k.pauses = 0;
        rc_t rc = p.get_evidence(p.ctx, &e, &why, report_data);
        ck_assert_msg(rc == cases_71[i].rc, "71, %s: %s: %s", name, rc_name(rc), why.text);
        ck_assert_msg(!rc || strstr(why.text, cases_71[i].why), "71, %s: %s", name, why.text);
        ck_assert_msg(!rc == (e.buffer != NULL), "71, %s", name);
        ck_assert_msg(k.pauses == cases_71[i].pauses, "71, %s: %u pauses", name, k.pauses);
        ck_assert_msg(k.made == k.dropped, "71, %s: a request was left behind", name);
        tee_evidence_free(&e);
        p.free(p.ctx);
        k.fault = (fault_t){ .provider = "tdx_guest" };
    }
}
END_TEST

START_TEST(number_71_another_provider_than_tdx_guest_is_told_at_the_start)
{
    tee_provider_t p;
    err_t why = { 0 };
    k.fault.provider = "sev_guest";
    ck_assert_int_eq(configfs_open(&p, &why, k.base, &fake), RC_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(why.text, "sev_guest"));
    k.fault = (fault_t){ .provider = "tdx_guest", .make_error = -ENXIO, .failures = 1 };
    k.failures_left = 1;
    ck_assert_int_eq(configfs_open(&p, &why, k.base, &fake), RC_UNSUPPORTED); /* no driver has registered */
}
END_TEST

START_TEST(pauses_double_from_a_tenth_of_a_second)
{
    tee_provider_t p = opened();
    tee_evidence_t e;
    err_t why = { 0 };
    k.fault.read_error = -EBUSY;
    k.failures_left = 4;
    ck_assert_int_eq(p.get_evidence(p.ctx, &e, &why, report_data), RC_OK);
    ck_assert_uint_eq(k.paused_ms, 100 + 200 + 400 + 800);
    tee_evidence_free(&e);
    p.free(p.ctx);
}
END_TEST

static void *ask(void *arg)
{
    tee_provider_t *p = arg;
    for (unsigned i = 0; i < 5; i++) {
        tee_evidence_t e = { 0 };
        err_t why = { 0 };
        if (p->get_evidence(p->ctx, &e, &why, report_data))
            return NULL;
        tee_evidence_free(&e);
    }
    return p;
}

START_TEST(requests_of_several_threads_come_one_after_the_other)
{
    tee_provider_t p = opened();
    pthread_t threads[4];
    void *done;
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, ask, &p), 0);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], &done);
        ck_assert_ptr_nonnull(done);
    }
    ck_assert_uint_eq(k.inside_peak, 1);
    p.free(p.ctx);
}
END_TEST

START_TEST(without_the_kernels_folder_there_is_no_provider)
{
    tee_provider_t p;
    err_t why = { 0 };
    char dir[100];
    err_t said = { 0 };
    snprintf(dir, sizeof dir, "%s/none", k.base);
    ck_assert_int_eq(configfs_open(&p, &why, dir, NULL), RC_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(why.text, dir));
    const tee_open_t options = { .which = "tdx", .root = k.base };
    ck_assert_int_eq(tee_open(&p, &said, &options), RC_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(said.text, "/sys/kernel/config/tsm/report"));
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN_AROUND(
        "provider_configfs", set_up, tear_down, a_quote_comes_without_its_padding_and_the_request_is_removed,
        number_71_a_kernel_that_misbehaves_gives_no_evidence_and_a_reason,
        number_71_another_provider_than_tdx_guest_is_told_at_the_start, pauses_double_from_a_tenth_of_a_second,
        requests_of_several_threads_come_one_after_the_other, without_the_kernels_folder_there_is_no_provider);
}
