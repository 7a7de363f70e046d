/* The header alone, twice, with all its macros; compiled as C and as C++, each into a part of
 * one program. NAME tells the parts apart. */
#include <taskmgr.h>
#include <taskmgr.h>

#ifdef __cplusplus
extern "C"
#endif
int NAME(void);

int NAME(void) {
    int wrong = 0;
    taskmgr_str text = TASKMGR_STR("text");
    wrong += text.len != TASKMGR_NUL;
    text = TASKMGR_STR_N("text", 2);
    wrong += text.len != 2;
    text = TASKMGR_NO_STR;
    wrong += text.data != NULL;
    taskmgr_id id = TASKMGR_ID_NIL;
    wrong += id.bytes[15] != 0;
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("repair");
    spec = TASKMGR_TASK_SPEC("again");
    wrong += spec.size != sizeof spec;
    wrong += spec.total != TASKMGR_TOTAL_UNKNOWN || spec.shard != TASKMGR_SHARD_OF_PARENT;
    taskmgr_manager_config config = TASKMGR_MANAGER_CONFIG;
    wrong += config.size != sizeof config || config.reaper != 1;
    taskmgr_filter filter = TASKMGR_FILTER;
    wrong += filter.size != sizeof filter || filter.limit != TASKMGR_NO_LIMIT;
    taskmgr_virtual_task task = TASKMGR_VIRTUAL_TASK(id, "vacuum");
    wrong += task.size != sizeof task || task.state != TASKMGR_STATE_RUNNING;
    taskmgr_provider provider = TASKMGR_PROVIDER_INIT;
    wrong += provider.size != sizeof provider || provider.contains != NULL;
#ifdef TASKMGR_HTTP
    taskmgr_http_config http = TASKMGR_HTTP_CONFIG;
    wrong += http.size != sizeof http || http.max_connections != 2048;
    taskmgr_http_api_config api = TASKMGR_HTTP_API_CONFIG;
    wrong += api.size != sizeof api || api.routes != NULL;
#endif
    wrong += TASKMGR_CHECK_VERSION() != TASKMGR_OK;
    wrong += taskmgr_version() != TASKMGR_VERSION;
    return wrong;
}
