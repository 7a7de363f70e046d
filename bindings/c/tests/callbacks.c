/* Callbacks: when they run, where, how often; and that user data is destroyed exactly once
 * (abort_4, wait_3, wait_5). */
#include "fixture.h"

typedef struct {
    int ran;
    int destroyed;
    taskmgr_code code;
    taskmgr_state state;
    pthread_t thread;
    /* What a callback frees or asks, if any. */
    taskmgr_task *task;
    taskmgr_observer *observer;
    taskmgr_manager *manager;
    taskmgr_module *module;
    taskmgr_status *kept;
    taskmgr_code nested;
} data;

static void destroy(void *user_data) {
    data *self = user_data;
    self->destroyed++;
}

static void on_abort(void *user_data) {
    data *self = user_data;
    CHECK(self->destroyed == 0);
    self->ran++;
    self->thread = pthread_self();
    if (self->observer != NULL) {
        self->nested = taskmgr_observer_wait(self->observer, TASKMGR_FOREVER, NULL);
    }
    taskmgr_task_free(self->task);
    self->task = NULL;
}

static void on_done(void *user_data, taskmgr_code code, const taskmgr_status *status) {
    data *self = user_data;
    CHECK(self->destroyed == 0);
    self->ran++;
    self->code = code;
    self->thread = pthread_self();
    CHECK((code == TASKMGR_OK) == (status != NULL));
    if (status != NULL) {
        self->state = taskmgr_status_state(status);
        CHECK_OK(taskmgr_status_clone(status, &self->kept));
    } else {
        CHECK(taskmgr_last_error_code() == code);
    }
    taskmgr_task_free(self->task);
    taskmgr_observer_free(self->observer);
    taskmgr_module_free(self->module);
    taskmgr_manager_free(self->manager);
    self->task = NULL;
    self->observer = NULL;
    self->module = NULL;
    self->manager = NULL;
}

static void check_and_reset(data *self, int ran) {
    CHECK(self->ran == ran);
    CHECK(self->destroyed == 1);
    taskmgr_status_free(self->kept);
    memset(self, 0, sizeof *self);
}

static void abort_callbacks(const taskmgr_module *module) {
    data self = {0};
    taskmgr_abort_guard *guard = NULL;

    /* It runs on the thread that aborts, once; the guard may outlive it. */
    taskmgr_task *task = new_task(module);
    CHECK_OK(taskmgr_task_on_abort(task, on_abort, &self, destroy, &guard));
    CHECK(guard != NULL && self.ran == 0 && self.destroyed == 0);
    CHECK_OK(taskmgr_task_abort(task, TASKMGR_STR("now")));
    CHECK(pthread_equal(self.thread, pthread_self()));
    CHECK_OK(taskmgr_task_abort(task, TASKMGR_STR("again")));
    taskmgr_abort_guard_free(guard);
    check_and_reset(&self, 1);

    /* It runs at once where the abort came first. */
    taskmgr_reporter *reporter = NULL;
    CHECK_OK(taskmgr_task_reporter(task, &reporter));
    CHECK_OK(taskmgr_reporter_on_abort(reporter, on_abort, &self, destroy, &guard));
    check_and_reset(&self, 1);
    taskmgr_abort_guard_free(guard);
    CHECK_CODE(TASKMGR_ABORTED, taskmgr_task_finish(task));
    taskmgr_reporter_free(reporter);
    taskmgr_task_free(task);

    /* A guard that goes first takes it along. */
    task = new_task(module);
    CHECK_OK(taskmgr_task_reporter(task, &reporter));
    CHECK_OK(taskmgr_reporter_on_abort(reporter, on_abort, &self, destroy, &guard));
    taskmgr_reporter_free(reporter);
    taskmgr_abort_guard_free(guard);
    check_and_reset(&self, 0);
    CHECK_OK(taskmgr_task_abort(task, TASKMGR_STR("now")));
    CHECK(self.ran == 0);
    taskmgr_task_free(task);
}

