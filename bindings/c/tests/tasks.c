/* Owners: specs, the life cycle, progress, aborts, children (life_1, life_3, life_6, prog_1, abort_2,
 * tree_1). */
#include "fixture.h"

static taskmgr_status *status_of(const taskmgr_task *task) {
    taskmgr_status *status = NULL;
    CHECK_OK(taskmgr_task_status(task, &status));
    return status;
}

static taskmgr_state state_of(const taskmgr_task *task) {
    taskmgr_status *status = status_of(task);
    taskmgr_state state = taskmgr_status_state(status);
    taskmgr_status_free(status);
    return state;
}

static void specs(const taskmgr_module *module) {
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("repair");
    spec.scope = TASKMGR_STR("table");
    spec.keyspace = TASKMGR_STR("ks");
    spec.table = TASKMGR_STR_N("events and more", 6);
    spec.entity = TASKMGR_STR("(1, 2]");
    spec.units = TASKMGR_STR("ranges");
    spec.total = 256;
    spec.id = taskmgr_id_random();
    spec.shard = 7;
    spec.abortable = 1;
    spec.user_task = 1;
    taskmgr_task *task = NULL;
    CHECK_OK(taskmgr_task_start(module, &spec, &task));
    CHECK(taskmgr_id_equal(taskmgr_task_id(task), spec.id));
    taskmgr_status *status = status_of(task);
    CHECK(taskmgr_id_equal(taskmgr_status_id(status), spec.id));
    CHECK_TEXT("repair", taskmgr_status_type(status));
    CHECK_TEXT("repair", taskmgr_status_module(status));
    CHECK_TEXT("table", taskmgr_status_scope(status));
    CHECK_TEXT("ks", taskmgr_status_keyspace(status));
    CHECK_TEXT("events", taskmgr_status_table(status));
    CHECK_TEXT("(1, 2]", taskmgr_status_entity(status));
    CHECK_TEXT("ranges", taskmgr_status_progress_units(status));
    CHECK(taskmgr_status_progress_total(status) == 256);
    CHECK(taskmgr_status_progress_total_known(status));
    CHECK(taskmgr_status_shard(status) == 7);
    CHECK(taskmgr_status_is_abortable(status));
    CHECK(taskmgr_status_user_task(status));
    CHECK(!taskmgr_status_internal(status));
    CHECK(taskmgr_status_kind(status) == TASKMGR_KIND_NODE);
    taskmgr_status_free(status);

    taskmgr_task *again = task;
    CHECK_ERROR(TASKMGR_ID_IN_USE, "", taskmgr_task_start(module, &spec, &again));
    CHECK(again == NULL);
    finish_and_free(task);
}

/* A child takes what it is not told from its parent. */
static void inherited(const taskmgr_module *module) {
    taskmgr_task *task = new_task(module);
    taskmgr_task_spec plain = TASKMGR_TASK_SPEC("part");
    plain.internal = 1;
    plain.units = TASKMGR_STR("bytes");
    taskmgr_task *child = NULL;
    CHECK_OK(taskmgr_task_child_create(task, &plain, &child));
    CHECK(state_of(child) == TASKMGR_STATE_CREATED);
    taskmgr_status *status = status_of(child);
    CHECK(taskmgr_status_internal(status));
    taskmgr_status *of_parent = status_of(task);
    CHECK(taskmgr_status_sequence_number(status) > 0);
    CHECK(taskmgr_status_sequence_number(status) == taskmgr_status_sequence_number(of_parent));
    taskmgr_status_free(of_parent);
    CHECK(taskmgr_id_equal(taskmgr_status_parent_id(status), taskmgr_task_id(task)));
    taskmgr_status_free(status);
    CHECK_OK(taskmgr_task_start_created(child));
    taskmgr_task_advance(child, 5);
    status = status_of(child);
    CHECK(!taskmgr_status_progress_total_known(status));
    CHECK(taskmgr_status_progress_completed(status) == 5);
    CHECK(taskmgr_status_progress_total(status) == 5);
    taskmgr_status_free(status);
    finish_and_free(child);
    finish_and_free(task);
}

