/* One operation from its start to its end, in what both C and C++ understand. */
#ifndef OPERATION_H
#define OPERATION_H

#include <stdio.h>
#include <taskmgr.h>

/* The code of the call, if it is not TASKMGR_OK, is the end of the function. */
#define TRY(call)                                                             \
    do {                                                                      \
        if ((call) != TASKMGR_OK) {                                           \
            fprintf(stderr, "%s: %s\n", #call, taskmgr_last_error());         \
            return 1;                                                         \
        }                                                                     \
    } while (0)

static int task(const taskmgr_module *module, unsigned long long *completed) {
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("build an index");
    taskmgr_task *job = NULL;
    taskmgr_status *status = NULL;
    spec.units = TASKMGR_STR("rows");
    spec.total = 3;
    TRY(taskmgr_task_start(module, &spec, &job));
    taskmgr_task_advance(job, 2);
    taskmgr_task_advance(job, 1);
    TRY(taskmgr_task_finish(job));
    TRY(taskmgr_task_status(job, &status));
    *completed = taskmgr_status_progress_completed(status);
    taskmgr_status_free(status);
    taskmgr_task_free(job);
    return 0;
}

static int serve(const taskmgr_manager *manager, const char **http) {
#ifdef TASKMGR_HTTP
    taskmgr_http_config config = TASKMGR_HTTP_CONFIG;
    taskmgr_http_server *server = NULL;
    config.address = TASKMGR_STR("127.0.0.1:0");
    TRY(taskmgr_http_serve(manager, &config, &server));
    *http = taskmgr_http_server_port(server) != 0 ? "with HTTP" : "with HTTP on no port";
    TRY(taskmgr_http_stop(server, 1000, NULL));
    taskmgr_http_server_free(server);
#else
    (void)manager;
    *http = "without HTTP";
#endif
    return 0;
}

/* Prints "C, 0.1.0, with HTTP: 3 rows". */
static int operation(const char *language) {
    taskmgr_manager *manager = NULL;
    taskmgr_module *module = NULL;
    const char *http = "";
    unsigned long long completed = 0;
    TRY(TASKMGR_CHECK_VERSION());
    TRY(taskmgr_manager_create(NULL, &manager));
    TRY(taskmgr_manager_register_module(manager, TASKMGR_STR("indexes"), &module));
    if (task(module, &completed) != 0 || serve(manager, &http) != 0) {
        return 1;
    }
    TRY(taskmgr_manager_close(manager, 1000, NULL));
    taskmgr_module_free(module);
    taskmgr_manager_free(manager);
    printf("%s, %s, %s: %llu rows\n", language, taskmgr_version_text().data, http, completed);
    return 0;
}

#endif
