/* node/chain/follow.c against two beacon APIs on loopback that serve recorded objects, one of which may stand still. */
#include "base/os/log.h"
#include "lightclient/consensus/types.h"
#include "node/chain/follow.h"
#include "rpc/upstream/lie.h"
#include "tests/unit/fake_server.h"
#include "tests/unit/lc_fixture.h"
#include "tests/unit/logged.h"
#include "tests/unit/unit.h"

#define WAIT_MS 20000u

/* One beacon API: the slot that its newest objects are about, and what it was asked for. */
typedef struct {
    unsigned slot;
    unsigned lies;  /* byte of its optimistic updates that is another one; 0: none */
    unsigned fault; /* of its optimistic updates in SSZ: row of ssz_faults, from 1 on */
    enum {
        ODD_NOT,
        ODD_JSON,
        ODD_BARE,
        ODD_MEMBER,
        ODD_STATUS,
        ODD_PAGE,
        ODD_EMPTY,
        ODD_NEWER,
        ODD_MOVED,
        ODD_UNNAMED
    } odd;
    int status;        /* of its optimistic updates, if that is odd */
    unsigned rest_ms;  /* before them, in any case */
    unsigned pause_ms; /* ... and more, unless the other API is asked for one */
    bool later;        /* it has no update of period 0 */
    bool busy;         /* for the next minute */
    bool alone;        /* the operator takes the other one away while this one is asked for the head */
    atomic_uint optimistic, json, all;
} beacon_t;

/* What old and odd beacon nodes make of SSZ. */
static const struct {
    int status;
    bool versioned, surplus;
} ssz_faults[] = { { 200, true, true },  { 200, false, true }, { 400, true, false },
                   { 404, true, false }, { 406, true, false }, { 415, true, false } };
#define SSZ_FAULTS (sizeof ssz_faults / sizeof ssz_faults[0])

static lc_network_t net;
static beacon_t beacons[2];
static uint64_t now_at; /* of the system's clock, which stands */
static unsigned checkpoint_slot = 136;
static up_t *followed; /* by follow_to, with its URLs */
static char followed_url[2][64];
static uint64_t took_ms;         /* until that head was there */
static uint64_t heard;           /* bytes of the first one's answers for an optimistic update */
static unsigned answered_before; /* requests of the first one */
static bool has_updates;         /* of periods 0 to 2 */

/* The object as JSON, or in SSZ that cannot be used. */
static bool send_faulty(beacon_t *b, int fd, const char *request)
{
    char head[256];
    const bool json = strstr(request, "octet-stream") == NULL, fails = !json && ssz_faults[b->fault - 1].status != 200;
    view_t body = fx_read(json ? "minimal-fulu/optimistic-144.json" : "minimal-fulu/optimistic-144.ssz");
    const bool surplus = !json && ssz_faults[b->fault - 1].surplus;
    static const char more[64]; /* fewer could be extra data of the block */
    b->json += json;
    snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nContent-Type: %s\r\n%sContent-Length: %zu\r\n\r\n",
             json ? 200 : ssz_faults[b->fault - 1].status, json ? "application/json" : "application/octet-stream",
             json || ssz_faults[b->fault - 1].versioned ? "Eth-Consensus-Version: fulu\r\n" : "",
             fails ? 0 : body.n + (surplus ? sizeof more : 0));
    bool sent =
        say(fd, head) && (fails || send_all(fd, body.p, body.n)) && (!surplus || send_all(fd, more, sizeof more));
    free((void *)(uintptr_t)body.p);
    return sent;
}

static bool send_object(int fd, const char *kind, unsigned slot, unsigned spoilt)
{
    char name[64], head[256];
    snprintf(name, sizeof name, "minimal-fulu/%s-%u.ssz", kind, slot);
    view_t ssz = fx_read(name);
    snprintf(head, sizeof head,
             "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: application/octet-stream\r\n"
             "Eth-Consensus-Version: fulu\r\nContent-Length: %zu\r\n\r\n",
             ssz.n);
    if (spoilt)
        ((uint8_t *)(uintptr_t)ssz.p)[spoilt] ^= 1;
    bool sent = say(fd, head) && send_all(fd, ssz.p, ssz.n);
    free((void *)(uintptr_t)ssz.p);
    return sent;
}

