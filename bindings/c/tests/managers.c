/* Managers and modules: configs, names, lists, TTLs, bounds (mod_1, list_1, ttl_1, ttl_2, ttl_4, ttl_7,
 * ttl_9). */
#include "fixture.h"

static void configs(void) {
    taskmgr_manager *manager = NULL;
    taskmgr_manager_config config = TASKMGR_MANAGER_CONFIG;
    config.node = TASKMGR_STR("10.0.0.1");
    config.task_ttl_ms = 1500;
    config.keep_on_read = 1;
    config.reaper = 0;
    config.tombstones = 1;
    config.max_kept_children = 2;
    CHECK_OK(taskmgr_manager_create(&config, &manager));
    CHECK_TEXT("10.0.0.1", taskmgr_manager_node(manager));
    CHECK(taskmgr_manager_keep_on_read(manager));
    CHECK(taskmgr_manager_task_ttl(manager) == 1500);
    CHECK(taskmgr_manager_user_task_ttl(manager) == 3600000);

    taskmgr_manager *copy = NULL;
    CHECK_OK(taskmgr_manager_clone(manager, &copy));
    taskmgr_manager_free(manager);
    CHECK_TEXT("10.0.0.1", taskmgr_manager_node(copy));
    taskmgr_module *module = new_module(copy, "repair");
    taskmgr_task *root = new_task(module);
    for (int i = 0; i < 5; i++) {
        finish_and_free(new_child(root));
    }
    taskmgr_status *status = NULL;
    CHECK_OK(taskmgr_task_status(root, &status));
    CHECK(taskmgr_status_children_len(status) == 2);
    CHECK(taskmgr_status_children_not_kept(status) == 3);
    taskmgr_status_free(status);
    finish_and_free(root);
    taskmgr_module_free(module);
    taskmgr_manager_free(copy);

    /* A null config is one with the defaults, and so is the macro. */
    taskmgr_manager_config defaults = TASKMGR_MANAGER_CONFIG;
    const taskmgr_manager_config *both[] = {NULL, &defaults};
    for (int i = 0; i < 2; i++) {
        CHECK_OK(taskmgr_manager_create(both[i], &manager));
        CHECK(taskmgr_manager_task_ttl(manager) == 0);
        CHECK(taskmgr_manager_user_task_ttl(manager) == 3600000);
        CHECK(!taskmgr_manager_keep_on_read(manager));
        CHECK_TEXT("", taskmgr_manager_node(manager));
        taskmgr_manager_free(manager);
    }
}

/* A struct as a later version of the library might have it. */
typedef struct {
    taskmgr_manager_config known;
    uint64_t unknown;
} later_config;

static void bad_configs(void) {
    taskmgr_manager *manager = (taskmgr_manager *)&manager;
    taskmgr_manager_config config = TASKMGR_MANAGER_CONFIG;
    config.size = 0;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "sizeof(taskmgr_manager_config)",
                taskmgr_manager_create(&config, &manager));
    CHECK(manager == NULL);
    config.size = sizeof config - 1;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "has the size", taskmgr_manager_create(&config, &manager));
    config.size = (size_t)-1;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "has the size", taskmgr_manager_create(&config, &manager));

    later_config later = {TASKMGR_MANAGER_CONFIG, 0};
    later.known.size = sizeof later;
    CHECK_OK(taskmgr_manager_create(&later.known, &manager));
    taskmgr_manager_free(manager);
    later.unknown = 1;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "does not know",
                taskmgr_manager_create(&later.known, &manager));

    config = TASKMGR_MANAGER_CONFIG;
    config.task_ttl_ms = UINT64_MAX;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "the longest is", taskmgr_manager_create(&config, &manager));
    config = TASKMGR_MANAGER_CONFIG;
    config.node = TASKMGR_STR("\xff");
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "not UTF-8", taskmgr_manager_create(&config, &manager));
    config.node = TASKMGR_STR("a\nb");
    CHECK_CODE(TASKMGR_INVALID_ARGUMENT, taskmgr_manager_create(&config, &manager));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "null", taskmgr_manager_create(NULL, NULL));
}

