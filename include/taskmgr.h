/*
 * taskmgr: tracks the long-running background operations of a database as trees of tasks.
 *
 * This file is made of the sources in bindings/c; do not edit it.
 *
 * Ownership. A handle or result that a call gives through an out-pointer is the caller's, and is
 * freed by the `_free` function of its type, which takes NULL too; handles may be freed in any
 * order, also a manager before its tasks, and also in a callback. What a function returns as a
 * `const` pointer or as text is borrowed from its argument. After an error an out-pointer holds
 * NULL, and a value 0. User data of a callback is the library's as soon as the call is made,
 * whatever comes of it.
 *
 * Threads. A `const` handle is one that the call shares with others. Every function may
 * be called on any thread, and on the same handle on several at once, unless its comment says
 * otherwise. A handle is freed when no other call uses it.
 *
 * Errors. What can fail returns a `taskmgr_code`. `taskmgr_last_error` is the message, for each
 * thread its own. Functions that return a value return a zero of it when they fail, and set the
 * last error too. No function ends the process, throws, or jumps.
 *
 * Forks. In a forked child each call on what was made before the fork returns TASKMGR_FORKED, but
 * for those that count, look for an abort or copy a handle; a value is still answered from what
 * the child has, and `_free` functions do nothing that could hang.
 *
 * Compile with TASKMGR_WITHOUT_HTTP defined for a library that was built without the REST API.
 */

#ifndef TASKMGR_H
#define TASKMGR_H


#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if !defined(TASKMGR_WITHOUT_HTTP) && !defined(TASKMGR_HTTP)
#define TASKMGR_HTTP
#endif

/** The length of text that ends with a NUL. Since 0.1.0. */
#define TASKMGR_NUL SIZE_MAX

/** The limit of a list without one. Since 0.1.0. */
#define TASKMGR_NO_LIMIT SIZE_MAX

/**
 * The major version of this header: within one the ABI only grows.
 */
#define TASKMGR_VERSION_MAJOR 0

/**
 * The minor version of this header.
 */
#define TASKMGR_VERSION_MINOR 1

/**
 * The patch version of this header.
 */
#define TASKMGR_VERSION_PATCH 0



/**
 * The length of an id as text with its NUL.
 */
#define TASKMGR_ID_TEXT 37

/**
 * A duration without end, for waits. All durations are milliseconds.
 */
#define TASKMGR_FOREVER UINT64_MAX



/**
 * The total of a task that is not known.
 */
#define TASKMGR_TOTAL_UNKNOWN UINT64_MAX

/**
 * The shard of a task that is not told: its parent's, and 0 for a root.
 */
#define TASKMGR_SHARD_OF_PARENT UINT32_MAX

/**
 * Keeps an abort callback registered. Since 0.1.0.
 */
typedef struct taskmgr_abort_guard taskmgr_abort_guard;

/**
 * A clock for tests that stands still until it is told to move. Since 0.1.0.
 */
typedef struct taskmgr_clock taskmgr_clock;

/**
 * What closing a module or a manager has left behind. Since 0.1.0.
 */
typedef struct taskmgr_close_report taskmgr_close_report;

/**
 * Tells those who wait for a virtual task how it has ended. Since 0.1.0.
 */
typedef struct taskmgr_completion taskmgr_completion;

/**
 * Keeps a completion callback registered. Since 0.1.0.
 */
typedef struct taskmgr_done_guard taskmgr_done_guard;

#if defined(TASKMGR_HTTP)
/**
 * The REST API of a manager, for any HTTP server; it keeps the manager. Since 0.1.0.
 */
typedef struct taskmgr_http_api taskmgr_http_api;
#endif

#if defined(TASKMGR_HTTP)
/**
 * Where a route of the host puts its answer. Since 0.1.0.
 */
typedef struct taskmgr_http_reply taskmgr_http_reply;
#endif

#if defined(TASKMGR_HTTP)
/**
 * A request that a route of the host answers. Since 0.1.0.
 */
typedef struct taskmgr_http_request taskmgr_http_request;
#endif

#if defined(TASKMGR_HTTP)
/**
 * The response to a request, ready to be sent. Since 0.1.0.
 */
typedef struct taskmgr_http_response taskmgr_http_response;
#endif

#if defined(TASKMGR_HTTP)
/**
 * A server of the REST API. It has threads of its own, and keeps its manager. Since 0.1.0.
 */
typedef struct taskmgr_http_server taskmgr_http_server;
#endif

#if defined(TASKMGR_HTTP)
/**
 * A request that waits for a task which has not ended; it costs no thread. Since 0.1.0.
 */
typedef struct taskmgr_http_waiting taskmgr_http_waiting;
#endif

/**
 * Takes the tasks that a provider lists. Since 0.1.0.
 */
typedef struct taskmgr_list_sink taskmgr_list_sink;

/**
 * Keeps track of a node's long-running operations. When its last handle is freed without
 * `taskmgr_manager_close`, new tasks are refused and all that run are told to abort, but not
 * waited for; handles of tasks that are left still report, finish, and can be waited for.
 * Since 0.1.0.
 */
typedef struct taskmgr_manager taskmgr_manager;

/**
 * A module: a group of operations of one nature, e.g. all repairs. It does not keep the
 * manager; all handles of one module are equal. Since 0.1.0.
 */
typedef struct taskmgr_module taskmgr_module;

/**
 * Looks at a task, waits for it and asks for its abort. Its task stays readable for as long
 * as it is held, also after the task was unregistered and the manager freed. Since 0.1.0.
 */
typedef struct taskmgr_observer taskmgr_observer;

/**
 * One more handle of a task, for one further worker: it counts in a cell of its own, by a load
 * and a store, and the task's `completed` is the sum over all. It can make children and look
 * for an abort, but not end the task. One thread at a time counts with it: of two that do at
 * once, counts get lost, and nothing worse. Since 0.1.0.
 */
typedef struct taskmgr_reporter taskmgr_reporter;

/**
 * The short view of one task; always part of a list, and borrowed from it. Since 0.1.0.
 */
typedef struct taskmgr_stats taskmgr_stats;

/**
 * The short views of several tasks. Since 0.1.0.
 */
typedef struct taskmgr_stats_list taskmgr_stats_list;

/**
 * The full view of a task at one moment; it does not change. Owned by the caller where it was
 * given by itself, borrowed from its list otherwise. Since 0.1.0.
 */
typedef struct taskmgr_status taskmgr_status;

/**
 * The full views of several tasks, e.g. of a whole tree. Since 0.1.0.
 */
typedef struct taskmgr_status_list taskmgr_status_list;

/**
 * Takes the status that a provider tells. Since 0.1.0.
 */
typedef struct taskmgr_status_sink taskmgr_status_sink;

/**
 * A list of texts, e.g. the names of all modules. Since 0.1.0.
 */
typedef struct taskmgr_strings taskmgr_strings;

/**
 * The owner of a task: runs it and ends it. All calls on one handle may come from several
 * threads at once, and what they count is added atomically. Freed without
 * `taskmgr_task_finish` or `taskmgr_task_fail` it fails its task. Since 0.1.0.
 */
typedef struct taskmgr_task taskmgr_task;

/**
 * Text in UTF-8.
 *
 * Given to the library: `len` bytes at `data`, or up to a NUL if `len` is `TASKMGR_NUL`;
 * `{NULL, 0}` is absent text, which is the same as an empty one. `TASKMGR_STR("…")` makes it
 * of a C string. The library copies what it keeps: text is borrowed for the call only.
 *
 * Given by the library: `data` is never null, has `len` bytes and a NUL behind them, so that
 * it can be printed; it belongs to the object that it was asked of, and lives as long. Text
 * with a NUL inside is possible in error messages alone. Since 0.1.0.
 */
typedef struct taskmgr_str {
    const char *data;
    size_t len;
} taskmgr_str;

/**
 * What a call has come to: `TASKMGR_OK` or the kind of an error. The numbers never change,
 * and further ones may come with later versions. `taskmgr_last_error` has the message.
 *
 * Any call may return `TASKMGR_INVALID_ARGUMENT` for a null pointer where a handle or a place
 * for a result belongs, for text that is not UTF-8, and for a struct of a size that is none;
 * `TASKMGR_FORKED` in a forked child; `TASKMGR_PANIC` for an error in the library itself.
 * These three are not named again below. Since 0.1.0.
 */
typedef int32_t taskmgr_code;

/**
 * The id of a task, a UUID: 16 bytes in the order in which they are written as text. All
 * zero is the nil id, which no task has: it stands for none. Since 0.1.0.
 */
typedef struct taskmgr_id {
    /**
     * The bytes.
     */
    uint8_t bytes[16];
} taskmgr_id;

/**
 * Why a task that was there is there no longer; 0 is none. Since 0.1.0.
 */
typedef int32_t taskmgr_gone_reason;

/**
 * Where a task is in its life; 0 is none, or any. Since 0.1.0.
 */
typedef int32_t taskmgr_state;

/**
 * Who answers for a task. Since 0.1.0.
 */
typedef int32_t taskmgr_kind;

/**
 * A function of the host. It must not throw or jump out. In it no call may block: what would
 * returns `TASKMGR_WOULD_DEADLOCK`. Since 0.1.0.
 */
typedef void (*taskmgr_callback)(void *user_data);

/**
 * A time: nanoseconds since 1970-01-01T00:00:00Z; 0 is a time that has not come. Since 0.1.0.
 */
typedef int64_t taskmgr_time_ns;

/**
 * What a manager shall be. `TASKMGR_MANAGER_CONFIG` initializes it with the defaults. Text
 * and clock are borrowed for the call. Since 0.1.0.
 */
typedef struct taskmgr_manager_config {
    /**
     * `sizeof(taskmgr_manager_config)`.
     */
    size_t size;
    /**
     * The address of this node, as children's ids are shown with it.
     */
    taskmgr_str node;
    /**
     * A clock for tests, or NULL for the machine's. With a clock of its own a manager has no
     * background thread.
     */
    const taskmgr_clock *clock;
    /**
     * For how long a finished root stays; 0, the default, forgets it at once.
     */
    uint64_t task_ttl_ms;
    /**
     * For how long one that a user started stays; an hour by default.
     */
    uint64_t user_task_ttl_ms;
    /**
     * How long a provider of virtual tasks may take to answer; 5 s by default.
     */
    uint64_t provider_deadline_ms;
    /**
     * How many succeeded children a parent keeps, and how many failed ones; 1,024 by default.
     */
    size_t max_kept_children;
    /**
     * How many finished descendants a whole tree keeps; 16,384 by default.
     */
    size_t max_kept_per_root;
    /**
     * How many roots that are gone are remembered, with the reason; 4,096 by default.
     */
    size_t tombstones;
    /**
     * About how many bytes all finished roots may take with what they keep; 64 MiB by default.
     * Beyond it the oldest go before their time: those that succeeded, then those of users that
     * did, then those that failed, then those of users that failed.
     */
    uint64_t max_finished_bytes;
    /**
     * How many modules may be registered or closing at once; 65,536 by default. A further one is
     * refused: EXHAUSTED.
     */
    size_t max_modules;
    /**
     * How many tasks may live at once, which are those that have not settled; TASKMGR_NO_LIMIT, the
     * default, for no bound but memory. A further one is refused: EXHAUSTED. With a bound making
     * and ending tasks takes longer.
     */
    size_t max_live_tasks;
    /**
     * Not 0, as by default: a background thread forgets roots whose time has come. Without it
     * call `taskmgr_manager_tick`.
     */
    uint8_t reaper;
    /**
     * Not 0: reading the status of a settled root over REST leaves it registered.
     */
    uint8_t keep_on_read;
    /**
     * 0.
     */
    uint8_t reserved[6];
} taskmgr_manager_config;

/**
 * Which tasks of a module to list. `TASKMGR_FILTER` initializes it, and with nothing else set
 * it lets all tasks through that are not internal. Texts are borrowed for the call; an absent
 * one is no filter. Since 0.1.0.
 */
typedef struct taskmgr_filter {
    /**
     * `sizeof(taskmgr_filter)`.
     */
    size_t size;
    /**
     * Only tasks on this keyspace.
     */
    taskmgr_str keyspace;
    /**
     * Only tasks on this table.
     */
    taskmgr_str table;
    /**
     * Only tasks of this type.
     */
    taskmgr_str type;
    /**
     * Only tasks of this scope.
     */
    taskmgr_str scope;
    /**
     * At most so many, the oldest first.
     */
    size_t limit;
    /**
     * Only tasks in this state; `TASKMGR_STATE_ANY` for all.
     */
    taskmgr_state state;
    /**
     * Not 0: internal tasks too.
     */
    uint8_t internal;
    /**
     * 0.
     */
    uint8_t reserved[3];
} taskmgr_filter;

/**
 * A function of the host that is told how a task has ended. `code` is `TASKMGR_OK` with the
 * final status, which is borrowed for the call (`taskmgr_status_clone` keeps one); any other
 * with a null `status` and the thread's last error set. The rules of `taskmgr_callback` hold.
 * Since 0.1.0.
 */