static void abort_callbacks_without_a_guard(const taskmgr_module *module) {
    data self = {0};
    taskmgr_abort_guard *guard = NULL;

    /* A forgotten one stays, and so does one without a guard, until the task ends. */
    taskmgr_task *task = new_task(module);
    CHECK_OK(taskmgr_task_on_abort(task, on_abort, &self, destroy, &guard));
    taskmgr_abort_guard_forget(guard);
    CHECK(self.destroyed == 0);
    CHECK_OK(taskmgr_task_finish(task));
    check_and_reset(&self, 0);
    CHECK_OK(taskmgr_task_on_abort(task, on_abort, &self, destroy, &guard));
    check_and_reset(&self, 0);
    taskmgr_abort_guard_free(guard);
    taskmgr_task_free(task);
    task = new_task(module);
    CHECK_OK(taskmgr_task_on_abort(task, on_abort, &self, destroy, NULL));
    CHECK_OK(taskmgr_task_abort(task, TASKMGR_STR("now")));
    check_and_reset(&self, 1);
    CHECK_CODE(TASKMGR_ABORTED, taskmgr_task_finish(task));
    taskmgr_task_free(task);

    /* User data without a destructor is the host's. */
    task = new_task(module);
    CHECK_OK(taskmgr_task_on_abort(task, on_abort, &self, NULL, &guard));
    taskmgr_abort_guard_free(guard);
    CHECK(self.destroyed == 0);
    finish_and_free(task);
    taskmgr_abort_guard_free(NULL);
    taskmgr_abort_guard_forget(NULL);
}

static void done_callbacks(const taskmgr_manager *manager, const taskmgr_module *module) {
    data self = {0};
    taskmgr_done_guard *guard = NULL;
    taskmgr_task *task = new_task(module);
    taskmgr_observer *observer = new_observer(task);
    CHECK_OK(taskmgr_observer_on_done(observer, on_done, &self, destroy, &guard));
    CHECK(guard != NULL && self.ran == 0);
    CHECK_OK(taskmgr_task_fail(task, TASKMGR_STR("disk")));
    CHECK(self.code == TASKMGR_OK && self.state == TASKMGR_STATE_FAILED);
    CHECK_TEXT("disk", taskmgr_status_error(self.kept));
    taskmgr_done_guard_free(guard);
    check_and_reset(&self, 1);

    /* At once, where it is over. */
    CHECK_OK(taskmgr_observer_on_done(observer, on_done, &self, destroy, NULL));
    check_and_reset(&self, 1);
    taskmgr_observer_free(observer);
    taskmgr_task_free(task);

    task = new_task(module);
    taskmgr_id id = taskmgr_task_id(task);
    CHECK_OK(taskmgr_manager_on_done(manager, id, on_done, &self, destroy, &guard));
    taskmgr_done_guard_free(guard);
    check_and_reset(&self, 0);
    CHECK_OK(taskmgr_manager_on_done(manager, id, on_done, &self, destroy, &guard));
    taskmgr_done_guard_forget(guard);
    finish_and_free(task);
    CHECK(self.state == TASKMGR_STATE_DONE);
    check_and_reset(&self, 1);
    taskmgr_done_guard_free(NULL);
    taskmgr_done_guard_forget(NULL);
}

/* Whatever fails, the user data is destroyed once and the guard is NULL. */
static void user_data_after_errors(const taskmgr_manager *manager, const taskmgr_module *module) {
    data self = {0};
    taskmgr_task *task = new_task(module);
    taskmgr_observer *observer = new_observer(task);
    taskmgr_reporter *reporter = NULL;
    CHECK_OK(taskmgr_task_reporter(task, &reporter));
    taskmgr_abort_guard *abort_guard = (taskmgr_abort_guard *)&self;
    taskmgr_done_guard *done_guard = (taskmgr_done_guard *)&self;

    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "task is a null pointer",
                taskmgr_task_on_abort(NULL, on_abort, &self, destroy, &abort_guard));
    CHECK(abort_guard == NULL);
    check_and_reset(&self, 0);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "the callback is a null pointer",
                taskmgr_task_on_abort(task, NULL, &self, destroy, &abort_guard));
    check_and_reset(&self, 0);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "reporter is a null pointer",
                taskmgr_reporter_on_abort(NULL, on_abort, &self, destroy, &abort_guard));
    check_and_reset(&self, 0);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "the callback is a null pointer",
                taskmgr_reporter_on_abort(reporter, NULL, &self, destroy, &abort_guard));
    check_and_reset(&self, 0);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "observer is a null pointer",
                taskmgr_observer_on_done(NULL, on_done, &self, destroy, &done_guard));
    CHECK(done_guard == NULL);
    check_and_reset(&self, 0);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "the callback is a null pointer",
                taskmgr_observer_on_done(observer, NULL, &self, destroy, &done_guard));
    check_and_reset(&self, 0);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "manager is a null pointer",
                taskmgr_manager_on_done(NULL, taskmgr_task_id(task), on_done, &self, destroy,
                                        &done_guard));
    check_and_reset(&self, 0);
    CHECK_ERROR(TASKMGR_NOT_FOUND, "no task",
                taskmgr_manager_on_done(manager, taskmgr_id_random(), on_done, &self, destroy,
                                        &done_guard));
    check_and_reset(&self, 0);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "the callback is a null pointer",
                taskmgr_manager_on_done(manager, taskmgr_task_id(task), NULL, &self, destroy,
                                        &done_guard));
    check_and_reset(&self, 0);
    taskmgr_reporter_free(reporter);
    taskmgr_observer_free(observer);
    finish_and_free(task);
}

