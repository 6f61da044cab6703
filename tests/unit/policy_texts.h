/* policy_texts.h - policies for tests, as pieces of JSON. */
#ifndef TESTS_POLICY_TEXTS_H
#define TESTS_POLICY_TEXTS_H

#include <check.h>

#include "tee/verify/policy.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define R8(c) c c c c c c c c
#define REG(c)                                                                                                         \
    R8(c) R8(c) R8(c) R8(c) R8(c) R8(c) R8(c) R8(c) R8(c) R8(c) R8(c) R8(c) /* a register of one digit, as hex */
#define LIST "\"version\":1,\"mode\":\"list\""
#define SELF "\"version\":1,\"mode\":\"same-as-self\""
#define MEASURED                                                                                                       \
    "\"mrtd\":\"" REG("1") "\",\"rtmr0\":\"" REG("2") "\",\"rtmr1\":\"" REG("3") "\",\"rtmr2\":\"" REG("4") "\""
#define IMAGE "{\"name\":\"one\"," MEASURED "}"
#define IMAGE_RTMR3(rule) "{\"name\":\"one\"," MEASURED ",\"rtmr3\":" rule "}"
#define COMPOSE "c0ffee"

static inline policy_t *read_text(const char *json)
{
    policy_t *p;
    err_t e = { 0 };
    ck_assert_msg(policy_read(&p, &e, view_str(json)) == RC_OK, "%s: %s: %s", json, e.field, e.text);
    return p;
}

static const char full[] =
    "{" LIST
    ",\"tcb\":{\"accept\":[\"UpToDate\"],\"deny_advisories\":[\"INTEL-SA-00001\"],\"min_eval\":17,\"max_age_s\":100,"
    "\"min_tcb_date\":null},\"td\":{\"debug\":false,\"sept_ve_disable\":true,\"attributes_zero_mask\":\"feffff2fffffff7f\","
    "\"xfam\":null,\"mrconfigid\":null,\"mrowner\":null,\"mrownerconfig\":null,\"mrservicetd_zero\":true},"
    "\"images\":[" IMAGE_RTMR3("{\"mode\":\"events\",\"require\":{\"compose-hash\":[\"" COMPOSE
                               "\"],\"key-provider-name\":[\"kms\"]}}") "]}";

#endif
