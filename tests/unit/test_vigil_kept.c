/* Standing calls of a node, through the HTTP server: what another key signed, whose they are, and what a restart brings
 * back. */
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/unit/vigil_world.h"

/* ---- another key ---- */

START_TEST(what_another_key_signed_is_neither_served_nor_sent)
{
    char one[ID_LEN + 1], path[80], query[80], id[64], token[TOKEN_LEN + 1] = "";
    setup_all();
    tell_heads();
    add(one, token, 5);
    wait_runs(1);
    snprintf(path, sizeof path, "/v1/standing/%s", one);
    snprintf(query, sizeof query, "?ids=%s", one);
    int on = listen_for(query, NULL, NULL);
    last_id(id, hear_until(on, "event: open\ndata: {}\n\n"));
    close(on);
    set_slot(5, 7);
    new_head(2);
    tell_heads();
    wait_runs(2);
    expect_word_of(one, 7, 2);
    turn++;
    expect_answer("GET", path, NULL, "", 503, "another key signs since this was signed");
    expect_answer("GET", "/v1/standing", token, "", 200, "another key signs since this was signed");
    on = listen_for(query, NULL, id);
    ck_assert_ptr_null(strstr(hear_until(on, "event: gap\ndata: {\"events\":1}"), "statement"));
    ends[0].held = ends[1].held = true;
    set_slot(5, 8);
    new_head(3);
    tell_heads(); /* it is run by the new key, and then another one comes */
    turn++;
    pthread_mutex_lock(&lock);
    ends[0].held = ends[1].held = false;
    pthread_mutex_unlock(&lock);
    wait_runs(3);
    expect_answer("GET", path, NULL, "", 503, "another key signs since this was signed");
    new_head(4);
    tell_heads();
    wait_runs(4);
    expect_word_of(one, 8, 4);
    ck_assert_ptr_null(strstr(hear_until(on, "\"head\":4,"), "\"head\":3,"));
    close(on);
    end_all();
}
END_TEST

START_TEST(what_was_signed_as_the_key_turned_is_not_sent)
{
    char one[ID_LEN + 1], query[80], id[64], token[TOKEN_LEN + 1] = "";
    setup_all();
    tell_heads();
    add(one, token, 5);
    wait_runs(1);
    snprintf(query, sizeof query, "?ids=%s", one);
    int on = listen_for(query, NULL, NULL);
    last_id(id, hear_until(on, "event: open\ndata: {}\n\n"));
    close(on);
    const uint64_t until = clock_ms() + 30000;
    while (counts().listeners && clock_ms() < until) /* nobody else looks at the key */
        pause_ms(2);
    ends[0].held = ends[1].held = true;
    set_slot(5, 7);
    new_head(2);
    tell_heads();
    turns = true; /* as soon as the table has looked */
    pthread_mutex_lock(&lock);
    ends[0].held = ends[1].held = false;
    pthread_mutex_unlock(&lock);
    wait_runs(2);
    ck_assert(!turns && counts().signed_so_far == 2);
    on = listen_for(query, NULL, id);
    new_head(3);
    tell_heads();
    wait_runs(3);
    ck_assert_ptr_null(strstr(hear_until(on, "\"head\":3,"), "\"head\":2,"));
    close(on);
    end_all();
}
END_TEST

/* ---- whose they are ---- */

START_TEST(only_the_token_lists_and_ends)
{
    char one[ID_LEN + 1], other[ID_LEN + 1], path[80], token[TOKEN_LEN + 1] = "", second[TOKEN_LEN + 1] = "";
    setup_all();
    add(one, token, 5);
    add(other, token, 6);
    add(path, second, 5);
    snprintf(path, sizeof path, "/v1/standing/%s", one);
    expect_answer("DELETE", path, NULL, "", 401, "standing-token");
    expect_answer("DELETE", path, "0x12", "", 401, "standing-token");
    expect_answer("DELETE", path, second, "", 404, "unknown-standing-call");
    expect_answer("GET", "/v1/standing", NULL, "", 401, "standing-token");
    expect_answer("GET", "/v1/standing", token, "", 200, other);
    expect_answer("GET", path, NULL, "", 503, "no-statement");
    expect_answer("DELETE", path, token, "", 200, "success");
    expect_answer("GET", path, NULL, "", 404, "unknown-standing-call");
    expect_answer("GET", "/v1/standing/0x00", NULL, "", 404, "unknown-standing-call");
    expect_answer("GET", "/v1/stream", NULL, "", 400, "ids=");
    expect_answer("GET", "/v1/stream?ids=0x00", NULL, "", 404, "unknown-standing-call");
    token[5] = token[5] == '0' ? '1' : '0';
    expect_answer("GET", "/v1/stream", token, "", 403, "standing-token");
    expect_answer("POST", "/v1/standing", token, "{\"call\":{\"to\":\"" A_TEXT "\"}}", 403, "standing-token");
    expect_answer("POST", "/v1/standing", NULL, "{\"call\":{\"to\":\"" A_TEXT "\",\"block\":7}}", 400, "call.block");
    end_all();
}
END_TEST