/* An optimistic update in a way that is odd. */
static bool send_odd(beacon_t *b, int fd, const char *request)
{
    static const char json[] = "Content-Type: application/json\r\n";
    const bool ssz = b->odd == ODD_NEWER || b->odd == ODD_UNNAMED;
    view_t body = fx_read(ssz ? "minimal-fulu/optimistic-144.ssz" : "minimal-fulu/optimistic-144.json");
    char head[400], member[40] = "";
    const char *more = json;
    const bool moves = b->odd == ODD_MOVED && !strstr(request, "GET /moved"), page = b->odd == ODD_PAGE;
    if (b->odd == ODD_JSON || b->odd == ODD_MEMBER || (b->odd == ODD_MOVED && !moves))
        more = "Content-Type: application/json\r\nEth-Consensus-Version: fulu\r\n";
    if (b->odd == ODD_NEWER)
        more = "Content-Type: application/octet-stream\r\nEth-Consensus-Version: heze\r\n";
    if (b->odd == ODD_UNNAMED)
        more = "Content-Type: application/octet-stream\r\n";
    if (moves)
        more = "Location: /moved/optimistic_update\r\n";
    if (b->odd == ODD_MEMBER)
        snprintf(member, sizeof member, "{\"execution_optimistic\":false,");
    if (page)
        more = "Content-Type: text/html\r\n";
    const bool nothing = moves || page || b->odd == ODD_STATUS || b->odd == ODD_EMPTY;
    const size_t skipped = member[0] ? 1 : 0, n = nothing ? 0 : body.n - skipped + strlen(member);
    snprintf(head, sizeof head, "HTTP/1.1 %d X\r\n%sContent-Length: %zu\r\n\r\n%s",
             moves || b->odd == ODD_STATUS ? b->status : 200, more, page ? 13 : n, page ? "<html></html>" : member);
    const bool sent = say(fd, head) && (nothing || send_all(fd, body.p + skipped, body.n - skipped));
    free((void *)(uintptr_t)body.p);
    return sent;
}

/* The updates of one period, as the API frames it in SSZ. */
static bool send_update(int fd, unsigned period)
{
    char head[200], name[64];
    uint8_t frame[12];
    snprintf(name, sizeof name, "minimal-fulu/update-%u.ssz", period);
    view_t ssz = fx_read(name);
    store_u64le(frame, 4 + ssz.n);
    lc_fork_digest(frame + 8, &net, 0);
    snprintf(head, sizeof head,
             "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nEth-Consensus-Version: fulu\r\n"
             "Content-Length: %zu\r\n\r\n",
             sizeof frame + ssz.n);
    bool sent = say(fd, head) && send_all(fd, frame, sizeof frame) && send_all(fd, ssz.p, ssz.n);
    free((void *)(uintptr_t)ssz.p);
    return sent;
}

/* Knows no updates: a checkpoint of the current period needs none to be followed. */
static bool serve(beacon_t *b, int fd, const char *request)
{
    b->all++;
    if (b->busy)
        return say(fd, "HTTP/1.1 429 X\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n");
    if (strstr(request, "/bootstrap/"))
        return send_object(fd, "bootstrap", checkpoint_slot, 0);
    if (strstr(request, "/finality_update"))
        return send_object(fd, "finality", b->lies || b->odd ? 144 : b->slot, 0);
    const char *period = strstr(request, "/updates?start_period=");
    if (period && (b->later || has_updates))
        return send_update(fd, b->later ? 1 : (unsigned)strtoul(period + 22, NULL, 10));
    if (!strstr(request, "/optimistic_update"))
        return say(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]");
    const char *const urls[] = { followed_url[0] };
    b->optimistic++;
    for (unsigned ms = 0; ms < b->pause_ms && !beacons[1].optimistic; ms += 10)
        pause_ms(10);
    pause_ms(b->rest_ms);
    if (b->alone && up_replace(followed, urls, 1, 1000))
        return false;
    if (b->odd)
        return send_odd(b, fd, request);
    if (b->fault)
        return send_faulty(b, fd, request);
    return send_object(fd, "optimistic", b->slot, b->lies);
}

static bool serve_0(int fd, const char *request)
{
    return serve(&beacons[0], fd, request);
}

static bool serve_1(int fd, const char *request)
{
    return serve(&beacons[1], fd, request);
}

static uint64_t standing_clock(void)
{
    return now_at;
}

static timekeeper_t *keeper(void)
{
    return timekeeper_new(&(timekeeper_config_t){ .now_ms = standing_clock, .slot_ms = net.seconds_per_slot * 1000 });
}

static hash32_t checkpoint_root(void)
{
    static lc_bootstrap_t b;
    hash32_t root;
    char name[64];
    snprintf(name, sizeof name, "minimal-fulu/bootstrap-%u.ssz", checkpoint_slot);
    view_t ssz = fx_read(name);
    ck_assert_int_eq(lc_bootstrap_decode(&b, &net, LC_FULU, ssz), RC_OK);
    lc_beacon_root(&root, &b.header.beacon);
    free((void *)(uintptr_t)ssz.p);
    return root;
}

static atomic_uint records; /* of lies, each of which is one when it is read again */

static void note_lie(void *ctx, size_t endpoint, lie_t *lie)
{
    arena_t a;
    err_t e;
    (void)ctx;
    arena_init(&a, (size_t)16 << 20);
    if (endpoint == 0 && lie_replay(&e, &a, lie, &net) == RC_REFUSED && view_eq(lie->reason, view_str(e.text)))
        atomic_fetch_add(&records, 1);
    arena_free(&a);
}