typedef void (*taskmgr_done_callback)(void *user_data,
                                      taskmgr_code code,
                                      const taskmgr_status *status);

/**
 * Destroys the user data of a callback: called exactly once, when the callback has run or
 * will not run any more, also when the call that was to register it fails. Since 0.1.0.
 */
typedef void (*taskmgr_destroy)(void *user_data);

/**
 * What a new task shall be. `TASKMGR_TASK_SPEC("type")` initializes it; nothing else is
 * needed. Texts and handles are borrowed for the call. Names are at most 255 bytes and
 * printable: not of blanks alone, and without control characters, line separators,
 * noncharacters, bidirectional controls and what does not show at all. Since 0.1.0.
 */
typedef struct taskmgr_task_spec {
    /**
     * `sizeof(taskmgr_task_spec)`.
     */
    size_t size;
    /**
     * What operation the task covers; the only field that is needed.
     */
    taskmgr_str type;
    /**
     * For which part of the operation it is responsible, e.g. "keyspace".
     */
    taskmgr_str scope;
    /**
     * The keyspace that it works on.
     */
    taskmgr_str keyspace;
    /**
     * The table that it works on.
     */
    taskmgr_str table;
    /**
     * What else tells it from its siblings, e.g. a token range.
     */
    taskmgr_str entity;
    /**
     * What its progress counts, e.g. "sstables".
     */
    taskmgr_str units;
    /**
     * How many units there are; `TASKMGR_TOTAL_UNKNOWN` if that is not known.
     */
    uint64_t total;
    /**
     * An id of the host's own; the nil id (all zero) to get one.
     */
    taskmgr_id id;
    /**
     * The parent's id, which may be a virtual task's; the nil id for none. Only where the call
     * names no parent itself.
     */
    taskmgr_id parent_id;
    /**
     * The parent by a handle, or NULL. Only where the call names no parent itself.
     */
    const taskmgr_observer *parent;
    /**
     * For a child, the module it goes into; NULL for its parent's. Only where the call names
     * no module itself.
     */
    const taskmgr_module *module;
    /**
     * The shard that it runs on; `TASKMGR_SHARD_OF_PARENT` if it is not told.
     */
    uint32_t shard;
    /**
     * Not 0: observers, and so operators, may abort it.
     */
    uint8_t abortable;
    /**
     * Not 0: lists leave it out unless asked, and as a root it is forgotten as soon as it has
     * settled. A child of a regular task always is internal.
     */
    uint8_t internal;
    /**
     * Not 0: a user started it, and it is kept for the TTL of user tasks.
     */
    uint8_t user_task;
    /**
     * 0.
     */
    uint8_t reserved;
} taskmgr_task_spec;

/**
 * Answers for tasks that live elsewhere: in the whole cluster, in another process.
 * `TASKMGR_PROVIDER_INIT` initializes it with no function set; `list`, `status`, `abort` and
 * `watch` are needed.
 *
 * Every function is called on a thread of the library's own, several at once, and given up
 * after the manager's `provider_deadline_ms`; its answer is then thrown away. It returns
 * `TASKMGR_OK`, or another code, which whoever asked gets with the message that it set by
 * `taskmgr_set_error`. It must not throw or jump out; calls that would block return
 * `TASKMGR_WOULD_DEADLOCK` in it. Since 0.1.0.
 */
typedef struct taskmgr_provider {
    /**
     * `sizeof(taskmgr_provider)`.
     */
    size_t size;
    /**
     * Given to each function; any thread may have it.
     */
    void *user_data;
    /**
     * Destroys the user data, once: when registering it fails, or else when its module is closed
     * or the manager freed, no call to it is under way, and no observer of its tasks is left.
     * May be NULL.
     */
    taskmgr_destroy destroy;
    /**
     * Gives all its tasks to `taskmgr_list_sink_add`.
     */
    taskmgr_code (*list)(void *user_data, taskmgr_list_sink *sink);
    /**
     * Gives the status of one of its tasks to `taskmgr_status_sink_set`; for an id that is not
     * its own it returns `TASKMGR_OK` without that.
     */
    taskmgr_code (*status)(void *user_data, taskmgr_id id, taskmgr_status_sink *sink);
    /**
     * Aborts one of its tasks; called only if its status says that it is abortable. The reason
     * is borrowed for the call.
     */
    taskmgr_code (*abort)(void *user_data, taskmgr_id id, taskmgr_str reason);
    /**
     * Sees to it that `completion` is completed when the task has ended, at once if it has; it
     * must not wait for that itself. The completion is the provider's from here on, also if it
     * fails: to be given to `taskmgr_completion_complete`, `_fail` or `_free`, on any thread.
     */
    taskmgr_code (*watch)(void *user_data, taskmgr_id id, taskmgr_completion *completion);
    /**
     * Sets `*contains` to whether an id is its own. May be NULL: `status` is asked then.
     */
    taskmgr_code (*contains)(void *user_data, taskmgr_id id, int32_t *contains);
} taskmgr_provider;

/**
 * A child of a virtual task: its id, and the address of the node that runs it. Since 0.1.0.
 */
typedef struct taskmgr_child {
    /**
     * The child's id.
     */
    taskmgr_id id;
    /**
     * The address of its node.
     */
    taskmgr_str node;
} taskmgr_child;

/**
 * How a virtual task is, as a provider tells it. `TASKMGR_VIRTUAL_TASK(id, "type")`
 * initializes it as one that runs. Texts and children are borrowed for the call to which it
 * is given. Since 0.1.0.
 */
typedef struct taskmgr_virtual_task {
    /**
     * `sizeof(taskmgr_virtual_task)`.
     */
    size_t size;
    /**
     * The task's id.
     */
    taskmgr_id id;
    /**
     * Its parent, or the nil id.
     */
    taskmgr_id parent_id;
    /**
     * What operation it covers.
     */
    taskmgr_str type;
    /**
     * For which part of the operation it is responsible.
     */
    taskmgr_str scope;
    /**
     * The keyspace that it works on.
     */
    taskmgr_str keyspace;
    /**
     * The table that it works on.
     */
    taskmgr_str table;
    /**
     * What else tells it from its siblings.
     */
    taskmgr_str entity;
    /**
     * Why it failed.
     */
    taskmgr_str error;
    /**
     * What its progress counts.
     */
    taskmgr_str progress_units;
    /**
     * How many units are done.
     */
    uint64_t progress_completed;
    /**
     * How many units there are; `TASKMGR_TOTAL_UNKNOWN` if that is not known.
     */
    uint64_t progress_total;
    /**
     * The number of its tree, from 1; 0 for none.
     */
    uint64_t sequence_number;
    /**
     * When it was made; `TASKMGR_NO_TIME` for when it started.
     */
    taskmgr_time_ns created_at;
    /**
     * When it started; `TASKMGR_NO_TIME` if it has not.
     */
    taskmgr_time_ns start_time;
    /**
     * When it ended; `TASKMGR_NO_TIME` if it has not.
     */
    taskmgr_time_ns end_time;
    /**
     * `children_len` children, or NULL. Local tasks that name this one as their parent are
     * added to them by the library.
     */
    const taskmgr_child *children;
    /**
     * How many children there are.
     */
    size_t children_len;
    /**
     * The shard that it runs on.
     */
    uint32_t shard;
    /**
     * Where it is in its life.
     */
    taskmgr_state state;
    /**
     * Not 0: `abort` of its provider may be called.
     */
    uint8_t abortable;
    /**
     * Not 0: lists leave it out unless asked.
     */
    uint8_t internal;
    /**
     * Not 0: a user started it.
     */
    uint8_t user_task;
    /**
     * 0.
     */
    uint8_t reserved[5];
} taskmgr_virtual_task;

#if defined(TASKMGR_HTTP)
/**
 * Routes of the host, asked for paths that the API does not know. Returns 0 for a path that is
 * not one of them either, which becomes a 404; otherwise `taskmgr_http_reply_json` or
 * `taskmgr_http_reply_error` has told the answer, and an empty 200 goes out where neither was
 * called. Both arguments are borrowed for the call.
 *
 * It is called on threads of the library, one at a time by a server, and by
 * `taskmgr_http_api_handle` on the thread of its caller. It must not throw or jump out.
 * Since 0.1.0.
 */
typedef int32_t (*taskmgr_http_routes)(void *user_data,
                                       const taskmgr_http_request *request,
                                       taskmgr_http_reply *reply);
#endif

#if defined(TASKMGR_HTTP)
/**
 * How an API behaves. `TASKMGR_HTTP_API_CONFIG` initializes it with the defaults.
 * Since 0.1.0.
 */
typedef struct taskmgr_http_api_config {
    /**
     * `sizeof(taskmgr_http_api_config)`.
     */
    size_t size;
    /**
     * Routes of the host, or NULL.
     */
    taskmgr_http_routes routes;
    /**
     * Given to `routes`; the library's from the call on, also after an error, but for a config
     * whose size is none.
     */
    void *user_data;
    /**
     * Destroys the user data, once, when `routes` will not be called any more. May be NULL.
     */
    taskmgr_destroy destroy;
    /**
     * Not 0: `/task_manager_test` is there, where a test harness makes and ends tasks.
     */
    uint8_t test_endpoints;
    /**
     * 0.
     */
    uint8_t reserved[7];
} taskmgr_http_api_config;
#endif

#if defined(TASKMGR_HTTP)
/**
 * How much work an answer takes, so that a host can choose the thread for it; 0 is none.
 * Since 0.1.0.
 */
typedef int32_t taskmgr_http_weight;
#endif

#if defined(TASKMGR_HTTP)
/**
 * How a server behaves. `TASKMGR_HTTP_CONFIG` initializes it with the defaults. Texts are
 * borrowed for the call. Since 0.1.0.
 */
typedef struct taskmgr_http_config {
    /**
     * `sizeof(taskmgr_http_config)`.
     */
    size_t size;
    /**
     * Where to listen, e.g. "127.0.0.1:10000", which is the default, or `[::1]:0`; port 0 is
     * any free one. The API has no authentication: on an address that is not loopback,
     * everyone who reaches it can read and abort every task.
     */
    taskmgr_str address;
    /**
     * `allowed_hosts_len` names, without port, by which clients may reach a server on
     * loopback, beside IP addresses and `localhost`; or NULL.
     */
    const taskmgr_str *allowed_hosts;
    /**
     * How many names there are.
     */
    size_t allowed_hosts_len;
    /**
     * How many connections to hold at once; 2,048 by default. A parked wait needs one.
     */
    size_t max_connections;
    /**
     * How long a client may take to send a request or be idle between two; 10 s by default, at
     * most a day.
     */
    uint64_t header_timeout_ms;
    /**
     * Routes of the host, or NULL.
     */
    taskmgr_http_routes routes;
    /**
     * Given to `routes`; the library's from the call on, also after an error, but for a config
     * whose size is none.
     */
    void *user_data;
    /**
     * Destroys the user data, once, when `routes` will not be called any more. May be NULL.
     */
    taskmgr_destroy destroy;
    /**
     * Not 0: `/task_manager_test` is there, where a test harness makes and ends tasks.
     */
    uint8_t test_endpoints;
    /**
     * 0.
     */
    uint8_t reserved[7];
} taskmgr_http_config;
#endif

/**
 * The call has done what was asked.
 */
#define TASKMGR_OK 0

/**
 * A null pointer, a name, a number, a duration or a struct that cannot be.
 */
#define TASKMGR_INVALID_ARGUMENT 1

/**
 * A module of that name is registered already, or still closing.
 */
#define TASKMGR_MODULE_EXISTS 2

/**
 * No module of that name is registered.
 */
#define TASKMGR_UNKNOWN_MODULE 3

/**
 * The id lives already.
 */
#define TASKMGR_ID_IN_USE 4

/**
 * No task has that id, nor is one remembered that had it.
 */
#define TASKMGR_NOT_FOUND 5

/**
 * The task was there and is no longer; `taskmgr_last_error_gone_reason` tells why.
 */
#define TASKMGR_GONE 6

/**
 * A task that has ended takes no children.
 */
#define TASKMGR_PARENT_TERMINAL 7

/**
 * The task was started before.
 */
#define TASKMGR_ALREADY_STARTED 8

/**
 * The task has ended before.
 */
#define TASKMGR_ALREADY_FINISHED 9

/**
 * The task is not marked abortable.
 */
#define TASKMGR_NOT_ABORTABLE 10

/**
 * The task was told to abort.
 */
#define TASKMGR_ABORTED 11

/**
 * The time given to a wait has passed.
 */
#define TASKMGR_TIMEOUT 12

/**
 * The task, or a descendant of it, is still at work.
 */
#define TASKMGR_NOT_SETTLED 13

/**
 * The call would have to block inside a callback or a provider.
 */
#define TASKMGR_WOULD_DEADLOCK 14

/**
 * The module or the manager is closed.
 */
#define TASKMGR_CLOSED 15

