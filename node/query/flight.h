/* flight.h - needs on their way to endpoints: what several queries need at the same time is asked once, the rest of a
 * query's needs goes out together, in batches of bounded size.
 *
 *     flights_send -> (HTTP) -> decoded on the pool -> party->landed
 *
 * Requests of many queries that come within a moment share batches: one that has room stays open for gather_ms, and who
 * comes meanwhile, of whichever query, gets on. So what a library asks side by side is one request to a provider.
 *
 * What several need of one account at a block (its balance, slots of it) is one proof in a batch. Where the endpoint
 * refuses that, each is asked apart: for whose part it was is not known.
 *
 * A flight is one need at one endpoint; a batch is the request that carries flights; a seat is somebody's place on a
 * flight, his own or another's; a party is all seats that one query waits for.
 *
 * What an endpoint refuses as a whole, or for its form, is asked again at once in smaller pieces or a simpler form
 * (rpc/upstream/capability.h), and nobody who waits notices. So is what came in one answer with a block access list, if
 * nothing could be made of that answer: anybody can make a block whose list is too long.
 *
 * So is, in halves, what came in one answer that is longer than it may be, or has too many values: only who sends too
 * much for one question, or more than honest answers can have together, is at fault.
 *
 * The answers together have a bound: each request says how long its own may be, by what it asks for, and who would go
 * beyond it waits for his turn, but for one at an endpoint.
 * What waits for its turn when the endpoint asks for time is not sent to it.
 * One block alone whose answer is longer than blocks mostly are is asked for again, as long as its gas permits: one
 * such answer at a time, beside that bound, for anybody can make such a block.
 * What may have long answers (blocks, receipts, hundreds of slots) has three quarters of it and turns of its own: the
 * rest passes it while it waits for memory, and neither waits for the end of the other, since both go in turn. While
 * the right size is being found, one batch is in the air at that endpoint and the others wait for their turn.
 *
 * Clients take turns at each endpoint (http/share.h): a batch is the turn of whoever asked for its first need, and
 * costs him by its questions and the bytes of its answer. What they ask together has a budget (http/budget.h).
 *
 * Floor:  5, node/query. Any thread; a party is one thread's at a time.
 * Tests:  tests/unit/test_ask.c, tests/unit/test_ask_shared.c, tests/unit/test_providers.c
 */
#ifndef NODE_QUERY_FLIGHT_H
#define NODE_QUERY_FLIGHT_H

#include "node/query/party.h"

/* Needs that were asked for, and what is in the air. */
void flights_counts(flights_t *f, flights_counts_t *out);

/* NULL: out of memory, or the system has no thread left. */
flights_t *flights_new(const flights_config_t *config);

/* Waits until nothing is in the air and frees; no party may wait any more. NULL is allowed. */
void flights_free(flights_t *f);

/* What a need is asked by: equal for needs that the same answer answers. */
void flight_key(hash32_t *out, const need_t *need);

/* For flight.c, under its lock: a flight of a batch that is not written yet whose proof has what a seat needs of the
 * account as well, or had room for it; the seat's `from` is set. NULL: there is none. Who only guessed that he needs it
 * has a proof of his own, which may be refused. */
flight_t *flight_share_proof(batch_t *b, seat_t *s, const cap_t *can);

/* Whether a client (NULL: the program itself, which always may) may ask so many questions now. */
bool flights_may_ask(flights_t *f, hs_client_t *client, size_t questions);

/* Sends a party off to one endpoint: joins flights that are in the air, and asks for the other needs. seats, landed and
 * owner are filled in, of the seats need, key and index. Takes as many seats, from the first on, as fit into
 * BATCHES_MAX batches, and sets count to that.
 * True: it is in the air, and may be touched by nobody before landed. False: it is all here already, or none of it
 * could be asked for. */
bool flights_send(flights_t *f, party_t *p, size_t endpoint);

/* Waits no longer for a party that was sent off. True: it is its owner's, without what has not come; landed will not be
 * called. False: it is here, and landed was called. */
bool flights_leave(flights_t *f, party_t *p);

/* Lets go of the answers. */
void flights_clear(party_t *p);

#endif