/* Follows both until the latest head is of this slot; copies who failed. */
static void follow_to(uint64_t slot, up_status_t status[UP_ENDPOINTS_MAX])
{
    static const behave_t behave[2] = { serve_0, serve_1 };
    fake_t *fakes[2];
    follow_t *f = NULL;
    follow_view_t v;
    log_set_level(LOG_ERROR);
    for (unsigned i = 0; i < 2; i++) {
        fakes[i] = fake_new(behave[i]);
        snprintf(followed_url[i], sizeof followed_url[i], "http://127.0.0.1:%u", fakes[i]->port);
    }
    up_t *upstream = followed = up_new((const char *const[]){ followed_url[0], followed_url[1] }, 2);
    up_on_lie(upstream, note_lie, NULL);
    for (unsigned i = 0; i < answered_before; i++)
        up_report(upstream, 0, RC_OK, "", 0, clock_monotonic_ms());
    atomic_store(&records, 0);
    hc_t *http = hc_new(NULL);
    timekeeper_t *time = keeper();
    follow_config_t config = {
        .network = &net, .checkpoint = checkpoint_root(), .http = http, .upstream = upstream, .time = time
    };
    ck_assert_int_eq(follow_start(&f, NULL, &config), RC_OK);
    uint64_t began = clock_ms();
    do {
        pause_ms(10);
        follow_view(f, &v);
    } while ((!v.latest.valid || v.latest.header.beacon.slot != slot) && clock_ms() < began + WAIT_MS);
    ck_assert_msg(v.latest.valid && v.latest.header.beacon.slot == slot, "slot %llu; %s",
                  (unsigned long long)v.latest.header.beacon.slot, v.trouble);
    took_ms = clock_ms() - began;
    pause_ms(100);
    follow_free(f);
    timekeeper_free(time);
    heard = tally_get(&up_ledger(upstream, 0)->of[LC_OPTIMISTIC].received);
    up_snapshot(upstream, status);
    up_free(upstream);
    hc_free(http);
    for (unsigned i = 0; i < 2; i++)
        fake_free(fakes[i]);
}

static void begin_at(uint64_t slot, unsigned first, unsigned second)
{
    net = fx_minimal_fulu();
    now_at = lc_slot_start_ms(&net, slot) + 900;
    beacons[0].slot = first;
    beacons[1].slot = second;
    beacons[0].fault = beacons[1].fault = beacons[0].lies = beacons[1].lies = 0;
    beacons[0].json = beacons[1].json = 0;
    beacons[0].odd = beacons[1].odd = ODD_NOT;
    beacons[0].pause_ms = beacons[1].pause_ms = 0;
    beacons[0].rest_ms = beacons[1].rest_ms = 0;
    beacons[0].later = beacons[1].later = false;
    beacons[0].busy = beacons[1].busy = beacons[0].alone = beacons[1].alone = false;
    beacons[0].optimistic = beacons[1].optimistic = beacons[0].all = beacons[1].all = 0;
}

START_TEST(api_that_stands_still_is_overtaken_by_the_next_one_and_not_blamed)
{
    up_status_t status[UP_ENDPOINTS_MAX];
    begin_at(154, 144, 153);
    follow_to(153, status);
    ck_assert_uint_ge(beacons[0].optimistic, 1);
    ck_assert_uint_ge(beacons[1].optimistic, 1);
    ck_assert_uint_ge(status[0].late, 1);
    ck_assert_uint_eq(status[0].lies + status[0].unusable + status[0].newer, 0);
    ck_assert_uint_eq(status[1].failures, 0);
}
END_TEST

START_TEST(each_lie_of_an_api_gives_a_record)
{
    up_status_t status[UP_ENDPOINTS_MAX];
    begin_at(154, 153, 153);
    const view_t ssz = fx_read("minimal-fulu/optimistic-153.ssz");
    beacons[0].lies = (unsigned)ssz.n - 20; /* in the signature, before its slot */
    free((void *)(uintptr_t)ssz.p);
    follow_to(153, status);
    ck_assert_uint_ge(status[0].lies, 1);
    ck_assert_uint_eq(atomic_load(&records), status[0].lies);
    ck_assert_uint_eq(status[1].lies, 0);
}
END_TEST

START_TEST(while_the_first_api_keeps_up_the_next_one_is_not_asked_for_the_head)
{
    up_status_t status[UP_ENDPOINTS_MAX];
    begin_at(155, 153, 153);
    follow_to(153, status);
    ck_assert_uint_ge(beacons[0].optimistic, 1);
    ck_assert_uint_eq(beacons[1].optimistic, 0);
}
END_TEST

START_TEST(ssz_that_comes_to_nothing_is_asked_for_as_json_once_and_so_remembered)
{
    for (unsigned i = 0; i < SSZ_FAULTS; i++) {
        up_status_t status[UP_ENDPOINTS_MAX];
        begin_at(145, 144, 144);
        beacons[0].fault = i + 1;
        follow_to(144, status);
        ck_assert_uint_eq(beacons[0].optimistic - beacons[0].json, 1);
        ck_assert_msg(beacons[0].json >= 1, "row %u: %s", i, status[0].reason);
        ck_assert_uint_eq(beacons[1].optimistic, 0);
        ck_assert_msg(!status[0].failures && !status[0].lies, "row %u: %s", i, status[0].reason);
    }
}
END_TEST

