/* Observers and reporters, waiting, suspending, and what a status says (wait_1, wait_2, life_9, ttl_3,
 * abort_1, prog_1). */
#include "fixture.h"

static void *finish_it(void *task) {
    taskmgr_task_advance(task, 1);
    CHECK_OK(taskmgr_task_finish(task));
    return NULL;
}

static void waits(const taskmgr_manager *manager, const taskmgr_module *module) {
    taskmgr_task *task = new_task(module);
    taskmgr_observer *observer = new_observer(task);
    taskmgr_id id = taskmgr_task_id(task);
    CHECK(taskmgr_id_equal(id, taskmgr_observer_id(observer)));
    taskmgr_status *status = (taskmgr_status *)&status;
    CHECK_ERROR(TASKMGR_TIMEOUT, "had not ended", taskmgr_observer_wait(observer, 0, &status));
    CHECK(status == NULL);
    CHECK(taskmgr_id_equal(id, taskmgr_last_error_id()));
    CHECK_CODE(TASKMGR_TIMEOUT, taskmgr_observer_wait(observer, 1, NULL));
    CHECK_CODE(TASKMGR_TIMEOUT, taskmgr_manager_wait(manager, id, 1, &status));

    pthread_t other = run_thread(finish_it, task);
    CHECK_OK(taskmgr_observer_wait(observer, TASKMGR_FOREVER, &status));
    CHECK(taskmgr_status_state(status) == TASKMGR_STATE_DONE);
    CHECK(taskmgr_status_progress_completed(status) == 1);
    taskmgr_status_free(status);
    join_thread(other);
    CHECK_OK(taskmgr_observer_wait(observer, TASKMGR_FOREVER, NULL));
    CHECK_OK(taskmgr_manager_wait(manager, id, TASKMGR_FOREVER, &status));
    taskmgr_status_free(status);

    /* The task stays readable for as long as somebody looks at it. */
    taskmgr_task_free(task);
    taskmgr_observer *copy = NULL;
    CHECK_OK(taskmgr_observer_clone(observer, &copy));
    taskmgr_observer_free(observer);
    CHECK_OK(taskmgr_module_drain(module, NULL));
    CHECK_CODE(TASKMGR_GONE, taskmgr_manager_wait(manager, id, 0, NULL));
    CHECK_OK(taskmgr_observer_status(copy, &status));
    CHECK(taskmgr_status_settled(status));
    taskmgr_status_free(status);
    taskmgr_observer_free(copy);
}

static void looks(const taskmgr_manager *manager, const taskmgr_module *module) {
    taskmgr_task *task = new_task(module);
    taskmgr_task *child = new_child(task);
    taskmgr_task *grandchild = new_child(child);
    taskmgr_id id = taskmgr_task_id(task);
    taskmgr_status_list *trees[2] = {NULL, NULL};
    taskmgr_observer *observer = NULL;
    CHECK_OK(taskmgr_manager_observe(manager, id, &observer));
    CHECK_OK(taskmgr_observer_status_tree(observer, &trees[0]));
    CHECK_OK(taskmgr_manager_status_tree(manager, id, &trees[1]));
    for (int i = 0; i < 2; i++) {
        CHECK(taskmgr_status_list_len(trees[i]) == 3);
        const taskmgr_status *last = taskmgr_status_list_at(trees[i], 2);
        CHECK(taskmgr_id_equal(taskmgr_status_id(last), taskmgr_task_id(grandchild)));
        taskmgr_status *kept = NULL;
        CHECK_OK(taskmgr_status_clone(last, &kept));
        CHECK_VALUE_ERROR(taskmgr_status_list_at(trees[i], 3) == NULL);
        taskmgr_status_list_free(trees[i]);
        CHECK_TEXT("part", taskmgr_status_type(kept));
        CHECK_TEXT("repair", taskmgr_status_module(kept));
        taskmgr_status_free(kept);
    }
    taskmgr_observer_free(observer);
    finish_and_free(grandchild);
    finish_and_free(child);
    finish_and_free(task);
}

static void draws(const taskmgr_manager *manager, const taskmgr_module *module) {
    taskmgr_task *task = new_task(module);
    taskmgr_task *failed = new_child(task);
    taskmgr_task *child = new_child(task);
    taskmgr_status_list *tree = NULL;
    CHECK_OK(taskmgr_task_fail(failed, TASKMGR_STR("no space\nat all")));
    CHECK_OK(taskmgr_manager_status_tree(manager, taskmgr_task_id(task), &tree));
    taskmgr_str drawn = taskmgr_status_list_drawn(tree);
    CHECK_TEXT("repair   running  0 %  0 of 2\n"
               "├─ part  failed                no space…\n"
               "└─ part  running\n",
               drawn);
    CHECK(drawn.data[drawn.len] == '\0');
    CHECK(taskmgr_status_list_drawn(tree).data == drawn.data);
    taskmgr_status_list_free(tree);
    taskmgr_task_free(failed);
    finish_and_free(child);
    finish_and_free(task);
}