static void bad_specs(const taskmgr_module *module) {
    taskmgr_task *task = (taskmgr_task *)&task;
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("");
    CHECK_CODE(TASKMGR_INVALID_ARGUMENT, taskmgr_task_start(module, &spec, &task));
    CHECK(task == NULL);
    spec = TASKMGR_TASK_SPEC("re\npair");
    CHECK_CODE(TASKMGR_INVALID_ARGUMENT, taskmgr_task_start(module, &spec, &task));
    char long_name[257];
    memset(long_name, 'x', 256);
    long_name[256] = '\0';
    spec = TASKMGR_TASK_SPEC(long_name);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "255", taskmgr_task_create(module, &spec, &task));
    spec = TASKMGR_TASK_SPEC("repair");
    taskmgr_str *texts[] = {&spec.type,  &spec.scope,  &spec.keyspace,
                            &spec.table, &spec.entity, &spec.units};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        taskmgr_str before = *texts[i];
        *texts[i] = TASKMGR_STR("a\xf0");
        CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "byte 1 of 2 does not fit",
                    taskmgr_task_start(module, &spec, &task));
        *texts[i] = TASKMGR_STR("a\xe2\x80\xae");
        CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "bidirectional control U+202E at byte 1",
                    taskmgr_task_start(module, &spec, &task));
        *texts[i] = TASKMGR_STR("  ");
        CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "nothing but blanks",
                    taskmgr_task_start(module, &spec, &task));
        *texts[i] = before;
    }
    size_t sizes[] = {0, 1, sizeof spec - 8, 4096, SIZE_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        spec.size = sizes[i];
        CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "sizeof(taskmgr_task_spec)",
                    taskmgr_task_start(module, &spec, &task));
    }
    spec = TASKMGR_TASK_SPEC("repair");
    taskmgr_task *parent = new_task(module);
    taskmgr_observer *observer = new_observer(parent);
    spec.parent = observer;
    spec.parent_id = taskmgr_task_id(parent);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "one of them", taskmgr_task_start(module, &spec, &task));
    spec.parent_id = TASKMGR_ID_NIL;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "so does the call",
                taskmgr_task_child_start(parent, &spec, &task));
    spec.parent = NULL;
    spec.module = module;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "so does the call",
                taskmgr_task_create(module, &spec, &task));
    spec.module = NULL;
    spec.parent_id = taskmgr_id_random();
    CHECK_ERROR(TASKMGR_NOT_FOUND, "", taskmgr_task_start(module, &spec, &task));
    CHECK(taskmgr_id_equal(spec.parent_id, taskmgr_last_error_id()));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "so does the call",
                taskmgr_task_child_create(parent, &spec, &task));
    taskmgr_observer_free(observer);
    finish_and_free(parent);
}

static void parents(const taskmgr_manager *manager, const taskmgr_module *module) {
    taskmgr_task *parent = new_task(module);
    taskmgr_observer *observer = new_observer(parent);
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("part");
    taskmgr_task *children[3] = {NULL, NULL, NULL};
    spec.parent = observer;
    CHECK_OK(taskmgr_task_start(module, &spec, &children[0]));
    spec.parent = NULL;
    spec.parent_id = taskmgr_task_id(parent);
    CHECK_OK(taskmgr_task_start(module, &spec, &children[1]));
    spec.parent_id = TASKMGR_ID_NIL;
    taskmgr_module *other = new_module(manager, "other");
    spec.module = other;
    CHECK_OK(taskmgr_task_child_start(parent, &spec, &children[2]));
    taskmgr_status *status = status_of(children[2]);
    CHECK_TEXT("other", taskmgr_status_module(status));
    taskmgr_status_free(status);
    status = status_of(parent);
    CHECK(taskmgr_status_children_len(status) == 3);
    CHECK(taskmgr_status_children_live(status) == 3);
    for (size_t i = 0; i < 3; i++) {
        CHECK(taskmgr_id_equal(taskmgr_status_child_id(status, i), taskmgr_task_id(children[i])));
        finish_and_free(children[i]);
    }
    CHECK_VALUE_ERROR(taskmgr_id_is_nil(taskmgr_status_child_id(status, 3)));
    CHECK_VALUE_ERROR(taskmgr_status_child_node(status, 3).len == 0);
    taskmgr_status_free(status);

    CHECK_OK(taskmgr_task_finish(parent));
    spec = TASKMGR_TASK_SPEC("part");
    taskmgr_task *late = NULL;
    CHECK_CODE(TASKMGR_PARENT_TERMINAL, taskmgr_task_child_start(parent, &spec, &late));
    taskmgr_task_free(parent);
    taskmgr_observer_free(observer);
    CHECK_OK(taskmgr_module_close(other, 0, NULL));
    taskmgr_module_free(other);
}