/**
 * The process was forked since the manager was made.
 */
#define TASKMGR_FORKED 16

/**
 * The provider of a virtual task failed or took too long.
 */
#define TASKMGR_PROVIDER 17

/**
 * The call makes no sense for this kind of task.
 */
#define TASKMGR_NOT_SUPPORTED 18

/**
 * More tasks, forks, threads or handles than there is room for.
 */
#define TASKMGR_EXHAUSTED 19

/**
 * The work that a task tracked has failed.
 */
#define TASKMGR_TASK_FAILED 20

/**
 * The task was finished before it was started: it has failed.
 */
#define TASKMGR_NOT_STARTED 21

/**
 * An error in the library itself; nothing is known of what the call has done. Of C alone.
 */
#define TASKMGR_PANIC 100

/**
 * The system refused, e.g. an address that is taken. Of C alone.
 */
#define TASKMGR_SYSTEM 101

/**
 * The library is older than the header that the program was built with, or of another major
 * version. Of C alone.
 */
#define TASKMGR_VERSION_MISMATCH 102

/**
 * No state, or any, as in a filter.
 */
#define TASKMGR_STATE_ANY 0

/**
 * Made, and not yet started.
 */
#define TASKMGR_STATE_CREATED 1

/**
 * At work.
 */
#define TASKMGR_STATE_RUNNING 2

/**
 * Its owner sleeps in a checkpoint until it is resumed or aborted.
 */
#define TASKMGR_STATE_SUSPENDED 3

/**
 * Ended with success.
 */
#define TASKMGR_STATE_DONE 4

/**
 * Ended with an error.
 */
#define TASKMGR_STATE_FAILED 5

/**
 * A regular task, held in memory by this manager.
 */
#define TASKMGR_KIND_NODE 1

/**
 * A virtual task, answered on demand by a provider of the host.
 */
#define TASKMGR_KIND_CLUSTER 2

/**
 * Its time to live has passed.
 */
#define TASKMGR_GONE_EXPIRED 1

/**
 * Its status was taken.
 */
#define TASKMGR_GONE_READ 2

/**
 * Its module was drained or closed.
 */
#define TASKMGR_GONE_DRAINED 3

/**
 * It has ended and is part of its parent now.
 */
#define TASKMGR_GONE_FOLDED 4

/**
 * The finished roots took more than `max_finished_bytes`.
 */
#define TASKMGR_GONE_EVICTED 5

/**
 * No time: what has not happened.
 */
#define TASKMGR_NO_TIME 0

#if defined(TASKMGR_HTTP)
/**
 * Microseconds, if `taskmgr_http_api_try_handle` has an answer at all.
 */
#define TASKMGR_HTTP_LIGHT 1
#endif

#if defined(TASKMGR_HTTP)
/**
 * As long as many tasks, a callback of the host or one of its routes take.
 */
#define TASKMGR_HTTP_HEAVY 2
#endif

#if defined(TASKMGR_HTTP)
/**
 * It may block, so that only `taskmgr_http_api_handle` has an answer.
 */
#define TASKMGR_HTTP_BLOCKING 3
#endif

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library that runs, as major * 1000000 + minor * 1000 + patch, which is
 * what the header's `TASKMGR_VERSION` is of the header.
 *
 * Threads: any. Errors: none. Since 0.1.0.
 */
uint32_t taskmgr_version(void);

/**
 * The version of the library that runs as text, e.g. "0.1.0".
 *
 * The text is static. Threads: any. Errors: none. Since 0.1.0.
 */
taskmgr_str taskmgr_version_text(void);

/**
 * Whether the library that runs can serve a program that was built with the header of this
 * version: it has the same major version and is no older. `TASKMGR_CHECK_VERSION()` asks
 * that for the header that is included.
 *
 * Threads: any. Errors: VERSION_MISMATCH. Since 0.1.0.
 */
taskmgr_code taskmgr_check_version(uint32_t major, uint32_t minor, uint32_t patch);

/**
 * The code as a word, e.g. "not_found", as the other languages name it; "unknown" for a
 * number that is none.
 *
 * The text is static. Threads: any. Errors: none. Since 0.1.0.
 */
taskmgr_str taskmgr_code_name(taskmgr_code code);

/**
 * The message of the last call that failed on this thread; "" if none has. It says what was
 * asked, what was found and what to do. A NUL in a text of the host's is shown as `\0`.
 *
 * The text is of the library, and lives until the next call on this thread fails, or
 * `taskmgr_clear_error`; a call that does not fail leaves it. A callback that runs on this
 * thread may change it. Threads: any; each has its own. Errors: none. Since 0.1.0.
 */
const char *taskmgr_last_error(void);

/**
 * The code of the last call that failed on this thread; `TASKMGR_OK` if none has.
 *
 * Threads: any; each has its own. Errors: none. Since 0.1.0.
 */
taskmgr_code taskmgr_last_error_code(void);

/**
 * The task that this thread's last error is about; the nil id if it is about none.
 *
 * Threads: any; each has its own. Errors: none. Since 0.1.0.
 */
taskmgr_id taskmgr_last_error_id(void);

/**
 * Why the task is gone that this thread's last error is about; 0 if that was another error
 * than `TASKMGR_GONE`.
 *
 * Threads: any; each has its own. Errors: none. Since 0.1.0.
 */
taskmgr_gone_reason taskmgr_last_error_gone_reason(void);

/**
 * How the task had ended that is gone and that this thread's last error is about; 0 if that
 * was another error than `TASKMGR_GONE`.
 *
 * Threads: any; each has its own. Errors: none. Since 0.1.0.
 */
taskmgr_state taskmgr_last_error_final_state(void);

/**
 * Forgets the last error of this thread.
 *
 * Threads: any; each has its own. Errors: none. Since 0.1.0.
 */
void taskmgr_clear_error(void);

/**
 * Sets the last error of this thread and returns `code`: how a function of a
 * `taskmgr_provider` says why it fails. `return taskmgr_set_error(TASKMGR_PROVIDER,
 * TASKMGR_STR("the coordinator is away"));`
 *
 * The text is copied; where it is empty, the message says that none was given. Threads: any;
 * each has its own. Errors: a code that is none, or `TASKMGR_OK`, or text that is not UTF-8,
 * becomes `TASKMGR_INVALID_ARGUMENT`. Since 0.1.0.
 */
taskmgr_code taskmgr_set_error(taskmgr_code code, taskmgr_str message);

/**
 * Reads an id from text, as `taskmgr_id_format` writes it; capitals will do, and so will
 * text without hyphens.
 *
 * `*id` is a plain value; nil after an error. Threads: any.
 * Errors: INVALID_ARGUMENT for text that is no id. Since 0.1.0.
 */
taskmgr_code taskmgr_id_parse(taskmgr_str text, taskmgr_id *id);

/**
 * Writes an id as text of 36 characters and a NUL, e.g.
 * "67e55044-10b1-426f-9247-bb680e5fe0c8", and returns `text`, so that it can be printed.
 *
 * `text` has room for `TASKMGR_ID_TEXT` characters. Threads: any.
 * Errors: none but a null `text`, for which it returns NULL. Since 0.1.0.
 */
const char *taskmgr_id_format(taskmgr_id id, char *text);

/**
 * Whether two ids are the same.
 *
 * Threads: any. Errors: none. Since 0.1.0.
 */
bool taskmgr_id_equal(taskmgr_id one, taskmgr_id other);

/**
 * Whether an id is the nil id, which stands for none.
 *
 * Threads: any. Errors: none. Since 0.1.0.
 */
bool taskmgr_id_is_nil(taskmgr_id id);

/**
 * Draws a random id, for a task that gets one from its host.
 *
 * Threads: any. Errors: none. Since 0.1.0.
 */
taskmgr_id taskmgr_id_random(void);

/**
 * The state as a word, e.g. "running"; "unknown" for a number that is none.
 *
 * The text is static. Threads: any. Errors: none. Since 0.1.0.
 */
taskmgr_str taskmgr_state_name(taskmgr_state state);

/**
 * Whether a task in this state has ended: done or failed.
 *
 * Threads: any. Errors: none. Since 0.1.0.
 */
bool taskmgr_state_is_terminal(taskmgr_state state);

/**
 * The kind as a word, "node" or "cluster"; "unknown" for a number that is none.
 *
 * The text is static. Threads: any. Errors: none. Since 0.1.0.
 */
taskmgr_str taskmgr_kind_name(taskmgr_kind kind);

/**
 * The reason as a word, e.g. "expired"; "unknown" for a number that is none.
 *
 * The text is static. Threads: any. Errors: none. Since 0.1.0.
 */
taskmgr_str taskmgr_gone_reason_name(taskmgr_gone_reason reason);

/**
 * Unregisters an abort callback and frees its guard. Waits for a callback that is running on
 * another thread; not for its own, and not inside another callback.
 *
 * Takes `guard`; NULL is nothing. Threads: any. Errors: none. Since 0.1.0.
 */
void taskmgr_abort_guard_free(taskmgr_abort_guard *guard);

/**
 * Frees an abort callback's guard and leaves the callback registered until the task ends.
 *
 * Takes `guard`; NULL is nothing. Threads: any. Errors: none. Since 0.1.0.
 */
void taskmgr_abort_guard_forget(taskmgr_abort_guard *guard);

/**
 * Unregisters a completion callback and frees its guard. Waits for a callback that is running
 * on another thread; not for its own, and not inside another callback.
 *
 * Takes `guard`; NULL is nothing. Threads: any. Errors: none. Since 0.1.0.
 */
void taskmgr_done_guard_free(taskmgr_done_guard *guard);

/**
 * Frees a completion callback's guard and leaves the callback registered until it has run.
 *
 * Takes `guard`; NULL is nothing. Threads: any. Errors: none. Since 0.1.0.
 */
void taskmgr_done_guard_forget(taskmgr_done_guard *guard);

/**
 * Runs `work` at once on this thread as if inside a callback: calls that would block return
 * `TASKMGR_WOULD_DEADLOCK` in it. For threads that serve many, such as an event loop.
 *
 * `user_data` stays the caller's. Threads: any. Errors: none of its own. Since 0.1.0.
 */
taskmgr_code taskmgr_nonblocking(taskmgr_callback work, void *user_data);

/**
 * Makes a clock that stands at 2020-01-01T00:00:00Z, for the field `clock` of
 * `taskmgr_manager_config`.
 *
 * `*clock` is the caller's, to be freed with `taskmgr_clock_free`; NULL after an error.
 * Threads: any. Errors: none of its own. Since 0.1.0.
 */
taskmgr_code taskmgr_clock_create(taskmgr_clock **clock);

/**
 * Moves a clock on, and the wall clock with it.
 *
 * Threads: any, also several at once. Errors: none of its own. Since 0.1.0.
 */
taskmgr_code taskmgr_clock_advance(const taskmgr_clock *clock, uint64_t by_ms);

/**
 * Sets a clock's wall time, forwards or back; TTLs do not notice.
 *
 * Threads: any, also several at once. Errors: INVALID_ARGUMENT for a time before 1970.
 * Since 0.1.0.
 */
taskmgr_code taskmgr_clock_set_wall(const taskmgr_clock *clock, taskmgr_time_ns now);

/**
 * Frees a clock; managers that were made with it keep what they need of it.
 *
 * Takes `clock`; NULL is nothing. Threads: any, once no other call uses it. Errors: none.
 * Since 0.1.0.
 */
void taskmgr_clock_free(taskmgr_clock *clock);

/**
 * Makes a manager. A null `config` is one with the defaults.
 *
 * `*manager` is the caller's, to be freed with `taskmgr_manager_free`; NULL after an error.
 * Threads: any. Errors: INVALID_ARGUMENT for a TTL above 100 years or an address that is no
 * name; EXHAUSTED in a process that is more than 15 forks away from the first that made one.
 * Since 0.1.0.
 */
taskmgr_code taskmgr_manager_create(const taskmgr_manager_config *config,
                                    taskmgr_manager **manager);

/**
 * Makes one more handle of the same manager.
 *
 * `*copy` is the caller's, to be freed with `taskmgr_manager_free`; NULL after an error.
 * Threads: any. Errors: none of its own. Since 0.1.0.
 */
taskmgr_code taskmgr_manager_clone(const taskmgr_manager *manager, taskmgr_manager **copy);

/**
 * Frees a handle of a manager; the last one ends it without waiting. An HTTP server holds a
 * handle of its own.
 *
 * Takes `manager`; NULL is nothing. Threads: any, once no other call uses this handle; a
 * callback that such a call runs may. Errors: none. Since 0.1.0.
 */
void taskmgr_manager_free(taskmgr_manager *manager);