static void takes(const taskmgr_manager *manager, const taskmgr_module *module) {
    taskmgr_task *task = new_task(module);
    taskmgr_task *child = new_child(task);
    taskmgr_task *grandchild = new_child(child);
    taskmgr_id id = taskmgr_task_id(task);
    taskmgr_status *status = NULL;
    taskmgr_status_list *tree = NULL;
    CHECK_ERROR(TASKMGR_NOT_SETTLED, "", taskmgr_manager_take_status(manager, id, &status));
    CHECK_ERROR(TASKMGR_NOT_SETTLED, "",
                taskmgr_manager_take_status_tree(manager, id, &tree));
    CHECK_OK(taskmgr_manager_read_status(manager, id, &status));
    CHECK(taskmgr_status_state(status) == TASKMGR_STATE_RUNNING);
    taskmgr_status_free(status);
    CHECK_OK(taskmgr_manager_read_status_tree(manager, id, &tree));
    taskmgr_status_list_free(tree);

    CHECK_OK(taskmgr_task_fail(grandchild, TASKMGR_STR("disk")));
    taskmgr_task_free(grandchild);
    finish_and_free(child);
    CHECK_ERROR(TASKMGR_NOT_FOUND, "no task", taskmgr_manager_status(manager, taskmgr_id_random(),
                                                                     &status));
    CHECK_OK(taskmgr_task_status(task, &status));
    CHECK(taskmgr_status_children_succeeded(status) == 1);
    CHECK(taskmgr_status_children_failed(status) == 0);
    CHECK(taskmgr_status_children_live(status) == 0);
    CHECK_TEXT("disk", taskmgr_status_first_error(status));
    CHECK(!taskmgr_status_suspend_requested(status));
    taskmgr_status_free(status);
    finish_and_free(task);
    CHECK_OK(taskmgr_manager_take_status_tree(manager, id, &tree));
    CHECK(taskmgr_status_list_len(tree) == 3);
    taskmgr_status_list_free(tree);
    CHECK_ERROR(TASKMGR_GONE, "read", taskmgr_manager_take_status(manager, id, &status));
    CHECK(taskmgr_last_error_gone_reason() == TASKMGR_GONE_READ);
    taskmgr_observer *observer = (taskmgr_observer *)&id;
    CHECK_CODE(TASKMGR_GONE, taskmgr_manager_observe(manager, id, &observer));
    CHECK(observer == NULL);
}

static void takes_one(const taskmgr_manager *manager, const taskmgr_module *module) {
    taskmgr_status *status = NULL;
    taskmgr_task *task = new_task(module);
    taskmgr_id id = taskmgr_task_id(task);
    finish_and_free(task);
    CHECK_OK(taskmgr_manager_take_status(manager, id, &status));
    taskmgr_status_free(status);

    task = new_task(module);
    taskmgr_task *child = new_child(task);
    taskmgr_id child_id = taskmgr_task_id(child);
    finish_and_free(child);
    CHECK_CODE(TASKMGR_GONE, taskmgr_manager_status(manager, child_id, &status));
    CHECK(taskmgr_last_error_gone_reason() == TASKMGR_GONE_FOLDED);
    finish_and_free(task);
}

typedef struct {
    taskmgr_task *task;
    taskmgr_code code;
} sleeper;

static void *sleep_in_checkpoint(void *argument) {
    sleeper *self = argument;
    do {
        self->code = taskmgr_task_checkpoint(self->task);
        taskmgr_task_advance(self->task, 1);
        sched_yield();
    } while (self->code == TASKMGR_OK);
    return NULL;
}

static void until_suspended(const taskmgr_observer *observer) {
    taskmgr_state state;
    do {
        sched_yield();
        taskmgr_status *status = NULL;
        CHECK_OK(taskmgr_observer_status(observer, &status));
        state = taskmgr_status_state(status);
        taskmgr_status_free(status);
    } while (state != TASKMGR_STATE_SUSPENDED);
}