static void ttls(void) {
    taskmgr_manager *manager = new_manager();
    uint64_t before = 7;
    CHECK_OK(taskmgr_manager_set_task_ttl(manager, 2000, &before));
    CHECK(before == 0 && taskmgr_manager_task_ttl(manager) == 2000);
    CHECK_OK(taskmgr_manager_set_user_task_ttl(manager, 0, &before));
    CHECK(before == 3600000 && taskmgr_manager_user_task_ttl(manager) == 0);
    CHECK_OK(taskmgr_manager_set_task_ttl(manager, 0, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "the longest is",
                taskmgr_manager_set_task_ttl(manager, UINT64_MAX - 1, &before));
    CHECK(before == 0);
    taskmgr_manager_free(manager);
}

static void clocks(void) {
    taskmgr_clock *clock = NULL;
    CHECK_OK(taskmgr_clock_create(&clock));
    taskmgr_manager_config config = TASKMGR_MANAGER_CONFIG;
    config.clock = clock;
    config.task_ttl_ms = 60000;
    taskmgr_manager *manager = NULL;
    CHECK_OK(taskmgr_manager_create(&config, &manager));
    taskmgr_module *module = new_module(manager, "repair");

    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("repair");
    taskmgr_task *task = NULL;
    CHECK_OK(taskmgr_task_start(module, &spec, &task));
    taskmgr_id id = taskmgr_task_id(task);
    CHECK_OK(taskmgr_clock_advance(clock, 1));
    finish_and_free(task);
    taskmgr_status *status = NULL;
    CHECK_OK(taskmgr_manager_status(manager, id, &status));
    const int64_t start_of_2020 = INT64_C(1577836800) * 1000000000;
    CHECK(taskmgr_status_created_at(status) == start_of_2020);
    CHECK(taskmgr_status_start_time(status) == start_of_2020);
    CHECK(taskmgr_status_end_time(status) == start_of_2020 + 1000000);
    taskmgr_status_free(status);

    CHECK_OK(taskmgr_clock_advance(clock, 59999));
    CHECK_OK(taskmgr_manager_status(manager, id, &status));
    taskmgr_status_free(status);
    CHECK_OK(taskmgr_clock_advance(clock, 1));
    CHECK_ERROR(TASKMGR_GONE, "expired", taskmgr_manager_status(manager, id, &status));
    CHECK(taskmgr_id_equal(id, taskmgr_last_error_id()));
    CHECK(taskmgr_last_error_gone_reason() == TASKMGR_GONE_EXPIRED);
    CHECK(taskmgr_last_error_final_state() == TASKMGR_STATE_DONE);
    CHECK_OK(taskmgr_task_start(module, &spec, &task));
    finish_and_free(task);
    CHECK_OK(taskmgr_clock_advance(clock, 60000));
    CHECK(taskmgr_manager_tick(manager) == 1);
    CHECK(taskmgr_manager_tick(manager) == 0);

    CHECK_OK(taskmgr_clock_set_wall(clock, 5000000000));
    CHECK_OK(taskmgr_clock_set_wall(clock, 0));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "before 1970", taskmgr_clock_set_wall(clock, -1));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "clock", taskmgr_clock_create(NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "clock", taskmgr_clock_advance(NULL, 1));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "clock", taskmgr_clock_set_wall(NULL, 1));
    taskmgr_clock_free(NULL);

    taskmgr_clock_free(clock);
    taskmgr_task *later = new_task(module);
    finish_and_free(later);
    taskmgr_module_free(module);
    taskmgr_manager_free(manager);
}