/**
 * Closes all modules and the manager with them: as `taskmgr_module_close`. Whoever still waits
 * for a task at the deadline, or comes later, gets CLOSED. Closing again waits on for what still
 * runs, and is answered in the same way: with a complete report once nothing does.
 *
 * The library's threads that served this manager are gone when this returns, unless it is called
 * in a callback: save those in a call of a provider that has passed its deadline, or this one.
 * After the last manager of a process none is left, so that the library can be unloaded.
 *
 * `*report` is the caller's, to be freed with `taskmgr_close_report_free`; NULL after an
 * error, and `report` may be NULL. The handle stays, to be freed.
 * Threads: any. Errors: WOULD_DEADLOCK in a callback, unless the deadline is 0. Since 0.1.0.
 */
taskmgr_code taskmgr_manager_close(const taskmgr_manager *manager,
                                   uint64_t deadline_ms,
                                   taskmgr_close_report **report);

/**
 * Registers a module. Names are non-empty, at most 255 bytes, and printable.
 *
 * `*module` is the caller's, to be freed with `taskmgr_module_free`, which does not unregister
 * it; NULL after an error. Threads: any. Errors: MODULE_EXISTS if one of that name is
 * registered or still closing, INVALID_ARGUMENT for the name, CLOSED. Since 0.1.0.
 */
taskmgr_code taskmgr_manager_register_module(const taskmgr_manager *manager,
                                             taskmgr_str name,
                                             taskmgr_module **module);

/**
 * The module of this name.
 *
 * `*module` is the caller's, to be freed with `taskmgr_module_free`; NULL after an error.
 * Threads: any. Errors: UNKNOWN_MODULE, CLOSED. Since 0.1.0.
 */
taskmgr_code taskmgr_manager_module(const taskmgr_manager *manager,
                                    taskmgr_str name,
                                    taskmgr_module **module);

/**
 * The names of all modules, in order of registration.
 *
 * `*names` is the caller's, to be freed with `taskmgr_strings_free`; NULL after an error.
 * Threads: any. Errors: CLOSED. Since 0.1.0.
 */
taskmgr_code taskmgr_manager_modules(const taskmgr_manager *manager, taskmgr_strings **names);

/**
 * The tasks of a module, as `taskmgr_module_list` gives them.
 *
 * `*list` is the caller's, to be freed with `taskmgr_stats_list_free`; NULL after an error.
 * Threads: any. Errors: UNKNOWN_MODULE, and those of `taskmgr_module_list`. Since 0.1.0.
 */
taskmgr_code taskmgr_manager_list(const taskmgr_manager *manager,
                                  taskmgr_str module,
                                  const taskmgr_filter *filter,
                                  taskmgr_stats_list **list);

/**
 * Unregisters all settled roots of a module; `*drained` is how many there were, and `drained`
 * may be NULL.
 *
 * Threads: any. Errors: UNKNOWN_MODULE, CLOSED. Since 0.1.0.
 */
taskmgr_code taskmgr_manager_drain(const taskmgr_manager *manager,
                                   taskmgr_str module,
                                   size_t *drained);

/**
 * Closes a module by its name: as `taskmgr_module_close`.
 *
 * `*report` is the caller's, to be freed with `taskmgr_close_report_free`; NULL after an
 * error, and `report` may be NULL. Threads: any. Errors: UNKNOWN_MODULE, CLOSED,
 * WOULD_DEADLOCK in a callback. Since 0.1.0.
 */
taskmgr_code taskmgr_manager_close_module(const taskmgr_manager *manager,
                                          taskmgr_str module,
                                          uint64_t deadline_ms,
                                          taskmgr_close_report **report);

/**
 * The address that the manager was given.
 *
 * The text is borrowed from `manager`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
 */
taskmgr_str taskmgr_manager_node(const taskmgr_manager *manager);

/**
 * Whether reading the status of a settled root over REST leaves it registered.
 *
 * Threads: any. Errors: false for NULL. Since 0.1.0.
 */
bool taskmgr_manager_keep_on_read(const taskmgr_manager *manager);

/**
 * For how long a finished root stays, in milliseconds.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
uint64_t taskmgr_manager_task_ttl(const taskmgr_manager *manager);

/**
 * For how long a finished root that a user started stays, in milliseconds.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
uint64_t taskmgr_manager_user_task_ttl(const taskmgr_manager *manager);

/**
 * About how many bytes the finished roots take that are kept, with all that they keep.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
uint64_t taskmgr_manager_finished_bytes(const taskmgr_manager *manager);

/**
 * How many finished roots have gone before their time, as all of them took too much:
 * `TASKMGR_GONE_EVICTED` is told of each.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
uint64_t taskmgr_manager_evicted(const taskmgr_manager *manager);

/**
 * Sets for how long a root stays that settles from now on; `*before` is what it was, and
 * `before` may be NULL.
 *
 * Threads: any. Errors: INVALID_ARGUMENT above 100 years, CLOSED. Since 0.1.0.
 */
taskmgr_code taskmgr_manager_set_task_ttl(const taskmgr_manager *manager,
                                          uint64_t ttl_ms,
                                          uint64_t *before);

/**
 * Sets for how long a root stays that a user started and that settles from now on; `*before`
 * is what it was, and `before` may be NULL.
 *
 * Threads: any. Errors: INVALID_ARGUMENT above 100 years, CLOSED. Since 0.1.0.
 */
taskmgr_code taskmgr_manager_set_user_task_ttl(const taskmgr_manager *manager,
                                               uint64_t ttl_ms,
                                               uint64_t *before);

/**
 * Forgets the roots whose time has come, for hosts without the background thread; how many
 * there were. What has expired is never shown, swept or not.
 *
 * Threads: any. Errors: 0 for NULL, for a closed manager and in a forked child. Since 0.1.0.
 */
size_t taskmgr_manager_tick(const taskmgr_manager *manager);

/**
 * An observer of the task of this id, regular or virtual.
 *
 * `*observer` is the caller's, to be freed with `taskmgr_observer_free`; NULL after an error.
 * Threads: any. Errors: NOT_FOUND; GONE if it was there, with the reason and the final state
 * to be asked of the last error; PROVIDER if no regular task has the id and a provider could
 * not say; WOULD_DEADLOCK if one would have to be asked in a callback; CLOSED. Since 0.1.0.
 */
taskmgr_code taskmgr_manager_observe(const taskmgr_manager *manager,
                                     taskmgr_id id,
                                     taskmgr_observer **observer);

/**
 * How the task is. This only looks.
 *
 * `*status` is the caller's, to be freed with `taskmgr_status_free`; NULL after an error.
 * Threads: any. Errors: those of `taskmgr_manager_observe`. Since 0.1.0.
 */
taskmgr_code taskmgr_manager_status(const taskmgr_manager *manager,
                                    taskmgr_id id,
                                    taskmgr_status **status);

/**
 * How the settled root has ended; it is unregistered with that.
 *
 * `*status` is the caller's, to be freed with `taskmgr_status_free`; NULL after an error.
 * Threads: any. Errors: NOT_SETTLED if it or a
 * descendant is at work, NOT_SUPPORTED for a virtual task, and those of `taskmgr_manager_observe`. Since 0.1.0.
 */
taskmgr_code taskmgr_manager_take_status(const taskmgr_manager *manager,
                                         taskmgr_id id,
                                         taskmgr_status **status);

/**
 * What the REST API answers: the status, and a settled root is unregistered with that unless
 * the manager was made with `keep_on_read`.
 *
 * `*status` is the caller's, to be freed with `taskmgr_status_free`; NULL after an error.
 * Threads: any. Errors: those of `taskmgr_manager_observe`. Since 0.1.0.
 */
taskmgr_code taskmgr_manager_read_status(const taskmgr_manager *manager,
                                         taskmgr_id id,
                                         taskmgr_status **status);

/**
 * The statuses of the task and all its descendants, breadth-first.
 *
 * `*tree` is the caller's, to be freed with `taskmgr_status_list_free`; NULL after an error.
 * Threads: any. Errors: those of `taskmgr_manager_observe`. Since 0.1.0.
 */
taskmgr_code taskmgr_manager_status_tree(const taskmgr_manager *manager,
                                         taskmgr_id id,
                                         taskmgr_status_list **tree);

/**
 * The statuses of a settled root and all its descendants; it is unregistered with that.
 *
 * `*tree` is the caller's, to be freed with `taskmgr_status_list_free`; NULL after an error.
 * Threads: any. Errors: those of `taskmgr_manager_take_status`. Since 0.1.0.
 */
taskmgr_code taskmgr_manager_take_status_tree(const taskmgr_manager *manager,
                                              taskmgr_id id,
                                              taskmgr_status_list **tree);

/**
 * What the REST API answers for a whole tree: as `taskmgr_manager_read_status`.
 *
 * `*tree` is the caller's, to be freed with `taskmgr_status_list_free`; NULL after an error.
 * Threads: any. Errors: those of `taskmgr_manager_observe`. Since 0.1.0.
 */
taskmgr_code taskmgr_manager_read_status_tree(const taskmgr_manager *manager,
                                              taskmgr_id id,
                                              taskmgr_status_list **tree);

/**
 * Tells the task and all below it to abort, as `taskmgr_observer_abort` does.
 *
 * Threads: any. Errors: NOT_ABORTABLE, and those of `taskmgr_manager_observe`. Since 0.1.0.
 */
taskmgr_code taskmgr_manager_abort(const taskmgr_manager *manager,
                                   taskmgr_id id,
                                   taskmgr_str reason);

/**
 * Asks the task's owner to sleep at its next checkpoint.
 *
 * Threads: any. Errors: NOT_SUPPORTED for a virtual task, and those of
 * `taskmgr_manager_observe`. Since 0.1.0.
 */
taskmgr_code taskmgr_manager_suspend(const taskmgr_manager *manager, taskmgr_id id);

/**
 * Takes `taskmgr_manager_suspend` back, and wakes the owner.
 *
 * Threads: any. Errors: those of `taskmgr_manager_suspend`. Since 0.1.0.
 */
taskmgr_code taskmgr_manager_resume(const taskmgr_manager *manager, taskmgr_id id);

/**
 * Sleeps until the task has ended, as `taskmgr_observer_wait` does.
 *
 * `*status`, the final one, is the caller's, to be freed with `taskmgr_status_free`; NULL
 * after an error. `status` may be NULL. Threads: any. Errors: those of
 * `taskmgr_manager_observe` and of `taskmgr_observer_wait`. Since 0.1.0.
 */
taskmgr_code taskmgr_manager_wait(const taskmgr_manager *manager,
                                  taskmgr_id id,
                                  uint64_t timeout_ms,
                                  taskmgr_status **status);

/**
 * Calls `callback` once with the final status when the task has ended, as
 * `taskmgr_observer_on_done` does.
 *
 * The user data is the library's from here on, also after an error. `*guard` is the caller's,
 * to be given to `taskmgr_done_guard_free` or `_forget`; NULL after an error. `guard` may be
 * NULL: the callback then stays until it has run.
 * Threads: any; the callback runs on any. Errors: those of `taskmgr_manager_observe` and of
 * `taskmgr_observer_on_done`. Since 0.1.0.
 */
taskmgr_code taskmgr_manager_on_done(const taskmgr_manager *manager,
                                     taskmgr_id id,
                                     taskmgr_done_callback callback,
                                     void *user_data,
                                     taskmgr_destroy destroy,
                                     taskmgr_done_guard **guard);

/**
 * The module's name.
 *
 * The text is borrowed from `module`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
 */
taskmgr_str taskmgr_module_name(const taskmgr_module *module);

/**
 * Makes one more handle of the same module.
 *
 * `*copy` is the caller's, to be freed with `taskmgr_module_free`; NULL after an error.
 * Threads: any. Errors: none of its own. Since 0.1.0.
 */
taskmgr_code taskmgr_module_clone(const taskmgr_module *module, taskmgr_module **copy);

/**
 * The module's tasks, by time of creation and then id. A null `filter` lists all that are not
 * internal. Virtual ones of a provider that gives no answer in time are not among them:
 * `taskmgr_stats_list_missing_len` and `_at` say so.
 *
 * `*list` is the caller's, to be freed with `taskmgr_stats_list_free`; NULL after an error.
 * Threads: any. Errors: INVALID_ARGUMENT for a state that is none, CLOSED, WOULD_DEADLOCK in
 * a callback if the module has a provider. Since 0.1.0.
 */
taskmgr_code taskmgr_module_list(const taskmgr_module *module,
                                 const taskmgr_filter *filter,
                                 taskmgr_stats_list **list);

/**
 * Unregisters all settled roots of the module; `*drained` is how many there were, and
 * `drained` may be NULL.
 *
 * Threads: any. Errors: CLOSED. Since 0.1.0.
 */
taskmgr_code taskmgr_module_drain(const taskmgr_module *module, size_t *drained);

/**
 * Closes the module: no new tasks; its running ones are told to abort and waited for until
 * the deadline; the settled ones are unregistered. Who waits for a virtual task of it then gets
 * CLOSED. What still runs keeps the name taken until it ends. Closing again with this handle waits
 * on for what still runs, and is answered in the same way: with a complete report once nothing
 * does. It never reaches a module that was registered under the name since.
 *
 * `*report` is the caller's, to be freed with `taskmgr_close_report_free`; NULL after an
 * error, and `report` may be NULL. The handle stays, to be freed.
 * Threads: any. Errors: WOULD_DEADLOCK in a callback, unless the deadline is 0; CLOSED if nobody
 * had closed it when the last handle of its manager was freed. Since 0.1.0.
 */
