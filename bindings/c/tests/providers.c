/* Virtual tasks: a provider in C (virt_1). */
#include <stdatomic.h>
#include <time.h>

#include "fixture.h"

/* A cluster with one topology change. */
typedef struct {
    pthread_mutex_t lock;
    taskmgr_id id;
    taskmgr_state state;
    taskmgr_completion *watched;
    taskmgr_code fail_with;
    const char *fail_words;
    uint8_t abortable;
    int watch_fails;
    int listed_badly;
    atomic_int destroyed;
    char abort_reason[32];
} cluster;

static taskmgr_virtual_task describe(const cluster *self) {
    taskmgr_virtual_task task = TASKMGR_VIRTUAL_TASK(self->id, "topology change");
    task.scope = TASKMGR_STR("cluster");
    task.keyspace = TASKMGR_STR("ks");
    task.table = TASKMGR_STR("t");
    task.entity = TASKMGR_STR("e");
    task.state = self->state;
    task.abortable = self->abortable;
    task.progress_units = TASKMGR_STR("ranges");
    task.progress_completed = 3;
    task.progress_total = 8;
    task.sequence_number = 4;
    task.shard = 2;
    task.start_time = 1000000000;
    if (self->state == TASKMGR_STATE_FAILED) {
        task.error = TASKMGR_STR("lost a node");
        task.end_time = 2000000000;
    }
    return task;
}

static taskmgr_code list(void *user_data, taskmgr_list_sink *sink) {
    cluster *self = user_data;
    if (self->fail_with != TASKMGR_OK) {
        return self->fail_with;
    }
    pthread_mutex_lock(&self->lock);
    taskmgr_virtual_task task = describe(self);
    pthread_mutex_unlock(&self->lock);
    CHECK_OK(taskmgr_list_sink_add(sink, &task));
    taskmgr_virtual_task bad = task;
    bad.id = TASKMGR_ID_NIL;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "nil id", taskmgr_list_sink_add(sink, &bad));
    bad = task;
    bad.state = 17;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "17 is no state", taskmgr_list_sink_add(sink, &bad));
    bad.state = TASKMGR_STATE_ANY;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "no state", taskmgr_list_sink_add(sink, &bad));
    bad = task;
    bad.size = 5;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "sizeof", taskmgr_list_sink_add(sink, &bad));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "null", taskmgr_list_sink_add(sink, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "sink", taskmgr_list_sink_add(NULL, &task));
    self->listed_badly = 1;
    return TASKMGR_OK;
}

static taskmgr_code status(void *user_data, taskmgr_id id, taskmgr_status_sink *sink) {
    cluster *self = user_data;
    if (self->fail_with != TASKMGR_OK) {
        return self->fail_words == NULL
                   ? self->fail_with
                   : taskmgr_set_error(self->fail_with, TASKMGR_STR(self->fail_words));
    }
    pthread_mutex_lock(&self->lock);
    taskmgr_virtual_task task = describe(self);
    int mine = taskmgr_id_equal(id, self->id);
    pthread_mutex_unlock(&self->lock);
    taskmgr_child child = {self->id, TASKMGR_STR("10.0.0.2")};
    task.children = &child;
    task.children_len = 1;
    if (mine) {
        taskmgr_virtual_task bad = task;
        bad.children = NULL;
        CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "children", taskmgr_status_sink_set(sink, &bad));
        bad = task;
        bad.error = TASKMGR_STR("\xff");
        CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "error", taskmgr_status_sink_set(sink, &bad));
        CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "sink", taskmgr_status_sink_set(NULL, &task));
        CHECK_OK(taskmgr_status_sink_set(sink, &task));
    }
    return TASKMGR_OK;
}

static taskmgr_code stop(void *user_data, taskmgr_id id, taskmgr_str reason) {
    cluster *self = user_data;
    CHECK(taskmgr_id_equal(id, self->id));
    CHECK(reason.data[reason.len] == '\0');
    snprintf(self->abort_reason, sizeof self->abort_reason, "%s", reason.data);
    return TASKMGR_OK;
}

static taskmgr_code watch(void *user_data, taskmgr_id id, taskmgr_completion *completion) {
    cluster *self = user_data;
    CHECK(taskmgr_id_equal(id, self->id));
    CHECK(!taskmgr_completion_is_cancelled(completion));
    if (self->watch_fails) {
        taskmgr_completion_free(completion);
        return taskmgr_set_error(TASKMGR_NOT_SUPPORTED, TASKMGR_STR("nobody can watch"));
    }
    pthread_mutex_lock(&self->lock);
    CHECK(self->watched == NULL);
    self->watched = completion;
    pthread_mutex_unlock(&self->lock);
    return TASKMGR_OK;
}