static void modules(void) {
    taskmgr_manager *manager = new_manager();
    taskmgr_module *repair = new_module(manager, "repair");
    taskmgr_module *backup = new_module(manager, "backup");
    CHECK_TEXT("repair", taskmgr_module_name(repair));

    taskmgr_strings *names = NULL;
    CHECK_OK(taskmgr_manager_modules(manager, &names));
    CHECK(taskmgr_strings_len(names) == 2);
    CHECK_TEXT("repair", taskmgr_strings_at(names, 0));
    CHECK_TEXT("backup", taskmgr_strings_at(names, 1));
    CHECK_VALUE_ERROR(taskmgr_strings_at(names, 2).len == 0);
    CHECK_VALUE_ERROR(taskmgr_strings_at(NULL, 0).len == 0);
    CHECK_VALUE_ERROR(taskmgr_strings_len(NULL) == 0);
    taskmgr_strings_free(names);
    taskmgr_strings_free(NULL);

    taskmgr_module *again = NULL;
    CHECK_OK(taskmgr_manager_module(manager, TASKMGR_STR("backup"), &again));
    CHECK_TEXT("backup", taskmgr_module_name(again));
    taskmgr_module *copy = NULL;
    CHECK_OK(taskmgr_module_clone(again, &copy));
    taskmgr_module_free(again);
    CHECK_TEXT("backup", taskmgr_module_name(copy));
    taskmgr_module_free(copy);

    again = repair;
    CHECK_ERROR(TASKMGR_MODULE_EXISTS, "repair",
                taskmgr_manager_register_module(manager, TASKMGR_STR("repair"), &again));
    CHECK(again == NULL);
    again = repair;
    CHECK_ERROR(TASKMGR_UNKNOWN_MODULE, "compaction",
                taskmgr_manager_module(manager, TASKMGR_STR("compaction"), &again));
    CHECK(again == NULL);
    CHECK_CODE(TASKMGR_INVALID_ARGUMENT,
               taskmgr_manager_register_module(manager, TASKMGR_NO_STR, &again));
    CHECK_CODE(TASKMGR_INVALID_ARGUMENT,
               taskmgr_manager_register_module(manager, TASKMGR_STR("a\tb"), &again));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "UTF-8",
                taskmgr_manager_register_module(manager, TASKMGR_STR("\xff"), &again));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "module is a null pointer",
                taskmgr_manager_register_module(manager, TASKMGR_STR("x"), NULL));
    /* Nothing was registered without a place for the handle. */
    CHECK_CODE(TASKMGR_UNKNOWN_MODULE, taskmgr_manager_module(manager, TASKMGR_STR("x"), &again));

    taskmgr_module_free(repair);
    taskmgr_module_free(backup);
    taskmgr_module_free(NULL);
    taskmgr_manager_free(manager);
}