taskmgr_code taskmgr_module_close(const taskmgr_module *module,
                                  uint64_t deadline_ms,
                                  taskmgr_close_report **report);

/**
 * Frees a handle of a module; the module stays registered.
 *
 * Takes `module`; NULL is nothing. Threads: any. Errors: none. Since 0.1.0.
 */
void taskmgr_module_free(taskmgr_module *module);

/**
 * Makes a task of a module and starts it. The spec may name a parent.
 *
 * `*task` is the caller's, to be ended and then freed with `taskmgr_task_free`; NULL after an
 * error. Threads: any. Errors: INVALID_ARGUMENT for a name or an id that cannot be, ID_IN_USE,
 * NOT_FOUND or GONE for the parent's id, PARENT_TERMINAL, ABORTED under a parent that was told
 * to abort, PROVIDER, EXHAUSTED, CLOSED. Since 0.1.0.
 */
taskmgr_code taskmgr_task_start(const taskmgr_module *module,
                                const taskmgr_task_spec *spec,
                                taskmgr_task **task);

/**
 * Makes a task of a module in the state `created`; `taskmgr_task_start_created` starts it.
 * The spec may name a parent.
 *
 * `*task` is the caller's, to be freed with `taskmgr_task_free`; NULL after an error.
 * Threads: any. Errors: those of `taskmgr_task_start` but ABORTED. Since 0.1.0.
 */
taskmgr_code taskmgr_task_create(const taskmgr_module *module,
                                 const taskmgr_task_spec *spec,
                                 taskmgr_task **task);

/**
 * Makes a child of this task and starts it: of its module unless the spec names another, and
 * on its shard unless the spec names one.
 *
 * `*child` is the caller's, to be ended and then freed with `taskmgr_task_free`; NULL after an
 * error. It does not need the handle of its parent any more. Threads: any.
 * Errors: INVALID_ARGUMENT for a name or an id that cannot be, ID_IN_USE, PARENT_TERMINAL,
 * ABORTED if the task was told to abort, EXHAUSTED, CLOSED. Since 0.1.0.
 */
taskmgr_code taskmgr_task_child_start(const taskmgr_task *task,
                                      const taskmgr_task_spec *spec,
                                      taskmgr_task **child);

/**
 * Makes a child of this task in the state `created`, as `taskmgr_task_child_start` does.
 *
 * `*child` is the caller's, to be freed with `taskmgr_task_free`; NULL after an error.
 * Threads: any. Errors: those of `taskmgr_task_child_start` but ABORTED. Since 0.1.0.
 */
taskmgr_code taskmgr_task_child_create(const taskmgr_task *task,
                                       const taskmgr_task_spec *spec,
                                       taskmgr_task **child);

/**
 * Starts a task that was made by a `_create` function.
 *
 * Threads: any; of several that start it one wins. Errors: ALREADY_STARTED, ALREADY_FINISHED,
 * ABORTED if an abort came first: the task has failed then, and its work must not be done.
 * Since 0.1.0.
 */
taskmgr_code taskmgr_task_start_created(const taskmgr_task *task);

/**
 * Ends the task as done.
 *
 * The handle stays, to be freed. Threads: any; of several that end it one wins, and the others
 * return once it has ended; inside a callback at once.
 * Errors: ABORTED if it was told to abort, and NOT_STARTED if it was not started: it has ended
 * as failed; ALREADY_FINISHED. Since 0.1.0.
 */
taskmgr_code taskmgr_task_finish(const taskmgr_task *task);

/**
 * Ends the task as failed, with this error. One that was told to abort keeps both reasons.
 *
 * The handle stays, to be freed. Threads: any; of several that end it one wins, and the others
 * return once it has ended; inside a callback at once.
 * Errors: ALREADY_FINISHED. Since 0.1.0.
 */
taskmgr_code taskmgr_task_fail(const taskmgr_task *task, taskmgr_str error);

/**
 * Counts `n` further units as done: one atomic addition. Amounts are capped at 2^53.
 *
 * Threads: any, also several at once. Errors: nothing is counted for NULL. Since 0.1.0.
 */
void taskmgr_task_advance(const taskmgr_task *task, uint64_t n);

/**
 * Counts `n` further units as done, and refuses what cannot be.
 *
 * Threads: any, also several at once. Errors: INVALID_ARGUMENT above 2^53. Since 0.1.0.
 */
taskmgr_code taskmgr_task_try_advance(const taskmgr_task *task, uint64_t n);

/**
 * Sets what this owner has counted; never lowers it.
 *
 * Threads: any, also several at once. Errors: nothing is set for NULL. Since 0.1.0.
 */
void taskmgr_task_set_completed(const taskmgr_task *task, uint64_t n);

/**
 * Tells how many units there are. One below what was counted follows it when shown.
 *
 * Threads: any, also several at once. Errors: nothing is set for NULL. Since 0.1.0.
 */
void taskmgr_task_set_total(const taskmgr_task *task, uint64_t total);

/**
 * Names the units that the task counts, where that was not known when it was made.
 *
 * Once the task has ended this does nothing. Threads: any. Errors: INVALID_ARGUMENT for a name
 * that cannot be, EXHAUSTED in a process that has more combinations of names than it keeps,
 * FORKED. Since 0.1.0.
 */
taskmgr_code taskmgr_task_set_units(const taskmgr_task *task, taskmgr_str units);

/**
 * Whether the task was told to abort: a few loads, made for the inner loop.
 *
 * Threads: any, also several at once. Errors: false for NULL. Since 0.1.0.
 */
bool taskmgr_task_abort_requested(const taskmgr_task *task);

/**
 * The same as a code to return.
 *
 * Threads: any, also several at once. Errors: ABORTED, and the reason in the message.
 * Since 0.1.0.
 */
taskmgr_code taskmgr_task_check_abort(const taskmgr_task *task);

/**
 * A place where the task may pause: if it was asked to suspend, this sleeps until it is
 * resumed or aborted. Otherwise it costs a few loads.
 *
 * Threads: any, also several at once. Errors: ABORTED; WOULD_DEADLOCK if it would have to
 * sleep in a callback; ALREADY_FINISHED if another thread ended the task. Since 0.1.0.
 */
taskmgr_code taskmgr_task_checkpoint(const taskmgr_task *task);

/**
 * Tells the task and all below it to abort; its owner may always do that. The first reason is
 * kept.
 *
 * Threads: any, also several at once. Errors: none of its own. Since 0.1.0.
 */
taskmgr_code taskmgr_task_abort(const taskmgr_task *task, taskmgr_str reason);

/**
 * Calls `callback` when the task is told to abort: at most once, on the thread that aborts, or
 * now, if that came first. It is destroyed unrun when the guard is freed, or the task ends.
 * Freeing the guard, and ending the task, wait for a callback that is running on another
 * thread; not for their own, and not inside another callback.
 *
 * The user data is the library's from here on, also after an error. `*guard` is the caller's,
 * to be given to `taskmgr_abort_guard_free` or `_forget`; NULL after an error. `guard` may be
 * NULL: the callback then stays until the task ends.
 * Threads: any; the callback runs on any. Errors: none of its own. Since 0.1.0.
 */
taskmgr_code taskmgr_task_on_abort(const taskmgr_task *task,
                                   taskmgr_callback callback,
                                   void *user_data,
                                   taskmgr_destroy destroy,
                                   taskmgr_abort_guard **guard);

/**
 * The task's id.
 *
 * Threads: any. Errors: the nil id for NULL. Since 0.1.0.
 */
taskmgr_id taskmgr_task_id(const taskmgr_task *task);

/**
 * How the task is.
 *
 * `*status` is the caller's, to be freed with `taskmgr_status_free`; NULL after an error.
 * Threads: any. Errors: none of its own. Since 0.1.0.
 */
taskmgr_code taskmgr_task_status(const taskmgr_task *task, taskmgr_status **status);

/**
 * Makes a handle that can look, wait and ask for an abort.
 *
 * `*observer` is the caller's, to be freed with `taskmgr_observer_free`; NULL after an error.
 * Threads: any. Errors: none of its own. Since 0.1.0.
 */
taskmgr_code taskmgr_task_observe(const taskmgr_task *task, taskmgr_observer **observer);

/**
 * Makes one more handle of the task for another worker; it counts in a cell of its own.
 *
 * `*reporter` is the caller's, to be freed with `taskmgr_reporter_free`; NULL after an error.
 * Threads: any. Errors: none of its own. Since 0.1.0.
 */
taskmgr_code taskmgr_task_reporter(const taskmgr_task *task, taskmgr_reporter **reporter);

/**
 * Makes one more handle of the same owner: the task fails when the last is freed unfinished.
 *
 * `*copy` is the caller's, to be freed with `taskmgr_task_free`; NULL after an error.
 * Threads: any. Errors: none of its own. Since 0.1.0.
 */
taskmgr_code taskmgr_task_clone(const taskmgr_task *task, taskmgr_task **copy);

/**
 * Frees an owner. A task that has not ended fails with it, if this was its last owner: "dropped
 * before it finished".
 *
 * Takes `task`; NULL is nothing. Threads: any, once no other call uses this handle; a callback
 * that such a call runs may. Errors: none. Since 0.1.0.
 */
void taskmgr_task_free(taskmgr_task *task);

/**
 * Makes a child of the reporter's task and starts it, as `taskmgr_task_child_start` does.
 *
 * `*child` is the caller's, to be ended and then freed with `taskmgr_task_free`; NULL after an
 * error. Threads: any. Errors: those of `taskmgr_task_child_start`. Since 0.1.0.
 */
taskmgr_code taskmgr_reporter_child_start(const taskmgr_reporter *reporter,
                                          const taskmgr_task_spec *spec,
                                          taskmgr_task **child);

/**
 * Makes a child of the reporter's task in the state `created`.
 *
 * `*child` is the caller's, to be freed with `taskmgr_task_free`; NULL after an error.
 * Threads: any. Errors: those of `taskmgr_task_child_create`. Since 0.1.0.
 */
taskmgr_code taskmgr_reporter_child_create(const taskmgr_reporter *reporter,
                                           const taskmgr_task_spec *spec,
                                           taskmgr_task **child);

/**
 * Counts `n` further units as done: a load and a store. Amounts are capped at 2^53.
 *
 * Threads: one at a time. Errors: nothing is counted for NULL. Since 0.1.0.
 */
void taskmgr_reporter_advance(const taskmgr_reporter *reporter, uint64_t n);

/**
 * Counts `n` further units as done, and refuses what cannot be.
 *
 * Threads: one at a time. Errors: INVALID_ARGUMENT above 2^53. Since 0.1.0.
 */
taskmgr_code taskmgr_reporter_try_advance(const taskmgr_reporter *reporter, uint64_t n);

/**
 * Sets what this reporter has counted; never lowers it.
 *
 * Threads: one at a time. Errors: nothing is set for NULL. Since 0.1.0.
 */
void taskmgr_reporter_set_completed(const taskmgr_reporter *reporter, uint64_t n);

/**
 * Tells how many units the task has, for all its handles.
 *
 * Threads: any. Errors: nothing is set for NULL. Since 0.1.0.
 */
void taskmgr_reporter_set_total(const taskmgr_reporter *reporter, uint64_t total);

/**
 * Names the units that the task counts, for all its handles: as `taskmgr_task_set_units`.
 *
 * Threads: any. Errors: those of `taskmgr_task_set_units`. Since 0.1.0.
 */
taskmgr_code taskmgr_reporter_set_units(const taskmgr_reporter *reporter, taskmgr_str units);

/**
 * Whether the task was told to abort: a few loads, made for the inner loop.
 *
 * Threads: any. Errors: false for NULL. Since 0.1.0.
 */
bool taskmgr_reporter_abort_requested(const taskmgr_reporter *reporter);

/**
 * The same as a code to return.
 *
 * Threads: any. Errors: ABORTED, and the reason in the message. Since 0.1.0.
 */
taskmgr_code taskmgr_reporter_check_abort(const taskmgr_reporter *reporter);

/**
 * Tells the task and all below it to abort, as its owner may.
 *
 * Threads: any. Errors: none of its own. Since 0.1.0.
 */
taskmgr_code taskmgr_reporter_abort(const taskmgr_reporter *reporter, taskmgr_str reason);

/**
 * Calls `callback` when the task is told to abort, as `taskmgr_task_on_abort` does.
 *
 * The user data is the library's from here on, also after an error. `*guard` is the caller's,
 * to be given to `taskmgr_abort_guard_free` or `_forget`; NULL after an error. `guard` may be
 * NULL: the callback then stays until the task ends.
 * Threads: any; the callback runs on any. Errors: none of its own. Since 0.1.0.
 */
