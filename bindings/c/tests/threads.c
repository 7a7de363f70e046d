/* Threads that hammer one manager, one task, one guard (life_2, prog_1, abort_4, mod_1). */
#include <stdatomic.h>

#include "fixture.h"

enum { THREADS = 4 };

static int rounds(int many) {
    /* A debugger of memory is some twenty times slower. */
    const char *slow = getenv("TASKMGR_TEST_SLOW");
    return slow != NULL && *slow != '\0' ? many / 20 : many;
}

/* All count on one owner; nothing is lost. */
static void *count(void *argument) {
    taskmgr_task *task = argument;
    for (int i = 0; i < rounds(200000); i++) {
        taskmgr_task_advance(task, 1);
        if (i % 64 == 0) {
            CHECK(!taskmgr_task_abort_requested(task));
            CHECK_OK(taskmgr_task_try_advance(task, 2));
        }
    }
    return NULL;
}

/* Each counts with a reporter of its own. */
static void *count_alone(void *argument) {
    taskmgr_reporter *reporter = NULL;
    CHECK_OK(taskmgr_task_reporter(argument, &reporter));
    for (int i = 0; i < rounds(200000); i++) {
        taskmgr_reporter_advance(reporter, 1);
    }
    taskmgr_reporter_free(reporter);
    return NULL;
}

static uint64_t completed(const taskmgr_task *task) {
    taskmgr_status *status = NULL;
    CHECK_OK(taskmgr_task_status(task, &status));
    uint64_t n = taskmgr_status_progress_completed(status);
    taskmgr_status_free(status);
    return n;
}

static void one_task(const taskmgr_module *module) {
    taskmgr_task *task = new_task(module);
    pthread_t threads[2 * THREADS];
    for (int i = 0; i < THREADS; i++) {
        threads[2 * i] = run_thread(count, task);
        threads[2 * i + 1] = run_thread(count_alone, task);
    }
    uint64_t last = 0;
    for (int i = 0; i < 100; i++) {
        uint64_t now = completed(task);
        CHECK(now >= last);
        last = now;
    }
    for (int i = 0; i < 2 * THREADS; i++) {
        join_thread(threads[i]);
    }
    uint64_t each = (uint64_t)rounds(200000);
    uint64_t twice = 2 * ((each + 63) / 64);
    CHECK(completed(task) == THREADS * (2 * each + twice));
    finish_and_free(task);
}

/* Of several that end one task exactly one wins. */
typedef struct {
    taskmgr_task *task;
    atomic_int *won;
    int fails;
} rival;

static void *end_it(void *argument) {
    rival *self = argument;
    taskmgr_code code = self->fails ? taskmgr_task_fail(self->task, TASKMGR_STR("failed"))
                                    : taskmgr_task_finish(self->task);
    CHECK(code == TASKMGR_OK || code == TASKMGR_ALREADY_FINISHED);
    if (code == TASKMGR_OK) {
        atomic_fetch_add(self->won, 1);
    }
    taskmgr_task_free(self->task);
    return NULL;
}

static void one_end(const taskmgr_module *module) {
    for (int round = 0; round < rounds(400); round++) {
        atomic_int won = 0;
        taskmgr_task *task = new_task(module);
        rival rivals[THREADS];
        pthread_t threads[THREADS];
        for (int i = 0; i < THREADS; i++) {
            rivals[i].won = &won;
            rivals[i].fails = i % 2;
            CHECK_OK(taskmgr_task_clone(task, &rivals[i].task));
            threads[i] = run_thread(end_it, &rivals[i]);
        }
        taskmgr_task_free(task);
        for (int i = 0; i < THREADS; i++) {
            join_thread(threads[i]);
        }
        CHECK(atomic_load(&won) == 1);
    }
}

/* Guards that go while the task is aborted: data is destroyed once, and never used after. */
typedef struct {
    atomic_int ran, destroyed;
} counts;

static void ran(void *user_data) {
    counts *self = user_data;
    CHECK(atomic_load(&self->destroyed) == 0);
    atomic_fetch_add(&self->ran, 1);
}

static void destroyed(void *user_data) {
    atomic_fetch_add(&((counts *)user_data)->destroyed, 1);
}

static void *abort_it(void *task) {
    CHECK_OK(taskmgr_task_abort(task, TASKMGR_STR("now")));
    return NULL;
}

static void guards(const taskmgr_module *module) {
    for (int round = 0; round < rounds(400); round++) {
        taskmgr_task *task = new_task(module);
        counts *self = calloc(1, sizeof *self);
        CHECK(self != NULL);
        taskmgr_abort_guard *guard = NULL;
        CHECK_OK(taskmgr_task_on_abort(task, ran, self, destroyed, &guard));
        pthread_t other = run_thread(abort_it, task);
        taskmgr_abort_guard_free(guard);
        /* It has run or will not: the data may go. */
        CHECK(atomic_load(&self->destroyed) == 1);
        free(self);
        join_thread(other);
        CHECK_CODE(TASKMGR_ABORTED, taskmgr_task_finish(task));
        taskmgr_task_free(task);
    }
}

/* Everything at once on one manager. */
typedef struct {
    taskmgr_manager *manager;
    taskmgr_module *module;
    taskmgr_task *root;
    atomic_bool *stop;
} worker;