static void lists(void) {
    taskmgr_manager *manager = new_manager();
    taskmgr_module *module = new_module(manager, "repair");
    taskmgr_task *ks1 = NULL;
    taskmgr_task *ks2 = NULL;
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("repair");
    spec.keyspace = TASKMGR_STR("ks1");
    spec.table = TASKMGR_STR("events");
    spec.scope = TASKMGR_STR("table");
    spec.shard = 3;
    CHECK_OK(taskmgr_task_start(module, &spec, &ks1));
    spec.keyspace = TASKMGR_STR("ks2");
    CHECK_OK(taskmgr_task_create(module, &spec, &ks2));
    taskmgr_task *child = new_child(ks1);

    struct {
        const char *keyspace, *table, *type, *scope;
        taskmgr_state state;
        uint8_t internal;
        size_t limit;
        size_t wanted;
    } cases[] = {
        {"", "", "", "", TASKMGR_STATE_ANY, 0, TASKMGR_NO_LIMIT, 2},
        {"ks1", "", "", "", TASKMGR_STATE_ANY, 0, TASKMGR_NO_LIMIT, 1},
        {"ks1", "events", "repair", "table", TASKMGR_STATE_RUNNING, 0, TASKMGR_NO_LIMIT, 1},
        {"", "users", "", "", TASKMGR_STATE_ANY, 0, TASKMGR_NO_LIMIT, 0},
        {"", "", "part", "", TASKMGR_STATE_ANY, 1, TASKMGR_NO_LIMIT, 1},
        {"", "", "", "shard", TASKMGR_STATE_ANY, 1, TASKMGR_NO_LIMIT, 0},
        {"", "", "", "", TASKMGR_STATE_CREATED, 0, TASKMGR_NO_LIMIT, 1},
        {"", "", "", "", TASKMGR_STATE_ANY, 1, TASKMGR_NO_LIMIT, 3},
        {"", "", "", "", TASKMGR_STATE_ANY, 0, 1, 1},
        {"", "", "", "", TASKMGR_STATE_ANY, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        taskmgr_filter filter = TASKMGR_FILTER;
        filter.keyspace = TASKMGR_STR(cases[i].keyspace);
        filter.table = TASKMGR_STR(cases[i].table);
        filter.type = TASKMGR_STR(cases[i].type);
        filter.scope = TASKMGR_STR(cases[i].scope);
        filter.state = cases[i].state;
        filter.internal = cases[i].internal;
        filter.limit = cases[i].limit;
        taskmgr_stats_list *list = NULL;
        CHECK_OK(taskmgr_module_list(module, &filter, &list));
        if (taskmgr_stats_list_len(list) != cases[i].wanted) {
            fprintf(stderr, "case %zu: %zu tasks\n", i, taskmgr_stats_list_len(list));
            exit(1);
        }
        taskmgr_stats_list_free(list);
    }

    finish_and_free(child);
    finish_and_free(ks1);
    taskmgr_task_free(ks2);
    taskmgr_module_free(module);
    taskmgr_manager_free(manager);
}

static void listed_stats(void) {
    taskmgr_manager *manager = new_manager();
    taskmgr_module *module = new_module(manager, "repair");
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("repair");
    spec.keyspace = TASKMGR_STR("ks1");
    spec.table = TASKMGR_STR("events");
    spec.scope = TASKMGR_STR("table");
    spec.shard = 3;
    taskmgr_task *ks1 = NULL;
    CHECK_OK(taskmgr_task_start(module, &spec, &ks1));
    taskmgr_stats_list *list = NULL;
    CHECK_OK(taskmgr_manager_list(manager, TASKMGR_STR("repair"), NULL, &list));
    CHECK(taskmgr_stats_list_len(list) == 1);
    const taskmgr_stats *stats = taskmgr_stats_list_at(list, 0);
    CHECK(taskmgr_id_equal(taskmgr_stats_id(stats), taskmgr_task_id(ks1)));
    CHECK_TEXT("repair", taskmgr_stats_type(stats));
    CHECK(taskmgr_stats_kind(stats) == TASKMGR_KIND_NODE);
    CHECK_TEXT("table", taskmgr_stats_scope(stats));
    CHECK(taskmgr_stats_state(stats) == TASKMGR_STATE_RUNNING);
    CHECK(taskmgr_stats_sequence_number(stats) == 1);
    CHECK_TEXT("ks1", taskmgr_stats_keyspace(stats));
    CHECK_TEXT("events", taskmgr_stats_table(stats));
    CHECK_TEXT("", taskmgr_stats_entity(stats));
    CHECK(taskmgr_stats_shard(stats) == 3);
    CHECK(taskmgr_stats_start_time(stats) >= taskmgr_stats_created_at(stats));
    CHECK(taskmgr_stats_end_time(stats) == TASKMGR_NO_TIME);
    CHECK(!taskmgr_stats_internal(stats));
    CHECK_VALUE_ERROR(taskmgr_stats_list_at(list, 1) == NULL);
    CHECK_VALUE_ERROR(taskmgr_stats_list_at(NULL, 0) == NULL);
    CHECK_VALUE_ERROR(taskmgr_stats_list_len(NULL) == 0);
    taskmgr_stats_list_free(list);
    taskmgr_stats_list_free(NULL);

    taskmgr_filter filter = TASKMGR_FILTER;
    filter.state = 6;
    list = (taskmgr_stats_list *)&list;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "6 is no state",
                taskmgr_module_list(module, &filter, &list));
    CHECK(list == NULL);
    filter.state = -1;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "-1 is no state",
                taskmgr_manager_list(manager, TASKMGR_STR("repair"), &filter, &list));
    filter = TASKMGR_FILTER;
    filter.table = TASKMGR_STR("\xfe");
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "table", taskmgr_module_list(module, &filter, &list));
    filter.size = 3;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "sizeof(taskmgr_filter)",
                taskmgr_module_list(module, &filter, &list));
    CHECK_ERROR(TASKMGR_UNKNOWN_MODULE, "backup",
                taskmgr_manager_list(manager, TASKMGR_STR("backup"), NULL, &list));

    finish_and_free(ks1);
    taskmgr_module_free(module);
    taskmgr_manager_free(manager);
}

