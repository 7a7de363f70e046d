/* The REST API as a function from request to response (rest_2, rest_5). */
#include "http_host.h"

static void ready(void *user_data) { ++*(int *)user_data; }

static taskmgr_http_response *answer(const taskmgr_http_api *api, const char *method,
                                     const char *target) {
    taskmgr_http_response *response = NULL;
    taskmgr_http_waiting *waiting = (taskmgr_http_waiting *)&response;
    CHECK_OK(taskmgr_http_api_handle(api, TASKMGR_STR(method), TASKMGR_STR(target),
                                     TASKMGR_STR("127.0.0.1"), &response, &waiting));
    CHECK(response != NULL && waiting == NULL);
    return response;
}

static void ready_at_once(const taskmgr_manager *manager) {
    host self = {0};
    taskmgr_http_api_config config = TASKMGR_HTTP_API_CONFIG;
    config.routes = routes;
    config.user_data = &self;
    config.destroy = destroy;
    taskmgr_http_api *api = NULL;
    CHECK_OK(taskmgr_http_api_create(manager, &config, &api));

    taskmgr_http_response *response = answer(api, "GET", "/task_manager/list_modules");
    CHECK(taskmgr_http_response_status(response) == 200);
    CHECK_TEXT("application/json", taskmgr_http_response_content_type(response));
    CHECK_TEXT("", taskmgr_http_response_allow(response));
    CHECK_TEXT("[\"repair\"]", taskmgr_http_response_body(response));
    taskmgr_http_response_free(response);
    response = answer(api, "PUT", "/task_manager/list_modules");
    CHECK(taskmgr_http_response_status(response) == 405);
    CHECK_TEXT("GET", taskmgr_http_response_allow(response));
    taskmgr_http_response_free(response);
    response = answer(api, "POST", "/node/compact?keyspace=my+ks&twice=1&twice=2");
    CHECK(taskmgr_http_response_status(response) == 202);
    taskmgr_http_response_free(response);
    response = answer(api, "GET", "/%zz");
    CHECK(taskmgr_http_response_status(response) == 400);
    taskmgr_http_response_free(response);
    /* The test endpoints are off: the host's routes are asked, and have no such path. */
    response = answer(api, "POST", "/task_manager_test/test_module");
    CHECK(taskmgr_http_response_status(response) == 404);
    taskmgr_http_response_free(response);

    CHECK(self.destroyed == 0);
    taskmgr_http_api_free(api);
    CHECK(self.destroyed == 1);
}

static void parked(const taskmgr_http_api *api, const taskmgr_module *module) {
    taskmgr_task *task = new_task(module);
    char id[TASKMGR_ID_TEXT];
    char target[120];
    snprintf(target, sizeof target, "/task_manager/wait_task/%s?timeout=600",
             taskmgr_id_format(taskmgr_task_id(task), id));
    taskmgr_str get = TASKMGR_STR("GET");
    taskmgr_http_response *response = NULL;
    taskmgr_http_waiting *waiting = NULL;
    CHECK_OK(taskmgr_http_api_handle(api, get, TASKMGR_STR(target), TASKMGR_NO_STR, &response,
                                     &waiting));
    CHECK(response == NULL && waiting != NULL);
    CHECK(taskmgr_http_api_pending_waits(api) == 1);
    uint64_t left = taskmgr_http_waiting_time_left(waiting);
    CHECK(left > 0 && left <= 600000);
    CHECK(!taskmgr_http_waiting_is_ready(waiting));
    int is_ready = 0, destroyed = 0;
    CHECK_OK(taskmgr_http_waiting_on_ready(waiting, ready, &is_ready, NULL));
    finish_and_free(task);
    CHECK(is_ready == 1 && taskmgr_http_waiting_is_ready(waiting));
    CHECK_OK(taskmgr_http_waiting_on_ready(waiting, ready, &is_ready, NULL));
    CHECK(is_ready == 2);
    CHECK_OK(taskmgr_http_waiting_respond(waiting, &response));
    CHECK(taskmgr_http_response_status(response) == 200);
    CHECK(strstr(taskmgr_http_response_body(response).data, "\"state\":\"done\"") != NULL);
    taskmgr_http_response_free(response);
    CHECK(taskmgr_http_api_pending_waits(api) == 0);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "answered before",
                taskmgr_http_waiting_respond(waiting, &response));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "answered before",
                taskmgr_http_waiting_on_ready(waiting, ready, &destroyed, ready));
    CHECK(destroyed == 1);
    CHECK_VALUE_ERROR(taskmgr_http_waiting_time_left(waiting) == 0);
    CHECK_VALUE_ERROR(!taskmgr_http_waiting_is_ready(waiting));
    taskmgr_http_waiting_free(waiting);

}