/* What beacon APIs do: a row each, of one that is asked first, with an honest one behind it. */
static const struct {
    const char *name;
    beacon_t play;
    unsigned requests; /* to it, at most */
    uint64_t lies, unusable, late, newer;
} behaviours[] = {
    { "honest", { .lies = 0 }, 4, 0, 0, 0, 0 },
    { "SSZ with surplus bytes", { .fault = 1 }, 5, 0, 0, 0, 0 },
    { "SSZ without a version", { .odd = ODD_UNNAMED }, 4, 0, 0, 0, 0 },
    { "... with surplus bytes", { .fault = 2 }, 5, 0, 0, 0, 0 },
    { "400 for SSZ before JSON in Accept", { .fault = 3 }, 5, 0, 0, 0, 0 },
    { "404 for it", { .fault = 4 }, 5, 0, 0, 0, 0 },
    { "406 for it", { .fault = 5 }, 5, 0, 0, 0, 0 },
    { "415 for it", { .fault = 6 }, 5, 0, 0, 0, 0 },
    { "JSON whatever Accept says", { .odd = ODD_JSON }, 4, 0, 0, 0, 0 },
    { "JSON without a version", { .odd = ODD_BARE }, 4, 0, 0, 0, 0 },
    { "a further member in JSON", { .odd = ODD_MEMBER }, 4, 0, 0, 0, 0 },
    { "moved: 301", { .odd = ODD_MOVED, .status = 301 }, 5, 0, 0, 0, 0 },
    { "moved: 302", { .odd = ODD_MOVED, .status = 302 }, 5, 0, 0, 0, 0 },
    { "moved: 307", { .odd = ODD_MOVED, .status = 307 }, 5, 0, 0, 0, 0 },
    { "moved: 308", { .odd = ODD_MOVED, .status = 308 }, 5, 0, 0, 0, 0 },
    { "500 for the head", { .odd = ODD_STATUS, .status = 500 }, 4, 0, 1, 0, 0 },
    { "503 for the head", { .odd = ODD_STATUS, .status = 503 }, 4, 0, 1, 0, 0 },
    { "404 for the head", { .odd = ODD_STATUS, .status = 404 }, 5, 0, 1, 0, 0 },
    { "200 with a page", { .odd = ODD_PAGE }, 4, 0, 1, 0, 0 },
    { "200 with nothing", { .odd = ODD_EMPTY }, 4, 0, 1, 0, 0 },
    { "a version of a later fork", { .odd = ODD_NEWER }, 5, 0, 0, 0, 1 },
    { "429 for everything, with Retry-After", { .busy = true }, 1, 0, 1, 0, 0 },
    { "later periods only", { .later = true }, 6, 0, 0, 0, 0 },
    { "stands still", { .lies = 0 }, 4, 0, 0, 1, 0 },
    { "a spoilt signature", { .lies = 20 }, 5, 1, 0, 0, 0 },
};

START_TEST(whatever_the_first_api_does_the_head_is_found_and_it_is_blamed_for_what_it_is)
{
    unsigned bad = 0, honest = 0;
    printf("%-40s requests (honest) lies unusable late newer\n", "first, and an honest one second");
    for (size_t i = 0; i < sizeof behaviours / sizeof behaviours[0]; i++) {
        up_status_t status[UP_ENDPOINTS_MAX];
        const view_t ssz = fx_read("minimal-fulu/optimistic-153.ssz");
        const bool gives_it = !behaviours[i].lies && !behaviours[i].unusable && !behaviours[i].newer;
        const unsigned head = gives_it && !behaviours[i].late ? 144 : 153;
        begin_at(head + 1, behaviours[i].lies ? 153 : 144, head);
        beacon_t *b = &beacons[0];
        b->fault = behaviours[i].play.fault;
        b->odd = behaviours[i].play.odd;
        b->status = behaviours[i].play.status;
        b->busy = behaviours[i].play.busy;
        b->later = behaviours[i].play.later;
        b->lies = behaviours[i].play.lies ? (unsigned)ssz.n - behaviours[i].play.lies : 0;
        free((void *)(uintptr_t)ssz.p);
        has_updates = b->later;
        checkpoint_slot = b->later ? 8 : 136;
        follow_to(head, status);
        checkpoint_slot = 136;
        has_updates = false;
        const up_status_t *s = &status[0];
        const bool good = b->all <= behaviours[i].requests && s->lies == behaviours[i].lies &&
                          s->unusable == behaviours[i].unusable && s->late == behaviours[i].late &&
                          s->newer == behaviours[i].newer && !status[1].failures;
        honest = i ? honest : b->all;
        bad += !good;
        printf("%-40s %8u (%u) %11llu %8llu %4llu %5llu%s%s\n", behaviours[i].name, b->all, honest,
               (unsigned long long)s->lies, (unsigned long long)s->unusable, (unsigned long long)s->late,
               (unsigned long long)s->newer, good ? "" : "  NOT AS TOLD: ", good ? "" : s->reason);
    }
    ck_assert_uint_eq(bad, 0);
}
END_TEST

