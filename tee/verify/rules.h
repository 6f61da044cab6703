/* rules.h - a policy as it was read. Private to tee/verify: policy.c reads it, policy_check.c judges by it.
 *
 * Floor:  3, tee/verify. Pure.
 */
#ifndef TEE_VERIFY_RULES_H
#define TEE_VERIFY_RULES_H

#include "base/arena.h"
#include "tee/collateral/tcb.h"
#include "tee/quote/eventlog.h"

#define RULES_VALUES_MAX 64u    /* alternatives in one list */
#define RULES_EVENTS_MAX 16u    /* required events of one image */
#define RULES_NAME_MAX 128u     /* bytes of a name */
#define RULES_PAYLOAD_MAX 4096u /* bytes of an event's payload */

/* Alternatives: n bytes each. count 0: nothing is demanded. */
typedef struct {
    view_t values[RULES_VALUES_MAX];
    size_t count;
} values_t;

typedef struct {
    const char *name;
    values_t values; /* payloads; of key-provider-name: texts */
} event_rule_t;

typedef enum { RTMR3_ZERO, RTMR3_EXACT, RTMR3_EVENTS } rtmr3_mode_t;

/* An image by its name: the evidence says what it measures (tee/measure/described.h). */
typedef struct {
    bool is_one;
    values_t hash;     /* os_image_hash */
    bool unverified;   /* any ACPI tables; else: */
    values_t acpi;     /* digests of ACPI tables, three for each shape of machine */
    bool aml_confined; /* the image's kernel confines the code in them */
} dstack_image_t;

typedef struct {
    const char *name;
    dstack_image_t dstack; /* when is_one: in place of the registers */
    values_t mr_td, rtmr[3];
    rtmr3_mode_t rtmr3_mode;
    values_t rtmr3;
    event_rule_t events[RULES_EVENTS_MAX];
    size_t event_count;
} image_t;

/* What a TD must equal under same-as-self. */
typedef struct {
    bool known, has_application;
    uint8_t mr_td[48], rtmr[4][48], attributes[8], xfam[8];
    uint8_t mr_config_id[48], mr_owner[48], mr_owner_config[48]; /* unless the policy lists values */
    hash32_t application;
} self_t;

/* What the event log says of the application, as one hash: compose-hash, app-id and key-provider, in whose name and by
 * whom keys are given to it. False: no compose-hash, or one of them twice. */
bool rules_application(hash32_t *out, const eventlog_t *log);

struct policy {
    arena_t arena;
    hash32_t digest;
    bool same_as_self;
    /* tcb */
    bool accept[TCB_STATUS_COUNT];
    values_t platforms, deny_advisories;
    uint32_t min_eval;
    uint64_t max_age_s; /* 0: none */
    bool has_grace;
    int64_t min_tcb_date; /* when has_grace */
    /* td */
    bool debug, sept_ve_disable, mrservicetd_zero;
    uint8_t zero_mask[8];
    values_t xfam, mr_config_id, mr_owner, mr_owner_config;
    image_t *images;
    size_t image_count;
    values_t self_rtmr0; /* beside our own */
    self_t self;
    view_t simulator_root;
    uint32_t min_platforms; /* 0: none */
    uint64_t rotate_after_s;
    /* chain */
    bool has_chain_id;
    uint64_t chain_id;
    values_t genesis_validators_root, setup_hash;
};

#endif
