#include "overlay/msg_session.h"

#define SEEN_BITS 64u

void msg_session_start(msg_session_t *s, uint64_t random)
{
    *s = (msg_session_t){ .own = random };
}

rc_t msg_session_hello(msg_session_t *s, err_t *e, uint64_t value, uint64_t random)
{
    if (s->agreed)
        return err_say(e, RC_REFUSED, "a second session value");
    if (value == s->own) {
        if (s->draws == MSG_DRAWS_MAX)
            return err_say(e, RC_REFUSED, "the session values are equal again and again");
        s->draws++;
        s->own = random;
        return err_say(e, RC_NEED_DATA, "the session values are equal");
    }
    s->value = value > s->own ? value : s->own;
    s->agreed = true;
    return RC_OK;
}

rc_t msg_session_next(msg_session_t *s, err_t *e, uint64_t *nonce)
{
    if (!s->agreed)
        return err_say(e, RC_REFUSED, "there is no session yet");
    *nonce = s->value + s->sent++;
    return RC_OK;
}

rc_t msg_session_take(msg_session_t *s, err_t *e, uint64_t nonce)
{
    if (!s->agreed)
        return err_say(e, RC_REFUSED, "a message before the session value");
    const uint64_t k = nonce - s->value, ahead = k - s->next, behind = s->next - 1 - k;
    if (ahead <= MSG_WINDOW) { /* modulo 2^64, so that what is behind is far ahead */
        s->seen = ahead + 1 < SEEN_BITS ? s->seen << (ahead + 1) : 0;
        s->seen |= 1;
        s->next = k + 1;
        return RC_OK;
    }
    if (s->next && behind < MSG_WINDOW && behind < s->next) {
        const uint64_t bit = 1ull << behind;
        if (s->seen & bit)
            return err_say(e, RC_REPLAY, "a message came twice");
        s->seen |= bit;
        return RC_OK;
    }
    if (k < s->next)
        return err_say(e, RC_REPLAY, "a message is too old to tell whether it came before");
    return err_say(e, RC_REFUSED, "a message of another session, or too many are left out");
}
