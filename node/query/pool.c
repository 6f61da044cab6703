#include "node/query/pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS_MAX 64u

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    pool_task_t *first, **end;
    bool quit;
    unsigned count;
    pthread_t threads[THREADS_MAX];
};

static void *thread_main(void *arg)
{
    pool_t *p = arg;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        pool_task_t *t = p->first;
        if (!t && p->quit)
            break;
        if (!t) {
            pthread_cond_wait(&p->work, &p->lock);
            continue;
        }
        p->first = t->next;
        if (!p->first)
            p->end = &p->first;
        pthread_mutex_unlock(&p->lock);
        t->run(t);
        pthread_mutex_lock(&p->lock);
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
        threads = cores < 2 ? 2 : (unsigned)cores;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    p->end = &p->first;
    while (p->count < threads && p->count < THREADS_MAX) {
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
    t->next = NULL;
    pthread_mutex_lock(&p->lock);
    *p->end = t;
    p->end = &t->next;
    pthread_cond_signal(&p->work);
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
