/* What the calls of an inner loop cost from C, in nanoseconds; the best of ten runs each.
 *
 *   cargo build --release -p libtaskmgr
 *   cc -O2 -Iinclude bindings/c/benches/inner_loop.c -o inner_loop target/release/libtaskmgr.so
 *   LD_LIBRARY_PATH=target/release ./inner_loop
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <taskmgr.h>
#include <time.h>

static taskmgr_module *module;
static taskmgr_task *task;
static taskmgr_reporter *reporter;
static long seen;

static void must(taskmgr_code code) {
    if (code != TASKMGR_OK) {
        fprintf(stderr, "%s\n", taskmgr_last_error());
        exit(1);
    }
}

static void version(void) { seen += taskmgr_version(); }
static void abort_requested(void) { seen += taskmgr_task_abort_requested(task); }
static void check_abort(void) { seen += taskmgr_task_check_abort(task); }
static void checkpoint(void) { seen += taskmgr_task_checkpoint(task); }
static void advance(void) { taskmgr_task_advance(task, 1); }
static void reporter_advance(void) { taskmgr_reporter_advance(reporter, 1); }
static void child(void) {
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("part");
    taskmgr_task *one = NULL;
    must(taskmgr_task_child_start(task, &spec, &one));
    must(taskmgr_task_finish(one));
    taskmgr_task_free(one);
}

static double best(void (*call)(void), long times) {
    double best = 1e9;
    for (int run = 0; run < 10; run++) {
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        for (long i = 0; i < times; i++) {
            call();
        }
        clock_gettime(CLOCK_MONOTONIC, &to);
        double ns = (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
        best = ns / (double)times < best ? ns / (double)times : best;
    }
    return best;
}

int main(void) {
    taskmgr_manager *manager = NULL;
    must(taskmgr_manager_create(NULL, &manager));
    must(taskmgr_manager_register_module(manager, TASKMGR_STR("bench"), &module));
    taskmgr_task_spec spec = TASKMGR_TASK_SPEC("bench");
    must(taskmgr_task_start(module, &spec, &task));
    must(taskmgr_task_reporter(task, &reporter));
    const struct {
        const char *name;
        void (*call)(void);
        long times;
    } all[] = {
        {"taskmgr_version, which does nothing", version, 20000000},
        {"taskmgr_task_abort_requested", abort_requested, 20000000},
        {"taskmgr_task_check_abort", check_abort, 20000000},
        {"taskmgr_task_checkpoint", checkpoint, 20000000},
        {"taskmgr_task_advance", advance, 20000000},
        {"taskmgr_reporter_advance", reporter_advance, 20000000},
        {"a child: start, finish, free", child, 500000},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        printf("%-40s %7.1f ns\n", all[i].name, best(all[i].call, all[i].times));
    }
    taskmgr_reporter_free(reporter);
    must(taskmgr_task_finish(task));
    taskmgr_task_free(task);
    taskmgr_module_free(module);
    taskmgr_manager_free(manager);
    return seen == 42;
}
