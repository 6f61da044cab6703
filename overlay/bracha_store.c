#include "overlay/bracha_store.h"

#include <stdlib.h>

static void free_instance(bs_instance_t *in)
{
    for (size_t i = 0; i < in->value_count; i++)
        free(in->values[i].payload);
    free(in->seats);
    free(in->votes);
    free(in);
}

void bs_clear(bs_t *s)
{
    for (size_t i = 0; i < s->instance_count; i++)
        free_instance(s->instances[i]);
    for (size_t i = 0; i < s->sender_count; i++)
        free(s->senders[i].ranges);
    free(s->senders);
    *s = (bs_t){ .instance_count = 0 };
}

bs_instance_t *bs_find(const bs_t *s, const hash32_t *id)
{
    for (size_t i = 0; i < s->instance_count; i++)
        if (hash32_eq(&s->instances[i]->id, id))
            return s->instances[i];
    return NULL;
}

bs_instance_t *bs_add(bs_t *s, const hash32_t *id, const bracha_send_t *send, const hash32_t *seats, uint64_t now_ms)
{
    bs_instance_t *in = s->instance_count < BS_INSTANCES_MAX ? calloc(1, sizeof *in) : NULL;
    if (!in)
        return NULL;
    in->id = *id;
    in->at_ms = now_ms;
    in->send = *send;
    in->send.payload = view_of(NULL, 0);
    in->votes = calloc(send->boot_count, sizeof *in->votes);
    in->seats = seats ? malloc(send->boot_count * sizeof *seats) : NULL;
    if (!in->votes || (seats && !in->seats)) {
        free_instance(in);
        return NULL;
    }
    if (seats)
        memcpy(in->seats, seats, send->boot_count * sizeof *seats);
    s->instances[s->instance_count++] = in;
    return in;
}

bs_value_t *bs_value(bs_instance_t *in, const hash32_t *hash)
{
    for (size_t i = 0; i < in->value_count; i++)
        if (hash32_eq(&in->values[i].hash, hash))
            return &in->values[i];
    return NULL;
}

bs_value_t *bs_add_value(bs_instance_t *in, const hash32_t *hash, const bracha_send_t *send, bs_value_t *spare)
{
    bs_value_t *v = in->value_count < BS_VALUES_MAX ? &in->values[in->value_count] : spare;
    uint8_t *copy = v ? malloc(send->payload.n + 1) : NULL;
    if (!copy)
        return NULL;
    if (send->payload.n)
        memcpy(copy, send->payload.p, send->payload.n);
    if (v == spare)
        free(v->payload);
    else
        in->value_count++;
    *v = (bs_value_t){ .hash = *hash, .again = send->again, .kind = send->kind, .payload = copy, .n = send->payload.n };
    memcpy(v->signature, send->signature, sizeof v->signature);
    return v;
}

size_t bs_bytes(const bs_instance_t *in)
{
    size_t n = BS_OVERHEAD;
    for (size_t v = 0; v < in->value_count; v++)
        n += in->values[v].n;
    return n;
}

static bs_sender_t *find_sender(const bs_t *s, const uint8_t key[33])
{
    for (size_t i = 0; i < s->sender_count; i++)
        if (memcmp(s->senders[i].key, key, 33) == 0)
            return &s->senders[i];
    return NULL;
}

bool bs_is_closed(const bs_t *s, const uint8_t sender[33], uint64_t seq)
{
    const bs_sender_t *x = find_sender(s, sender);
    for (size_t i = 0; x && i < x->range_count; i++)
        if (seq >= x->ranges[i].first && seq <= x->ranges[i].last)
            return true;
    return false;
}

/* A place for one more: a key makes room that is not attested any more, for which no vote counts. NULL: no memory. */
static bs_sender_t *sender_room(bs_t *s)
{
    if (s->sender_count < s->sender_room)
        return &s->senders[s->sender_count++];
    const size_t room = s->sender_room ? 2 * s->sender_room : 16;
    bs_sender_t *more = room <= BS_SENDERS_MAX ? realloc(s->senders, room * sizeof *more) : NULL;
    if (more) {
        s->senders = more;
        s->sender_room = room;
        return &s->senders[s->sender_count++];
    }
    for (size_t i = 0; i < s->sender_count; i++)
        if (!bs_boot(s, s->senders[i].key)) {
            free(s->senders[i].ranges);
            return &s->senders[i];
        }
    return NULL;
}