static void suspends(const taskmgr_manager *manager, const taskmgr_module *module) {
    sleeper self = {new_task(module), TASKMGR_OK};
    taskmgr_id id = taskmgr_task_id(self.task);
    taskmgr_observer *observer = new_observer(self.task);
    pthread_t worker = run_thread(sleep_in_checkpoint, &self);
    CHECK_OK(taskmgr_observer_suspend(observer));
    until_suspended(observer);
    taskmgr_status *status = NULL;
    CHECK_OK(taskmgr_observer_status(observer, &status));
    CHECK(taskmgr_status_suspend_requested(status));
    taskmgr_status_free(status);
    CHECK_OK(taskmgr_observer_resume(observer));
    CHECK_OK(taskmgr_manager_suspend(manager, id));
    until_suspended(observer);
    CHECK_OK(taskmgr_manager_resume(manager, id));
    CHECK_OK(taskmgr_manager_suspend(manager, id));
    until_suspended(observer);
    CHECK_OK(taskmgr_manager_abort(manager, id, TASKMGR_STR("enough")));
    join_thread(worker);
    CHECK(self.code == TASKMGR_ABORTED);
    CHECK_CODE(TASKMGR_ABORTED, taskmgr_task_finish(self.task));
    CHECK_OK(taskmgr_observer_suspend(observer));
    taskmgr_task_free(self.task);
    taskmgr_observer_free(observer);
    CHECK_CODE(TASKMGR_NOT_FOUND, taskmgr_manager_suspend(manager, taskmgr_id_random()));
    CHECK_CODE(TASKMGR_NOT_FOUND, taskmgr_manager_resume(manager, taskmgr_id_random()));
}

static void aborts(const taskmgr_manager *manager, const taskmgr_module *module) {
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("repair");
    taskmgr_task *task = NULL;
    CHECK_OK(taskmgr_task_start(module, &spec, &task));
    taskmgr_observer *observer = new_observer(task);
    CHECK_ERROR(TASKMGR_NOT_ABORTABLE, "is not abortable",
                taskmgr_observer_abort(observer, TASKMGR_STR("now")));
    CHECK_CODE(TASKMGR_NOT_ABORTABLE,
               taskmgr_manager_abort(manager, taskmgr_task_id(task), TASKMGR_STR("now")));
    CHECK(!taskmgr_task_abort_requested(task));
    taskmgr_observer_free(observer);
    finish_and_free(task);

    task = new_task(module);
    observer = new_observer(task);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "UTF-8",
                taskmgr_observer_abort(observer, TASKMGR_STR("\x80")));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "UTF-8",
                taskmgr_manager_abort(manager, taskmgr_task_id(task), TASKMGR_STR("\x80")));
    CHECK(!taskmgr_task_abort_requested(task));
    CHECK_OK(taskmgr_observer_abort(observer, TASKMGR_STR("disk is nearly full")));
    CHECK(taskmgr_task_abort_requested(task));
    CHECK_CODE(TASKMGR_ABORTED, taskmgr_task_finish(task));
    CHECK_OK(taskmgr_observer_abort(observer, TASKMGR_STR("late")));
    taskmgr_task_free(task);
    taskmgr_observer_free(observer);
}

static void reporters(const taskmgr_module *module) {
    taskmgr_task *task = new_task(module);
    taskmgr_reporter *one = NULL;
    taskmgr_reporter *two = NULL;
    CHECK_OK(taskmgr_task_reporter(task, &one));
    CHECK_OK(taskmgr_reporter_clone(one, &two));
    CHECK(taskmgr_id_equal(taskmgr_task_id(task), taskmgr_reporter_id(two)));
    taskmgr_reporter_set_total(one, 100);
    CHECK_OK(taskmgr_reporter_set_units(two, TASKMGR_STR("blocks")));
    taskmgr_reporter_advance(one, 5);
    CHECK_OK(taskmgr_reporter_try_advance(two, 6));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "2^53", taskmgr_reporter_try_advance(two, UINT64_MAX));
    taskmgr_reporter_set_completed(two, 10);
    taskmgr_reporter_set_completed(two, 9);
    taskmgr_task_advance(task, 1);
    taskmgr_status *status = NULL;
    CHECK_OK(taskmgr_reporter_status(one, &status));
    CHECK(taskmgr_status_progress_completed(status) == 16);
    CHECK(taskmgr_status_progress_total(status) == 100);
    CHECK_TEXT("blocks", taskmgr_status_progress_units(status));
    taskmgr_status_free(status);
    taskmgr_reporter_free(two);

    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("part");
    taskmgr_task *child = NULL;
    CHECK_OK(taskmgr_reporter_child_start(one, &spec, &child));
    finish_and_free(child);
    CHECK_OK(taskmgr_reporter_child_create(one, &spec, &child));
    CHECK_OK(taskmgr_task_start_created(child));
    finish_and_free(child);
    taskmgr_observer *observer = NULL;
    CHECK_OK(taskmgr_reporter_observe(one, &observer));
    CHECK(taskmgr_id_equal(taskmgr_task_id(task), taskmgr_observer_id(observer)));
    taskmgr_observer_free(observer);

    CHECK(!taskmgr_reporter_abort_requested(one));
    CHECK_OK(taskmgr_reporter_check_abort(one));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "UTF-8",
                taskmgr_reporter_abort(one, TASKMGR_STR("\xff")));
    CHECK_OK(taskmgr_reporter_abort(one, TASKMGR_STR("a worker has failed")));
    CHECK(taskmgr_reporter_abort_requested(one));
    CHECK_ERROR(TASKMGR_ABORTED, "a worker has failed", taskmgr_reporter_check_abort(one));
    CHECK_CODE(TASKMGR_ABORTED, taskmgr_reporter_child_start(one, &spec, &child));
    CHECK(child == NULL);
    CHECK_CODE(TASKMGR_ABORTED, taskmgr_task_finish(task));
    CHECK_CODE(TASKMGR_PARENT_TERMINAL, taskmgr_reporter_child_create(one, &spec, &child));
    /* What is reported late is dropped. */
    taskmgr_reporter_advance(one, 1);
    CHECK_OK(taskmgr_reporter_status(one, &status));
    CHECK(taskmgr_status_progress_completed(status) == 16);
    taskmgr_status_free(status);
    taskmgr_task_free(task);
    taskmgr_reporter_free(one);
}