/* One that is given up, and one whose client hangs up. */
static void given_up(const taskmgr_http_api *api, const taskmgr_module *module) {
    taskmgr_task *task = new_task(module);
    char id[TASKMGR_ID_TEXT];
    char target[120];
    int is_ready = 0;
    taskmgr_str get = TASKMGR_STR("GET");
    taskmgr_http_response *response = NULL;
    taskmgr_http_waiting *waiting = NULL;
    snprintf(target, sizeof target, "/task_manager/wait_task/%s",
             taskmgr_id_format(taskmgr_task_id(task), id));
    CHECK_OK(taskmgr_http_api_try_handle(api, get, TASKMGR_STR(target), TASKMGR_NO_STR, &response,
                                         &waiting));
    CHECK(taskmgr_http_waiting_time_left(waiting) == TASKMGR_FOREVER);
    CHECK_OK(taskmgr_http_waiting_on_ready(waiting, ready, &is_ready, ready));
    CHECK_OK(taskmgr_http_waiting_respond(waiting, &response));
    CHECK(taskmgr_http_response_status(response) == 408);
    CHECK(is_ready == 1);
    taskmgr_http_response_free(response);
    taskmgr_http_waiting_free(waiting);
    CHECK_OK(taskmgr_http_api_try_handle(api, get, TASKMGR_STR(target), TASKMGR_NO_STR, &response,
                                         &waiting));
    taskmgr_http_waiting_free(waiting);
    CHECK(taskmgr_http_api_pending_waits(api) == 0);
    finish_and_free(task);
}

static void weights(const taskmgr_manager *manager, const taskmgr_http_api *api) {
    taskmgr_str get = TASKMGR_STR("GET");
    taskmgr_http_response *response = NULL;
    taskmgr_http_waiting *waiting = NULL;
    taskmgr_str ttl = TASKMGR_STR("/task_manager/ttl");
    CHECK(taskmgr_http_api_weight(api, get, ttl) == TASKMGR_HTTP_LIGHT);
    CHECK(taskmgr_http_api_weight(api, get, TASKMGR_STR("/task_manager/list_module_tasks/x")) ==
          TASKMGR_HTTP_HEAVY);
    taskmgr_str close_it = TASKMGR_STR("/task_manager_test/test_module");
    taskmgr_http_api *with_tests = NULL;
    taskmgr_http_api_config config = TASKMGR_HTTP_API_CONFIG;
    config.test_endpoints = 1;
    CHECK_OK(taskmgr_http_api_create(manager, &config, &with_tests));
    CHECK(taskmgr_http_api_weight(with_tests, TASKMGR_STR("DELETE"), close_it) ==
          TASKMGR_HTTP_BLOCKING);
    CHECK_ERROR(TASKMGR_WOULD_DEADLOCK, "would block",
                taskmgr_http_api_try_handle(with_tests, TASKMGR_STR("DELETE"), close_it,
                                            TASKMGR_NO_STR, &response, &waiting));
    CHECK(response == NULL && waiting == NULL);
    taskmgr_http_api_free(with_tests);
}

