/* The REST API, served with one call (rest_5). */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_host.h"

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

static void *wait_over_rest(void *argument) {
    const char **request_and_answer = argument;
    char request[200];
    snprintf(request, sizeof request, "%s", request_and_answer[0]);
    uint16_t port = (uint16_t)atoi(request);
    request_and_answer[1] = ask(port, strchr(request, ' ') + 1);
    return NULL;
}

/* What a server of this host answers. */
static void answers(uint16_t port, const host *self) {
    CHECK(strstr(ask(port, "GET /task_manager/list_modules"), "[\"repair\"]") != NULL);
    CHECK(strstr(ask(port, "POST /task_manager_test/test_module"), "200 OK") != NULL);
    CHECK(strstr(ask(port, "POST /node/compact?keyspace=my%20ks&twice=1&twice=2"), "202") != NULL);
    CHECK(strstr(ask(port, "POST /node/compact?keyspace=my+ks&twice=1&twice=2"), "\"started\"") !=
          NULL);
    CHECK(strstr(ask(port, "GET /node/compact?keyspace=my+ks&twice=1&twice=2"), "send a POST") !=
          NULL);
    CHECK(strstr(ask(port, "GET /node/empty"), "200 OK") != NULL);
    CHECK(strstr(ask(port, "GET /node/other"), "404") != NULL);
    CHECK(self->asked == 5);
}

/* A wait is parked until its task has ended. */
static void waits(const taskmgr_http_server *server, taskmgr_task *task) {
    uint16_t port = taskmgr_http_server_port(server);
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
}

static void served(void) {
    host self = {0};
    taskmgr_manager *manager = new_manager();
    taskmgr_module *module = new_module(manager, "repair");
    taskmgr_str hosts[] = {TASKMGR_STR("db-1.example.org")};
    taskmgr_http_config config = TASKMGR_HTTP_CONFIG;
    config.address = TASKMGR_STR("127.0.0.1:0");
    config.allowed_hosts = hosts;
    config.allowed_hosts_len = 1;
    config.max_connections = 16;
    config.header_timeout_ms = TASKMGR_FOREVER;
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

    answers(port, &self);
    waits(server, new_task(module));

    /* The same address is taken. */
    config = TASKMGR_HTTP_CONFIG;
    config.address = TASKMGR_STR(address);
    config.routes = routes;
    config.user_data = &(host){0};
    taskmgr_http_server *second = server;
    CHECK_ERROR(TASKMGR_SYSTEM, address, taskmgr_http_serve(manager, &config, &second));
    CHECK(second == NULL);

    size_t cut_off = 9;
    CHECK_OK(taskmgr_http_stop(server, TASKMGR_FOREVER, &cut_off));
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
    server = (taskmgr_http_server *)&self;
    config.reserved[6] = 1;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "does not know",
                taskmgr_http_serve(manager, &config, &server));
    CHECK(server == NULL && self.destroyed == 10);
    server = (taskmgr_http_server *)&self;
    config.size = 7;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "sizeof(taskmgr_http_config)",
                taskmgr_http_serve(manager, &config, &server));
    CHECK(server == NULL && self.destroyed == 10);
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

int main(void) {
    served();
    bad_configs();
    return 0;
}