/* A callback may free the handles of the very call that runs it. */
static void freeing_inside(void) {
    data self = {0};
    self.manager = new_manager();
    self.module = new_module(self.manager, "repair");
    self.task = new_task(self.module);
    self.observer = new_observer(self.task);
    CHECK_OK(taskmgr_observer_on_done(self.observer, on_done, &self, destroy, NULL));
    CHECK_OK(taskmgr_task_finish(self.task));
    check_and_reset(&self, 1);

    taskmgr_manager *manager = new_manager();
    taskmgr_module *module = new_module(manager, "repair");
    taskmgr_task *task = new_task(module);
    finish_and_free(new_child(task));
    self.observer = new_observer(task);
    taskmgr_task_free(task);
    CHECK_OK(taskmgr_observer_on_done(self.observer, on_done, &self, destroy, NULL));
    check_and_reset(&self, 1);

    self.task = new_task(module);
    CHECK_OK(taskmgr_task_on_abort(self.task, on_abort, &self, destroy, NULL));
    CHECK_OK(taskmgr_task_abort(self.task, TASKMGR_STR("now")));
    check_and_reset(&self, 1);

    self.task = new_task(module);
    CHECK_OK(taskmgr_task_abort(self.task, TASKMGR_STR("now")));
    CHECK_OK(taskmgr_task_on_abort(self.task, on_abort, &self, destroy, NULL));
    check_and_reset(&self, 1);

    /* Here the module is closed, and the last handles go while it is. */
    self.task = new_task(module);
    self.observer = new_observer(self.task);
    CHECK_OK(taskmgr_task_on_abort(self.task, on_abort, &self, destroy, NULL));
    CHECK_OK(taskmgr_module_close(module, A_MINUTE, NULL));
    CHECK(self.nested == TASKMGR_WOULD_DEADLOCK);
    taskmgr_observer_free(self.observer);
    check_and_reset(&self, 1);
    taskmgr_module_free(module);

    /* And here the manager. */
    self.manager = manager;
    self.module = new_module(manager, "backup");
    task = new_task(self.module);
    CHECK_OK(taskmgr_manager_on_done(manager, taskmgr_task_id(task), on_done, &self, destroy,
                                     NULL));
    data abort = {0};
    abort.task = task;
    CHECK_OK(taskmgr_task_on_abort(task, on_abort, &abort, destroy, NULL));
    CHECK_OK(taskmgr_manager_close(manager, A_MINUTE, NULL));
    check_and_reset(&abort, 1);
    check_and_reset(&self, 1);
}

/* The same of the last handle of a task that goes with it: a child, or a root that nobody keeps. */
static taskmgr_task *new_short_one(const taskmgr_module *module, const taskmgr_task *parent) {
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("short");
    taskmgr_task *task = NULL;
    CHECK_OK(parent == NULL ? taskmgr_task_start(module, &spec, &task)
                            : taskmgr_task_child_start(parent, &spec, &task));
    return task;
}

static void ignore(void *user_data) { (void)user_data; }

static void free_as_destroyed(void *user_data) {
    data *self = user_data;
    self->destroyed++;
    taskmgr_task_free(self->task);
    self->task = NULL;
}

static int compare_ids(const void *one, const void *other) {
    return memcmp(one, other, sizeof(taskmgr_id));
}

