/* options.h - what a node is started with.
 *
 * Floor:  5, node. Types only.
 */
#ifndef NODE_OPTIONS_H
#define NODE_OPTIONS_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/os/clock.h"

typedef struct {
    const char *config_path;       /* NULL: none */
    const char *listen;            /* addresses of both ports, with commas; NULL: as the configuration says */
    view_t setup;                  /* what flags and environment give of it, JSON; p NULL: nothing */
    bool development;              /* /setup may set everything, and every answer says so */
    bool may_swap;                 /* also where memory cannot be locked */
    const char *state_dir;         /* NULL: nothing is kept */
    const char *tee;               /* "auto", "dstack", "tdx", "simulator" */
    const char *tee_socket;        /* of dstack's guest agent; NULL: the well-known places */
    bool tee_pretended;            /* that is DSTACK_SIMULATOR_ENDPOINT: simulated, whatever it gives */
    const char *simulator_seed;    /* simulators of one text have one root; NULL: by chance */
    const char *simulator_image;   /* which image the simulator says it is; NULL: its own */
    uint16_t setup_port, api_port; /* 0: any free port, for tests */
    uint32_t setup_limit_ms;       /* from a setup to the first ready; 0: 15 minutes */
    clock_fn now_ms;               /* NULL: the system's clock */
    uint32_t build_s; /* when this program was built, Unix seconds: the clock cannot be before; 0: not known */
    const char *clock_source_file; /* TIMEKEEPER_SOURCE_FILE; NULL: the raw counter is no bound of time */
    /* Names, up to a NULL, of what the command line and the environment may set, for the node statement; NULL: none. */
    const char *const *flags, *const *environment;
} node_options_t;

#endif
