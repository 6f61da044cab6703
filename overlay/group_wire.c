#include "overlay/groups.h"
#include "overlay/wire/proto.h"

enum { ID = 1, GROUP = 2, EPHEMERAL = 3, STATUS = 4, RULE = 5, PUBKEY = 6, SEALED = 7 };

#define BIT(n) (1u << (n))
#define KNOWN (BIT(SEALED + 1) - 2)

static void read_field(group_frame_t *m, rd_t *r, const pb_field_t *f)
{
    switch (f->number) {
    case ID: pb_copy(r, f, m->id, sizeof m->id); break;
    case GROUP: pb_copy(r, f, m->group, sizeof m->group); break;
    case EPHEMERAL: pb_copy(r, f, m->ephemeral, sizeof m->ephemeral); break;
    case STATUS: m->status = (group_status_t)pb_u32(r, f); break;
    case RULE: m->rule = pb_bytes(r, f, GROUP_RULE_MAX); break;
    case PUBKEY: pb_copy(r, f, m->pubkey, sizeof m->pubkey); break;
    case SEALED: pb_copy(r, f, m->sealed, sizeof m->sealed); break;
    default: break;
    }
}

/* Whether the members that came make a request, or an answer of that status. */
static bool fits(const group_frame_t *m, unsigned seen)
{
    if (m->is_request)
        return seen == (BIT(ID) | BIT(GROUP) | BIT(EPHEMERAL));
    if (m->status == GROUP_OK)
        return seen == (KNOWN & ~BIT(GROUP)) && m->rule.n;
    return m->status <= GROUP_BUSY && seen == (BIT(ID) | BIT(STATUS));
}

rc_t group_frame_read(group_frame_t *out, err_t *e, view_t frame)
{
    group_frame_t m = { .is_request = false };
    unsigned seen = 0;
    rd_t r = rd_of(frame);
    pb_field_t f;
    if (frame.n > GROUP_FRAME_MAX)
        return err_set(e, RC_LIMIT, "a group's frame has more than %u bytes", GROUP_FRAME_MAX);
    while (pb_next(&r, &f)) {
        const unsigned bit = f.number <= SEALED ? BIT(f.number) : 0;
        r.bad = r.bad || (seen & bit);
        seen |= bit;
        read_field(&m, &r, &f);
    }
    m.is_request = !(seen & BIT(STATUS));
    if (!rd_done(&r) || !fits(&m, seen))
        return err_say(e, RC_MALFORMED, "a group's frame is malformed");
    *out = m;
    return RC_OK;
}

void group_frame_write(wr_t *w, const group_frame_t *m)
{
    pb_put_bytes(w, ID, view_of(m->id, sizeof m->id));
    if (m->is_request)
        pb_put_bytes(w, GROUP, view_of(m->group, sizeof m->group));
    if (m->is_request || m->status == GROUP_OK)
        pb_put_bytes(w, EPHEMERAL, view_of(m->ephemeral, sizeof m->ephemeral));
    if (m->is_request)
        return;
    pb_put_u64(w, STATUS, m->status);
    if (m->status != GROUP_OK)
        return;
    pb_put_bytes(w, RULE, m->rule);
    pb_put_bytes(w, PUBKEY, view_of(m->pubkey, sizeof m->pubkey));
    pb_put_bytes(w, SEALED, view_of(m->sealed, sizeof m->sealed));
}