taskmgr_code taskmgr_reporter_on_abort(const taskmgr_reporter *reporter,
                                       taskmgr_callback callback,
                                       void *user_data,
                                       taskmgr_destroy destroy,
                                       taskmgr_abort_guard **guard);

/**
 * The task's id.
 *
 * Threads: any. Errors: the nil id for NULL. Since 0.1.0.
 */
taskmgr_id taskmgr_reporter_id(const taskmgr_reporter *reporter);

/**
 * How the task is.
 *
 * `*status` is the caller's, to be freed with `taskmgr_status_free`; NULL after an error.
 * Threads: any. Errors: none of its own. Since 0.1.0.
 */
taskmgr_code taskmgr_reporter_status(const taskmgr_reporter *reporter, taskmgr_status **status);

/**
 * Makes a handle that can look, wait and ask for an abort.
 *
 * `*observer` is the caller's, to be freed with `taskmgr_observer_free`; NULL after an error.
 * Threads: any. Errors: none of its own. Since 0.1.0.
 */
taskmgr_code taskmgr_reporter_observe(const taskmgr_reporter *reporter,
                                      taskmgr_observer **observer);

/**
 * Makes one more reporter of the same task, for another worker; it counts in a cell of its
 * own, from 0.
 *
 * `*copy` is the caller's, to be freed with `taskmgr_reporter_free`; NULL after an error.
 * Threads: any. Errors: none of its own. Since 0.1.0.
 */
taskmgr_code taskmgr_reporter_clone(const taskmgr_reporter *reporter, taskmgr_reporter **copy);

/**
 * Frees a reporter; what it has counted stays counted.
 *
 * Takes `reporter`; NULL is nothing. Threads: any, once no other call uses this handle.
 * Errors: none. Since 0.1.0.
 */
void taskmgr_reporter_free(taskmgr_reporter *reporter);

/**
 * The task's id.
 *
 * Threads: any. Errors: the nil id for NULL. Since 0.1.0.
 */
taskmgr_id taskmgr_observer_id(const taskmgr_observer *observer);

/**
 * How the task is. This only looks: nothing is unregistered.
 *
 * `*status` is the caller's, to be freed with `taskmgr_status_free`; NULL after an error.
 * Threads: any. Errors: for a virtual task what its provider answers, and PROVIDER if it does
 * not; WOULD_DEADLOCK for a virtual task in a callback. Since 0.1.0.
 */
taskmgr_code taskmgr_observer_status(const taskmgr_observer *observer, taskmgr_status **status);

/**
 * The statuses of the task and all its descendants, breadth-first, siblings in order of
 * creation.
 *
 * `*tree` is the caller's, to be freed with `taskmgr_status_list_free`; NULL after an error.
 * Threads: any. Errors: those of `taskmgr_observer_status`. Since 0.1.0.
 */
taskmgr_code taskmgr_observer_status_tree(const taskmgr_observer *observer,
                                          taskmgr_status_list **tree);

/**
 * Whether the task has ended: one load for a regular task, a question to the provider for a
 * virtual one.
 *
 * `*is_terminal` is a plain value; false after an error. Threads: any. Errors: those of
 * `taskmgr_observer_status`. Since 0.1.0.
 */
taskmgr_code taskmgr_observer_is_terminal(const taskmgr_observer *observer, bool *is_terminal);

/**
 * Sleeps until the task has ended, for no longer than this: 0 asks without blocking,
 * `TASKMGR_FOREVER` waits without end. A task that ends before its children has ended all the
 * same.
 *
 * `*status`, the final one, is the caller's, to be freed with `taskmgr_status_free`; NULL
 * after an error. `status` may be NULL. Threads: any. Errors: TIMEOUT; WOULD_DEADLOCK in a
 * callback or a provider; CLOSED if the manager was closed and the task did not end in time;
 * for a virtual task what its provider answers. Since 0.1.0.
 */
taskmgr_code taskmgr_observer_wait(const taskmgr_observer *observer,
                                   uint64_t timeout_ms,
                                   taskmgr_status **status);

/**
 * Tells the task and all below it to abort. Its owner ends it when it notices. The first
 * reason is kept; aborting twice, or what has ended, is no error.
 *
 * Threads: any. Errors: NOT_ABORTABLE for a task that is not marked so; for a virtual task
 * what its provider answers. Since 0.1.0.
 */
taskmgr_code taskmgr_observer_abort(const taskmgr_observer *observer, taskmgr_str reason);

/**
 * Asks the owner to sleep at its next checkpoint. Its children go on.
 *
 * Threads: any. Errors: NOT_SUPPORTED for a virtual task. Since 0.1.0.
 */
taskmgr_code taskmgr_observer_suspend(const taskmgr_observer *observer);

/**
 * Takes `taskmgr_observer_suspend` back, and wakes the owner.
 *
 * Threads: any. Errors: NOT_SUPPORTED for a virtual task. Since 0.1.0.
 */
taskmgr_code taskmgr_observer_resume(const taskmgr_observer *observer);

/**
 * Calls `callback` once with the final status when the task has ended, on the thread that
 * ends it, or now, if it has. It is destroyed unrun when the guard is freed first. If the
 * manager is closed and the task does not end in time, it gets CLOSED.
 * Freeing the guard waits for a callback that is running on another thread; not for its own,
 * and not inside another callback.
 *
 * The user data is the library's from here on, also after an error. `*guard` is the caller's,
 * to be given to `taskmgr_done_guard_free` or `_forget`; NULL after an error. `guard` may be
 * NULL: the callback then stays until it has run.
 * Threads: any; the callback runs on any. Errors: for a virtual task what its provider
 * answers, and WOULD_DEADLOCK in a callback. Since 0.1.0.
 */
taskmgr_code taskmgr_observer_on_done(const taskmgr_observer *observer,
                                      taskmgr_done_callback callback,
                                      void *user_data,
                                      taskmgr_destroy destroy,
                                      taskmgr_done_guard **guard);

/**
 * Makes one more observer of the same task.
 *
 * `*copy` is the caller's, to be freed with `taskmgr_observer_free`; NULL after an error.
 * Threads: any. Errors: none of its own. Since 0.1.0.
 */
taskmgr_code taskmgr_observer_clone(const taskmgr_observer *observer, taskmgr_observer **copy);

/**
 * Frees an observer; its task does not notice.
 *
 * Takes `observer`; NULL is nothing. Threads: any, once no other call uses this handle; a
 * callback that such a call runs may. Errors: none. Since 0.1.0.
 */
void taskmgr_observer_free(taskmgr_observer *observer);

/**
 * How many tasks there are.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
size_t taskmgr_status_list_len(const taskmgr_status_list *list);

/**
 * The task at `index`, counted from 0: the one that was asked for, then all below it,
 * breadth-first, siblings in order of creation.
 *
 * The result is borrowed from the list. Threads: any. Errors: NULL, and the last error
 * INVALID_ARGUMENT, where there is none. Since 0.1.0.
 */
const taskmgr_status *taskmgr_status_list_at(const taskmgr_status_list *list, size_t index);

/**
 * The trees as plain text, to print: a line for each task, with the branches that lead to it, what
 * it is, its state, its fraction and amounts, and why it failed or that it is told to abort. Each
 * line ends with a line break.
 *
 * Of the children of one task the first 24 are drawn, and of a tree the first 32 levels; "and
 * 3,976 more" says what is not.
 *
 * The text is drawn at the first call, and borrowed from the list. Threads: any. Errors: empty text
 * for NULL. Since 0.1.0.
 */
taskmgr_str taskmgr_status_list_drawn(const taskmgr_status_list *list);

/**
 * Frees a list, and with it all that was borrowed from it.
 *
 * Takes `list`; NULL is nothing. Threads: any. Errors: none. Since 0.1.0.
 */
void taskmgr_status_list_free(taskmgr_status_list *list);

/**
 * Copies a status, e.g. one that is borrowed.
 *
 * `*copy` is the caller's, to be freed with `taskmgr_status_free`; NULL after an error.
 * Threads: any. Errors: none of its own. Since 0.1.0.
 */
taskmgr_code taskmgr_status_clone(const taskmgr_status *status, taskmgr_status **copy);

/**
 * Frees a status, and with it the texts that were borrowed from it. Not for one that is
 * itself borrowed from a list or from a callback.
 *
 * Takes `status`; NULL is nothing. Threads: any. Errors: none. Since 0.1.0.
 */
void taskmgr_status_free(taskmgr_status *status);

/**
 * The task's id.
 *
 * Threads: any. Errors: the nil id for NULL. Since 0.1.0.
 */
taskmgr_id taskmgr_status_id(const taskmgr_status *status);

/**
 * What operation the task covers.
 *
 * The text is borrowed from `status`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
 */
taskmgr_str taskmgr_status_type(const taskmgr_status *status);

/**
 * Who answers for it: `TASKMGR_KIND_NODE` or `TASKMGR_KIND_CLUSTER`.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
taskmgr_kind taskmgr_status_kind(const taskmgr_status *status);

/**
 * For which part of the operation it is responsible.
 *
 * The text is borrowed from `status`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
 */
taskmgr_str taskmgr_status_scope(const taskmgr_status *status);

/**
 * Where it is in its life.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
taskmgr_state taskmgr_status_state(const taskmgr_status *status);

/**
 * The number of its tree in its module and shard, from 1.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
uint64_t taskmgr_status_sequence_number(const taskmgr_status *status);

/**
 * The keyspace that it works on, or "".
 *
 * The text is borrowed from `status`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
 */
taskmgr_str taskmgr_status_keyspace(const taskmgr_status *status);

/**
 * The table that it works on, or "".
 *
 * The text is borrowed from `status`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
 */
taskmgr_str taskmgr_status_table(const taskmgr_status *status);

/**
 * What else tells it from its siblings, or "".
 *
 * The text is borrowed from `status`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
 */
taskmgr_str taskmgr_status_entity(const taskmgr_status *status);

/**
 * The shard that it runs on.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
uint32_t taskmgr_status_shard(const taskmgr_status *status);

/**
 * When it started; `TASKMGR_NO_TIME` if it has not.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
taskmgr_time_ns taskmgr_status_start_time(const taskmgr_status *status);

/**
 * When it ended; `TASKMGR_NO_TIME` if it has not.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
taskmgr_time_ns taskmgr_status_end_time(const taskmgr_status *status);

/**
 * When it was made.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
taskmgr_time_ns taskmgr_status_created_at(const taskmgr_status *status);

/**
 * Whether lists leave it out unless asked.
 *
 * Threads: any. Errors: false for NULL. Since 0.1.0.
 */
bool taskmgr_status_internal(const taskmgr_status *status);

/**
 * The module that it belongs to.
 *
 * The text is borrowed from `status`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
 */
taskmgr_str taskmgr_status_module(const taskmgr_status *status);

/**
 * Whether an observer may abort it.
 *
 * Threads: any. Errors: false for NULL. Since 0.1.0.
 */
bool taskmgr_status_is_abortable(const taskmgr_status *status);

/**
 * Why it failed; "" if it has not.
 *
 * The text is borrowed from `status`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
 */
taskmgr_str taskmgr_status_error(const taskmgr_status *status);

/**
 * Its parent, regular or virtual; the nil id for a root.
 *
 * Threads: any. Errors: the nil id for NULL. Since 0.1.0.
 */
taskmgr_id taskmgr_status_parent_id(const taskmgr_status *status);

/**
 * What its progress counts, or "".
 *
 * The text is borrowed from `status`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
 */
taskmgr_str taskmgr_status_progress_units(const taskmgr_status *status);

/**
 * How many units are done.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
uint64_t taskmgr_status_progress_completed(const taskmgr_status *status);

/**
 * How many units there are; at least as many as are done.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
uint64_t taskmgr_status_progress_total(const taskmgr_status *status);

/**
 * Whether the total was told, rather than following what is done.
 *
 * Threads: any. Errors: false for NULL. Since 0.1.0.
 */
bool taskmgr_status_progress_total_known(const taskmgr_status *status);

/**
 * Whether a user started it, so that the TTL of user tasks counts for it.
 *
 * Threads: any. Errors: false for NULL. Since 0.1.0.
 */
bool taskmgr_status_user_task(const taskmgr_status *status);

/**
 * Whether it has ended with every descendant.
 *
 * Threads: any. Errors: false for NULL. Since 0.1.0.
 */
bool taskmgr_status_settled(const taskmgr_status *status);

/**
 * Whether it was asked to sleep at its next checkpoint.
 *
 * Threads: any. Errors: false for NULL. Since 0.1.0.
 */
bool taskmgr_status_suspend_requested(const taskmgr_status *status);

/**
 * Whether an abort was asked for that reaches it.
 *
 * Threads: any. Errors: false for NULL. Since 0.1.0.
 */
bool taskmgr_status_abort_requested(const taskmgr_status *status);

/**
 * The reason of the abort that came first, or "".
 *
 * The text is borrowed from `status`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
 */
taskmgr_str taskmgr_status_abort_reason(const taskmgr_status *status);

