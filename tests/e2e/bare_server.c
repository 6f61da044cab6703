/* bare_server PORT: libmicrohttpd and nothing else, set up as http/serve.c does: one thread that answers each POST with the same
 * text once its body is there. What a request costs here, no server of ours can be below. */
#include <microhttpd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct MHD_Response *text;

static enum MHD_Result answer(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
                              const char *version, const char *body, size_t *n, void **state)
{
    static int begun;
    (void)ctx, (void)url, (void)method, (void)version, (void)body;
    if (!*state) {
        *state = &begun;
        return MHD_YES;
    }
    if (*n) {
        *n = 0;
        return MHD_YES;
    }
    return MHD_queue_response(c, MHD_HTTP_OK, text);
}

int main(int argc, char **argv)
{
    static char said[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x1\"}";
    const unsigned long port = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    if (!port || port > UINT16_MAX)
        return 2;
    text = MHD_create_response_from_buffer(strlen(said), said, MHD_RESPMEM_PERSISTENT);
    (void)MHD_add_response_header(text, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    if (!MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO, (uint16_t)port, NULL, NULL, answer, NULL,
                          MHD_OPTION_END))
        return 1;
    for (;;)
        pause();
}
