#include "node/query/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 64u
#define NICE 5 /* behind the threads that serve what is there already, and the follower */

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    share_t light, heavy;
    share_turn_t own[2]; /* the program's, of either */
    bool quit;
    unsigned count;
    pthread_t threads[THREADS_MAX];
};

static uint64_t cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* The next task, of *turn in *of. Something heavy runs whenever it waits; all threads but one may do it when nothing
 * is light. NULL: nothing is to be done. */
static pool_task_t *take(pool_t *p, share_t **of, share_turn_t **turn)
{
    share_item_t *item = NULL;
    *of = &p->heavy;
    if (!p->heavy.running)
        item = share_next(&p->heavy, turn);
    if (!item) {
        *of = &p->light;
        item = share_next(&p->light, turn);
    }
    if (!item && p->heavy.running < p->heavy.places) {
        *of = &p->heavy;
        item = share_next(&p->heavy, turn);
    }
    return item ? (pool_task_t *)(void *)((char *)item - offsetof(pool_task_t, item)) : NULL;
}

static void *thread_main(void *arg)
{
    pool_t *p = arg;
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
    pthread_mutex_lock(&p->lock);
    for (;;) {
        share_t *of;
        share_turn_t *turn;
        pool_task_t *t = take(p, &of, &turn);
        if (!t && p->quit && !p->heavy.waiting)
            break;
        if (!t) {
            pthread_cond_wait(&p->work, &p->lock);
            continue;
        }
        hs_client_t *client = t->client; /* with the reference of pool_push */
        pthread_mutex_unlock(&p->lock);
        const uint64_t began = cpu_us();
        t->run(t);
        const uint64_t cost = cpu_us() - began;
        pthread_mutex_lock(&p->lock);
        share_done(of, turn, cost);
        if (of == &p->heavy && p->quit)
            pthread_cond_broadcast(&p->work);
        hs_client_unref(client);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

rc_t pool_new(pool_t **out, err_t *e, unsigned threads)
{
    pool_t *p = calloc(1, sizeof *p);
    if (!p)
        return err_say(e, RC_NOMEM, "out of memory");
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (!threads)
        threads = cores < 1 ? 2 : (unsigned)cores + 1;
    threads = threads < 2 ? 2 : threads < THREADS_MAX ? threads : THREADS_MAX;
    share_init(&p->light, threads);
    share_init(&p->heavy, threads - 1);
    p->own[0].exempt = p->own[1].exempt = true;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    while (p->count < threads) {
        if (pthread_create(&p->threads[p->count], NULL, thread_main, p)) {
            pool_free(p);
            return err_say(e, RC_IO, "the system has no thread left");
        }
        p->count++;
    }
    *out = p;
    return RC_OK;
}

void pool_push(pool_t *p, pool_task_t *t)
{
    hs_client_t *c = hs_client_ref(t->client);
    pthread_mutex_lock(&p->lock);
    if (t->heavy)
        share_push(&p->heavy, c ? &c->turns[SHARE_HEAVY] : &p->own[1], &t->item);
    else
        share_push(&p->light, c ? &c->turns[SHARE_LIGHT] : &p->own[0], &t->item);
    pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
}

void pool_counts(pool_t *p, pool_counts_t *out)
{
    pthread_mutex_lock(&p->lock);
    *out = (pool_counts_t){ .light_waiting = p->light.waiting,
                            .light_running = p->light.running,
                            .heavy_waiting = p->heavy.waiting,
                            .heavy_running = p->heavy.running,
                            .threads = p->count };
    pthread_mutex_unlock(&p->lock);
}

void pool_free(pool_t *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->quit = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->count; i++)
        pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
