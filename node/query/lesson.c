#include "node/query/lesson.h"

#include "base/crypto/hash.h"

/* ---- what came ---- */

/* Says what an answer that is no answer means. */
static void refuse_status(batch_t *b)
{
    const refusal_t meaning = refusal_of_status(b->response.status);
    b->rc =
        err_set(&b->why, RC_IO, "HTTP status %d%s", b->response.status, b->response.moved[0] ? ": it has moved" : "");
    err_code(&b->why, b->rc, (uint16_t)meaning);
}

/* Whether an element is one too many: it was answered so, or not at all. */
static bool is_too_many(const batch_t *b, size_t i)
{
    return b->answers[i].refusal == REFUSAL_BATCH;
}

/* How many of a batch are. */
static size_t too_many(const batch_t *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->count; i++)
        n += is_too_many(b, i);
    return n;
}

/* A batch of which each element was refused as one too many was refused as a whole. */
static rc_t refused_each(batch_t *b)
{
    const size_t elements = jr_elements(b->needs, b->count, &b->form);
    if (elements < 2 || too_many(b) < elements)
        return RC_OK;
    return err_code(&b->why, err_say(&b->why, RC_IO, "each element of the batch was refused"), REFUSAL_BATCH);
}

void lesson_read(batch_t *b)
{
    const hc_response_t *r = &b->response;
    b->retry_after_ms = r->retry_after_ms;
    if (b->rc || b->emptied)
        return;
    if (r->why.rc) {
        b->rc = err_say(&b->why, r->why.rc, r->why.text);
        return;
    }
    if (b->sent && r->status != 200) {
        refuse_status(b);
        return;
    }
    b->heard = true;
    b->answers = arena_calloc(&b->arena, b->count, sizeof *b->answers);
    b->rc = b->answers
                ? jr_decode(b->answers, &b->why, &b->arena, b->needs, b->count, &b->form, view_of(r->body, r->body_len))
                : err_say(&b->why, RC_NOMEM, "out of memory");
    if (!b->rc)
        b->rc = refused_each(b);
}

/* ---- what it teaches ---- */

bool lesson_has_hint(const batch_t *b)
{
    for (size_t i = 0; i < b->count && !b->form.no_hint; i++)
        if (b->needs[i]->kind == NEED_HINT)
            return true;
    return false;
}

/* Whether an element was refused for the block's hash in it; all of them name it. */
static bool refused_form(const batch_t *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->answers[i].refusal == REFUSAL_FORM)
            return true;
    return false;
}

static bool is_state(const batch_t *b, size_t i)
{
    return b->needs[i]->kind == NEED_PROOF || b->needs[i]->kind == NEED_CODE;
}

/* Whether state was asked for by hash, and all of it refused for no reason that is known. */
static bool refused_state(const batch_t *b)
{
    size_t refused = 0, asked = 0;
    for (size_t i = 0; i < b->count && !b->form.by_number; i++) {
        asked += is_state(b, i);
        refused += is_state(b, i) && (b->rc || b->answers[i].refusal == REFUSAL_OTHER);
    }
    return asked && refused == asked;
}

/* Notes whether blocks are known by their hash. */
static void learn_hashes(cap_t *c, const batch_t *b)
{
    bool answered = false, unknown = false;
    for (size_t i = 0; i < b->count && !b->form.by_number; i++) {
        const jr_answer_t *x = &b->answers[i];
        const bool named = is_state(b, i);
        answered |= named && x->rc == RC_OK;
        unknown |= named && x->refusal == REFUSAL_LATE;
    }
    cap_by_hash(c, answered, unknown);
}

/* Notes how far back state is proven, and how many slots one proof may have. */
static void learn_proofs(cap_t *c, const batch_t *b)
{
    for (size_t i = 0; i < b->count; i++) {
        const need_t *need = b->needs[i];
        const jr_answer_t *x = &b->answers[i];
        if (need->kind != NEED_PROOF && need->kind != NEED_CODE)
            continue;
        if (!x->rc || x->refusal == REFUSAL_DEPTH)
            cap_state(c, need->block->env.number, !x->rc);
        if (need->kind == NEED_PROOF && (!x->rc || x->refusal == REFUSAL_KEYS))
            cap_keys(c, need->slot_count, !x->rc);
    }
}

/* Sorts those that have no state of the block: of a recent one not yet, else no more. */
static void sort_states(up_t *u, const batch_t *b)
{
    for (size_t i = 0; i < b->count; i++) {
        jr_answer_t *x = &b->answers[i];
        if (x->refusal != REFUSAL_STATE)
            continue;
        if (!up_is_recent(u, b->needs[i]->block->env.number)) {
            x->refusal = REFUSAL_DEPTH;
            continue;
        }
        x->rc = err_say(&x->why, RC_NEED_DATA, "it has no state of the block yet");
        (void)jr_before(&x->why, x->rc, b->needs[i]);
    }
}