static void life(const taskmgr_module *module) {
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("repair");
    taskmgr_task *task = NULL;
    CHECK_OK(taskmgr_task_create(module, &spec, &task));
    CHECK(state_of(task) == TASKMGR_STATE_CREATED);
    CHECK_OK(taskmgr_task_start_created(task));
    CHECK(state_of(task) == TASKMGR_STATE_RUNNING);
    CHECK_CODE(TASKMGR_ALREADY_STARTED, taskmgr_task_start_created(task));
    CHECK_OK(taskmgr_task_checkpoint(task));
    CHECK_OK(taskmgr_task_finish(task));
    CHECK(state_of(task) == TASKMGR_STATE_DONE);
    CHECK_CODE(TASKMGR_ALREADY_FINISHED, taskmgr_task_finish(task));
    CHECK_CODE(TASKMGR_ALREADY_FINISHED, taskmgr_task_fail(task, TASKMGR_STR("late")));
    CHECK_CODE(TASKMGR_ALREADY_FINISHED, taskmgr_task_start_created(task));
    taskmgr_task_free(task);

    CHECK_OK(taskmgr_task_create(module, &spec, &task));
    CHECK_CODE(TASKMGR_NOT_STARTED, taskmgr_task_finish(task));
    CHECK(state_of(task) == TASKMGR_STATE_FAILED);
    taskmgr_task_free(task);

    CHECK_OK(taskmgr_task_start(module, &spec, &task));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "UTF-8", taskmgr_task_fail(task, TASKMGR_STR("\xff")));
    CHECK(state_of(task) == TASKMGR_STATE_RUNNING);
    CHECK_OK(taskmgr_task_fail(task, TASKMGR_STR("no space left on device")));
    taskmgr_status *status = status_of(task);
    CHECK(taskmgr_status_state(status) == TASKMGR_STATE_FAILED);
    CHECK_TEXT("no space left on device", taskmgr_status_error(status));
    CHECK(taskmgr_status_settled(status));
    CHECK(taskmgr_status_end_time(status) >= taskmgr_status_start_time(status));
    taskmgr_status_free(status);
    taskmgr_task_free(task);

    /* Freed unfinished it fails; all handles of one owner are one. */
    CHECK_OK(taskmgr_task_start(module, &spec, &task));
    taskmgr_observer *observer = new_observer(task);
    taskmgr_task *copy = NULL;
    CHECK_OK(taskmgr_task_clone(task, &copy));
    taskmgr_task_free(task);
    bool over = true;
    CHECK_OK(taskmgr_observer_is_terminal(observer, &over));
    CHECK(!over);
    taskmgr_task_free(copy);
    CHECK_OK(taskmgr_observer_wait(observer, 0, &status));
    CHECK_TEXT("dropped before it finished", taskmgr_status_error(status));
    taskmgr_status_free(status);
    taskmgr_observer_free(observer);
}

static void progress(const taskmgr_module *module) {
    taskmgr_task *task = new_task(module);
    taskmgr_task_advance(task, 3);
    CHECK_OK(taskmgr_task_try_advance(task, 4));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "2^53", taskmgr_task_try_advance(task, UINT64_MAX));
    taskmgr_task_set_completed(task, 5);
    taskmgr_task_set_total(task, 20);
    CHECK_OK(taskmgr_task_set_units(task, TASKMGR_STR("rows")));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "units", taskmgr_task_set_units(task, TASKMGR_STR("a\nb")));
    taskmgr_status *status = status_of(task);
    CHECK_TEXT("rows", taskmgr_status_progress_units(status));
    CHECK(taskmgr_status_progress_completed(status) == 7);
    CHECK(taskmgr_status_progress_total(status) == 20);
    CHECK(taskmgr_status_progress_total_known(status));
    taskmgr_status_free(status);
    taskmgr_task_set_completed(task, 12);
    status = status_of(task);
    CHECK(taskmgr_status_progress_completed(status) == 12);
    taskmgr_status_free(status);
    finish_and_free(task);
}

