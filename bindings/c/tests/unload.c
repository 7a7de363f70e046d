/* After close the library can be unloaded: no thread of its own is left that would run on in it.
   This program is not linked with it, so that dlclose unloads it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <taskmgr.h>

#define ROUNDS 100
#define LIBRARY "libtaskmgr.so.0"

/* As in check.h, which calls the library by itself. */
#define CHECK(condition)                                                                   \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);      \
            exit(1);                                                                       \
        }                                                                                  \
    } while (0)
#define CHECK_OK(call) CHECK((call) == TASKMGR_OK)

static void *library;

/* A function of the library's as it is loaded now. */
#define OF_LIBRARY(name) ((__typeof__(&name))symbol(#name))

static void *symbol(const char *name) {
    void *found = dlsym(library, name);
    CHECK(found != NULL);
    return found;
}

static taskmgr_code list(void *user_data, taskmgr_list_sink *sink) {
    taskmgr_virtual_task task = TASKMGR_VIRTUAL_TASK(*(taskmgr_id *)user_data, "topology change");
    return OF_LIBRARY(taskmgr_list_sink_add)(sink, &task);
}

static taskmgr_code status(void *user_data, taskmgr_id id, taskmgr_status_sink *sink) {
    (void)user_data, (void)id, (void)sink;
    return TASKMGR_OK;
}

static taskmgr_code abort_none(void *user_data, taskmgr_id id, taskmgr_str reason) {
    (void)user_data, (void)id, (void)reason;
    return TASKMGR_PROVIDER;
}

static taskmgr_code watch(void *user_data, taskmgr_id id, taskmgr_completion *completion) {
    (void)user_data, (void)id;
    OF_LIBRARY(taskmgr_completion_free)(completion);
    return TASKMGR_PROVIDER;
}

static void *finish(void *task) {
    CHECK_OK(OF_LIBRARY(taskmgr_task_finish)(task));
    OF_LIBRARY(taskmgr_task_free)(task);
    return NULL;
}

static taskmgr_manager *new_manager(uint64_t ttl_ms) {
    taskmgr_manager_config config = TASKMGR_MANAGER_CONFIG;
    config.task_ttl_ms = ttl_ms;
    taskmgr_manager *manager = NULL;
    CHECK_OK(OF_LIBRARY(taskmgr_manager_create)(&config, &manager));
    return manager;
}

/* One task, which another thread ends while this one waits, and which is kept. */
static void work(const taskmgr_module *module) {
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("repair");
    taskmgr_task *task = NULL;
    taskmgr_observer *observer = NULL;
    taskmgr_status *ended = NULL;
    pthread_t owner;
    CHECK_OK(OF_LIBRARY(taskmgr_task_start)(module, &spec, &task));
    CHECK_OK(OF_LIBRARY(taskmgr_task_observe)(task, &observer));
    CHECK(pthread_create(&owner, NULL, finish, task) == 0);
    CHECK_OK(OF_LIBRARY(taskmgr_observer_wait)(observer, 60000, &ended));
    CHECK(pthread_join(owner, NULL) == 0);
    OF_LIBRARY(taskmgr_status_free)(ended);
    OF_LIBRARY(taskmgr_observer_free)(observer);
}

static void ask(const taskmgr_module *module, taskmgr_id *id) {
    taskmgr_provider provider = TASKMGR_PROVIDER_INIT;
    provider.user_data = id;
    provider.list = list;
    provider.status = status;
    provider.abort = abort_none;
    provider.watch = watch;
    taskmgr_stats_list *tasks = NULL;
    CHECK_OK(OF_LIBRARY(taskmgr_module_register_provider)(module, &provider));
    CHECK_OK(OF_LIBRARY(taskmgr_module_list)(module, NULL, &tasks));
    CHECK(OF_LIBRARY(taskmgr_stats_list_len)(tasks) >= 1);
    OF_LIBRARY(taskmgr_stats_list_free)(tasks);
}

