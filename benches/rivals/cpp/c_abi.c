/* A host in C: the loops of the rows that ask what the C ABI costs. */

#include <stdlib.h>
#include <string.h>

#include "taskmgr.h"

/* What the calls are compared with: of the Rust side, and does nothing. */
uint64_t rivals_call(const void *handle, uint64_t n);

typedef struct host {
    taskmgr_manager *manager;
    taskmgr_module *module;
    taskmgr_task *root;
    taskmgr_str type, scope, keyspace, table;
} host;

static void check(taskmgr_code code) {
    if (code != TASKMGR_OK) {
        abort();
    }
}

static taskmgr_str text(bool lengths, const char *text) {
    return lengths ? TASKMGR_STR_N(text, strlen(text)) : TASKMGR_STR(text);
}

/* A spec of the host's four names, as a host writes it down. */
#define SPEC(name, host)                              \
    taskmgr_task_spec name = TASKMGR_TASK_SPEC(NULL); \
    name.type = (host)->type;                         \
    name.scope = (host)->scope;                       \
    name.keyspace = (host)->keyspace;                 \
    name.table = (host)->table

/* The texts outlive it. Their lengths are known, as in the other languages, or else looked
   for in each call. */
host *c_host_new(bool lengths, const char *type, const char *scope, const char *keyspace,
                 const char *table) {
    host *host = malloc(sizeof *host);
    if (!host) {
        abort();
    }
    host->type = text(lengths, type);
    host->scope = text(lengths, scope);
    host->keyspace = text(lengths, keyspace);
    host->table = text(lengths, table);
    taskmgr_manager_config config = TASKMGR_MANAGER_CONFIG;
    check(taskmgr_manager_create(&config, &host->manager));
    check(taskmgr_manager_register_module(host->manager, TASKMGR_STR("compaction"), &host->module));
    SPEC(root, host);
    root.abortable = 1;
    check(taskmgr_task_start(host->module, &root, &host->root));
    return host;
}

void c_host_free(host *host) {
    taskmgr_task_free(host->root);
    taskmgr_module_free(host->module);
    taskmgr_manager_free(host->manager);
    free(host);
}

void c_host_life_cycles(host *host, size_t count) {
    for (size_t i = 0; i < count; i++) {
        SPEC(child, host);
        taskmgr_task *task = NULL;
        check(taskmgr_task_child_start(host->root, &child, &task));
        taskmgr_task_advance(task, 1);
        check(taskmgr_task_finish(task));
        taskmgr_task_free(task);
    }
}

#define EIGHT(call) call; call; call; call; call; call; call; call

/* `count` is a multiple of eight, as in the loops of the Rust side. */
void c_host_advances(host *host, size_t count) {
    for (size_t i = 0; i < count / 8; i++) {
        EIGHT(taskmgr_task_advance(host->root, 1));
    }
}

void c_host_reporter_advances(host *host, size_t count) {
    taskmgr_reporter *reporter = NULL;
    check(taskmgr_task_reporter(host->root, &reporter));
    for (size_t i = 0; i < count / 8; i++) {
        EIGHT(taskmgr_reporter_advance(reporter, 1));
    }
    taskmgr_reporter_free(reporter);
}

void c_host_abort_checks(host *host, size_t count) {
    for (size_t i = 0; i < count / 8; i++) {
        EIGHT(if (taskmgr_task_abort_requested(host->root)) abort());
    }
}

void c_host_calls(host *host, size_t count) {
    for (size_t i = 0; i < count / 8; i++) {
        EIGHT(if (rivals_call(host->root, 1)) abort());
    }
}
