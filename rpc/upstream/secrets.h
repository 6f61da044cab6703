/* secrets.h - blanks what of a URL may be a secret in texts that others wrote: an endpoint that repeats what it was
 * asked for shows its key to whoever reads the log, a status or an answer.
 *
 * A secret is each part of the URL but scheme, host and port: the user's name, his password and both together, also as
 * base64, each segment of the path, each name and value of the query, the fragment; of at least SECRETS_MIN characters.
 * It is found however it is written: with capitals or without, percent-encoded as a whole or in part, with the escapes
 * of JSON, with either alphabet of base64, and cut off at the text's end.
 *
 * Floor:  3, rpc/upstream. No I/O, clock, heap or lock.
 * Tests:  tests/unit/test_secrets.c
 */
#ifndef RPC_UPSTREAM_SECRETS_H
#define RPC_UPSTREAM_SECRETS_H

#define SECRETS_MIN 6u

/* Writes asterisks over each secret of url, of at most 4096 bytes, in text. */
void secrets_hide(char *text, const char *url);

/* Over its host, too, with its port or without: in words of others that anybody reads. Of fewer than SECRETS_MIN
 * characters it is a word like any other, and stays. */
void secrets_hide_place(char *text, const char *url);

#endif
