/// What the host says.

#ifndef ROCKSDB_NODE_PRINT_HPP
#define ROCKSDB_NODE_PRINT_HPP

#include <string>

/// Writes text to stdout at once, so that what several threads print does not mix.
void print(const std::string& text);

#endif
