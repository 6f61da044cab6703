/* same.h - two JSON values of the execution APIs, with the liberties that servers take. Test code. */
#ifndef TESTS_SAME_H
#define TESTS_SAME_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Whether got says what want says. Digits of either case are equal; a member that only one of them has must be null or an
 * empty list there, or be one of free (a list that ends with NULL).
 *   why  what differs, by its path */
bool same_json(char *why, size_t cap, const json_t *want, const json_t *got, const char *const *free);

#endif