static void drains(void) {
    taskmgr_manager *manager = new_manager();
    taskmgr_module *module = new_module(manager, "repair");
    taskmgr_task *running = new_task(module);
    taskmgr_task *task = new_task(module);
    taskmgr_id id = taskmgr_task_id(task);
    finish_and_free(task);
    size_t drained = 9;
    CHECK_OK(taskmgr_module_drain(module, &drained));
    CHECK(drained == 1);
    taskmgr_status *status = NULL;
    CHECK_CODE(TASKMGR_GONE, taskmgr_manager_status(manager, id, &status));
    CHECK(taskmgr_last_error_gone_reason() == TASKMGR_GONE_DRAINED);
    finish_and_free(running);
    CHECK_OK(taskmgr_manager_drain(manager, TASKMGR_STR("repair"), &drained));
    CHECK(drained == 1);
    CHECK_OK(taskmgr_manager_drain(manager, TASKMGR_STR("repair"), NULL));
    CHECK_OK(taskmgr_module_drain(module, NULL));
    CHECK_CODE(TASKMGR_UNKNOWN_MODULE,
               taskmgr_manager_drain(manager, TASKMGR_STR("backup"), &drained));
    CHECK(drained == 0);
    taskmgr_module_free(module);
    taskmgr_manager_free(manager);
}

/* No more live tasks than the bound; one that has settled makes room. */
static void bound_of_live_tasks(void) {
    taskmgr_manager_config config = TASKMGR_MANAGER_CONFIG;
    CHECK(config.max_live_tasks == TASKMGR_NO_LIMIT);
    config.max_live_tasks = 1;
    taskmgr_manager *manager = NULL;
    CHECK_OK(taskmgr_manager_create(&config, &manager));
    taskmgr_module *module = new_module(manager, "repair");
    taskmgr_task *first = new_task(module);
    taskmgr_task *second = NULL;
    const taskmgr_task_spec spec = TASKMGR_TASK_SPEC("repair");
    CHECK_ERROR(TASKMGR_EXHAUSTED, "max_live_tasks", taskmgr_task_start(module, &spec, &second));
    CHECK(second == NULL);
    CHECK_OK(taskmgr_task_finish(first));
    taskmgr_task_free(first);
    second = new_task(module);
    taskmgr_task_free(second);
    taskmgr_module_free(module);
    taskmgr_manager_free(manager);
}

/* No more modules than the bound; one that is closed makes room. */
static void bound_of_modules(void) {
    taskmgr_manager_config config = TASKMGR_MANAGER_CONFIG;
    CHECK(config.max_modules == 65536);
    config.max_modules = 1;
    taskmgr_manager *manager = NULL;
    CHECK_OK(taskmgr_manager_create(&config, &manager));
    taskmgr_module *first = new_module(manager, "first");
    taskmgr_module *second = NULL;
    CHECK_ERROR(TASKMGR_EXHAUSTED, "max_modules",
                taskmgr_manager_register_module(manager, TASKMGR_STR("second"), &second));
    CHECK(second == NULL);
    CHECK_OK(taskmgr_module_close(first, 0, NULL));
    second = new_module(manager, "second");
    taskmgr_module_free(first);
    taskmgr_module_free(second);
    taskmgr_manager_free(manager);
}

