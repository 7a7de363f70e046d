#include "load.hpp"

#include <algorithm>
#include <cstdio>
#include <random>

#include "parts.hpp"

namespace {

constexpr std::uint64_t value_bytes = 184;
constexpr std::uint64_t row_bytes = 16 + value_bytes;
constexpr std::uint64_t rows_per_batch = 500;

/// The key of a row: numbers in order, as they come from users, spread over all keys, so that
/// each memtable overlaps all that was written before. No two numbers have the same key.
std::string key_of(std::uint64_t number) {
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9U;
    number = (number ^ (number >> 27)) * 0x94d049bb133111ebU;
    number ^= number >> 31;
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
    return text;
}

void write_rows(taskmgr::task& task, const store& in, const keyspace& into, std::uint64_t rows) {
    std::mt19937_64 random(std::random_device{}());
    std::string value(value_bytes, '.');
    for (std::uint64_t first = 0; first < rows; first += rows_per_batch) {
        task.check_abort();
        const std::uint64_t end = std::min(rows, first + rows_per_batch);
        rocksdb::WriteBatch batch;
        for (std::uint64_t row = first; row < end; ++row) {
            // Half of a row can be compressed, as of many real ones.
            std::generate_n(value.begin(), value_bytes / 2,
                            [&] { return static_cast<char>(random()); });
            check(batch.Put(into.handle, key_of(row), value), "cannot put a row into a batch");
        }
        check(in.db().Write({}, &batch), "cannot write");
        task.advance(end - first);
    }
}

}  // namespace

void load(const taskmgr::task& whole, const store& in, const std::vector<keyspace*>& keyspaces,
          std::uint64_t megabytes) {
    const std::uint64_t rows = megabytes * 1'000'000 / row_bytes / keyspaces.size();
    std::vector<part> parts;
    for (const keyspace* into : keyspaces) {
        auto task = whole.child("load").scope("keyspace").keyspace(into->name);
        parts.push_back({task.total(rows, "rows").create(), [&in, into, rows](taskmgr::task& own) {
                             write_rows(own, in, *into, rows);
                         }});
    }
    run_together(whole, "keyspaces", std::move(parts));
}
