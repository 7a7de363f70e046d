// The classical way to track tasks, as a database of C++ does it: one lock, a hash map from
// id to shared_ptr, names as strings of each task, a copy of the status into the parent.
// A sketch for comparison: no REST, no errors, no virtual tasks.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace classic {

struct uuid {
    uint64_t high, low;
    bool operator==(const uuid&) const noexcept = default;
};

struct uuid_hash {
    size_t operator()(const uuid& id) const noexcept { return id.high ^ id.low; }
};

enum class state : uint8_t { created, running, done, failed };

using time_point = std::chrono::system_clock::time_point;

struct names {
    std::string type, scope, keyspace, table;
};

struct status {
    uuid id;
    uuid parent_id;
    std::string type, scope, keyspace, table, entity, units, error;
    classic::state state = classic::state::created;
    bool abortable = true;
    uint32_t shard = 0;
    uint64_t sequence_number = 0;
    time_point start_time, end_time;
    uint64_t total = 0, completed = 0;
};

// What a list shows of a task.
struct stats {
    uuid id;
    std::string type, scope, keyspace, table, entity;
    classic::state state;
    uint32_t shard;
    uint64_t sequence_number;
    time_point start_time, end_time;
};

class manager;

struct task {
    classic::status status;
    std::shared_ptr<task> parent;
    std::unordered_map<uuid, std::shared_ptr<task>, uuid_hash> children;
    // The ring of kept children: the oldest is overwritten when it is full.
    std::vector<classic::status> finished;
    size_t oldest = 0;
    uint64_t folded_total = 0, folded_completed = 0;
    bool aborted = false;
    std::vector<std::function<void()>> on_abort;
    std::condition_variable done;
};

using task_ptr = std::shared_ptr<task>;

class manager {
public:
    static constexpr size_t max_kept_children = 1024;

    task_ptr create(const names& names, const task_ptr& parent, const char* entity = nullptr);
    void start(task& task);
    static void advance(task& task, uint64_t n) { task.status.completed += n; }
    void finish(const task_ptr& task);
    status get_status(const uuid& id);
    std::vector<stats> list();
    void abort(const task_ptr& root);
    // Forgets the finished roots whose deadline is not after `now`; how many.
    size_t expire(time_point now);
    void set_ttl(std::chrono::seconds ttl) { _ttl = ttl; }

private:
    static void keep(task& parent, const status& child);

    std::mutex _lock;
    std::unordered_map<uuid, task_ptr, uuid_hash> _tasks;
    std::multimap<time_point, uuid> _deadlines;
    std::chrono::seconds _ttl{0};
    uint64_t _sequence_number = 0;
};

} // namespace classic