static void null_observers(void) {
    taskmgr_status *status = NULL;
    taskmgr_status_list *tree = NULL;
    taskmgr_observer *observer = NULL;
    bool over = true;
    const char *wanted = "observer is a null pointer";
    CHECK_VALUE_ERROR(taskmgr_id_is_nil(taskmgr_observer_id(NULL)));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_observer_status(NULL, &status));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_observer_status_tree(NULL, &tree));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_observer_is_terminal(NULL, &over));
    CHECK(!over);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_observer_wait(NULL, 0, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_observer_abort(NULL, TASKMGR_STR("x")));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_observer_suspend(NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_observer_resume(NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_observer_clone(NULL, &observer));
    taskmgr_observer_free(NULL);
}

static void null_reporters(void) {
    taskmgr_status *status = NULL;
    taskmgr_observer *observer = NULL;
    taskmgr_reporter *reporter = NULL;
    taskmgr_task *child = NULL;
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("part");
    const char *wanted = "reporter is a null pointer";
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_reporter_child_start(NULL, &spec, &child));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_reporter_child_create(NULL, &spec, &child));
    CHECK_VALUE_ERROR((taskmgr_reporter_advance(NULL, 1), 1));
    CHECK_VALUE_ERROR((taskmgr_reporter_set_completed(NULL, 1), 1));
    CHECK_VALUE_ERROR((taskmgr_reporter_set_total(NULL, 1), 1));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_reporter_set_units(NULL, TASKMGR_STR("x")));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_reporter_try_advance(NULL, 1));
    CHECK_VALUE_ERROR(!taskmgr_reporter_abort_requested(NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_reporter_check_abort(NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_reporter_abort(NULL, TASKMGR_STR("x")));
    CHECK_VALUE_ERROR(taskmgr_id_is_nil(taskmgr_reporter_id(NULL)));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_reporter_status(NULL, &status));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_reporter_observe(NULL, &observer));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_reporter_clone(NULL, &reporter));
    taskmgr_reporter_free(NULL);
}

static void null_managers(taskmgr_id id) {
    taskmgr_status *status = NULL;
    taskmgr_status_list *tree = NULL;
    taskmgr_observer *observer = NULL;
    const char *wanted = "manager is a null pointer";
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_manager_observe(NULL, id, &observer));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_manager_status(NULL, id, &status));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_manager_take_status(NULL, id, &status));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_manager_read_status(NULL, id, &status));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_manager_status_tree(NULL, id, &tree));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_manager_take_status_tree(NULL, id, &tree));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_manager_read_status_tree(NULL, id, &tree));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_manager_abort(NULL, id, TASKMGR_STR("x")));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_manager_suspend(NULL, id));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_manager_resume(NULL, id));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_manager_wait(NULL, id, 0, NULL));
}