/* Two managers: what one keeps expires at once, what the other keeps after an hour. */
static void *use(void *argument) {
    taskmgr_id id = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
    taskmgr_manager *managers[2] = {new_manager(1), new_manager(3600000)};
    for (int at = 0; at < 2; at++) {
        taskmgr_module *module = NULL;
        taskmgr_str name = TASKMGR_STR("repair");
        CHECK_OK(OF_LIBRARY(taskmgr_manager_register_module)(managers[at], name, &module));
        work(module);
        ask(module, &id);
        OF_LIBRARY(taskmgr_module_free)(module);
    }
    for (int at = 0; at < 2; at++) {
        CHECK_OK(OF_LIBRARY(taskmgr_manager_close)(managers[at], 60000, NULL));
        OF_LIBRARY(taskmgr_manager_free)(managers[at]);
    }
    return argument;
}

/* For a thread that the host still has when it unloads the library. */
static struct {
    taskmgr_manager *manager;
    taskmgr_task *task;
    taskmgr_observer *observer;
    pthread_barrier_t has_waited;
    pthread_barrier_t is_unloaded;
} stay;

static void *begin(void *argument) {
    taskmgr_module *module = NULL;
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("repair");
    taskmgr_str name = TASKMGR_STR("repair");
    stay.manager = new_manager(0);
    CHECK_OK(OF_LIBRARY(taskmgr_manager_register_module)(stay.manager, name, &module));
    CHECK_OK(OF_LIBRARY(taskmgr_task_start)(module, &spec, &stay.task));
    CHECK_OK(OF_LIBRARY(taskmgr_task_observe)(stay.task, &stay.observer));
    OF_LIBRARY(taskmgr_module_free)(module);
    return argument;
}

static void *wait_and_stay(void *argument) {
    CHECK(OF_LIBRARY(taskmgr_observer_wait)(stay.observer, 1, NULL) == TASKMGR_TIMEOUT);
    pthread_barrier_wait(&stay.has_waited);
    pthread_barrier_wait(&stay.is_unloaded);
    return argument;
}

static void *end(void *argument) {
    OF_LIBRARY(taskmgr_observer_free)(stay.observer);
    CHECK_OK(OF_LIBRARY(taskmgr_task_finish)(stay.task));
    OF_LIBRARY(taskmgr_task_free)(stay.task);
    CHECK_OK(OF_LIBRARY(taskmgr_manager_close)(stay.manager, 60000, NULL));
    OF_LIBRARY(taskmgr_manager_free)(stay.manager);
    return argument;
}

/* What the library keeps for a thread goes with the thread: so it runs what uses the library. */
static void on_a_thread(void *(*work)(void *)) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, work, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void load(void) {
    library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    CHECK(library != NULL);
}

static void a_thread_that_has_waited_may_end_later(void) {
    pthread_t thread;
    CHECK(pthread_barrier_init(&stay.has_waited, NULL, 2) == 0);
    CHECK(pthread_barrier_init(&stay.is_unloaded, NULL, 2) == 0);
    load();
    on_a_thread(begin);
    CHECK(pthread_create(&thread, NULL, wait_and_stay, NULL) == 0);
    pthread_barrier_wait(&stay.has_waited);
    on_a_thread(end);
    CHECK(dlclose(library) == 0);
    pthread_barrier_wait(&stay.is_unloaded);
    CHECK(pthread_join(thread, NULL) == 0);
}

int main(void) {
    for (int round = 0; round < ROUNDS; round++) {
        load();
        on_a_thread(use);
        CHECK(dlclose(library) == 0);
        CHECK(dlopen(LIBRARY, RTLD_NOW | RTLD_NOLOAD) == NULL);
    }
    a_thread_that_has_waited_may_end_later();
    printf("unloaded %d times\n", ROUNDS);
    return 0;
}