static void aborts(const taskmgr_module *module) {
    taskmgr_task *task = new_task(module);
    taskmgr_task *child = new_child(task);
    CHECK(!taskmgr_task_abort_requested(task));
    CHECK_OK(taskmgr_task_check_abort(task));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "UTF-8", taskmgr_task_abort(task, TASKMGR_STR("\xff")));
    CHECK(!taskmgr_task_abort_requested(task));
    CHECK_OK(taskmgr_task_abort(task, TASKMGR_STR("shutdown")));
    CHECK_OK(taskmgr_task_abort(task, TASKMGR_STR("another reason")));
    CHECK(taskmgr_task_abort_requested(task));
    CHECK(taskmgr_task_abort_requested(child));
    CHECK_ERROR(TASKMGR_ABORTED, "aborted: shutdown", taskmgr_task_check_abort(child));
    CHECK_ERROR(TASKMGR_ABORTED, "aborted: shutdown", taskmgr_task_checkpoint(task));

    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("part");
    taskmgr_task *born = child;
    CHECK_CODE(TASKMGR_ABORTED, taskmgr_task_child_start(task, &spec, &born));
    CHECK(born == NULL);
    CHECK_OK(taskmgr_task_child_create(task, &spec, &born));
    CHECK_CODE(TASKMGR_ABORTED, taskmgr_task_start_created(born));
    taskmgr_task_free(born);

    taskmgr_status *status = status_of(task);
    CHECK(taskmgr_status_abort_requested(status));
    CHECK_TEXT("shutdown", taskmgr_status_abort_reason(status));
    CHECK(taskmgr_status_abort_polls(status) >= 2);
    CHECK(taskmgr_status_abort_requested_at(status) >= taskmgr_status_start_time(status));
    CHECK(taskmgr_status_abort_last_poll(status) >= taskmgr_status_abort_requested_at(status));
    taskmgr_status_free(status);
    CHECK_CODE(TASKMGR_ABORTED, taskmgr_task_finish(child));
    taskmgr_task_free(child);
    CHECK_OK(taskmgr_task_fail(task, TASKMGR_STR("half done")));
    status = status_of(task);
    CHECK(strstr(taskmgr_status_error(status).data, "shutdown") != NULL);
    CHECK(strstr(taskmgr_status_error(status).data, "half done") != NULL);
    taskmgr_status_free(status);
    taskmgr_task_free(task);
}

static void nulls(const taskmgr_module *module) {
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("repair");
    taskmgr_task *task = NULL;
    taskmgr_status *status = NULL;
    taskmgr_observer *observer = NULL;
    taskmgr_reporter *reporter = NULL;
    const char *wanted = "task is a null pointer";
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "module", taskmgr_task_start(NULL, &spec, &task));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "module", taskmgr_task_create(NULL, &spec, &task));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_child_start(NULL, &spec, &task));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_child_create(NULL, &spec, &task));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_start_created(NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_finish(NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_fail(NULL, TASKMGR_STR("x")));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_try_advance(NULL, 1));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_check_abort(NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_checkpoint(NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_abort(NULL, TASKMGR_STR("x")));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_status(NULL, &status));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_observe(NULL, &observer));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_reporter(NULL, &reporter));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_clone(NULL, &task));
    CHECK_VALUE_ERROR(!taskmgr_task_abort_requested(NULL));
    CHECK_VALUE_ERROR(taskmgr_id_is_nil(taskmgr_task_id(NULL)));
    CHECK_VALUE_ERROR((taskmgr_task_advance(NULL, 1), 1));
    CHECK_VALUE_ERROR((taskmgr_task_set_completed(NULL, 1), 1));
    CHECK_VALUE_ERROR((taskmgr_task_set_total(NULL, 1), 1));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_set_units(NULL, TASKMGR_STR("x")));
    taskmgr_task_free(NULL);

    wanted = "null pointer";
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_start(module, NULL, &task));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_create(module, NULL, &task));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_start(module, &spec, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_create(module, &spec, NULL));
    task = new_task(module);
    taskmgr_task *child = task;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_child_start(task, NULL, &child));
    CHECK(child == NULL);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_child_start(task, &spec, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_child_create(task, &spec, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_status(task, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_observe(task, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_reporter(task, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_task_clone(task, NULL));
    finish_and_free(task);
}

int main(void) {
    taskmgr_manager *manager = new_manager();
    taskmgr_module *module = new_module(manager, "repair");
    specs(module);
    inherited(module);
    bad_specs(module);
    parents(manager, module);
    life(module);
    progress(module);
    aborts(module);
    nulls(module);
    taskmgr_close_report *report = NULL;
    CHECK_OK(taskmgr_manager_close(manager, 0, &report));
    CHECK(taskmgr_close_report_is_complete(report));
    taskmgr_close_report_free(report);
    taskmgr_module_free(module);
    taskmgr_manager_free(manager);
    return 0;
}
