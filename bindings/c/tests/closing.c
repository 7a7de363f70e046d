/* Closing modules and managers, and freeing what is left in any order (mod_1, life_7). */
#include "fixture.h"

static void closing_modules(void) {
    taskmgr_manager *manager = new_manager();
    taskmgr_module *module = new_module(manager, "repair");
    taskmgr_task *task = new_task(module);
    taskmgr_close_report *report = NULL;
    CHECK_OK(taskmgr_module_close(module, 0, &report));
    CHECK(!taskmgr_close_report_is_complete(report));
    const taskmgr_stats_list *left = taskmgr_close_report_still_running(report);
    CHECK(taskmgr_stats_list_len(left) == 1);
    CHECK(taskmgr_id_equal(taskmgr_stats_id(taskmgr_stats_list_at(left, 0)),
                           taskmgr_task_id(task)));
    taskmgr_close_report_free(report);
    taskmgr_close_report_free(NULL);
    CHECK_VALUE_ERROR(!taskmgr_close_report_is_complete(NULL));
    CHECK_VALUE_ERROR(taskmgr_close_report_still_running(NULL) == NULL);

    CHECK(taskmgr_task_abort_requested(task));
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("repair");
    taskmgr_task *refused = NULL;
    CHECK_CODE(TASKMGR_CLOSED, taskmgr_task_start(module, &spec, &refused));
    CHECK_CODE(TASKMGR_ABORTED, taskmgr_task_finish(task));
    taskmgr_task_free(task);
    /* Again, also once the name is another's. */
    CHECK_OK(taskmgr_module_close(module, A_MINUTE, &report));
    CHECK(taskmgr_close_report_is_complete(report));
    taskmgr_close_report_free(report);
    taskmgr_module *anew = new_module(manager, "repair");
    CHECK_OK(taskmgr_module_close(module, 0, NULL));
    CHECK_CODE(TASKMGR_CLOSED, taskmgr_module_drain(module, NULL));
    CHECK_OK(taskmgr_module_drain(anew, NULL));
    taskmgr_module_free(anew);
    taskmgr_module_free(module);

    module = new_module(manager, "backup");
    CHECK_OK(taskmgr_manager_close_module(manager, TASKMGR_STR("backup"), 1000, &report));
    CHECK(taskmgr_close_report_is_complete(report));
    CHECK(taskmgr_stats_list_len(taskmgr_close_report_still_running(report)) == 0);
    taskmgr_close_report_free(report);
    CHECK_CODE(TASKMGR_UNKNOWN_MODULE,
               taskmgr_manager_close_module(manager, TASKMGR_STR("backup"), 0, NULL));
    taskmgr_stats_list *list = NULL;
    CHECK_CODE(TASKMGR_CLOSED, taskmgr_module_list(module, NULL, &list));
    CHECK_CODE(TASKMGR_CLOSED, taskmgr_module_drain(module, NULL));
    taskmgr_module_free(module);
    taskmgr_manager_free(manager);
}

