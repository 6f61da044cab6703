/* verify_statement.h - `kettle verify --statement`: whether one signed statement holds, without asking anybody. The
 * options are rows of the table of verify.c, whose values begin with statement_options_t.
 *
 * Floor:  5, node/cli. Private to the command verify.
 * Tests:  tests/sdk/program.mjs, tests/e2e (statements)
 */
#ifndef NODE_CLI_VERIFY_STATEMENT_H
#define NODE_CLI_VERIFY_STATEMENT_H

#include "node/cli/options.h"
#include "node/cli/results.h"
#include "rpc/api/statement_verify.h"

#define STATEMENT_SIGNERS_MAX 16u

typedef struct {
    const char *source;  /* file, URL or -; NULL: no statement is to be verified */
    const char *request; /* JSON, or "any"; NULL: there was none */
    bool has_chain, allow_revert;
    addr_t signers[STATEMENT_SIGNERS_MAX];
    hash32_t setup, block_hash;
    statement_demand_t want; /* but for what is read at the end: signers and request */
} statement_options_t;

/* Readers of the options' values, for cli_option_t. */
rc_t statement_read_signer(void *values, err_t *e, char *text);
rc_t statement_read_chain(void *values, err_t *e, char *text);
rc_t statement_read_setup(void *values, err_t *e, char *text);
rc_t statement_read_type(void *values, err_t *e, char *text);
rc_t statement_read_age(void *values, err_t *e, char *text);
rc_t statement_read_block(void *values, err_t *e, char *text);
rc_t statement_read_min_block(void *values, err_t *e, char *text);
rc_t statement_read_finality(void *values, err_t *e, char *text);

/* The modes of verify, by what is to be verified: each option says with which it goes, and the others refuse it. */
enum {
    VERIFY_NODE = 1,         /* an attestation, of a node or kept */
    VERIFY_FOLLOW = 2,       /* a cluster's keys */
    VERIFY_FOLLOW_QUOTE = 4, /* and the quote over the newest */
    VERIFY_STATEMENT = 8,
    VERIFY_EVIDENCE = 16,
    VERIFY_ALL = 31
};

#define STATEMENT_OPTIONS                                                                                              \
    { .name = "statement",                                                                                             \
      .with = VERIFY_STATEMENT,                                                                                        \
      .argument = "FILE",                                                                                              \
      .help = "verifies this signed statement (an answer of /v1/call, block, account, storage or checkpoint) and "     \
              "nothing else: a file, a URL or -; needs --signer, --chain-id, and --max-age or --at-block",             \
      .at = offsetof(statement_options_t, source) },                                                                   \
        { .name = "signer",                                                                                            \
          .with = VERIFY_STATEMENT | VERIFY_EVIDENCE,                                                                  \
          .argument = "HEX",                                                                                           \
          .help = "whose statements are accepted: an address, or a public key as verify prints it; may be repeated",   \
          .read = statement_read_signer },                                                                             \
        { .name = "type",                                                                                              \
          .with = VERIFY_STATEMENT | VERIFY_EVIDENCE,                                                                  \
          .argument = "NAME",                                                                                          \
          .help = "the type that it must be, for example BlockStatement",                                              \
          .normal = "any",                                                                                             \
          .read = statement_read_type },                                                                               \
        { .name = "request",                                                                                           \
          .with = VERIFY_STATEMENT | VERIFY_EVIDENCE,                                                                  \
          .argument = "JSON",                                                                                          \
          .help = "what was asked: {\"to\":...,\"data\":...}, {\"account\":...,\"slot\":...}; any: whatever it was",   \
          .at = offsetof(statement_options_t, request) },                                                              \
        { .name = "max-age",                                                                                           \
          .with = VERIFY_NODE | VERIFY_STATEMENT | VERIFY_EVIDENCE,                                                    \
          .argument = "SECONDS",                                                                                       \
          .help = "how old the block (of a node: its head) may be: 120 suits latest, 1500 finalized; any: of any age", \
          .normal = "of a node 120",                                                                                   \
          .read = statement_read_age },                                                                                \
        { .name = "at-block",                                                                                          \
          .with = VERIFY_STATEMENT | VERIFY_EVIDENCE,                                                                  \
          .argument = "BLOCK",                                                                                         \
          .help = "the block that it must be about, by number or hash",                                                \
          .normal = "any",                                                                                             \
          .read = statement_read_block },                                                                              \
        { .name = "min-block",                                                                                         \
          .with = VERIFY_STATEMENT | VERIFY_EVIDENCE,                                                                  \
          .argument = "N",                                                                                             \
          .help = "the lowest block that is accepted",                                                                 \
          .read = statement_read_min_block },                                                                          \
        { .name = "min-finality",                                                                                      \
          .with = VERIFY_STATEMENT | VERIFY_EVIDENCE,                                                                  \
          .argument = "WORD",                                                                                          \
          .help = "the least finality of the block: latest, safe or finalized",                                        \
          .normal = "latest",                                                                                          \
          .read = statement_read_finality },                                                                           \
    {                                                                                                                  \
        .name = "allow-revert", .with = VERIFY_STATEMENT | VERIFY_EVIDENCE,                                            \
        .help = "accepts a call that reverted or halted too", .at = offsetof(statement_options_t, allow_revert)        \
    }

/* Completes the demand by what is read at the end: --request, whose text is in the arena. RC_MALFORMED: that. */
NODISCARD rc_t statement_demands(statement_options_t *o, err_t *e, arena_t *a);

/* Steps that hold: what was asked and answered, of which block; how old it is, and until when it may be relied on. */
void statement_tell(results_t *r, const statement_t *s, const statement_demand_t *want);
void statement_tell_time(results_t *r, const statement_t *s, const statement_demand_t *want);

/* Verifies at a time and prints what was found. Returns the exit status. */
int verify_statement(statement_options_t *o, int64_t now_s, bool as_json);

#endif
