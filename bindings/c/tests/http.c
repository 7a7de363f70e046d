/* The REST API: served with one call, and as a function from request to response. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

/* Asks a server over a socket; what it answers, whole. */
static char *ask(uint16_t port, const char *request) {
    static char answer[65536];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0);
    struct sockaddr_in address = {0};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    char text[1024];
    int len = snprintf(text, sizeof text,
                       "%s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", request);
    CHECK(send(fd, text, (size_t)len, 0) == len);
    size_t got = 0;
    ssize_t n;
    while ((n = recv(fd, answer + got, sizeof answer - 1 - got, 0)) > 0) {
        got += (size_t)n;
    }
    CHECK(n == 0);
    answer[got] = '\0';
    CHECK(close(fd) == 0);
    return answer;
}

typedef struct {
    int asked, destroyed;
} host;

static int32_t routes(void *user_data, const taskmgr_http_request *request,
                      taskmgr_http_reply *reply) {
    host *self = user_data;
    CHECK(self->destroyed == 0);
    self->asked++;
    taskmgr_str path = taskmgr_http_request_path(request);
    if (strcmp(path.data, "/node/empty") == 0) {
        return 1;
    }
    if (strcmp(path.data, "/node/compact") != 0) {
        return 0;
    }
    CHECK_TEXT("127.0.0.1", taskmgr_http_request_host(request));
    CHECK_VALUE_ERROR(taskmgr_http_request_method(NULL).len == 0);
    CHECK_VALUE_ERROR(taskmgr_http_request_path(NULL).len == 0);
    CHECK_VALUE_ERROR(taskmgr_http_request_host(NULL).len == 0);
    taskmgr_str keyspace, none;
    CHECK_OK(taskmgr_http_request_query(request, TASKMGR_STR("absent"), &none));
    CHECK_TEXT("", none);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "twice",
                taskmgr_http_request_query(request, TASKMGR_STR("twice"), &none));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "request",
                taskmgr_http_request_query(NULL, TASKMGR_STR("x"), &none));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "value",
                taskmgr_http_request_query(request, TASKMGR_STR("x"), NULL));
    CHECK_OK(taskmgr_http_request_query(request, TASKMGR_STR("keyspace"), &keyspace));
    for (int i = 0; i < 10; i++) {
        CHECK_OK(taskmgr_http_request_query(request, TASKMGR_STR("keyspace"), &none));
    }
    CHECK_TEXT("my ks", keyspace);
    if (strcmp(taskmgr_http_request_method(request).data, "POST") != 0) {
        CHECK_OK(taskmgr_http_reply_error(reply, 405, TASKMGR_STR("send a POST")));
        return 1;
    }
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "99 is no status",
                taskmgr_http_reply_json(reply, 99, TASKMGR_STR("{}")));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "600 is no status",
                taskmgr_http_reply_error(reply, 600, TASKMGR_STR("x")));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "reply",
                taskmgr_http_reply_json(NULL, 200, TASKMGR_STR("{}")));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "reply",
                taskmgr_http_reply_error(NULL, 400, TASKMGR_STR("x")));
    CHECK_OK(taskmgr_http_reply_json(reply, 202, TASKMGR_STR("\"started\"")));
    return 1;
}

static void destroy(void *user_data) { ((host *)user_data)->destroyed++; }

static void *wait_over_rest(void *argument) {
    const char **request_and_answer = argument;
    char request[200];
    snprintf(request, sizeof request, "%s", request_and_answer[0]);
    uint16_t port = (uint16_t)atoi(request);
    request_and_answer[1] = ask(port, strchr(request, ' ') + 1);
    return NULL;
}

