/* What most C tests begin with: a manager, a module, tasks; and threads. */
#ifndef TASKMGR_TESTS_FIXTURE_H
#define TASKMGR_TESTS_FIXTURE_H

#include <pthread.h>
#include <sched.h>

#include "check.h"

/* How long a test waits for what has to come, so that it does not hang if it does not. */
#define A_MINUTE 60000u

static inline taskmgr_manager *new_manager(void) {
    taskmgr_manager *manager = NULL;
    CHECK_OK(taskmgr_manager_create(NULL, &manager));
    CHECK(manager != NULL);
    return manager;
}

static inline taskmgr_module *new_module(const taskmgr_manager *manager, const char *name) {
    taskmgr_module *module = NULL;
    CHECK_OK(taskmgr_manager_register_module(manager, TASKMGR_STR(name), &module));
    CHECK(module != NULL);
    return module;
}

/* A root that is abortable and was started by a user, so that it is kept for an hour. */
static inline taskmgr_task *new_task(const taskmgr_module *module) {
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("repair");
    spec.abortable = 1;
    spec.user_task = 1;
    taskmgr_task *task = NULL;
    CHECK_OK(taskmgr_task_start(module, &spec, &task));
    CHECK(task != NULL);
    return task;
}

static inline taskmgr_task *new_child(const taskmgr_task *parent) {
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("part");
    taskmgr_task *task = NULL;
    CHECK_OK(taskmgr_task_child_start(parent, &spec, &task));
    CHECK(task != NULL);
    return task;
}

static inline taskmgr_observer *new_observer(const taskmgr_task *task) {
    taskmgr_observer *observer = NULL;
    CHECK_OK(taskmgr_task_observe(task, &observer));
    CHECK(observer != NULL);
    return observer;
}

static inline void finish_and_free(taskmgr_task *task) {
    CHECK_OK(taskmgr_task_finish(task));
    taskmgr_task_free(task);
}

static inline pthread_t run_thread(void *(*work)(void *), void *argument) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, work, argument) == 0);
    return thread;
}

static inline void join_thread(pthread_t thread) { CHECK(pthread_join(thread, NULL) == 0); }

#endif
