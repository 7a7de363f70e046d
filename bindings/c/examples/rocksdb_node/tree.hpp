/// A tree of tasks as text.

#ifndef ROCKSDB_NODE_TREE_HPP
#define ROCKSDB_NODE_TREE_HPP

#include <string>
#include <taskmgr.hpp>

/// Draws a tree: a line for each task, in columns, each before its children.
std::string draw(const taskmgr::status_list& tree);

/// Writes text to stdout at once, so that what several threads print does not mix.
void print(const std::string& text);

#endif