/**
 * When the abort was asked for; `TASKMGR_NO_TIME` if none was.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
taskmgr_time_ns taskmgr_status_abort_requested_at(const taskmgr_status *status);

/**
 * How often its work has looked for an abort since.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
uint32_t taskmgr_status_abort_polls(const taskmgr_status *status);

/**
 * When its work last looked; `TASKMGR_NO_TIME` if it has not.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
taskmgr_time_ns taskmgr_status_abort_last_poll(const taskmgr_status *status);

/**
 * How many of its children have not folded yet.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
uint64_t taskmgr_status_children_live(const taskmgr_status *status);

/**
 * How many of its children ended as done.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
uint64_t taskmgr_status_children_succeeded(const taskmgr_status *status);

/**
 * How many of its children ended as failed.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
uint64_t taskmgr_status_children_failed(const taskmgr_status *status);

/**
 * How many finished descendants are counted but no longer listed, because a bound was reached.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
uint64_t taskmgr_status_children_not_kept(const taskmgr_status *status);

/**
 * The first error of everything that has folded into it, or "".
 *
 * The text is borrowed from `status`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
 */
taskmgr_str taskmgr_status_first_error(const taskmgr_status *status);

/**
 * How many children are listed: those that live and those that are kept.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
size_t taskmgr_status_children_len(const taskmgr_status *status);

/**
 * The id of the child at `index`, counted from 0 in order of creation.
 *
 * Threads: any. Errors: the nil id, and the last error INVALID_ARGUMENT, where there is none.
 * Since 0.1.0.
 */
taskmgr_id taskmgr_status_child_id(const taskmgr_status *status, size_t index);

/**
 * The address of the node of the child at `index`.
 *
 * The text is borrowed from `status`. Threads: any. Errors: empty text, and the last error
 * INVALID_ARGUMENT, where there is none. Since 0.1.0.
 */
taskmgr_str taskmgr_status_child_node(const taskmgr_status *status, size_t index);

/**
 * How many tasks there are.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
size_t taskmgr_stats_list_len(const taskmgr_stats_list *list);

/**
 * The task at `index`, counted from 0.
 *
 * The result is borrowed from the list. Threads: any. Errors: NULL, and the last error
 * INVALID_ARGUMENT, where there is none. Since 0.1.0.
 */
const taskmgr_stats *taskmgr_stats_list_at(const taskmgr_stats_list *list, size_t index);

/**
 * How many providers of virtual tasks gave no answer in time, so that their tasks are missing;
 * 0 if the list is complete.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
size_t taskmgr_stats_list_missing_len(const taskmgr_stats_list *list);

/**
 * Whose tasks are missing, and why, in words; `index` counts from 0.
 *
 * The text is borrowed from the list. Threads: any. Errors: empty text, and the last error
 * INVALID_ARGUMENT, where there is none. Since 0.1.0.
 */
taskmgr_str taskmgr_stats_list_missing_at(const taskmgr_stats_list *list, size_t index);

/**
 * Frees a list, and with it all that was borrowed from it.
 *
 * Takes `list`; NULL is nothing. Threads: any. Errors: none. Since 0.1.0.
 */
void taskmgr_stats_list_free(taskmgr_stats_list *list);

/**
 * The task's id.
 *
 * Threads: any. Errors: the nil id for NULL. Since 0.1.0.
 */
taskmgr_id taskmgr_stats_id(const taskmgr_stats *stats);

/**
 * What operation the task covers.
 *
 * The text is borrowed from `stats`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
 */
taskmgr_str taskmgr_stats_type(const taskmgr_stats *stats);

/**
 * Who answers for it: `TASKMGR_KIND_NODE` or `TASKMGR_KIND_CLUSTER`.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
taskmgr_kind taskmgr_stats_kind(const taskmgr_stats *stats);

/**
 * For which part of the operation it is responsible.
 *
 * The text is borrowed from `stats`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
 */
taskmgr_str taskmgr_stats_scope(const taskmgr_stats *stats);

/**
 * Where it is in its life.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
taskmgr_state taskmgr_stats_state(const taskmgr_stats *stats);

/**
 * The number of its tree in its module and shard, from 1.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
uint64_t taskmgr_stats_sequence_number(const taskmgr_stats *stats);

/**
 * The keyspace that it works on, or "".
 *
 * The text is borrowed from `stats`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
 */
taskmgr_str taskmgr_stats_keyspace(const taskmgr_stats *stats);

/**
 * The table that it works on, or "".
 *
 * The text is borrowed from `stats`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
 */
taskmgr_str taskmgr_stats_table(const taskmgr_stats *stats);

/**
 * What else tells it from its siblings, or "".
 *
 * The text is borrowed from `stats`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
 */
taskmgr_str taskmgr_stats_entity(const taskmgr_stats *stats);

/**
 * The shard that it runs on.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
uint32_t taskmgr_stats_shard(const taskmgr_stats *stats);

/**
 * When it started; `TASKMGR_NO_TIME` if it has not.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
taskmgr_time_ns taskmgr_stats_start_time(const taskmgr_stats *stats);

/**
 * When it ended; `TASKMGR_NO_TIME` if it has not.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
taskmgr_time_ns taskmgr_stats_end_time(const taskmgr_stats *stats);

/**
 * When it was made.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
taskmgr_time_ns taskmgr_stats_created_at(const taskmgr_stats *stats);

/**
 * Whether lists leave it out unless asked.
 *
 * Threads: any. Errors: false for NULL. Since 0.1.0.
 */
bool taskmgr_stats_internal(const taskmgr_stats *stats);

/**
 * How many texts there are.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
size_t taskmgr_strings_len(const taskmgr_strings *strings);

/**
 * The text at `index`, counted from 0.
 *
 * The text is borrowed from the list. Threads: any. Errors: empty text, and the last error
 * INVALID_ARGUMENT, where there is none. Since 0.1.0.
 */
taskmgr_str taskmgr_strings_at(const taskmgr_strings *strings, size_t index);

/**
 * Frees a list of texts, and the texts with it.
 *
 * Takes `strings`; NULL is nothing. Threads: any. Errors: none. Since 0.1.0.
 */
void taskmgr_strings_free(taskmgr_strings *strings);

/**
 * Whether everything has ended.
 *
 * Threads: any. Errors: false for NULL. Since 0.1.0.
 */
bool taskmgr_close_report_is_complete(const taskmgr_close_report *report);

/**
 * The tasks that had not ended by the deadline.
 *
 * The list is borrowed from the report. Threads: any. Errors: NULL for NULL. Since 0.1.0.
 */
const taskmgr_stats_list *taskmgr_close_report_still_running(const taskmgr_close_report *report);

/**
 * Frees a report, and with it all that was borrowed from it.
 *
 * Takes `report`; NULL is nothing. Threads: any. Errors: none. Since 0.1.0.
 */
void taskmgr_close_report_free(taskmgr_close_report *report);

/**
 * Registers a provider of virtual tasks with a module.
 *
 * The table is copied; its user data is the library's from here on, also after an error, but
 * for one: where the table itself cannot be read, because `provider` is NULL or its size is
 * none, there is no user data to be seen. Threads: any. Errors: INVALID_ARGUMENT for a
 * function that is missing, CLOSED. Since 0.1.0.
 */
taskmgr_code taskmgr_module_register_provider(const taskmgr_module *module,
                                              const taskmgr_provider *provider);

/**
 * Adds a task to the list that a provider is asked for.
 *
 * `sink` is borrowed from the library for the call of `list`; the task is copied.
 * Threads: the one that called `list`. Errors: INVALID_ARGUMENT for a task that cannot be; the
 * list goes on without it. Since 0.1.0.
 */
taskmgr_code taskmgr_list_sink_add(taskmgr_list_sink *sink, const taskmgr_virtual_task *task);

/**
 * Sets the status that a provider is asked for; set twice, the last counts.
 *
 * `sink` is borrowed from the library for the call of `status`; the task is copied.
 * Threads: the one that called `status`. Errors: INVALID_ARGUMENT for a task that cannot be.
 * Since 0.1.0.
 */
taskmgr_code taskmgr_status_sink_set(taskmgr_status_sink *sink, const taskmgr_virtual_task *task);

/**
 * The task has ended, with this final status: all who wait are told.
 *
 * Takes `completion`, also after an error, upon which those who wait get PROVIDER; the task is
 * copied. Threads: any; what waits is called on this one. Errors: INVALID_ARGUMENT for a task
 * that cannot be, or has not ended. Since 0.1.0.
 */
taskmgr_code taskmgr_completion_complete(taskmgr_completion *completion,
                                         const taskmgr_virtual_task *task);

/**
 * Nobody can say how the task has ended: all who wait get this error.
 *
 * Takes `completion`, also after an error, upon which those who wait get PROVIDER; the text is
 * copied. Threads: any; what waits is called on this one. Errors: INVALID_ARGUMENT for a code
 * that is none or `TASKMGR_OK`. Since 0.1.0.
 */
taskmgr_code taskmgr_completion_fail(taskmgr_completion *completion,
                                     taskmgr_code code,
                                     taskmgr_str message);

/**
 * Whether nobody waits any more, so that the provider may stop watching.
 *
 * Threads: any. Errors: false for NULL. Since 0.1.0.
 */
bool taskmgr_completion_is_cancelled(const taskmgr_completion *completion);

/**
 * Frees a completion without telling how the task has ended: all who wait get PROVIDER.
 *
 * Takes `completion`; NULL is nothing. Threads: any; what waits is called on this one.
 * Errors: none. Since 0.1.0.
 */
void taskmgr_completion_free(taskmgr_completion *completion);

#if defined(TASKMGR_HTTP)
/**
 * Makes the REST API of a manager. A null `config` is one with the defaults.
 *
 * `*api` is the caller's, to be freed with `taskmgr_http_api_free`; NULL after an error.
 * Threads: any. Errors: none of its own. Since 0.1.0.
 */
taskmgr_code taskmgr_http_api_create(const taskmgr_manager *manager,
                                     const taskmgr_http_api_config *config,
                                     taskmgr_http_api **api);
#endif

#if defined(TASKMGR_HTTP)
/**
 * Answers a request: `method` in capitals, `target` as "/path" or "/path?query" as it was sent,
 * so still percent-encoded, and the `Host` header or absent text. It may block for as long as
 * a provider of virtual tasks may take, but never for a task to end: exactly one of the two
 * results is given, and the other is NULL. A request that is refused has a response too.
 *
 * `*response` is the caller's, to be freed with `taskmgr_http_response_free`; `*waiting`, a
 * wait for a task that has not ended, to be freed with `taskmgr_http_waiting_free`; both are
 * NULL after an error. Threads: any. Errors: none of its own. Since 0.1.0.
 */
taskmgr_code taskmgr_http_api_handle(const taskmgr_http_api *api,
                                     taskmgr_str method,
                                     taskmgr_str target,
                                     taskmgr_str host,
                                     taskmgr_http_response **response,
                                     taskmgr_http_waiting **waiting);
#endif

#if defined(TASKMGR_HTTP)
/**
 * Answers a request, as `taskmgr_http_api_handle` does, where that does not block.
 *
 * `*response` is the caller's, to be freed with `taskmgr_http_response_free`; `*waiting`, a
 * wait for a task that has not ended, to be freed with `taskmgr_http_waiting_free`; both are
 * NULL after an error. Threads: any. Errors: WOULD_DEADLOCK where it would have to block: ask
 * `taskmgr_http_api_handle` on another thread. Since 0.1.0.
 */
taskmgr_code taskmgr_http_api_try_handle(const taskmgr_http_api *api,
                                         taskmgr_str method,
                                         taskmgr_str target,
                                         taskmgr_str host,
                                         taskmgr_http_response **response,
                                         taskmgr_http_waiting **waiting);
#endif

#if defined(TASKMGR_HTTP)
/**
 * How much work the answer to a request takes.
 *
 * Threads: any. Errors: 0, and the last error set, for NULL or text that is not UTF-8.
 * Since 0.1.0.
 */
taskmgr_http_weight taskmgr_http_api_weight(const taskmgr_http_api *api,
                                            taskmgr_str method,
                                            taskmgr_str target);
#endif

#if defined(TASKMGR_HTTP)
/**
 * How many waits of an API are parked now.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
size_t taskmgr_http_api_pending_waits(const taskmgr_http_api *api);
#endif

#if defined(TASKMGR_HTTP)
/**
 * Frees an API; waits that are parked go on.
 *
 * Takes `api`; NULL is nothing. Threads: any, once no other call uses this handle; a callback
 * that such a call runs may. Errors: none. Since 0.1.0.
 */
void taskmgr_http_api_free(taskmgr_http_api *api);
#endif

#if defined(TASKMGR_HTTP)
/**
 * The method, e.g. "POST".
 *
 * The text is borrowed from the request. Threads: any. Errors: empty text for NULL.
 * Since 0.1.0.
 */
taskmgr_str taskmgr_http_request_method(const taskmgr_http_request *request);
#endif

