#include "options.hpp"

#include <getopt.h>

#include <charconv>
#include <iterator>

namespace {

constexpr std::uint64_t most_seconds = 4294967295;

const option long_options[] = {
    {"data", required_argument, nullptr, 'd'},
    {"sample-size", required_argument, nullptr, 's'},
    {"ranges", required_argument, nullptr, 'r'},
    {"listen", required_argument, nullptr, 'l'},
    {"task-ttl-in-seconds", required_argument, nullptr, 't'},
    {"user-task-ttl-in-seconds", required_argument, nullptr, 'u'},
    {"print-every", required_argument, nullptr, 'p'},
    {"keep-on-read", no_argument, nullptr, 'k'},
    {"exit", no_argument, nullptr, 'e'},
    {"verify", required_argument, nullptr, 'v'},
    {"help", no_argument, nullptr, 'h'},
    {nullptr, 0, nullptr, 0},
};

std::chrono::seconds seconds(std::string_view name, std::string_view text) {
    return std::chrono::seconds(number(name, text, 0, most_seconds));
}

void set(options& all, int which, std::string_view name, const char* value) {
    switch (which) {
        case 'd': all.data = value; break;
        case 's': all.sample_size = number(name, value, 1, 100'000); break;
        case 'r': all.ranges = number(name, value, 1, 1'000); break;
        case 'l': all.listen = value; break;
        case 't': all.task_ttl = seconds(name, value); break;
        case 'u': all.user_task_ttl = seconds(name, value); break;
        case 'p': all.print_every = seconds(name, value); break;
        case 'k': all.keep_on_read = true; break;
        case 'e': all.exit = true; break;
        case 'v': all.verify = value; break;
        case 'h': all.help = true; break;
        default: throw usage_error("there is no option " + std::string(name));
    }
}

}  // namespace

std::string_view usage() {
    return R"(A host on RocksDB: what the database does, as trees of tasks, served over REST.

rocksdb_node [OPTION…]

  --data DIR                    where the database (DIR/db) and its backups (DIR/backup) are;
                                without it, a temporary directory that is removed at the end
  --sample-size MEGABYTES       rows to load into a new database [64]
  --ranges N                    ranges of a keyspace that a major compaction takes in turn [8]
  --listen ADDR:PORT            where to serve REST; port 0 is any free one [127.0.0.1:10000]
  --task-ttl-in-seconds N       how long a finished job of RocksDB can be looked at [300]
  --user-task-ttl-in-seconds N  how long a finished operation can be looked at [3600]
  --keep-on-read                keep a finished operation when its status is read
  --print-every SECONDS         how often to print the trees that run; 0 for never [1]
  --exit                        load, compact, back up and stop; status 1 if one has failed
  --verify DIR                  only count the rows of a database or a backup
  --help                        only say this

POST /node/load?keyspace=&megabytes=, /node/compaction?keyspace=&ranges= and /node/backup start an
operation and answer the id of its task. SIGINT and SIGTERM end the host.
)";
}

options parse(int argc, char** argv) {
    options all;
    opterr = 0;
    optind = 1;
    for (;;) {
        const int at = optind;
        int index = 0;
        // The colon tells a missing value from an unknown option.
        const int which = getopt_long(argc, argv, ":", long_options, &index);
        if (which == -1) {
            break;
        }
        if (which == ':') {
            throw usage_error(std::string(argv[at]) + " needs a value");
        }
        const bool known = which != '?';
        set(all, which, known ? std::string("--") + long_options[index].name : argv[at], optarg);
    }
    if (optind < argc) {
        throw usage_error(std::string("'") + argv[optind] + "' is not an option");
    }
    return all;
}

std::uint64_t number(std::string_view name, std::string_view text, std::uint64_t least,
                     std::uint64_t most) {
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, failed] = std::from_chars(text.data(), end, value);
    if (failed != std::errc() || stopped != end || value < least || value > most) {
        throw usage_error(std::string(name) + " is a whole number from " + std::to_string(least) +
                          " to " + std::to_string(most) + ", and not '" + std::string(text) + "'");
    }
    return value;
}