/* Right, and slow: the other one is asked beside it, and what comes first is taken. */
START_TEST(beside_an_api_that_takes_long_the_next_one_is_asked_and_nobody_is_blamed)
{
    up_status_t status[UP_ENDPOINTS_MAX];
    begin_at(145, 144, 144);
    beacons[0].pause_ms = 60000;
    beacons[0].rest_ms = 300; /* after the other one was asked */
    beacons[1].rest_ms = 6000;
    answered_before = 100;
    has_updates = true;
    follow_to(144, status);
    has_updates = false;
    ck_assert_uint_lt(took_ms, 6000); /* the other one is called back */
    ck_assert_uint_gt(heard, 0);
    ck_assert(beacons[0].optimistic == 1 && beacons[1].optimistic == 1);
    ck_assert_uint_eq(status[0].failures + status[1].failures, 0);
    begin_at(145, 144, 144);
    beacons[0].pause_ms = 60000;
    beacons[0].rest_ms = 3000;
    answered_before = 100;
    follow_to(144, status);
    ck_assert_uint_eq(beacons[1].optimistic, 1);
    ck_assert_uint_eq(status[0].failures + status[1].failures, 0);
    ck_assert(status[0].timed && status[0].mean_ms >= 500 && status[1].timed);
    begin_at(145, 144, 144);
    beacons[0].pause_ms = 60000;
    beacons[0].rest_ms = 1000;
    beacons[1].odd = ODD_STATUS;
    beacons[1].status = 500;
    follow_to(144, status);
    ck_assert_uint_ge(beacons[0].optimistic, 2);
    answered_before = 0;
    ck_assert(!status[0].failures && status[1].unusable == 1);
}
END_TEST

START_TEST(api_that_is_behind_does_not_turn_the_head_back)
{
    up_status_t status[UP_ENDPOINTS_MAX];
    begin_at(160, 153, 144);
    follow_to(153, status);
    ck_assert_uint_ge(beacons[1].optimistic, 1); /* asked, because slot 153 lags too; its answer is older */
    ck_assert(!status[1].failing);
    ck_assert_uint_eq(status[1].lies, 0);
}
END_TEST

/* ---- a URL with a key, an API that fails, a restart ---- */

static char seen[40][300];
static atomic_uint seen_count;
static timebound_t *kept_bound; /* receives what was known of time in the end; NULL: not wanted */
static int fail_with;           /* status for everything; but for the bootstrap, unless it is 404; 0: none */

static bool serve_noting(int fd, const char *request)
{
    unsigned i = seen_count++;
    if (i < 40)
        snprintf(seen[i], sizeof seen[i], "%.*s", (int)strcspn(request, "\r"), request);
    char answer[100];
    snprintf(answer, sizeof answer, "HTTP/1.1 %d X\r\nContent-Length: 14\r\n\r\nunpaid: secret", fail_with);
    return fail_with && (fail_with == 404 || !strstr(request, "/bootstrap/")) ? say(fd, answer)
                                                                              : serve(&beacons[0], fd, request);
}

/* Follows one API below `tail` of its URL until the head is of the slot, or for a moment when slot is 0. */
static void follow_one(follow_view_t *v, up_status_t status[UP_ENDPOINTS_MAX], const char *tail, const char *state_dir,
                       uint64_t slot)
{
    fake_t *fake = fake_new(serve_noting);
    char url[200];
    follow_t *f = NULL;
    log_set_level(LOG_INFO);
    seen_count = 0;
    memset(seen, 0, sizeof seen);
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", fake->port, tail);
    up_t *upstream = up_new((const char *const[]){ url }, 1);
    hc_t *http = hc_new(NULL);
    timekeeper_t *time = keeper();
    follow_config_t config = { .network = &net,
                               .checkpoint = checkpoint_root(),
                               .http = http,
                               .upstream = upstream,
                               .time = time,
                               .state_dir = state_dir };
    ck_assert_int_eq(follow_start(&f, NULL, &config), RC_OK);
    uint64_t end = clock_ms() + (slot ? WAIT_MS : 400);
    do {
        pause_ms(10);
        follow_view(f, v);
    } while ((!slot || !v->latest.valid || v->latest.header.beacon.slot != slot) && clock_ms() < end);
    if (slot)
        pause_ms(100);
    follow_free(f);
    if (kept_bound)
        timekeeper_bound(time, kept_bound);
    timekeeper_free(time);
    up_snapshot(upstream, status);
    up_free(upstream);
    hc_free(http);
    fake_free(fake);
}

static bool was_asked(const char *line)
{
    for (unsigned i = 0; i < 40; i++)
        if (strcmp(seen[i], line) == 0)
            return true;
    return false;
}

/* The other one lags, so that a third would be asked, too. */
START_TEST(while_there_is_another_api_who_asked_for_time_is_given_it)
{
    up_status_t status[UP_ENDPOINTS_MAX];
    begin_at(160, 153, 153);
    beacons[0].busy = true;
    follow_to(153, status);
    ck_assert_uint_eq(beacons[0].all, 1);
    ck_assert_uint_eq(status[0].unusable, 1);
    ck_assert_uint_ge(beacons[1].optimistic, 1);
}
END_TEST

