/* The README's example: one operation from its start to its end. */
#include "check.h"

static void serve(const taskmgr_manager *manager) {
    taskmgr_http_config http = TASKMGR_HTTP_CONFIG;
    http.address = TASKMGR_STR("127.0.0.1:0");
    taskmgr_http_server *server = NULL;
    CHECK_OK(taskmgr_http_serve(manager, &http, &server));
    CHECK(taskmgr_http_server_port(server) != 0);
    CHECK_OK(taskmgr_http_stop(server, 1000, NULL));
    taskmgr_http_server_free(server);
}

int main(void) {
    CHECK_OK(TASKMGR_CHECK_VERSION());

    taskmgr_manager_config config = TASKMGR_MANAGER_CONFIG;
    config.node = TASKMGR_STR("10.0.0.1");
    config.task_ttl_ms = 60000;
    taskmgr_manager *manager = NULL;
    CHECK_OK(taskmgr_manager_create(&config, &manager));

    taskmgr_module *compaction = NULL;
    CHECK_OK(taskmgr_manager_register_module(manager, TASKMGR_STR("compaction"), &compaction));

    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("major compaction");
    spec.scope = TASKMGR_STR("keyspace");
    spec.keyspace = TASKMGR_STR("ks");
    spec.abortable = 1;
    taskmgr_task *job = NULL;
    CHECK_OK(taskmgr_task_start(compaction, &spec, &job));

    const char *tables[] = {"events", "users"};
    for (int i = 0; i < 2; i++) {
        taskmgr_task_spec part = TASKMGR_TASK_SPEC("major compaction");
        part.scope = TASKMGR_STR("table");
        part.table = TASKMGR_STR(tables[i]);
        part.units = TASKMGR_STR("sstables");
        part.total = 3;
        taskmgr_task *child = NULL;
        CHECK_OK(taskmgr_task_child_start(job, &part, &child));
        for (int file = 0; file < 3 && !taskmgr_task_abort_requested(child); file++) {
            taskmgr_task_advance(child, 1);
        }
        CHECK_OK(taskmgr_task_finish(child));
        taskmgr_task_free(child);
    }

    taskmgr_status *status = NULL;
    CHECK_OK(taskmgr_task_status(job, &status));
    CHECK(taskmgr_status_progress_completed(status) == 6);
    CHECK(taskmgr_status_progress_total(status) == 6);
    CHECK_TEXT("sstables", taskmgr_status_progress_units(status));
    CHECK_TEXT("10.0.0.1", taskmgr_status_child_node(status, 1));
    taskmgr_status_free(status);

    taskmgr_id id = taskmgr_task_id(job);
    CHECK_OK(taskmgr_task_finish(job));
    taskmgr_task_free(job);

    taskmgr_status_list *tree = NULL;
    CHECK_OK(taskmgr_manager_status_tree(manager, id, &tree));
    CHECK(taskmgr_status_list_len(tree) == 3);
    CHECK_TEXT("users", taskmgr_status_table(taskmgr_status_list_at(tree, 2)));
    taskmgr_status_list_free(tree);

    serve(manager);
    CHECK_OK(taskmgr_manager_close(manager, 1000, NULL));
    taskmgr_module_free(compaction);
    taskmgr_manager_free(manager);
    return 0;
}