static void null_places(const taskmgr_manager *manager, const taskmgr_task *task) {
    taskmgr_id id = taskmgr_task_id(task);
    taskmgr_status *status = NULL;
    taskmgr_observer *observer = NULL;
    const char *wanted = "null pointer";
    observer = new_observer(task);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_observer_status(observer, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_observer_status_tree(observer, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_observer_is_terminal(observer, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_observer_clone(observer, NULL));
    taskmgr_observer_free(observer);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_manager_observe(manager, id, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_manager_status(manager, id, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_manager_status_tree(manager, id, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_status_clone(NULL, &status));
    taskmgr_status_free(NULL);
    taskmgr_status_list_free(NULL);
    CHECK_VALUE_ERROR(taskmgr_status_list_len(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_status_list_at(NULL, 0) == NULL);
    CHECK_VALUE_ERROR(taskmgr_status_list_drawn(NULL).len == 0);
}

static void fields_of_null(void) {
    CHECK_VALUE_ERROR(taskmgr_id_is_nil(taskmgr_status_child_id(NULL, 0)));
    CHECK_VALUE_ERROR(taskmgr_status_child_node(NULL, 0).len == 0);
    CHECK_VALUE_ERROR(taskmgr_id_is_nil(taskmgr_status_id(NULL)));
    CHECK_VALUE_ERROR(taskmgr_status_type(NULL).len == 0);
    CHECK_VALUE_ERROR(taskmgr_status_kind(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_status_scope(NULL).len == 0);
    CHECK_VALUE_ERROR(taskmgr_status_state(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_status_sequence_number(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_status_keyspace(NULL).len == 0);
    CHECK_VALUE_ERROR(taskmgr_status_table(NULL).len == 0);
    CHECK_VALUE_ERROR(taskmgr_status_entity(NULL).len == 0);
    CHECK_VALUE_ERROR(taskmgr_status_shard(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_status_start_time(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_status_end_time(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_status_created_at(NULL) == 0);
    CHECK_VALUE_ERROR(!taskmgr_status_internal(NULL));
    CHECK_VALUE_ERROR(taskmgr_status_module(NULL).len == 0);
    CHECK_VALUE_ERROR(!taskmgr_status_is_abortable(NULL));
    CHECK_VALUE_ERROR(taskmgr_status_error(NULL).len == 0);
    CHECK_VALUE_ERROR(taskmgr_id_is_nil(taskmgr_status_parent_id(NULL)));
    CHECK_VALUE_ERROR(taskmgr_status_progress_units(NULL).len == 0);
    CHECK_VALUE_ERROR(taskmgr_status_progress_completed(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_status_progress_total(NULL) == 0);
    CHECK_VALUE_ERROR(!taskmgr_status_progress_total_known(NULL));
    CHECK_VALUE_ERROR(!taskmgr_status_user_task(NULL));
    CHECK_VALUE_ERROR(!taskmgr_status_settled(NULL));
    CHECK_VALUE_ERROR(!taskmgr_status_suspend_requested(NULL));
    CHECK_VALUE_ERROR(!taskmgr_status_abort_requested(NULL));
    CHECK_VALUE_ERROR(taskmgr_status_abort_reason(NULL).len == 0);
    CHECK_VALUE_ERROR(taskmgr_status_abort_requested_at(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_status_abort_polls(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_status_abort_last_poll(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_status_children_live(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_status_children_succeeded(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_status_children_failed(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_status_children_not_kept(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_status_first_error(NULL).len == 0);
    CHECK_VALUE_ERROR(taskmgr_status_children_len(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_id_is_nil(taskmgr_stats_id(NULL)));
    CHECK_VALUE_ERROR(taskmgr_stats_type(NULL).len == 0);
    CHECK_VALUE_ERROR(taskmgr_stats_kind(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_stats_scope(NULL).len == 0);
    CHECK_VALUE_ERROR(taskmgr_stats_state(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_stats_sequence_number(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_stats_keyspace(NULL).len == 0);
    CHECK_VALUE_ERROR(taskmgr_stats_table(NULL).len == 0);
    CHECK_VALUE_ERROR(taskmgr_stats_entity(NULL).len == 0);
    CHECK_VALUE_ERROR(taskmgr_stats_shard(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_stats_start_time(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_stats_end_time(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_stats_created_at(NULL) == 0);
    CHECK_VALUE_ERROR(!taskmgr_stats_internal(NULL));
}

int main(void) {
    taskmgr_manager *manager = new_manager();
    taskmgr_module *module = new_module(manager, "repair");
    waits(manager, module);
    looks(manager, module);
    draws(manager, module);
    takes(manager, module);
    takes_one(manager, module);
    suspends(manager, module);
    aborts(manager, module);
    reporters(module);
    taskmgr_task *task = new_task(module);
    null_observers();
    null_reporters();
    null_managers(taskmgr_task_id(task));
    null_places(manager, task);
    finish_and_free(task);
    fields_of_null();
    taskmgr_module_free(module);
    taskmgr_manager_free(manager);
    return 0;
}
