// The same in C++, and once more through its own header.
#include <taskmgr.hpp>

#include "operation.h"

int main() {
    auto manager = taskmgr::manager::builder().build();
    auto job = manager.register_module("compaction").task("compaction").total(1, "tables").start();
    job.advance(1);
    job.finish();
    return operation("C++");
}
