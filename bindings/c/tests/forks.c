/* In a forked child calls say so, nothing hangs, and freeing does nothing (life_10). */
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

static void run_in_child(void (*work)(void)) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        /* A child that hangs is ended, which fails the test. */
        alarm(60);
        work();
        _exit(0);
    }
    int how = 0;
    CHECK(waitpid(child, &how, 0) == child);
    CHECK(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

static taskmgr_manager *manager;
static taskmgr_module *module;
static taskmgr_task *task;
static taskmgr_observer *observer;
static taskmgr_reporter *reporter;
static taskmgr_abort_guard *abort_guard;
static taskmgr_done_guard *done_guard;
static int destroyed;
#ifdef TASKMGR_HTTP
static taskmgr_http_server *http_server;
static taskmgr_http_api *http_api;
static taskmgr_http_waiting *http_waiting;

static void serve(void) {
#ifndef __SANITIZE_ADDRESS__
    /* AddressSanitizer's allocator stays locked in a child if the server's thread allocates at
     * the moment of the fork, unlike that of the C library. */
    taskmgr_http_config config = TASKMGR_HTTP_CONFIG;
    config.address = TASKMGR_STR("127.0.0.1:0");
    CHECK_OK(taskmgr_http_serve(manager, &config, &http_server));
#endif
    CHECK_OK(taskmgr_http_api_create(manager, NULL, &http_api));
    char id[TASKMGR_ID_TEXT];
    char target[100];
    snprintf(target, sizeof target, "/task_manager/wait_task/%s",
             taskmgr_id_format(taskmgr_task_id(task), id));
    taskmgr_http_response *response = NULL;
    CHECK_OK(taskmgr_http_api_handle(http_api, TASKMGR_STR("GET"), TASKMGR_STR(target),
                                     TASKMGR_NO_STR, &response, &http_waiting));
    CHECK(response == NULL && http_waiting != NULL);
}

static void stop_serving(void) {
    if (http_server != NULL) {
        CHECK_OK(taskmgr_http_stop(http_server, A_MINUTE, NULL));
    }
    taskmgr_http_server_free(http_server);
    taskmgr_http_waiting_free(http_waiting);
    taskmgr_http_api_free(http_api);
}
#else
static void serve(void) {}
static void stop_serving(void) {}
#endif

static void on_abort(void *user_data) { (void)user_data; }
static void on_done(void *user_data, taskmgr_code code, const taskmgr_status *status) {
    (void)user_data;
    (void)code;
    (void)status;
}
static void destroy(void *user_data) {
    (void)user_data;
    destroyed++;
}

static const taskmgr_code forked = TASKMGR_FORKED;

static void managers_in_the_child(void) {
    taskmgr_status *status = NULL;
    taskmgr_status_list *tree = NULL;
    taskmgr_stats_list *list = NULL;
    taskmgr_strings *names = NULL;
    taskmgr_module *found = NULL;
    taskmgr_observer *looker = NULL;
    taskmgr_id id = taskmgr_task_id(task);
    taskmgr_str why = TASKMGR_STR("x");
    CHECK_ERROR(forked, "forked", taskmgr_manager_register_module(manager, why, &found));
    CHECK_CODE(forked, taskmgr_manager_module(manager, why, &found));
    CHECK_CODE(forked, taskmgr_manager_modules(manager, &names));
    CHECK_CODE(forked, taskmgr_manager_list(manager, why, NULL, &list));
    CHECK_CODE(forked, taskmgr_manager_drain(manager, why, NULL));
    CHECK_CODE(forked, taskmgr_manager_close_module(manager, why, 0, NULL));
    CHECK_CODE(forked, taskmgr_manager_set_task_ttl(manager, 0, NULL));
    CHECK_CODE(forked, taskmgr_manager_set_user_task_ttl(manager, 0, NULL));
    CHECK_CODE(forked, taskmgr_manager_observe(manager, id, &looker));
    CHECK_CODE(forked, taskmgr_manager_status(manager, id, &status));
    CHECK_CODE(forked, taskmgr_manager_take_status(manager, id, &status));
    CHECK_CODE(forked, taskmgr_manager_read_status(manager, id, &status));
    CHECK_CODE(forked, taskmgr_manager_status_tree(manager, id, &tree));
    CHECK_CODE(forked, taskmgr_manager_abort(manager, id, why));
    CHECK_CODE(forked, taskmgr_manager_suspend(manager, id));
    CHECK_CODE(forked, taskmgr_manager_resume(manager, id));
    CHECK_CODE(forked, taskmgr_manager_wait(manager, id, TASKMGR_FOREVER, NULL));
    CHECK_CODE(forked, taskmgr_manager_on_done(manager, id, on_done, NULL, destroy, NULL));
    CHECK(destroyed == 1);
    CHECK_CODE(forked, taskmgr_manager_close(manager, 0, NULL));
    CHECK(taskmgr_manager_tick(manager) == 0);
}

static void tasks_in_the_child(void) {
    taskmgr_status *status = NULL;
    taskmgr_stats_list *list = NULL;
    taskmgr_task *other = NULL;
    taskmgr_observer *looker = NULL;
    taskmgr_reporter *worker = NULL;
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("repair");
    taskmgr_str why = TASKMGR_STR("x");
    CHECK_CODE(forked, taskmgr_module_list(module, NULL, &list));
    CHECK_CODE(forked, taskmgr_module_drain(module, NULL));
    CHECK_CODE(forked, taskmgr_module_close(module, 0, NULL));
    CHECK_CODE(forked, taskmgr_task_start(module, &spec, &other));
    CHECK_CODE(forked, taskmgr_task_create(module, &spec, &other));
    CHECK_CODE(forked, taskmgr_task_child_start(task, &spec, &other));
    CHECK_CODE(forked, taskmgr_task_child_create(task, &spec, &other));
    CHECK_CODE(forked, taskmgr_task_status(task, &status));
    CHECK_CODE(forked, taskmgr_task_observe(task, &looker));
    CHECK_CODE(forked, taskmgr_task_reporter(task, &worker));
    CHECK_CODE(forked, taskmgr_task_abort(task, why));
    CHECK_CODE(forked, taskmgr_task_on_abort(task, on_abort, NULL, destroy, NULL));
    CHECK(destroyed == 2);
    CHECK_CODE(forked, taskmgr_task_fail(task, why));
    CHECK_CODE(forked, taskmgr_task_finish(task));
}

static void handles_in_the_child(void) {
    taskmgr_status *status = NULL;
    taskmgr_status_list *tree = NULL;
    taskmgr_task *other = NULL;
    taskmgr_observer *looker = NULL;
    taskmgr_reporter *worker = NULL;
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("repair");
    bool over = false;
    taskmgr_str why = TASKMGR_STR("x");
    CHECK_CODE(forked, taskmgr_reporter_child_start(reporter, &spec, &other));
    CHECK_CODE(forked, taskmgr_reporter_status(reporter, &status));
    CHECK_CODE(forked, taskmgr_reporter_observe(reporter, &looker));
    CHECK_CODE(forked, taskmgr_reporter_clone(reporter, &worker));
    CHECK_CODE(forked, taskmgr_reporter_abort(reporter, why));
    CHECK_CODE(forked, taskmgr_reporter_on_abort(reporter, on_abort, NULL, destroy, NULL));
    CHECK_CODE(forked, taskmgr_observer_status(observer, &status));
    CHECK_CODE(forked, taskmgr_observer_status_tree(observer, &tree));
    CHECK_CODE(forked, taskmgr_observer_is_terminal(observer, &over));
    CHECK_CODE(forked, taskmgr_observer_wait(observer, TASKMGR_FOREVER, NULL));
    CHECK_CODE(forked, taskmgr_observer_abort(observer, why));
    CHECK_CODE(forked, taskmgr_observer_suspend(observer));
    CHECK_CODE(forked, taskmgr_observer_resume(observer));
    CHECK_CODE(forked, taskmgr_observer_on_done(observer, on_done, NULL, destroy, NULL));
    CHECK(destroyed == 4);
}

static void http_in_the_child(void) {
#ifdef TASKMGR_HTTP
    taskmgr_http_server *server = NULL;
    taskmgr_http_api *api = NULL;
    CHECK_CODE(forked, taskmgr_http_serve(manager, NULL, &server));
    CHECK_CODE(forked, taskmgr_http_api_create(manager, NULL, &api));
    taskmgr_http_response *response = NULL;
    taskmgr_http_waiting *waiting = NULL;
    taskmgr_str get = TASKMGR_STR("GET");
    taskmgr_str ttl = TASKMGR_STR("/task_manager/ttl");
    CHECK_CODE(forked, taskmgr_http_api_handle(http_api, get, ttl, ttl, &response, &waiting));
    CHECK_CODE(forked, taskmgr_http_api_try_handle(http_api, get, ttl, ttl, &response, &waiting));
    CHECK_CODE(forked, taskmgr_http_waiting_respond(http_waiting, &response));
    CHECK_CODE(forked, taskmgr_http_waiting_on_ready(http_waiting, on_abort, NULL, destroy));
    CHECK(destroyed == 5);
    if (http_server != NULL) {
        CHECK_CODE(forked, taskmgr_http_stop(http_server, TASKMGR_FOREVER, NULL));
    }
#endif
}

static void in_the_child(void) {
    managers_in_the_child();
    tasks_in_the_child();
    handles_in_the_child();
    http_in_the_child();

    /* Reporting goes on, and nobody sees it. */
    taskmgr_task_advance(task, 1);
    taskmgr_reporter_advance(reporter, 1);
    CHECK(!taskmgr_task_abort_requested(task));
    CHECK_OK(taskmgr_task_checkpoint(task));

    destroyed = 0;
#ifdef TASKMGR_HTTP
    taskmgr_http_waiting_free(http_waiting);
    taskmgr_http_api_free(http_api);
    taskmgr_http_server_free(http_server);
#endif
    taskmgr_abort_guard_free(abort_guard);
    taskmgr_done_guard_free(done_guard);
    taskmgr_reporter_free(reporter);
    taskmgr_observer_free(observer);
    taskmgr_task_free(task);
    taskmgr_module_free(module);
    taskmgr_manager_free(manager);

    /* The child builds a manager of its own. */
    taskmgr_manager *own = new_manager();
    taskmgr_module *repair = new_module(own, "repair");
    finish_and_free(new_task(repair));
    CHECK_OK(taskmgr_manager_close(own, A_MINUTE, NULL));
    taskmgr_module_free(repair);
    taskmgr_manager_free(own);
}

/* Each generation builds a manager, until there is no room for one. */
static void generations(int left) {
    taskmgr_manager *own = NULL;
    taskmgr_code code = taskmgr_manager_create(NULL, &own);
    if (code != TASKMGR_OK) {
        CHECK(code == TASKMGR_EXHAUSTED && own == NULL);
        CHECK(left < 10);
        return;
    }
    CHECK(left > 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        generations(left - 1);
        _exit(0);
    }
    int how = 0;
    CHECK(waitpid(child, &how, 0) == child);
    CHECK(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    taskmgr_manager_free(own);
}

int main(void) {
    generations(25); /* while there is one thread */
    manager = new_manager();
    module = new_module(manager, "repair");
    task = new_task(module);
    observer = new_observer(task);
    CHECK_OK(taskmgr_task_reporter(task, &reporter));
    CHECK_OK(taskmgr_task_on_abort(task, on_abort, NULL, destroy, &abort_guard));
    CHECK_OK(taskmgr_observer_on_done(observer, on_done, NULL, destroy, &done_guard));
    serve();
    run_in_child(in_the_child);
    CHECK(destroyed == 0);
    stop_serving();
    taskmgr_reporter_free(reporter);
    finish_and_free(task);
    CHECK(destroyed == 2);
    taskmgr_abort_guard_free(abort_guard);
    taskmgr_done_guard_free(done_guard);
    CHECK_OK(taskmgr_observer_wait(observer, 0, NULL));
    taskmgr_observer_free(observer);
    taskmgr_module_free(module);
    taskmgr_manager_free(manager);
    return 0;
}