static taskmgr_code contains(void *user_data, taskmgr_id id, int32_t *answer) {
    cluster *self = user_data;
    *answer = taskmgr_id_equal(id, self->id);
    return TASKMGR_OK;
}

static void destroy(void *user_data) {
    cluster *self = user_data;
    atomic_fetch_add(&self->destroyed, 1);
}

static taskmgr_completion *take_watched(cluster *self) {
    taskmgr_completion *completion = NULL;
    while (completion == NULL) {
        pthread_mutex_lock(&self->lock);
        completion = self->watched;
        self->watched = NULL;
        pthread_mutex_unlock(&self->lock);
        sched_yield();
    }
    return completion;
}

/* The thread that asked a provider last may be the one that lets go of it last. */
static void until_destroyed(const cluster *self, int times) {
    time_t begin = time(NULL);
    while (atomic_load(&self->destroyed) < times) {
        CHECK(time(NULL) - begin < 60);
        sched_yield();
    }
    CHECK(atomic_load(&self->destroyed) == times);
}

static taskmgr_provider table(cluster *self) {
    taskmgr_provider provider = TASKMGR_PROVIDER_INIT;
    provider.user_data = self;
    provider.destroy = destroy;
    provider.list = list;
    provider.status = status;
    provider.abort = stop;
    provider.watch = watch;
    return provider;
}

static void questions(taskmgr_manager *manager, const cluster *self) {
    taskmgr_status *found = NULL;
    CHECK_OK(taskmgr_manager_status(manager, self->id, &found));
    CHECK(taskmgr_status_kind(found) == TASKMGR_KIND_CLUSTER);
    CHECK_TEXT("topology change", taskmgr_status_type(found));
    CHECK_TEXT("node_ops", taskmgr_status_module(found));
    CHECK_TEXT("cluster", taskmgr_status_scope(found));
    CHECK_TEXT("ranges", taskmgr_status_progress_units(found));
    CHECK(taskmgr_status_progress_completed(found) == 3);
    CHECK(taskmgr_status_progress_total(found) == 8);
    CHECK(taskmgr_status_sequence_number(found) == 4);
    CHECK(taskmgr_status_start_time(found) == 1000000000);
    CHECK(taskmgr_status_created_at(found) == 1000000000);
    CHECK(taskmgr_status_end_time(found) == TASKMGR_NO_TIME);
    CHECK(taskmgr_status_children_len(found) == 1);
    CHECK_TEXT("10.0.0.2", taskmgr_status_child_node(found, 0));
    CHECK_TEXT("", taskmgr_status_error(found));
    taskmgr_status_free(found);
}

static void lists_and_children(taskmgr_manager *manager, const taskmgr_module *module,
                               const cluster *self) {
    taskmgr_status *found = NULL;
    taskmgr_stats_list *listed = NULL;
    CHECK_OK(taskmgr_module_list(module, NULL, &listed));
    CHECK(self->listed_badly && taskmgr_stats_list_len(listed) == 1);
    CHECK(taskmgr_stats_list_missing_len(listed) == 0);
    const taskmgr_stats *stats = taskmgr_stats_list_at(listed, 0);
    CHECK(taskmgr_stats_kind(stats) == TASKMGR_KIND_CLUSTER);
    CHECK(taskmgr_id_equal(taskmgr_stats_id(stats), self->id));
    taskmgr_stats_list_free(listed);

    /* A local task may name a virtual one as its parent. */
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("part");
    spec.parent_id = self->id;
    taskmgr_task *local = NULL;
    CHECK_OK(taskmgr_task_start(module, &spec, &local));
    CHECK_OK(taskmgr_manager_status(manager, self->id, &found));
    CHECK(taskmgr_status_children_len(found) == 2);
    taskmgr_status_free(found);
    finish_and_free(local);
}