static void freeing_the_last_inside(const taskmgr_module *module, const taskmgr_task *parent) {
    enum { ROUNDS = 100, TASKS = 300 };
    data self = {0};
    for (int round = 0; round < ROUNDS; round++) {
        self.task = new_short_one(module, parent);
        CHECK_OK(taskmgr_task_on_abort(self.task, on_abort, &self, destroy, NULL));
        CHECK_OK(taskmgr_task_abort(self.task, TASKMGR_STR("now")));
        check_and_reset(&self, 1);

        /* Called at once, with a guard of a task that has gone by then. */
        taskmgr_abort_guard *guard = NULL;
        self.task = new_short_one(module, parent);
        CHECK_OK(taskmgr_task_abort(self.task, TASKMGR_STR("now")));
        CHECK_OK(taskmgr_task_on_abort(self.task, on_abort, &self, destroy, &guard));
        taskmgr_abort_guard_free(guard);
        check_and_reset(&self, 1);

        /* What a callback owns frees the task, as the end drops the callback. */
        self.task = new_short_one(module, parent);
        CHECK_OK(taskmgr_task_on_abort(self.task, ignore, &self, free_as_destroyed, NULL));
        CHECK_OK(taskmgr_task_finish(self.task));
        check_and_reset(&self, 0);
        self.task = new_short_one(module, parent);
        CHECK_OK(taskmgr_task_on_abort(self.task, ignore, &self, free_as_destroyed, NULL));
        CHECK_OK(taskmgr_task_fail(self.task, TASKMGR_STR("broken")));
        check_and_reset(&self, 0);
    }
    /* Nothing was given back twice: no two tasks live in one place. */
    taskmgr_task *tasks[TASKS];
    taskmgr_id ids[TASKS];
    for (int at = 0; at < TASKS; at++) {
        tasks[at] = new_short_one(module, parent);
        ids[at] = taskmgr_task_id(tasks[at]);
    }
    qsort(ids, TASKS, sizeof ids[0], compare_ids);
    for (int at = 1; at < TASKS; at++) {
        CHECK(compare_ids(&ids[at - 1], &ids[at]) != 0);
    }
    for (int at = 0; at < TASKS; at++) {
        finish_and_free(tasks[at]);
    }
}

/* Who waits at the deadline of a close is told that. */
static void closed(void) {
    data self = {0};
    taskmgr_manager *manager = new_manager();
    taskmgr_module *module = new_module(manager, "repair");
    taskmgr_task *task = new_task(module);
    CHECK_OK(taskmgr_manager_on_done(manager, taskmgr_task_id(task), on_done, &self, destroy,
                                     NULL));
    CHECK_OK(taskmgr_manager_close(manager, 0, NULL));
    CHECK(self.code == TASKMGR_CLOSED);
    check_and_reset(&self, 1);
    taskmgr_task_free(task);
    taskmgr_module_free(module);
    taskmgr_manager_free(manager);
}

typedef struct {
    taskmgr_task *task;
    taskmgr_manager *manager;
    taskmgr_observer *observer;
} around;

static void ask_without_blocking(void *user_data) {
    around *self = user_data;
    taskmgr_status *status = NULL;
    CHECK_OK(taskmgr_observer_status(self->observer, &status));
    taskmgr_status_free(status);
    CHECK_CODE(TASKMGR_TIMEOUT, taskmgr_observer_wait(self->observer, 0, NULL));
    CHECK_ERROR(TASKMGR_WOULD_DEADLOCK, "would block",
                taskmgr_observer_wait(self->observer, 1, NULL));
    CHECK_CODE(TASKMGR_WOULD_DEADLOCK,
               taskmgr_manager_wait(self->manager, taskmgr_task_id(self->task), 1, NULL));
    CHECK_OK(taskmgr_observer_suspend(self->observer));
    CHECK_CODE(TASKMGR_WOULD_DEADLOCK, taskmgr_task_checkpoint(self->task));
    CHECK_OK(taskmgr_observer_resume(self->observer));
}

static void nonblocking(const taskmgr_module *module, taskmgr_manager *manager) {
    taskmgr_task *task = new_task(module);
    around self = {task, manager, new_observer(task)};
    CHECK_OK(taskmgr_nonblocking(ask_without_blocking, &self));
    CHECK_CODE(TASKMGR_TIMEOUT, taskmgr_observer_wait(self.observer, 1, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "work is a null pointer",
                taskmgr_nonblocking(NULL, &self));
    taskmgr_observer_free(self.observer);
    finish_and_free(task);
}

int main(void) {
    taskmgr_manager *manager = new_manager();
    taskmgr_module *module = new_module(manager, "repair");
    abort_callbacks(module);
    abort_callbacks_without_a_guard(module);
    done_callbacks(manager, module);
    user_data_after_errors(manager, module);
    nonblocking(module, manager);
    freeing_inside();
    taskmgr_task *parent = new_task(module);
    freeing_the_last_inside(module, NULL);
    freeing_the_last_inside(module, parent);
    finish_and_free(parent);
    closed();
    taskmgr_module_free(module);
    taskmgr_manager_free(manager);
    return 0;
}