/* Whether one element is to be asked again in a simpler form, and what is learned from it. */
static bool learn_element(cap_t *c, const batch_t *b, size_t i, bool other_form)
{
    const refusal_t why = b->answers[i].refusal;
    const bool hint = b->needs[i]->kind == NEED_HINT;
    if (other_form && jr_names_hash(b->needs[i], &b->form) &&
        (why == REFUSAL_FORM || why == REFUSAL_OTHER || why == REFUSAL_METHOD))
        return true;
    if (why == REFUSAL_METHOD && hint)
        cap_refused_hint(c);
    if (hint && !b->answers[i].rc && !why)
        cap_gave_hint(c, &b->form);
    return why == REFUSAL_FUNDS && hint && cap_refused_funds(c, &b->form);
}

/* Whether each element was refused as too often. */
static bool is_busy(const batch_t *b)
{
    size_t asked = 0, busy = 0;
    for (size_t i = 0; i < b->count; i++) {
        const bool sent = b->needs[i]->kind != NEED_HINT || !b->form.no_hint;
        asked += sent;
        busy += sent && b->answers[i].refusal == REFUSAL_BUSY;
    }
    return asked && busy == asked;
}

/* Learns from a batch that was answered how many may be in one. True: those that were too many are to be asked again.
 */
static bool learn_size(cap_t *c, const batch_t *b)
{
    const size_t elements = jr_elements(b->needs, b->count, &b->form);
    const size_t over = too_many(b);
    if (elements > 1 && over)
        return cap_cut(c, elements, elements > over ? elements - over : 0) != CAP_FAILS;
    if (is_busy(b))
        cap_busy(c, elements);
    else
        cap_answered(c, elements, elements == 1 && lesson_has_hint(b));
    return false;
}

/* A batch was answered: how many of its elements are to be asked again. */
static int learn_elements(cap_t *c, void *ctx)
{
    batch_t *b = ctx;
    int again = 0;
    const bool smaller = learn_size(c, b);
    learn_hashes(c, b);
    learn_proofs(c, b);
    const bool other_form = refused_form(b) ? cap_refused_form(c, &b->form) : refused_state(b) && cap_guess_numbers(c);
    for (size_t i = 0; i < b->count; i++) {
        b->list[i]->again = learn_element(c, b, i, other_form) || (smaller && is_too_many(b, i));
        again += b->list[i]->again;
    }
    return again;
}

/* One was refused as a whole: a cap_next_t. */
static int learn_refusal(cap_t *c, void *ctx)
{
    const batch_t *b = ctx;
    const size_t elements = jr_elements(b->needs, b->count, &b->form);
    const cap_next_t next =
        b->why.code == REFUSAL_BATCH ? cap_refused(c, elements, lesson_has_hint(b)) : cap_spoilt(c, elements);
    const bool by_number = next == CAP_FAILS && elements == 1 && refused_state(b) && cap_guess_numbers(c);
    return (int)(by_number ? CAP_SMALLER : next);
}

static int learn_busy(cap_t *c, void *ctx)
{
    const batch_t *b = ctx;
    cap_busy(c, jr_elements(b->needs, b->count, &b->form));
    return 0;
}

static int learn_silence(cap_t *c, void *unused)
{
    (void)unused;
    cap_unanswered(c);
    return 0;
}

int lesson_elements(up_t *u, batch_t *b)
{
    sort_states(u, b);
    return up_learn(u, b->endpoint, learn_elements, b);
}

cap_next_t lesson_refusal(up_t *u, batch_t *b)
{
    return (cap_next_t)up_learn(u, b->endpoint, learn_refusal, b);
}

void lesson_busy(up_t *u, batch_t *b)
{
    (void)up_learn(u, b->endpoint, learn_busy, b);
}

void lesson_silence(up_t *u, const batch_t *b)
{
    (void)up_learn(u, b->endpoint, learn_silence, NULL);
}

/* Notes how long an answer took, or was waited for. */
static void note_pace(up_t *u, const batch_t *b, uint64_t now_ms)
{
    const bool given_up = b->response.why.rc == RC_TIMEOUT;
    if (b->sent && (b->heard || given_up))
        up_took(u, b->endpoint, b->response.elapsed_ms, !given_up, now_ms);
}

/* Notes where it was led, and whether its content coding was of use. */
static void note_led(up_t *u, batch_t *b, uint64_t now_ms)
{
    if (!b->sent)
        return;
    up_note_led(u, b->endpoint, b->request.led, &b->response, now_ms);
    up_note_coding(u, b->endpoint, &b->response);
}