START_TEST(a_restart_keeps_them_and_no_other_key_opens_the_file)
{
    char id[ID_LEN + 1], path[80], token[TOKEN_LEN + 1] = "";
    uint8_t other[VIGIL_KEY_LEN] = { 8 };
    setup_all();
    add(id, token, 5);
    add(path, token, 6);
    close_vigil();
    open_vigil();
    ck_assert_uint_eq(counts().calls, 2);
    tell_heads();
    wait_runs(2);
    expect_word_of(id, (uint8_t)1234, 1);
    snprintf(path, sizeof path, "/v1/standing/%s", id);
    expect_answer("DELETE", path, token, "", 200, "success");
    close_vigil();
    vigil_config_t config = { .limits = { 8, 1u << 30 }, .now_s = time_s, .keep_dir = dir, .keep_key = other };
    vigil = vigil_new(&config);
    ck_assert_uint_eq(counts().calls, 0);
    vigil_free(vigil);
    config.keep_key = seal_key;
    vigil = vigil_new(&config);
    ck_assert_uint_eq(counts().calls, 1);
    vigil_free(vigil);
    now_ms += (uint64_t)STANDING_LIFE_MAX_S * 1000 + 1000;
    open_vigil();
    ck_assert_uint_eq(counts().calls, 0); /* their time is over */
    end_all();
}
END_TEST

/* As one that is ended while the disk is full: it would come back with the next start. */
START_TEST(what_the_disk_did_not_take_is_written_later)
{
    char id[ID_LEN + 1], path[80], token[TOKEN_LEN + 1] = "", kept[300], file[300];
    setup_all();
    add(id, token, 5);
    snprintf(file, sizeof file, "%s/standing", dir);
    snprintf(kept, sizeof kept, "%s.kept", dir);
    ck_assert(rename(file, kept) == 0 && rmdir(dir) == 0);
    close(open(dir, O_CREAT | O_WRONLY, 0600)); /* what is there is no directory */
    snprintf(path, sizeof path, "/v1/standing/%s", id);
    expect_answer("DELETE", path, token, "", 200, "success");
    ck_assert(!counts().survives);
    ck_assert(unlink(dir) == 0 && mkdir(dir, 0700) == 0 && rename(kept, file) == 0);
    tell_heads();
    ck_assert(!counts().survives); /* it is tried every ten seconds */
    now_ms += 10000;
    tell_heads();
    ck_assert(counts().survives);
    close_vigil();
    open_vigil();
    ck_assert_uint_eq(counts().calls, 0);
    end_all();
}
END_TEST

/* Adds and ends one with a call of 30 KiB, until that is refused; says how often it was not. */
static unsigned change_until_refused(const char *token)
{
    static char body[31 << 10], text[32 << 10], id[ID_LEN + 1], path[80];
    unsigned n = 0;
    const int room = snprintf(body, sizeof body, "{\"call\":{\"to\":\"" A_TEXT "\",\"data\":\"0x%030000d\"}}", 0);
    for (;; n++) {
        snprintf(text, sizeof text,
                 "POST /v1/standing HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s",
                 token, room, body);
        ck_assert(say(fd, text));
        reply_t a = hear(fd, false);
        if (a.status == 429) {
            ck_assert_msg(strstr(a.body, "over-share"), "%s", a.body);
            free(a.body);
            return n;
        }
        ck_assert_msg(a.status == 200, "%d %s", a.status, a.body);
        copy_member(id, ID_LEN, a.body, "{\"id\":\"");
        free(a.body);
        snprintf(path, sizeof path, "/v1/standing/%s", id);
        a = request("DELETE", path, token, "");
        free(a.body);
        if (a.status == 429)
            return n;
        ck_assert_uint_lt(n, 100000);
    }
}

START_TEST(who_has_the_table_written_all_the_time_is_refused_for_a_while)
{
    char id[ID_LEN + 1], token[TOKEN_LEN + 1] = "";
    writes_kib = 4096;
    setup_all();
    writes_kib = 0;
    add(id, token, 5);
    const unsigned n = change_until_refused(token);
    ck_assert_uint_ge(n, 40); /* 15 KiB and nothing by turns, of 3 MiB */
    ck_assert_uint_le(n, 400);
    end_all();
}
END_TEST

START_TEST(what_is_not_on_the_disk_is_not_said_to_be)
{
    static const char body[] = "{\"call\":{\"to\":\"" A_TEXT "\"}}";
    setup_all();
    ck_assert_int_eq(rmdir(dir), 0);
    close(open(dir, O_CREAT | O_WRONLY, 0600)); /* what is there is no directory */
    expect_answer("POST", "/v1/standing", NULL, body, 200, "\"survives_restart\":false");
    ck_assert(!counts().survives);
    ck_assert(unlink(dir) == 0 && mkdir(dir, 0700) == 0);
    expect_answer("POST", "/v1/standing", NULL, body, 200, "\"survives_restart\":true");
    ck_assert(counts().survives);
    close_vigil();
    open_vigil();
    ck_assert_uint_eq(counts().calls, 2); /* the first one, too */
    end_all();
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN("vigil_kept", what_another_key_signed_is_neither_served_nor_sent,
                    what_was_signed_as_the_key_turned_is_not_sent,
                    who_has_the_table_written_all_the_time_is_refused_for_a_while,
                    what_is_not_on_the_disk_is_not_said_to_be, what_the_disk_did_not_take_is_written_later,
                    only_the_token_lists_and_ends, a_restart_keeps_them_and_no_other_key_opens_the_file);
}