static void bad_requests(const taskmgr_http_api *api) {
    taskmgr_str get = TASKMGR_STR("GET");
    taskmgr_str ttl = TASKMGR_STR("/task_manager/ttl");
    taskmgr_http_response *response = NULL;
    taskmgr_http_waiting *waiting = NULL;
    const char *wanted = "UTF-8";
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_http_api_handle(api, TASKMGR_STR("\xff"), ttl, TASKMGR_NO_STR, &response,
                                        &waiting));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_http_api_handle(api, get, TASKMGR_STR("/\xff"), TASKMGR_NO_STR, &response,
                                        &waiting));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_http_api_handle(api, get, ttl, TASKMGR_STR("\xff"), &response, &waiting));
    CHECK_VALUE_ERROR(taskmgr_http_api_weight(api, TASKMGR_STR("\xff"), ttl) == 0);
    wanted = "null pointer";
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_http_api_handle(NULL, get, ttl, TASKMGR_NO_STR, &response, &waiting));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_http_api_try_handle(NULL, get, ttl, TASKMGR_NO_STR, &response, &waiting));
    response = (taskmgr_http_response *)&response;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_http_api_handle(api, get, ttl, TASKMGR_NO_STR, &response, NULL));
    CHECK(response == NULL);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_http_api_try_handle(api, get, ttl, TASKMGR_NO_STR, NULL, &waiting));
}

static void nulls(const taskmgr_manager *manager) {
    taskmgr_str get = TASKMGR_STR("GET");
    taskmgr_http_api *api = NULL;
    taskmgr_http_response *response = NULL;
    int is_ready = 0;
    const char *wanted = "null pointer";
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_http_api_create(NULL, NULL, &api));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_http_api_create(manager, NULL, NULL));
    host self = {0};
    taskmgr_http_api_config config = TASKMGR_HTTP_API_CONFIG;
    config.user_data = &self;
    config.destroy = destroy;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_http_api_create(NULL, &config, &api));
    CHECK(self.destroyed == 1);
    api = (taskmgr_http_api *)&self;
    config.reserved[2] = 1;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "does not know",
                taskmgr_http_api_create(manager, &config, &api));
    CHECK(api == NULL && self.destroyed == 2);
    api = (taskmgr_http_api *)&self;
    config.size = 0;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "sizeof(taskmgr_http_api_config)",
                taskmgr_http_api_create(manager, &config, &api));
    CHECK(api == NULL && self.destroyed == 2);
    CHECK_VALUE_ERROR(taskmgr_http_api_weight(NULL, get, get) == 0);
    CHECK_VALUE_ERROR(taskmgr_http_api_pending_waits(NULL) == 0);
    taskmgr_http_api_free(NULL);
    CHECK_VALUE_ERROR(taskmgr_http_waiting_time_left(NULL) == 0);
    CHECK_VALUE_ERROR(!taskmgr_http_waiting_is_ready(NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_http_waiting_on_ready(NULL, ready, &is_ready, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_http_waiting_respond(NULL, &response));
    taskmgr_http_waiting_free(NULL);
    CHECK_VALUE_ERROR(taskmgr_http_response_status(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_http_response_content_type(NULL).len == 0);
    CHECK_VALUE_ERROR(taskmgr_http_response_allow(NULL).len == 0);
    CHECK_VALUE_ERROR(taskmgr_http_response_body(NULL).len == 0);
    taskmgr_http_response_free(NULL);
}

int main(void) {
    taskmgr_manager *manager = new_manager();
    taskmgr_module *module = new_module(manager, "repair");
    ready_at_once(manager);
    taskmgr_http_api *api = NULL;
    CHECK_OK(taskmgr_http_api_create(manager, NULL, &api));
    parked(api, module);
    given_up(api, module);
    weights(manager, api);
    bad_requests(api);
    nulls(manager);
    taskmgr_http_api_free(api);
    taskmgr_module_free(module);
    taskmgr_manager_free(manager);
    return 0;
}
