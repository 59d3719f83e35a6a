/* C11's threads, made of POSIX ones; linked into builds with ThreadSanitizer only.
 *
 * ThreadSanitizer learns of threads and locks through the pthread_* functions, which it replaces. librdkafka calls
 * thrd_*, mtx_* and cnd_* of the C library, which call pthread_* inside of it, unseen: its threads have no state in
 * ThreadSanitizer, and the first replaced function that one of them calls crashes. Definitions in the program come
 * before the C library's. The types are the C library's own, which are POSIX's under other names. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "mtx_t holds a pthread_mutex_t");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "cnd_t holds a pthread_cond_t");
_Static_assert(sizeof(once_flag) == sizeof(pthread_once_t), "once_flag is a pthread_once_t");

static int as_c11(int error) {
  switch (error) {
    case 0:
      return thrd_success;
    case EBUSY:
      return thrd_busy;
    case ETIMEDOUT:
      return thrd_timedout;
    case ENOMEM:
      return thrd_nomem;
    default:
      return thrd_error;
  }
}

static pthread_mutex_t *mutex_of(mtx_t *m) { return (pthread_mutex_t *)m; }
static pthread_cond_t *condition_of(cnd_t *c) { return (pthread_cond_t *)c; }

struct start {
  thrd_start_t function;
  void *argument;
};

static void *run(void *p) {
  struct start const s = *(struct start *)p;
  free(p);
  return (void *)(intptr_t)s.function(s.argument);
}

int thrd_create(thrd_t *thread, thrd_start_t function, void *argument) {
  struct start *s = malloc(sizeof *s);
  if (s == NULL) return thrd_nomem;
  *s = (struct start){function, argument};
  int const error = pthread_create(thread, NULL, run, s);
  if (error != 0) free(s);
  return error == EAGAIN ? thrd_nomem : as_c11(error);
}

int thrd_join(thrd_t thread, int *result) {
  void *end = NULL;
  int const error = pthread_join(thread, &end);
  if (error == 0 && result != NULL) *result = (int)(intptr_t)end;
  return as_c11(error);
}

int thrd_detach(thrd_t thread) { return as_c11(pthread_detach(thread)); }
thrd_t thrd_current(void) { return pthread_self(); }
void call_once(once_flag *flag, void (*function)(void)) { pthread_once((pthread_once_t *)flag, function); }

int mtx_init(mtx_t *m, int type) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  if ((type & mtx_recursive) != 0) pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  int const error = pthread_mutex_init(mutex_of(m), &attributes);
  pthread_mutexattr_destroy(&attributes);
  return as_c11(error);
}

void mtx_destroy(mtx_t *m) { pthread_mutex_destroy(mutex_of(m)); }
int mtx_lock(mtx_t *m) { return as_c11(pthread_mutex_lock(mutex_of(m))); }
int mtx_trylock(mtx_t *m) { return as_c11(pthread_mutex_trylock(mutex_of(m))); }
int mtx_timedlock(mtx_t *m, struct timespec const *until) { return as_c11(pthread_mutex_timedlock(mutex_of(m), until)); }
int mtx_unlock(mtx_t *m) { return as_c11(pthread_mutex_unlock(mutex_of(m))); }

int cnd_init(cnd_t *c) { return as_c11(pthread_cond_init(condition_of(c), NULL)); }
void cnd_destroy(cnd_t *c) { pthread_cond_destroy(condition_of(c)); }
int cnd_signal(cnd_t *c) { return as_c11(pthread_cond_signal(condition_of(c))); }
int cnd_broadcast(cnd_t *c) { return as_c11(pthread_cond_broadcast(condition_of(c))); }
int cnd_wait(cnd_t *c, mtx_t *m) { return as_c11(pthread_cond_wait(condition_of(c), mutex_of(m))); }
int cnd_timedwait(cnd_t *c, mtx_t *m, struct timespec const *until) {
  return as_c11(pthread_cond_timedwait(condition_of(c), mutex_of(m), until));
}