/* Counts what was asked, and what came. */
static void note_ledger(up_t *u, const batch_t *b)
{
    ledger_t *l = up_ledger(u, b->endpoint);
    uint32_t asked[LEDGER_METHODS] = { 0 };
    if (!b->sent)
        return;
    for (size_t i = 0; i < b->count; i++)
        asked[jr_method(b->needs[i])] += b->needs[i]->kind != NEED_HINT || !b->form.no_hint;
    ledger_note(l, asked, b->request.post.n, b->response.body_len);
    if (b->heard)
        spread_add(&l->took, b->response.elapsed_ms);
}

void lesson_note(up_t *u, batch_t *b, uint64_t now_ms)
{
    note_pace(u, b, now_ms);
    note_led(u, b, now_ms);
    note_ledger(u, b);
    if (b->sent && b->rc && b->why.code == REFUSAL_BUSY && b->retry_after_ms)
        up_note_wait(u, b->endpoint, b->retry_after_ms, now_ms);
}

/* ---- who is to blame ---- */

unsigned lesson_rank(rc_t rc)
{
    return rc == RC_NOMEM ? 4 : rc == RC_REFUSED ? 3 : rc_blames_input(rc) ? 2 : rc != RC_OK;
}

bool lesson_blames(batch_t *b, rc_t rc)
{
    unsigned told = atomic_load(&b->blamed);
    while (lesson_rank(rc) > told)
        if (atomic_compare_exchange_weak(&b->blamed, &told, lesson_rank(rc)))
            return true;
    return false;
}

bool lesson_is_numbered(const batch_t *b, const need_t *need)
{
    switch (need->kind) {
    case NEED_PROOF:
    case NEED_CODE: return b->form.by_number;
    case NEED_HEADER:
    case NEED_BLOCK:
    case NEED_RECEIPTS: return hash32_is_zero(&need->hash) && !need->settled;
    case NEED_HINT:
    case NEED_HEAD:
    case NEED_HEAD_BYTES:
    case NEED_CHANGES:
    case NEED_SEND:
    case NEED_WHERE: break;
    }
    return false;
}

/* Whether an answer is the header of need's block. */
static bool is_ours(const jr_answer_t *a, const need_t *need)
{
    return !a->rc && a->answer.header.number == need->number &&
           !ex_header_check(&a->answer.header, &need->block->block_hash);
}

lesson_branch_t lesson_branch(err_t *e, bool *passes, const batch_t *b, size_t element, const need_t *need)
{
    const jr_answer_t *a = b->rc ? NULL : &b->answers[element];
    const err_t *why = a ? &a->why : &b->why;
    const bool no_memory = (a ? a->rc : b->rc) == RC_NOMEM; /* which is ours */
    const bool nothing_came = no_memory || (b->rc && b->response.why.rc);
    *passes = refusal_passes(a ? a->refusal : (refusal_t)b->why.code);
    if (*passes || nothing_came) {
        *e = *why;
        return BRANCH_NOT_NOW;
    }
    if (!a || a->rc || a->answer.header.number != need->number)
        return BRANCH_UNSAID;
    if (is_ours(a, need))
        return BRANCH_OURS;
    *passes = true;
    (void)jr_before(e, err_say(e, RC_NEED_DATA, "it is another block: what it gave by number is of another branch"),
                    need);
    return BRANCH_OTHER;
}

bool lesson_is_false(arena_t *scratch, const batch_t *b, size_t element)
{
    const need_t *need = b->needs[element];
    const ex_proof_answer_t *proof = &b->answers[element].answer.proof;
    const arena_mark_t mark = arena_mark(scratch);
    mpt_account_t account;
    hash32_t root;
    err_t e;
    if (need->kind != NEED_PROOF || !proof->account_proof.count)
        return false;
    u256_t *values = arena_calloc(scratch, need->slot_count, sizeof *values);
    keccak256(&root, proof->account_proof.nodes[0]);
    const rc_t rc =
        values ? ex_proof_verify(&account, values, &e, &root, &need->addr, need->slots, need->slot_count, proof)
               : RC_NOMEM;
    arena_rollback(scratch, mark);
    return rc_blames_input(rc);
}

static int learn_branch(cap_t *c, void *unused)
{
    (void)unused;
    cap_other_branch(c);
    return 0;
}

void lesson_other_branch(up_t *u, size_t endpoint)
{
    (void)up_learn(u, endpoint, learn_branch, NULL);
}

static int learn_hinted(cap_t *c, void *ctx)
{
    const hinted_t *hinted = ctx;
    cap_read_hint(c, hinted->named, hinted->read);
    return 0;
}

void lesson_hinted(up_t *u, size_t endpoint, hinted_t hinted)
{
    (void)up_learn(u, endpoint, learn_hinted, &hinted);
}

bool lesson_is_limit(up_t *u, const batch_t *b, const need_t *need, size_t element)
{
    const refusal_t why = b->answers[element].refusal;
    const cap_t can = up_capability(u, b->endpoint);
    return why == REFUSAL_DEPTH && !cap_reaches(&can, need->block->env.number);
}