/* With no room for what has finished nothing is kept, and whoever asks is told why. */
static void evictions(void) {
    taskmgr_manager_config config = TASKMGR_MANAGER_CONFIG;
    CHECK(config.max_finished_bytes == 64 << 20);
    taskmgr_manager *roomy = new_manager();
    config.max_finished_bytes = 0;
    taskmgr_manager *manager = NULL;
    CHECK_OK(taskmgr_manager_create(&config, &manager));
    for (int at = 0; at < 2; at++) {
        taskmgr_manager *of = at == 0 ? roomy : manager;
        taskmgr_module *module = new_module(of, "repair");
        taskmgr_task *task = new_task(module);
        taskmgr_id id = taskmgr_task_id(task);
        taskmgr_status *status = NULL;
        finish_and_free(task);
        CHECK_CODE(at == 0 ? TASKMGR_OK : TASKMGR_GONE, taskmgr_manager_status(of, id, &status));
        CHECK((taskmgr_manager_finished_bytes(of) == 0) == (at == 1));
        CHECK(taskmgr_manager_evicted(of) == (uint64_t)at);
        taskmgr_status_free(status);
        taskmgr_module_free(module);
        taskmgr_manager_free(of);
    }
    CHECK(taskmgr_last_error_gone_reason() == TASKMGR_GONE_EVICTED);
}

static void nulls(void) {
    taskmgr_manager *manager = NULL;
    taskmgr_module *module = NULL;
    taskmgr_strings *names = NULL;
    taskmgr_stats_list *list = NULL;
    taskmgr_filter filter = TASKMGR_FILTER;
    const char *wanted = "manager is a null pointer";
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_manager_clone(NULL, &manager));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_manager_close(NULL, 0, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_manager_register_module(NULL, TASKMGR_STR("x"), &module));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_manager_module(NULL, TASKMGR_STR("x"), &module));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_manager_modules(NULL, &names));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_manager_list(NULL, TASKMGR_STR("x"), &filter, &list));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_manager_drain(NULL, TASKMGR_STR("x"), NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_manager_close_module(NULL, TASKMGR_STR("x"), 0, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_manager_set_task_ttl(NULL, 0, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_manager_set_user_task_ttl(NULL, 0, NULL));
    CHECK_VALUE_ERROR(taskmgr_manager_node(NULL).len == 0);
    CHECK_VALUE_ERROR(!taskmgr_manager_keep_on_read(NULL));
    CHECK_VALUE_ERROR(taskmgr_manager_task_ttl(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_manager_user_task_ttl(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_manager_finished_bytes(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_manager_evicted(NULL) == 0);
    CHECK_VALUE_ERROR(taskmgr_manager_tick(NULL) == 0);
    taskmgr_manager_free(NULL);

    wanted = "module is a null pointer";
    CHECK_VALUE_ERROR(taskmgr_module_name(NULL).len == 0);
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_module_clone(NULL, &module));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_module_list(NULL, &filter, &list));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_module_drain(NULL, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_module_close(NULL, 0, NULL));

    manager = new_manager();
    module = new_module(manager, "repair");
    wanted = "null pointer";
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_manager_clone(manager, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_manager_module(manager, TASKMGR_STR("repair"), NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_manager_modules(manager, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted,
                taskmgr_manager_list(manager, TASKMGR_STR("repair"), NULL, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_module_clone(module, NULL));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, wanted, taskmgr_module_list(module, NULL, NULL));
    taskmgr_module_free(module);
    taskmgr_manager_free(manager);
}

int main(void) {
    configs();
    bad_configs();
    ttls();
    clocks();
    modules();
    lists();
    listed_stats();
    drains();
    evictions();
    bound_of_modules();
    bound_of_live_tasks();
    nulls();
    return 0;
}