static void served(void) {
    host self = {0};
    taskmgr_manager *manager = new_manager();
    taskmgr_module *module = new_module(manager, "repair");
    taskmgr_task *task = new_task(module);

    taskmgr_str hosts[] = {TASKMGR_STR("db-1.example.org")};
    taskmgr_http_config config = TASKMGR_HTTP_CONFIG;
    config.address = TASKMGR_STR("127.0.0.1:0");
    config.allowed_hosts = hosts;
    config.allowed_hosts_len = 1;
    config.max_connections = 16;
    config.header_timeout_ms = 60000;
    config.routes = routes;
    config.user_data = &self;
    config.destroy = destroy;
    config.test_endpoints = 1;
    taskmgr_http_server *server = NULL;
    CHECK_OK(taskmgr_http_serve(manager, &config, &server));
    uint16_t port = taskmgr_http_server_port(server);
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%u", port);
    CHECK_TEXT(address, taskmgr_http_server_address(server));

    CHECK(strstr(ask(port, "GET /task_manager/list_modules"), "[\"repair\"]") != NULL);
    CHECK(strstr(ask(port, "POST /task_manager_test/test_module"), "200 OK") != NULL);
    CHECK(strstr(ask(port, "POST /node/compact?keyspace=my%20ks&twice=1&twice=2"), "202") != NULL);
    CHECK(strstr(ask(port, "POST /node/compact?keyspace=my+ks&twice=1&twice=2"), "\"started\"") !=
          NULL);
    CHECK(strstr(ask(port, "GET /node/compact?keyspace=my+ks&twice=1&twice=2"), "send a POST") !=
          NULL);
    CHECK(strstr(ask(port, "GET /node/empty"), "200 OK") != NULL);
    CHECK(strstr(ask(port, "GET /node/other"), "404") != NULL);
    CHECK(self.asked == 5);

    /* A wait is parked until its task has ended. */
    char id[TASKMGR_ID_TEXT];
    taskmgr_id_format(taskmgr_task_id(task), id);
    char request[120];
    snprintf(request, sizeof request, "%u GET /task_manager/wait_task/%s", port, id);
    const char *waiter[2] = {request, NULL};
    pthread_t thread = run_thread(wait_over_rest, waiter);
    while (taskmgr_http_server_pending_waits(server) == 0) {
        sched_yield();
    }
    finish_and_free(task);
    join_thread(thread);
    CHECK(strstr(waiter[1], "\"state\":\"done\"") != NULL);

    /* The same address is taken. */
    config = TASKMGR_HTTP_CONFIG;
    config.address = TASKMGR_STR(address);
    config.routes = routes;
    config.user_data = &(host){0};
    taskmgr_http_server *second = server;
    CHECK_ERROR(TASKMGR_SYSTEM, address, taskmgr_http_serve(manager, &config, &second));
    CHECK(second == NULL);

    size_t cut_off = 9;
    CHECK_OK(taskmgr_http_stop(server, A_MINUTE, &cut_off));
    CHECK(cut_off == 0);
    CHECK(self.destroyed == 1);
    CHECK(taskmgr_http_server_port(server) == port);
    CHECK(taskmgr_http_server_pending_waits(server) == 0);
    CHECK_OK(taskmgr_http_stop(server, 0, NULL));
    taskmgr_http_server_free(server);

    /* Freed while it runs it stops. */
    config = TASKMGR_HTTP_CONFIG;
    config.address = TASKMGR_STR("[::1]:0");
    if (taskmgr_http_serve(manager, &config, &server) == TASKMGR_OK) {
        CHECK(taskmgr_http_server_port(server) != 0);
        taskmgr_http_server_free(server);
    } else {
        CHECK(taskmgr_last_error_code() == TASKMGR_SYSTEM); /* a machine without IPv6 */
    }
    taskmgr_module_free(module);
    taskmgr_manager_free(manager);
}

static void bad_configs(void) {
    host self = {0};
    taskmgr_manager *manager = new_manager();
    taskmgr_http_server *server = NULL;
    taskmgr_http_config config = TASKMGR_HTTP_CONFIG;
    config.user_data = &self;
    config.destroy = destroy;
    config.routes = routes;
    const char *addresses[] = {"localhost:0", "127.0.0.1", ":10000", "127.0.0.1:65536", "x"};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        config.address = TASKMGR_STR(addresses[i]);
        CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "is no address",
                    taskmgr_http_serve(manager, &config, &server));
        CHECK(self.destroyed == (int)i + 1);
    }
    config.address = TASKMGR_STR("127.0.0.1:0");
    config.allowed_hosts_len = 1;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "allowed_hosts",
                taskmgr_http_serve(manager, &config, &server));
    taskmgr_str bad = TASKMGR_STR("\xff");
    config.allowed_hosts = &bad;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "an allowed host",
                taskmgr_http_serve(manager, &config, &server));
    config.allowed_hosts_len = 0;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "manager",
                taskmgr_http_serve(NULL, &config, &server));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "server", taskmgr_http_serve(manager, &config, NULL));
    CHECK(self.destroyed == 9);
    config.size = 7;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "sizeof(taskmgr_http_config)",
                taskmgr_http_serve(manager, &config, &server));
    CHECK_VALUE_ERROR(taskmgr_http_server_port(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_http_server_address(NULL).len == 0);
    CHECK_VALUE_ERROR(taskmgr_http_server_pending_waits(NULL) == 0);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "server", taskmgr_http_stop(NULL, 0, NULL));
    taskmgr_http_server_free(NULL);
    CHECK_OK(taskmgr_manager_close(manager, 0, NULL));
    config = TASKMGR_HTTP_CONFIG;
    CHECK_CODE(TASKMGR_CLOSED, taskmgr_http_serve(manager, &config, &server));
    taskmgr_manager_free(manager);
}

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

