/// The command line.

#ifndef ROCKSDB_NODE_OPTIONS_HPP
#define ROCKSDB_NODE_OPTIONS_HPP

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

struct options {
    std::optional<std::filesystem::path> data;
    std::optional<std::filesystem::path> verify;
    std::uint64_t sample_size = 64;
    std::uint64_t ranges = 8;
    std::string listen = "127.0.0.1:10000";
    std::chrono::seconds task_ttl{300};
    std::chrono::seconds user_task_ttl{3600};
    std::chrono::seconds print_every{1};
    bool keep_on_read = false;
    bool exit = false;
    bool help = false;
};

/// A command line, or a parameter of a request, that cannot be.
class usage_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// What `--help` says.
std::string_view usage();

/// Reads the command line. Throws a `usage_error` that says what is wrong.
options parse(int argc, char** argv);

/// Reads a whole number from `least` to `most`. Throws a `usage_error` that names it by `name`.
std::uint64_t number(std::string_view name, std::string_view text, std::uint64_t least,
                     std::uint64_t most);

#endif