static bs_sender_t *add_sender(bs_t *s, const uint8_t key[33])
{
    bs_range_t *ranges = calloc(BS_RANGES_MAX, sizeof *ranges);
    bs_sender_t *x = ranges ? sender_room(s) : NULL;
    if (!x) {
        free(ranges);
        return NULL;
    }
    *x = (bs_sender_t){ .ranges = ranges };
    memcpy(x->key, key, sizeof x->key);
    return x;
}

static void insert_range(bs_sender_t *x, size_t i, uint64_t seq)
{
    bs_range_t *r = x->ranges;
    if (x->range_count == BS_RANGES_MAX) { /* numbers that were left out so long ago are closed too */
        if (i == 0)
            r[0].first = seq;
        else {
            r[0].last = r[1].last;
            memmove(&r[1], &r[2], (--x->range_count - 1) * sizeof *r);
        }
        if (i-- < 2)
            return;
    }
    memmove(&r[i + 1], &r[i], (x->range_count++ - i) * sizeof *r);
    r[i] = (bs_range_t){ seq, seq };
}

static void close_number(bs_sender_t *x, uint64_t seq)
{
    bs_range_t *r = x->ranges;
    size_t i = 0;
    while (i < x->range_count && r[i].last < seq)
        i++;
    if (i < x->range_count && r[i].first <= seq)
        return; /* closed */
    bool after = i > 0 && r[i - 1].last + 1 == seq, before = i < x->range_count && seq + 1 == r[i].first;
    if (after && before) {
        r[i - 1].last = r[i].last;
        memmove(&r[i], &r[i + 1], (--x->range_count - i) * sizeof *r);
    } else if (after)
        r[i - 1].last = seq;
    else if (before)
        r[i].first = seq;
    else
        insert_range(x, i, seq);
}

void bs_close(bs_t *s, size_t i, bool remember)
{
    bs_instance_t *in = s->instances[i];
    bs_sender_t *x = remember ? find_sender(s, in->send.sender) : NULL;
    if (remember && !x)
        x = add_sender(s, in->send.sender);
    if (remember && !x)
        return;
    if (x)
        close_number(x, in->send.seq);
    free_instance(in);
    s->instances[i] = s->instances[--s->instance_count];
}

bs_boot_t *bs_boot(bs_t *s, const uint8_t key[33])
{
    for (size_t i = 0; i < s->boot_count; i++)
        if (memcmp(s->boots[i].key, key, 33) == 0)
            return &s->boots[i];
    return NULL;
}

/* A place for one more: the longest gone makes room. */
static bs_boot_t *boot_room(bs_t *s)
{
    bs_boot_t *oldest = NULL;
    if (s->boot_count < BS_BOOTS_MAX)
        return &s->boots[s->boot_count++];
    for (size_t i = 0; i < s->boot_count; i++)
        if (!s->boots[i].connected && (!oldest || s->boots[i].seen < oldest->seen))
            oldest = &s->boots[i];
    return oldest;
}

bs_boot_t *bs_boot_seen(bs_t *s, const uint8_t key[33], const hash32_t *platform)
{
    bs_boot_t *b = bs_boot(s, key);
    if (!b)
        b = boot_room(s);
    if (!b)
        return NULL;
    memcpy(b->key, key, sizeof b->key);
    b->platform = *platform;
    b->connected = true;
    b->seen = ++s->seen;
    return b;
}

bs_boot_t *bs_present(bs_t *s, const hash32_t *platform)
{
    bs_boot_t *best = NULL;
    for (size_t i = 0; i < s->boot_count; i++)
        if (hash32_eq(&s->boots[i].platform, platform) && (!best || s->boots[i].seen > best->seen))
            best = &s->boots[i];
    return best;
}
