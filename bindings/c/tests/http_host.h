/* A host with routes of its own. */
#ifndef TASKMGR_TESTS_HTTP_HOST_H
#define TASKMGR_TESTS_HTTP_HOST_H

#include "fixture.h"

typedef struct {
    int asked, destroyed;
} host;

static inline int32_t routes(void *user_data, const taskmgr_http_request *request,
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

static inline void destroy(void *user_data) { ((host *)user_data)->destroyed++; }

#endif