START_TEST(an_api_that_was_taken_away_meanwhile_is_not_asked)
{
    up_status_t status[UP_ENDPOINTS_MAX];
    begin_at(160, 144, 153);
    beacons[0].alone = true;
    follow_to(144, status);
    ck_assert_uint_eq(beacons[1].all, 0);
    ck_assert(status[1].retired && !status[1].requests);
}
END_TEST

START_TEST(path_goes_before_the_query_of_an_api_s_url)
{
    static const struct {
        const char *tail, *line;
    } rows[] = {
        { "", "GET /eth/v1/beacon/light_client/optimistic_update HTTP/1.1" },
        { "/", "GET /eth/v1/beacon/light_client/optimistic_update HTTP/1.1" },
        { "/base//?key=secret", "GET /base/eth/v1/beacon/light_client/optimistic_update?key=secret HTTP/1.1" },
        { "?key=secret", "GET /eth/v1/beacon/light_client/optimistic_update?key=secret HTTP/1.1" },
        { "/base?", "GET /base/eth/v1/beacon/light_client/optimistic_update HTTP/1.1" },
        { "/base#part", "GET /base/eth/v1/beacon/light_client/optimistic_update HTTP/1.1" },
    };
    fail_with = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        up_status_t status[UP_ENDPOINTS_MAX];
        follow_view_t v;
        begin_at(155, 153, 153);
        follow_one(&v, status, rows[i].tail, NULL, 153);
        ck_assert_msg(was_asked(rows[i].line), "%s: %s, %s, %s", rows[i].tail, seen[0], seen[1], seen[2]);
    }
}
END_TEST

START_TEST(api_that_fails_is_named_with_its_reason_and_without_its_key)
{
    up_status_t status[UP_ENDPOINTS_MAX];
    follow_view_t v;
    begin_at(155, 153, 153);
    fail_with = 503;
    follow_one(&v, status, "/?key=secret", NULL, 0);
    fail_with = 0;
    ck_assert(status[0].failing);
    ck_assert_uint_ge(status[0].failures, 1);
    ck_assert_uint_eq(status[0].lies, 0);
    ck_assert_ptr_nonnull(strstr(status[0].reason, "_update: HTTP status 503"));
    ck_assert(strncmp(v.trouble, "consensus_rpc[0]: ", 18) == 0 && strstr(v.trouble, ": HTTP status 503"));
    ck_assert_ptr_null(strstr(v.trouble, "127.0.0.1"));
    ck_assert_ptr_null(strstr(v.trouble, "secret"));
    ck_assert(IS_LOGGED("http://127.0.0.1:", ": consensus_rpc[0]: ", "HTTP status 503; it said: unpaid: ******"));
    ck_assert_uint_ge(v.round_trips, 2);
}
END_TEST

START_TEST(checkpoint_that_an_api_has_nothing_for_is_told_with_the_likely_causes)
{
    up_status_t status[UP_ENDPOINTS_MAX];
    follow_view_t v;
    begin_at(155, 153, 153);
    fail_with = 404;
    follow_one(&v, status, "/?key=secret", NULL, 0);
    fail_with = 0;
    ck_assert_msg(strstr(v.trouble,
                         "has no light-client data for this checkpoint: no block that it knows, not the first "
                         "of its epoch, older than it keeps, or these routes are off"),
                  "%s", v.trouble);
}
END_TEST

START_TEST(api_that_has_later_periods_only_says_which_and_is_not_blamed)
{
    up_status_t status[UP_ENDPOINTS_MAX];
    follow_view_t v;
    begin_at(155, 153, 153);
    checkpoint_slot = 8;
    beacons[0].later = true;
    follow_one(&v, status, "/?key=secret", NULL, 0);
    checkpoint_slot = 136;
    ck_assert_msg(
        strstr(v.trouble, "has no update of period 0, its first is 1: use a newer checkpoint or another endpoint"),
        "%s", v.trouble);
    ck_assert_uint_ge(status[0].requests, 1);
    ck_assert_uint_eq(status[0].failures + status[0].newer, 0); /* the API allows it */
}
END_TEST