static void mounted(void) {
    host self = {0};
    taskmgr_manager *manager = new_manager();
    taskmgr_module *module = new_module(manager, "repair");
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

    /* A parked wait. */
    taskmgr_task *task = new_task(module);
    char id[TASKMGR_ID_TEXT];
    char target[120];
    snprintf(target, sizeof target, "/task_manager/wait_task/%s?timeout=600",
             taskmgr_id_format(taskmgr_task_id(task), id));
    taskmgr_str get = TASKMGR_STR("GET");
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

    /* One that is given up, and one whose client hangs up. */
    task = new_task(module);
    snprintf(target, sizeof target, "/task_manager/wait_task/%s",
             taskmgr_id_format(taskmgr_task_id(task), id));
    CHECK_OK(taskmgr_http_api_try_handle(api, get, TASKMGR_STR(target), TASKMGR_NO_STR, &response,
                                         &waiting));
    CHECK(taskmgr_http_waiting_time_left(waiting) == TASKMGR_FOREVER);
    CHECK_OK(taskmgr_http_waiting_on_ready(waiting, ready, &is_ready, ready));
    CHECK_OK(taskmgr_http_waiting_respond(waiting, &response));
    CHECK(taskmgr_http_response_status(response) == 408);
    CHECK(is_ready == 3);
    taskmgr_http_response_free(response);
    taskmgr_http_waiting_free(waiting);
    CHECK_OK(taskmgr_http_api_try_handle(api, get, TASKMGR_STR(target), TASKMGR_NO_STR, &response,
                                         &waiting));
    taskmgr_http_waiting_free(waiting);
    CHECK(taskmgr_http_api_pending_waits(api) == 0);
    finish_and_free(task);

    taskmgr_str ttl = TASKMGR_STR("/task_manager/ttl");
    CHECK(taskmgr_http_api_weight(api, get, ttl) == TASKMGR_HTTP_LIGHT);
    CHECK(taskmgr_http_api_weight(api, get, TASKMGR_STR("/task_manager/list_module_tasks/x")) ==
          TASKMGR_HTTP_HEAVY);
    taskmgr_str close_it = TASKMGR_STR("/task_manager_test/test_module");
    taskmgr_http_api *with_tests = NULL;
    config = TASKMGR_HTTP_API_CONFIG;
    config.test_endpoints = 1;
    CHECK_OK(taskmgr_http_api_create(manager, &config, &with_tests));
    CHECK(taskmgr_http_api_weight(with_tests, TASKMGR_STR("DELETE"), close_it) ==
          TASKMGR_HTTP_BLOCKING);
    CHECK_ERROR(TASKMGR_WOULD_DEADLOCK, "would block",
                taskmgr_http_api_try_handle(with_tests, TASKMGR_STR("DELETE"), close_it,
                                            TASKMGR_NO_STR, &response, &waiting));
    CHECK(response == NULL && waiting == NULL);
    taskmgr_http_api_free(with_tests);

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
    CHECK(self.destroyed == 0);
    taskmgr_http_api_free(api);
    CHECK(self.destroyed == 1);

    wanted = "null pointer";
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_http_api_handle(NULL, get, ttl, TASKMGR_NO_STR, &response, &waiting));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_http_api_try_handle(NULL, get, ttl, TASKMGR_NO_STR, &response, &waiting));
    CHECK_OK(taskmgr_http_api_create(manager, NULL, &api));
    response = (taskmgr_http_response *)&response;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_http_api_handle(api, get, ttl, TASKMGR_NO_STR, &response, NULL));
    CHECK(response == NULL);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_http_api_try_handle(api, get, ttl, TASKMGR_NO_STR, NULL, &waiting));
    taskmgr_http_api_free(api);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_http_api_create(NULL, NULL, &api));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_http_api_create(manager, NULL, NULL));
    config.size = 0;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "sizeof(taskmgr_http_api_config)",
                taskmgr_http_api_create(manager, &config, &api));
    CHECK_VALUE_ERROR(taskmgr_http_api_weight(NULL, get, ttl) == 0);
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
    taskmgr_module_free(module);
    taskmgr_manager_free(manager);
}

int main(void) {
    served();
    bad_configs();
    mounted();
    return 0;
}