/* After close every call says so, and every handle can still be freed. */
static void closing_the_manager(void) {
    taskmgr_manager *manager = new_manager();
    taskmgr_module *module = new_module(manager, "compaction");
    taskmgr_task *task = new_task(module);
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("repair");
    taskmgr_task *refused = NULL;
    taskmgr_close_report *report = NULL;
    taskmgr_observer *observer = new_observer(task);
    CHECK_OK(taskmgr_manager_close(manager, 0, &report));
    CHECK(!taskmgr_close_report_is_complete(report));
    taskmgr_close_report_free(report);
    CHECK_CODE(TASKMGR_CLOSED, taskmgr_observer_wait(observer, TASKMGR_FOREVER, NULL));
    taskmgr_id id = taskmgr_task_id(task);
    taskmgr_status *status = NULL;
    taskmgr_module *found = NULL;
    taskmgr_strings *names = NULL;
    taskmgr_observer *other = NULL;
    CHECK_CODE(TASKMGR_CLOSED, taskmgr_task_start(module, &spec, &refused));
    /* What still runs is found until it has ended. */
    CHECK_OK(taskmgr_manager_status(manager, id, &status));
    taskmgr_status_free(status);
    taskmgr_task_advance(task, 1);
    CHECK_CODE(TASKMGR_ABORTED, taskmgr_task_finish(task));
    CHECK_OK(taskmgr_observer_status(observer, &status));
    CHECK(taskmgr_status_state(status) == TASKMGR_STATE_FAILED);
    taskmgr_status_free(status);
    CHECK_CODE(TASKMGR_GONE, taskmgr_manager_status(manager, id, &status));
    CHECK(taskmgr_last_error_gone_reason() == TASKMGR_GONE_DRAINED);
    CHECK_OK(taskmgr_manager_close(manager, A_MINUTE, &report));
    CHECK(taskmgr_close_report_is_complete(report));
    taskmgr_close_report_free(report);
    CHECK_CODE(TASKMGR_CLOSED, taskmgr_manager_status(manager, id, &status));
    CHECK_CODE(TASKMGR_CLOSED, taskmgr_manager_observe(manager, id, &other));
    CHECK_CODE(TASKMGR_CLOSED, taskmgr_manager_module(manager, TASKMGR_STR("repair"), &found));
    CHECK_CODE(TASKMGR_CLOSED, taskmgr_manager_modules(manager, &names));
    CHECK_CODE(TASKMGR_CLOSED, taskmgr_manager_set_task_ttl(manager, 0, NULL));
    CHECK_CODE(TASKMGR_CLOSED, taskmgr_manager_abort(manager, id, TASKMGR_STR("now")));
    CHECK_CODE(TASKMGR_CLOSED, taskmgr_manager_wait(manager, id, 0, NULL));
    CHECK(taskmgr_manager_tick(manager) == 0);
    CHECK_OK(taskmgr_manager_close(manager, 0, &report));
    CHECK(taskmgr_close_report_is_complete(report));
    taskmgr_close_report_free(report);
    taskmgr_task_free(task);
    taskmgr_observer_free(observer);
    taskmgr_module_free(module);
    taskmgr_manager_free(manager);
}

/* The manager goes first, then what it has made. */
static void freeing_in_any_order(void) {
    for (int order = 0; order < 6; order++) {
        taskmgr_manager *manager = new_manager();
        taskmgr_module *module = new_module(manager, "repair");
        taskmgr_task *task = new_task(module);
        taskmgr_task *child = new_child(task);
        taskmgr_observer *observer = new_observer(child);
        taskmgr_reporter *reporter = NULL;
        CHECK_OK(taskmgr_task_reporter(child, &reporter));
        static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
        for (int step = 0; step < 3; step++) {
            switch (orders[order][step]) {
            case 0:
                taskmgr_manager_free(manager);
                break;
            case 1:
                taskmgr_task_free(task);
                taskmgr_module_free(module);
                break;
            default:
                taskmgr_task_free(child);
                taskmgr_reporter_advance(reporter, 1);
                CHECK_OK(taskmgr_observer_wait(observer, A_MINUTE, NULL));
                taskmgr_observer_free(observer);
                taskmgr_reporter_free(reporter);
            }
        }
    }
}

/* The longest durations there are. */
static void forever(void) {
    taskmgr_clock *clock = NULL;
    CHECK_OK(taskmgr_clock_create(&clock));
    taskmgr_manager_config config = TASKMGR_MANAGER_CONFIG;
    config.clock = clock;
    config.provider_deadline_ms = TASKMGR_FOREVER;
    taskmgr_manager *manager = NULL;
    CHECK_OK(taskmgr_manager_create(&config, &manager));
    taskmgr_module *module = new_module(manager, "repair");
    taskmgr_task *task = new_task(module);
    CHECK_OK(taskmgr_clock_advance(clock, TASKMGR_FOREVER));
    CHECK_OK(taskmgr_clock_set_wall(clock, INT64_MAX));
    taskmgr_status *status = NULL;
    CHECK_OK(taskmgr_task_status(task, &status));
    CHECK(taskmgr_status_created_at(status) > 0);
    taskmgr_status_free(status);
    finish_and_free(task);
    CHECK_OK(taskmgr_module_close(module, TASKMGR_FOREVER, NULL));
    CHECK_OK(taskmgr_manager_close(manager, TASKMGR_FOREVER, NULL));
    taskmgr_module_free(module);
    taskmgr_manager_free(manager);
    taskmgr_clock_free(clock);
}

int main(void) {
    forever();
    closing_modules();
    closing_the_manager();
    freeing_in_any_order();
    return 0;
}