START_TEST(a_restart_takes_up_what_was_kept_and_asks_for_no_bootstrap)
{
    char dir[] = "/tmp/kettle-follow-XXXXXX", file[64];
    up_status_t status[UP_ENDPOINTS_MAX];
    follow_view_t v;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    begin_at(155, 153, 153);
    follow_one(&v, status, "", dir, 153);
    ck_assert(v.finalized.valid);
    uint64_t finalized = v.finalized.header.beacon.slot;
    fail_with = 500;
    follow_one(&v, status, "", dir, 0);
    fail_with = 0;
    ck_assert(v.finalized.valid && v.finalized.header.beacon.slot == finalized);
    for (unsigned i = 0; i < 40; i++)
        ck_assert_ptr_null(strstr(seen[i], "/bootstrap/"));
    snprintf(file, sizeof file, "%s/lightclient", dir);
    ck_assert_int_eq(unlink(file), 0);
    ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

/* ---- heads of Gloas: only a hash is proven, and the header is fetched ---- */

static unsigned gloas_slot; /* of the newest update that the API has */
static atomic_uint fetches, failing_fetches;
static atomic_bool proves_newer;

/* An optimistic update is an update of fixed length without its middle. */
static bool send_gloas(int fd, const char *version, view_t head, view_t rest)
{
    char text[200];
    snprintf(text, sizeof text,
             "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nEth-Consensus-Version: %s\r\n"
             "Content-Length: %zu\r\n\r\n",
             version, head.n + rest.n);
    return say(fd, text) && send_all(fd, head.p, head.n) && (!rest.n || send_all(fd, rest.p, rest.n));
}

static bool serve_gloas(int fd, const char *request)
{
    char name[64];
    bool sent = false;
    if (strstr(request, "/bootstrap/"))
        snprintf(name, sizeof name, "minimal-gloas/bootstrap-8.ssz");
    else if (strstr(request, "/optimistic_update"))
        snprintf(name, sizeof name, "minimal-gloas/update-%u.ssz", gloas_slot);
    else
        return say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    view_t ssz = fx_read(name);
    if (strstr(request, "/bootstrap/"))
        sent = send_gloas(fd, "fulu", ssz, (view_t){ NULL, 0 });
    else
        sent = send_gloas(fd, "gloas", view_of(ssz.p, 496), view_of(ssz.p + ssz.n - 108, 108));
    free((void *)(uintptr_t)ssz.p);
    return sent;
}

static evm_fork_t gloas_fork = EVM_AMSTERDAM; /* by the execution side's schedule */

/* The block of the slot before. */
static void fetch(void *ctx, follow_t *f, head_kind_t kind, const hash32_t *hash, bool raw)
{
    const uint64_t slot = gloas_slot - 1;
    const ex_header_t h = {
        .tail = 8, .number = 1000 + slot, .slot_number = slot, .timestamp = lc_slot_start_ms(&net, slot) / 1000
    };
    err_t why = { 0 };
    (void)ctx, (void)hash, (void)raw;
    ck_assert_int_eq(kind, HEAD_LATEST);
    fetches++;
    if (proves_newer)
        (void)err_say(&why, RC_UNSUPPORTED, "the header is of another fork");
    else if (failing_fetches)
        (void)err_say(&why, RC_IO, "http://rpc: HTTP status 500"), failing_fetches--;
    follow_header(f, kind, why.rc ? NULL : &h, &why, false);
}

static void follow_gloas(follow_view_t *v, bool can_fetch)
{
    fake_t *fake = fake_new(serve_gloas);
    char url[64];
    follow_t *f = NULL;
    log_set_level(LOG_ERROR);
    net = fx_minimal_gloas();
    now_at = lc_slot_start_ms(&net, gloas_slot + 1) + 3000;
    snprintf(url, sizeof url, "http://127.0.0.1:%u", fake->port);
    up_t *upstream = up_new((const char *const[]){ url }, 1);
    hc_t *http = hc_new(NULL);
    timekeeper_t *time = keeper();
    const evm_schedule_row_t row = { 0, { .fork = gloas_fork } };
    const evm_chain_t chain = { 1, &row, 1 };
    follow_config_t config = { .network = &net,
                               .chain = &chain,
                               .checkpoint = fx_hash(FX_GLOAS_CHECKPOINT_8),
                               .http = http,
                               .upstream = upstream,
                               .time = time,
                               .fetch = can_fetch ? fetch : NULL };
    fetches = 0;
    ck_assert_int_eq(follow_start(&f, NULL, &config), RC_OK);
    const uint64_t end = clock_ms() + WAIT_MS;
    do {
        pause_ms(10);
        follow_view(f, v);
    } while (!v->latest.valid && !v->unsupported[0] && !(v->known.valid && !can_fetch) && clock_ms() < end);
    follow_stop(f);
    follow_free(f);
    timekeeper_free(time);
    up_free(upstream);
    hc_free(http);
    fake_free(fake);
}

START_TEST(a_head_of_gloas_is_usable_once_its_header_was_fetched)
{
    follow_view_t v;
    gloas_slot = 32;
    failing_fetches = 2;
    follow_gloas(&v, true);
    ck_assert_msg(v.latest.valid && v.latest.whole, "%s; %s", v.trouble, v.missing);
    ck_assert_uint_eq(v.latest.header.beacon.slot, 32);
    ck_assert_uint_eq(v.latest.header.execution.block_number, 1031);
    ck_assert_uint_eq(v.known.header.beacon.slot, 32);
    ck_assert_str_eq(v.missing, "");
    ck_assert_uint_eq(fetches, 3);
}
END_TEST

START_TEST(without_its_header_it_is_known_and_no_more)
{
    follow_view_t v;
    gloas_slot = 32;
    follow_gloas(&v, false);
    ck_assert(v.known.valid && !v.known.whole && !v.latest.valid);
}
END_TEST

START_TEST(a_header_that_proves_a_newer_fork_is_told)
{
    follow_view_t v;
    gloas_slot = 32;
    proves_newer = true;
    follow_gloas(&v, true);
    proves_newer = false;
    ck_assert_str_eq(v.unsupported, "the header is of another fork");
    ck_assert(!v.latest.valid);
}
END_TEST

START_TEST(a_header_of_another_fork_than_the_schedules_is_told_and_not_used)
{
    follow_view_t v;
    gloas_slot = 32;
    gloas_fork = EVM_OSAKA;
    follow_gloas(&v, true);
    gloas_fork = EVM_AMSTERDAM;
    ck_assert_str_eq(v.unsupported, "the execution block's header has 23 fields, and by this network's schedule one of "
                                    "its time has 21");
    ck_assert(!v.latest.valid);
}
END_TEST

/* ---- the clock is wrong ---- */

/* Follows one API until the head is of the slot, by a clock at clock_ms; nobody is blamed. */
static void follow_wrongly(follow_view_t *v, timebound_t *bound, uint64_t clock_ms, uint64_t slot)
{
    up_status_t status[UP_ENDPOINTS_MAX];
    fail_with = 0;
    now_at = clock_ms;
    kept_bound = bound;
    follow_one(v, status, "", NULL, slot);
    kept_bound = NULL;
    ck_assert_msg(!status[0].failing && !status[0].lies && !status[0].failures, "%s", status[0].reason);
}

START_TEST(a_clock_that_is_behind_costs_no_api_its_name)
{
    static const uint64_t distances[] = { 2, 6, 300, 43200 };
    for (size_t i = 0; i < 4; i++) {
        follow_view_t v;
        timebound_t bound;
        timebound_source_t by;
        begin_at(154, 153, 153);
        follow_wrongly(&v, &bound, now_at - distances[i] * 2000, 153);
        ck_assert_int_eq(v.progress.state, LC_STATE_FOLLOWING);
        ck_assert_uint_gt(timebound_behind(&bound, &by, (timebound_at_t){ now_at, bound.header_raw_ms }), 0);
        ck_assert(by == TIMEBOUND_VALIDATORS && bound.signers >= 22 && bound.committee == 32);
        ck_assert_uint_eq(bound.header_ms, lc_slot_start_ms(&net, 153));
    }
}
END_TEST

START_TEST(a_clock_that_is_ahead_costs_no_api_its_name)
{
    static const uint64_t distances[] = { 20, 300, 2000 };
    for (size_t i = 0; i < 3; i++) {
        follow_view_t v;
        timebound_t bound;
        begin_at(154, 153, 153);
        follow_wrongly(&v, &bound, now_at + distances[i] * 2000, i ? 0 : 153);
        ck_assert(!bound.agreed);
    }
}
END_TEST

START_TEST(a_date_header_is_kept_as_a_hint)
{
    follow_view_t v;
    timebound_t bound;
    begin_at(154, 153, 153);
    follow_wrongly(&v, &bound, now_at, 153);
    ck_assert(v.dates.known && v.head_answered && bound.agreed);
    ck_assert_int_eq(v.dates.oldest_ms, v.dates.newest_ms); /* of one API */
    int64_t date = v.dates.newest_ms + (int64_t)clock_raw_ms();
    ck_assert_int_gt(date, INT64_C(784111777000)); /* what serve_noting sends, plus what passed since */
    ck_assert_int_lt(date, INT64_C(784111777000) + 60000);
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "follow", whatever_the_first_api_does_the_head_is_found_and_it_is_blamed_for_what_it_is,
        beside_an_api_that_takes_long_the_next_one_is_asked_and_nobody_is_blamed,
        ssz_that_comes_to_nothing_is_asked_for_as_json_once_and_so_remembered,
        a_clock_that_is_behind_costs_no_api_its_name, a_clock_that_is_ahead_costs_no_api_its_name,
        a_date_header_is_kept_as_a_hint, api_that_stands_still_is_overtaken_by_the_next_one_and_not_blamed,
        each_lie_of_an_api_gives_a_record, while_the_first_api_keeps_up_the_next_one_is_not_asked_for_the_head,
        api_that_is_behind_does_not_turn_the_head_back, while_there_is_another_api_who_asked_for_time_is_given_it,
        an_api_that_was_taken_away_meanwhile_is_not_asked, path_goes_before_the_query_of_an_api_s_url,
        api_that_fails_is_named_with_its_reason_and_without_its_key,
        checkpoint_that_an_api_has_nothing_for_is_told_with_the_likely_causes,
        api_that_has_later_periods_only_says_which_and_is_not_blamed,
        a_restart_takes_up_what_was_kept_and_asks_for_no_bootstrap,
        a_head_of_gloas_is_usable_once_its_header_was_fetched, without_its_header_it_is_known_and_no_more,
        a_header_that_proves_a_newer_fork_is_told, a_header_of_another_fork_than_the_schedules_is_told_and_not_used);
}
