// The same in C++.
#if __has_include(<taskmgr.hpp>)
#include <taskmgr.hpp>
#endif

#include "operation.h"

int main() {
    return operation("C++");
}