#if defined(TASKMGR_HTTP)
/**
 * The path as it was sent, so still percent-encoded.
 *
 * The text is borrowed from the request. Threads: any. Errors: empty text for NULL.
 * Since 0.1.0.
 */
taskmgr_str taskmgr_http_request_path(const taskmgr_http_request *request);
#endif

#if defined(TASKMGR_HTTP)
/**
 * The `Host` that the client asked, or "".
 *
 * The text is borrowed from the request. Threads: any. Errors: empty text for NULL.
 * Since 0.1.0.
 */
taskmgr_str taskmgr_http_request_host(const taskmgr_http_request *request);
#endif

#if defined(TASKMGR_HTTP)
/**
 * The decoded value of a query parameter; "" if it is absent or empty.
 *
 * `*value` is borrowed from the request. Threads: any. Errors: INVALID_ARGUMENT if the query is
 * not properly encoded, or gives the parameter twice: a 400 is the answer to that.
 * Since 0.1.0.
 */
taskmgr_code taskmgr_http_request_query(const taskmgr_http_request *request,
                                        taskmgr_str name,
                                        taskmgr_str *value);
#endif

#if defined(TASKMGR_HTTP)
/**
 * The HTTP status.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
uint16_t taskmgr_http_response_status(const taskmgr_http_response *response);
#endif

#if defined(TASKMGR_HTTP)
/**
 * The type of the body; of no meaning if that is empty.
 *
 * The text is borrowed from the response. Threads: any. Errors: empty text for NULL.
 * Since 0.1.0.
 */
taskmgr_str taskmgr_http_response_content_type(const taskmgr_http_response *response);
#endif

#if defined(TASKMGR_HTTP)
/**
 * The `Allow` header, which goes with a 405, or "".
 *
 * The text is borrowed from the response. Threads: any. Errors: empty text for NULL.
 * Since 0.1.0.
 */
taskmgr_str taskmgr_http_response_allow(const taskmgr_http_response *response);
#endif

#if defined(TASKMGR_HTTP)
/**
 * The body.
 *
 * The text is borrowed from the response. Threads: any. Errors: empty text for NULL.
 * Since 0.1.0.
 */
taskmgr_str taskmgr_http_response_body(const taskmgr_http_response *response);
#endif

#if defined(TASKMGR_HTTP)
/**
 * Frees a response, and the texts with it.
 *
 * Takes `response`; NULL is nothing. Threads: any. Errors: none. Since 0.1.0.
 */
void taskmgr_http_response_free(taskmgr_http_response *response);
#endif

#if defined(TASKMGR_HTTP)
/**
 * Answers with a status and a body that is JSON already; an empty one is no body.
 *
 * `reply` is borrowed from the library for the call of the route; the text is copied.
 * Threads: the one that called the route. Errors: INVALID_ARGUMENT for a status below 200 or
 * above 599. Since 0.1.0.
 */
taskmgr_code taskmgr_http_reply_json(taskmgr_http_reply *reply, uint16_t status, taskmgr_str body);
#endif

#if defined(TASKMGR_HTTP)
/**
 * Answers with an error, as the API does: `{"message": "…", "code": status}`.
 *
 * `reply` is borrowed from the library for the call of the route; the text is copied.
 * Threads: the one that called the route. Errors: INVALID_ARGUMENT for a status below 200 or
 * above 599. Since 0.1.0.
 */
taskmgr_code taskmgr_http_reply_error(taskmgr_http_reply *reply,
                                      uint16_t status,
                                      taskmgr_str message);
#endif

#if defined(TASKMGR_HTTP)
/**
 * Serves the REST API of a manager; returns once the address listens. A null `config` is one
 * with the defaults.
 *
 * `*server` is the caller's, to be freed with `taskmgr_http_server_free`; NULL after an error.
 * Threads: any. Errors: INVALID_ARGUMENT for an address that is none, SYSTEM if it is taken or
 * no thread is to be had, CLOSED. Since 0.1.0.
 */
taskmgr_code taskmgr_http_serve(const taskmgr_manager *manager,
                                const taskmgr_http_config *config,
                                taskmgr_http_server **server);
#endif

#if defined(TASKMGR_HTTP)
/**
 * Where a server listens, with the port that it got, e.g. "127.0.0.1:10000".
 *
 * The text is borrowed from `server`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
 */
taskmgr_str taskmgr_http_server_address(const taskmgr_http_server *server);
#endif

#if defined(TASKMGR_HTTP)
/**
 * The port on which a server listens.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
uint16_t taskmgr_http_server_port(const taskmgr_http_server *server);
#endif

#if defined(TASKMGR_HTTP)
/**
 * How many waits are parked in a server now.
 *
 * Threads: any. Errors: 0 for NULL. Since 0.1.0.
 */
size_t taskmgr_http_server_pending_waits(const taskmgr_http_server *server);
#endif

#if defined(TASKMGR_HTTP)
/**
 * Stops a server: it accepts no more, answers parked waits with 503 at once, and lets whatever
 * else is under way finish until the deadline; stopped before, it does nothing. `*cut_off` is
 * how many connections it then cut off, and `cut_off` may be NULL.
 *
 * The handle stays, to be freed. Threads: any but those of the server, i.e. not in `routes`.
 * Errors: none of its own. Since 0.1.0.
 */
taskmgr_code taskmgr_http_stop(const taskmgr_http_server *server,
                               uint64_t deadline_ms,
                               size_t *cut_off);
#endif

#if defined(TASKMGR_HTTP)
/**
 * Frees a server; one that runs is stopped at once, and cuts off what is under way.
 *
 * Takes `server`; NULL is nothing. Threads: any but those of the server, once no other call
 * uses this handle. Errors: none. Since 0.1.0.
 */
void taskmgr_http_server_free(taskmgr_http_server *server);
#endif

#if defined(TASKMGR_HTTP)
/**
 * For how long, in milliseconds, the client still wants to wait; `TASKMGR_FOREVER` for as long
 * as it takes. When that has passed, call `taskmgr_http_waiting_respond`.
 *
 * Threads: any. Errors: 0, and the last error set, for NULL and once it was answered.
 * Since 0.1.0.
 */
uint64_t taskmgr_http_waiting_time_left(const taskmgr_http_waiting *waiting);
#endif

#if defined(TASKMGR_HTTP)
/**
 * Whether the task has ended.
 *
 * Threads: any. Errors: false, and the last error set, for NULL and once it was answered.
 * Since 0.1.0.
 */
bool taskmgr_http_waiting_is_ready(const taskmgr_http_waiting *waiting);
#endif

#if defined(TASKMGR_HTTP)
/**
 * Calls `callback` once when the task has ended, on the thread that ends it, or at once if it
 * has. It must not block, and not use this wait: it tells the host's event loop to. A second
 * call replaces the first.
 *
 * The user data is the library's from here on, also after an error.
 * Threads: any; the callback runs on any. Errors: INVALID_ARGUMENT once it was answered.
 * Since 0.1.0.
 */
taskmgr_code taskmgr_http_waiting_on_ready(const taskmgr_http_waiting *waiting,
                                           taskmgr_callback callback,
                                           void *user_data,
                                           taskmgr_destroy destroy);
#endif

#if defined(TASKMGR_HTTP)
/**
 * The response: the final status, or a 408 if the task has not ended by now.
 *
 * The wait is over with that, and its handle stays, to be freed. `*response` is the caller's,
 * to be freed with `taskmgr_http_response_free`; NULL after an error.
 * Threads: any. Errors: INVALID_ARGUMENT once it was answered. Since 0.1.0.
 */
taskmgr_code taskmgr_http_waiting_respond(const taskmgr_http_waiting *waiting,
                                          taskmgr_http_response **response);
#endif

#if defined(TASKMGR_HTTP)
/**
 * Frees a wait, answered or not: a client that has hung up needs no answer.
 *
 * Takes `waiting`; NULL is nothing. Threads: any, once no other call uses this handle.
 * Errors: none. Since 0.1.0.
 */
void taskmgr_http_waiting_free(taskmgr_http_waiting *waiting);
#endif

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

/* A value of a struct, in C and in C++. */
#ifdef __cplusplus
#define TASKMGR_VALUE(type) type
#else
#define TASKMGR_VALUE(type) (type)
#endif

/** The version of this header as one number, to be compared: see `taskmgr_version`. */
#define TASKMGR_VERSION \
    (TASKMGR_VERSION_MAJOR * 1000000u + TASKMGR_VERSION_MINOR * 1000u + TASKMGR_VERSION_PATCH)

/** Whether the library that runs can serve this header: `TASKMGR_OK` if so. Since 0.1.0. */
#define TASKMGR_CHECK_VERSION() \
    taskmgr_check_version(TASKMGR_VERSION_MAJOR, TASKMGR_VERSION_MINOR, TASKMGR_VERSION_PATCH)

/** Text of a C string. Since 0.1.0. */
#define TASKMGR_STR(text) (TASKMGR_VALUE(taskmgr_str){(text), TASKMGR_NUL})

/** Text of so many bytes. Since 0.1.0. */
#define TASKMGR_STR_N(text, len) (TASKMGR_VALUE(taskmgr_str){(text), (len)})

/** Absent text. Since 0.1.0. */
#define TASKMGR_NO_STR (TASKMGR_VALUE(taskmgr_str){NULL, 0})

/** The nil id, which no task has. Since 0.1.0. */
#define TASKMGR_ID_NIL \
    (TASKMGR_VALUE(taskmgr_id){{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}})

/** A spec of a task of this type, as a C string. Since 0.1.0. */
#define TASKMGR_TASK_SPEC(type) \
    (TASKMGR_VALUE(taskmgr_task_spec){ \
        sizeof(taskmgr_task_spec), TASKMGR_STR(type), TASKMGR_NO_STR, TASKMGR_NO_STR, \
        TASKMGR_NO_STR, TASKMGR_NO_STR, TASKMGR_NO_STR, TASKMGR_TOTAL_UNKNOWN, TASKMGR_ID_NIL, \
        TASKMGR_ID_NIL, NULL, NULL, TASKMGR_SHARD_OF_PARENT, 0, 0, 0, 0})

/** A config of a manager with the defaults. Since 0.1.0. */
#define TASKMGR_MANAGER_CONFIG \
    (TASKMGR_VALUE(taskmgr_manager_config){ \
        sizeof(taskmgr_manager_config), TASKMGR_NO_STR, NULL, 0, 3600000, 5000, 1024, 16384, \
        4096, 67108864, 65536, TASKMGR_NO_LIMIT, 1, 0, {0, 0, 0, 0, 0, 0}})

/** A filter that lets all tasks through that are not internal. Since 0.1.0. */
#define TASKMGR_FILTER \
    (TASKMGR_VALUE(taskmgr_filter){ \
        sizeof(taskmgr_filter), TASKMGR_NO_STR, TASKMGR_NO_STR, TASKMGR_NO_STR, TASKMGR_NO_STR, \
        TASKMGR_NO_LIMIT, TASKMGR_STATE_ANY, 0, {0, 0, 0}})

/** A virtual task of this id and type, a C string, that runs. Since 0.1.0. */
#define TASKMGR_VIRTUAL_TASK(id, type) \
    (TASKMGR_VALUE(taskmgr_virtual_task){ \
        sizeof(taskmgr_virtual_task), (id), TASKMGR_ID_NIL, TASKMGR_STR(type), TASKMGR_NO_STR, \
        TASKMGR_NO_STR, TASKMGR_NO_STR, TASKMGR_NO_STR, TASKMGR_NO_STR, TASKMGR_NO_STR, 0, \
        TASKMGR_TOTAL_UNKNOWN, 0, TASKMGR_NO_TIME, TASKMGR_NO_TIME, TASKMGR_NO_TIME, NULL, 0, 0, \
        TASKMGR_STATE_RUNNING, 0, 0, 0, {0, 0, 0, 0, 0}})

/** A provider without functions. Since 0.1.0. */
#define TASKMGR_PROVIDER_INIT \
    (TASKMGR_VALUE(taskmgr_provider){ \
        sizeof(taskmgr_provider), NULL, NULL, NULL, NULL, NULL, NULL, NULL})

#if defined(TASKMGR_HTTP)
/** A config of a server with the defaults: on 127.0.0.1:10000. Since 0.1.0. */
#define TASKMGR_HTTP_CONFIG \
    (TASKMGR_VALUE(taskmgr_http_config){ \
        sizeof(taskmgr_http_config), TASKMGR_NO_STR, NULL, 0, 2048, 10000, NULL, NULL, NULL, 0, \
        {0, 0, 0, 0, 0, 0, 0}})

/** A config of an API with the defaults. Since 0.1.0. */
#define TASKMGR_HTTP_API_CONFIG \
    (TASKMGR_VALUE(taskmgr_http_api_config){ \
        sizeof(taskmgr_http_api_config), NULL, NULL, NULL, 0, {0, 0, 0, 0, 0, 0, 0}})
#endif

#endif /* TASKMGR_H */