static void aborts_and_failures(taskmgr_manager *manager, const taskmgr_module *module,
                                cluster *self) {
    taskmgr_status *found = NULL;
    CHECK_ERROR(TASKMGR_NOT_SUPPORTED, "virtual", taskmgr_manager_suspend(manager, self->id));
    CHECK_ERROR(TASKMGR_NOT_SUPPORTED, "virtual", taskmgr_manager_resume(manager, self->id));
    CHECK_ERROR(TASKMGR_NOT_SUPPORTED, "virtual",
                taskmgr_manager_take_status(manager, self->id, &found));
    CHECK_CODE(TASKMGR_NOT_ABORTABLE,
               taskmgr_manager_abort(manager, self->id, TASKMGR_STR("now")));
    self->abortable = 1;
    CHECK_OK(taskmgr_manager_abort(manager, self->id, TASKMGR_STR("now")));
    CHECK(strcmp(self->abort_reason, "now") == 0);

    /* What the provider says of its failure is what is told. */
    self->fail_with = TASKMGR_PROVIDER;
    self->fail_words = "the coordinator is away";
    CHECK_ERROR(TASKMGR_PROVIDER, "the coordinator is away",
                taskmgr_manager_status(manager, self->id, &found));
    self->fail_with = TASKMGR_TASK_FAILED;
    CHECK_ERROR(TASKMGR_TASK_FAILED, "the coordinator is away",
                taskmgr_manager_status(manager, self->id, &found));
    self->fail_with = TASKMGR_EXHAUSTED;
    self->fail_words = NULL;
    CHECK_ERROR(TASKMGR_EXHAUSTED, "exhausted",
                taskmgr_manager_status(manager, self->id, &found));
    self->fail_with = 77;
    CHECK_ERROR(TASKMGR_PROVIDER, "77", taskmgr_manager_status(manager, self->id, &found));
    taskmgr_stats_list *listed = NULL;
    CHECK_OK(taskmgr_module_list(module, NULL, &listed));
    CHECK(taskmgr_stats_list_len(listed) == 0);
    CHECK(taskmgr_stats_list_missing_len(listed) == 1);
    CHECK(strstr(taskmgr_stats_list_missing_at(listed, 0).data, "77") != NULL);
    CHECK(taskmgr_stats_list_missing_at(listed, 1).len == 0);
    CHECK(taskmgr_last_error_code() == TASKMGR_INVALID_ARGUMENT);
    taskmgr_stats_list_free(listed);
    self->fail_with = TASKMGR_OK;
}

typedef struct {
    taskmgr_observer *observer;
    taskmgr_code code;
    taskmgr_state state;
    char words[80];
} waiter;

static void *wait_for_it(void *argument) {
    waiter *self = argument;
    taskmgr_status *found = NULL;
    self->code = taskmgr_observer_wait(self->observer, A_MINUTE, &found);
    if (self->code == TASKMGR_OK) {
        self->state = taskmgr_status_state(found);
    } else {
        snprintf(self->words, sizeof self->words, "%s", taskmgr_last_error());
    }
    taskmgr_status_free(found);
    return NULL;
}

static void on_done(void *user_data, taskmgr_code code, const taskmgr_status *found) {
    (void)found;
    *(taskmgr_code *)user_data = code;
}

static void waits(taskmgr_manager *manager, cluster *self) {
    waiter one = {NULL, TASKMGR_OK, 0, ""};
    CHECK_OK(taskmgr_manager_observe(manager, self->id, &one.observer));
    CHECK_CODE(TASKMGR_TIMEOUT, taskmgr_observer_wait(one.observer, 0, NULL));

    pthread_t thread = run_thread(wait_for_it, &one);
    taskmgr_completion *completion = take_watched(self);
    cluster ended = *self;
    ended.state = TASKMGR_STATE_FAILED;
    taskmgr_virtual_task task = describe(&ended);
    CHECK_OK(taskmgr_completion_complete(completion, &task));
    join_thread(thread);
    CHECK(one.code == TASKMGR_OK && one.state == TASKMGR_STATE_FAILED);

    thread = run_thread(wait_for_it, &one);
    CHECK_OK(taskmgr_completion_fail(take_watched(self), TASKMGR_PROVIDER,
                                     TASKMGR_STR("the cluster is gone")));
    join_thread(thread);
    CHECK(one.code == TASKMGR_PROVIDER && strstr(one.words, "the cluster is gone") != NULL);

    thread = run_thread(wait_for_it, &one);
    taskmgr_completion_free(take_watched(self));
    join_thread(thread);
    CHECK(one.code == TASKMGR_PROVIDER);

    taskmgr_observer_free(one.observer);
}

/* A final status that is none is refused, and who waits is told. */
static void completions_that_tell_nothing(taskmgr_manager *manager, cluster *self) {
    waiter one = {NULL, TASKMGR_OK, 0, ""};
    CHECK_OK(taskmgr_manager_observe(manager, self->id, &one.observer));
    pthread_t thread = run_thread(wait_for_it, &one);
    taskmgr_virtual_task task = describe(self);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "has not ended",
                taskmgr_completion_complete(take_watched(self), &task));
    join_thread(thread);
    CHECK(one.code == TASKMGR_PROVIDER && strstr(one.words, "described no task") != NULL);
    thread = run_thread(wait_for_it, &one);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "null",
                taskmgr_completion_complete(take_watched(self), NULL));
    join_thread(thread);
    CHECK(one.code == TASKMGR_PROVIDER);
    thread = run_thread(wait_for_it, &one);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "no code",
                taskmgr_completion_fail(take_watched(self), TASKMGR_OK, TASKMGR_STR("fine")));
    join_thread(thread);
    CHECK(one.code == TASKMGR_PROVIDER);

    taskmgr_observer_free(one.observer);

    CHECK_VALUE_ERROR(!taskmgr_completion_is_cancelled(NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "completion", taskmgr_completion_complete(NULL, &task));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "completion",
                taskmgr_completion_fail(NULL, TASKMGR_PROVIDER, TASKMGR_STR("x")));
    taskmgr_completion_free(NULL);
}

