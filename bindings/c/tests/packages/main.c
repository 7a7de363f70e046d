/* What each way to the library has to build and run: one task, and a server if there is one. */
#include "operation.h"

int main(void) {
    return operation("C");
}