static void *live(void *argument) {
    worker *self = argument;
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("part");
    spec.keyspace = TASKMGR_STR("ks");
    for (int i = 0; i < rounds(4000); i++) {
        taskmgr_task *task = NULL;
        CHECK_OK(i % 2 == 0 ? taskmgr_task_child_start(self->root, &spec, &task)
                            : taskmgr_task_start(self->module, &spec, &task));
        taskmgr_id id = taskmgr_task_id(task);
        taskmgr_task_advance(task, 1);
        taskmgr_observer *observer = NULL;
        CHECK_OK(taskmgr_manager_observe(self->manager, id, &observer));
        if (i % 5 == 0) {
            CHECK_OK(taskmgr_task_fail(task, TASKMGR_STR("some fail")));
        } else if (i % 7 != 0) {
            CHECK_OK(taskmgr_task_finish(task));
        }
        taskmgr_task_free(task);
        taskmgr_status *status = NULL;
        CHECK_OK(taskmgr_observer_wait(observer, A_MINUTE, &status));
        CHECK(taskmgr_state_is_terminal(taskmgr_status_state(status)));
        CHECK_TEXT("ks", taskmgr_status_keyspace(status));
        taskmgr_status_free(status);
        taskmgr_observer_free(observer);
    }
    return NULL;
}

static void *look(void *argument) {
    worker *self = argument;
    while (!atomic_load(self->stop)) {
        taskmgr_filter filter = TASKMGR_FILTER;
        filter.internal = 1;
        taskmgr_stats_list *list = NULL;
        CHECK_OK(taskmgr_module_list(self->module, &filter, &list));
        for (size_t i = 0; i < taskmgr_stats_list_len(list); i++) {
            const taskmgr_stats *stats = taskmgr_stats_list_at(list, i);
            CHECK(taskmgr_stats_state(stats) != 0);
            CHECK(taskmgr_stats_keyspace(stats).data != NULL);
        }
        taskmgr_stats_list_free(list);
        taskmgr_status_list *tree = NULL;
        CHECK_OK(taskmgr_manager_status_tree(self->manager, taskmgr_task_id(self->root), &tree));
        CHECK(taskmgr_status_list_len(tree) >= 1);
        taskmgr_status_list_free(tree);
        CHECK_OK(taskmgr_module_drain(self->module, NULL));
    }
    return NULL;
}

static void everything(taskmgr_manager *manager, taskmgr_module *module) {
    atomic_bool stop = false;
    worker self = {manager, module, new_task(module), &stop};
    pthread_t threads[THREADS + 1];
    threads[THREADS] = run_thread(look, &self);
    for (int i = 0; i < THREADS; i++) {
        threads[i] = run_thread(live, &self);
    }
    for (int i = 0; i < THREADS; i++) {
        join_thread(threads[i]);
    }
    atomic_store(&stop, true);
    join_thread(threads[THREADS]);
    taskmgr_status *status = NULL;
    CHECK_OK(taskmgr_task_status(self.root, &status));
    uint64_t children = (uint64_t)THREADS * (uint64_t)((rounds(4000) + 1) / 2);
    CHECK(taskmgr_status_children_live(status) == 0);
    CHECK(taskmgr_status_children_succeeded(status) + taskmgr_status_children_failed(status) ==
          children);
    CHECK(taskmgr_status_progress_completed(status) == children);
    taskmgr_status_free(status);
    finish_and_free(self.root);
}

/* The manager is closed while others start tasks: each is started or refused, none is lost. */
static void *start_until_closed(void *argument) {
    worker *self = argument;
    taskmgr_code code;
    do {
        taskmgr_task_spec spec = TASKMGR_TASK_SPEC("late");
        taskmgr_task *task = NULL;
        code = taskmgr_task_start(self->module, &spec, &task);
        CHECK(code == TASKMGR_OK || code == TASKMGR_CLOSED || code == TASKMGR_ABORTED);
        CHECK((code == TASKMGR_OK) == (task != NULL));
        if (code == TASKMGR_OK) {
            taskmgr_code ended = taskmgr_task_finish(task);
            CHECK(ended == TASKMGR_OK || ended == TASKMGR_ABORTED);
        }
        taskmgr_task_free(task);
    } while (code != TASKMGR_CLOSED);
    return NULL;
}

static void closing(void) {
    for (int round = 0; round < rounds(100); round++) {
        taskmgr_manager *manager = new_manager();
        worker self = {manager, new_module(manager, "repair"), NULL, NULL};
        pthread_t threads[THREADS];
        for (int i = 0; i < THREADS; i++) {
            threads[i] = run_thread(start_until_closed, &self);
        }
        taskmgr_close_report *report = NULL;
        CHECK_OK(taskmgr_manager_close(manager, A_MINUTE, &report));
        CHECK(taskmgr_close_report_is_complete(report));
        taskmgr_close_report_free(report);
        for (int i = 0; i < THREADS; i++) {
            join_thread(threads[i]);
        }
        taskmgr_module_free(self.module);
        taskmgr_manager_free(manager);
    }
}

int main(void) {
    taskmgr_manager *manager = new_manager();
    taskmgr_module *module = new_module(manager, "repair");
    one_task(module);
    one_end(module);
    guards(module);
    everything(manager, module);
    CHECK_OK(taskmgr_manager_close(manager, A_MINUTE, NULL));
    taskmgr_module_free(module);
    taskmgr_manager_free(manager);
    closing();
    return 0;
}