/* A callback whose guard goes cancels the watch. */
static void callbacks(taskmgr_manager *manager, cluster *self) {
    taskmgr_observer *observer = NULL;
    CHECK_OK(taskmgr_manager_observe(manager, self->id, &observer));
    taskmgr_code told = -1;
    taskmgr_done_guard *guard = NULL;
    CHECK_OK(taskmgr_observer_on_done(observer, on_done, &told, NULL, &guard));
    taskmgr_completion *completion = take_watched(self);
    CHECK(!taskmgr_completion_is_cancelled(completion));
    taskmgr_done_guard_free(guard);
    CHECK(taskmgr_completion_is_cancelled(completion));
    taskmgr_completion_free(completion);
    CHECK(told == -1);

    self->watch_fails = 1;
    CHECK_ERROR(TASKMGR_NOT_SUPPORTED, "nobody can watch",
                taskmgr_observer_on_done(observer, on_done, &told, NULL, NULL));
    self->watch_fails = 0;
    taskmgr_observer_free(observer);
}

int main(void);

static void bad_tables(const taskmgr_module *module) {
    cluster self = {.id = TASKMGR_ID_NIL};
    const char *names[] = {"list", "status", "abort", "watch"};
    for (int i = 0; i < 4; i++) {
        taskmgr_provider provider = table(&self);
        self.destroyed = 0;
        if (i == 0) provider.list = NULL;
        if (i == 1) provider.status = NULL;
        if (i == 2) provider.abort = NULL;
        if (i == 3) provider.watch = NULL;
        CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, names[i],
                    taskmgr_module_register_provider(module, &provider));
        CHECK(self.destroyed == 1);
    }
    taskmgr_provider provider = table(&self);
    self.destroyed = 0;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "module is a null pointer",
                taskmgr_module_register_provider(NULL, &provider));
    CHECK(self.destroyed == 1);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "provider is a null pointer",
                taskmgr_module_register_provider(module, NULL));
    /* A later version's, which asks for something that this library does not know. */
    struct {
        taskmgr_provider known;
        int (*added)(void);
    } later = {provider, main};
    later.known.size = sizeof later;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "does not know",
                taskmgr_module_register_provider(module, &later.known));
    CHECK(self.destroyed == 2);
    provider.size = 8;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "sizeof(taskmgr_provider)",
                taskmgr_module_register_provider(module, &provider));
}

int main(void) {
    static cluster one = {.state = TASKMGR_STATE_RUNNING};
    static cluster two = {.state = TASKMGR_STATE_RUNNING};
    CHECK(pthread_mutex_init(&one.lock, NULL) == 0 && pthread_mutex_init(&two.lock, NULL) == 0);
    one.id = taskmgr_id_random();
    two.id = taskmgr_id_random();
    taskmgr_manager *manager = new_manager();
    taskmgr_module *module = new_module(manager, "node_ops");
    taskmgr_provider provider = table(&one);
    CHECK_OK(taskmgr_module_register_provider(module, &provider));
    questions(manager, &one);
    lists_and_children(manager, module, &one);
    aborts_and_failures(manager, module, &one);
    waits(manager, &one);
    completions_that_tell_nothing(manager, &one);
    callbacks(manager, &one);
    bad_tables(module);

    provider = table(&two);
    provider.contains = contains;
    CHECK_OK(taskmgr_module_register_provider(module, &provider));
    taskmgr_observer *observer = NULL;
    CHECK_OK(taskmgr_manager_observe(manager, two.id, &observer));
    taskmgr_observer_free(observer);

    /* With the module its providers go, and with what fails its user data. */
    CHECK(one.destroyed == 0 && two.destroyed == 0);
    CHECK_OK(taskmgr_module_close(module, A_MINUTE, NULL));
    until_destroyed(&one, 1);
    until_destroyed(&two, 1);
    CHECK_CODE(TASKMGR_CLOSED, taskmgr_module_register_provider(module, &provider));
    CHECK(two.destroyed == 2);
    taskmgr_module_free(module);

    /* The same when the manager goes without being closed, once nobody looks any more. */
    module = new_module(manager, "node_ops");
    CHECK_OK(taskmgr_module_register_provider(module, &provider));
    CHECK_OK(taskmgr_manager_observe(manager, two.id, &observer));
    taskmgr_module_free(module);
    taskmgr_manager_free(manager);
    CHECK(two.destroyed == 2);
    taskmgr_observer_free(observer);
    until_destroyed(&two, 3);
    return 0;
}
