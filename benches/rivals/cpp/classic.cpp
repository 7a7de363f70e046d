#include "classic.hpp"

#include <algorithm>

namespace classic {
namespace {

// xoshiro256++: the quickest of the usual sources, so that ids do not slow the sketch down.
struct generator {
    uint64_t s[4] = {0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb, 0x2545f4914f6cdd1d};

    static uint64_t rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

    uint64_t operator()() {
        uint64_t result = rotate(s[0] + s[3], 23) + s[0];
        uint64_t t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = rotate(s[3], 45);
        return result;
    }
};

// Called under the manager's lock.
uuid random_uuid() {
    static generator random;
    uint64_t high = (random() & ~0xf000ull) | 0x4000ull;
    uint64_t low = (random() & ~(3ull << 62)) | (1ull << 63);
    return {high, low};
}

} // namespace

task_ptr manager::create(const names& names, const task_ptr& parent, const char* entity) {
    auto made = std::make_shared<task>();
    auto& status = made->status;
    status.type = names.type;
    status.scope = names.scope;
    status.keyspace = names.keyspace;
    status.table = names.table;
    if (entity) {
        status.entity = entity;
    }
    made->parent = parent;
    std::lock_guard guard(_lock);
    status.id = random_uuid();
    _tasks.emplace(status.id, made);
    if (parent) {
        status.parent_id = parent->status.id;
        status.sequence_number = parent->status.sequence_number;
        made->aborted = parent->aborted;
        parent->children.emplace(status.id, made);
    } else {
        status.sequence_number = ++_sequence_number;
    }
    return made;
}

void manager::start(task& task) {
    auto now = std::chrono::system_clock::now();
    std::lock_guard guard(_lock);
    task.status.start_time = now;
    task.status.state = state::running;
}

void manager::keep(task& parent, const status& child) {
    parent.folded_total += child.total;
    parent.folded_completed += child.completed;
    if (parent.finished.size() < max_kept_children) {
        parent.finished.push_back(child);
    } else {
        parent.finished[parent.oldest] = child;
        parent.oldest = (parent.oldest + 1) % max_kept_children;
    }
}

void manager::finish(const task_ptr& task) {
    auto now = std::chrono::system_clock::now();
    std::lock_guard guard(_lock);
    auto& status = task->status;
    status.end_time = now;
    status.state = task->aborted ? state::failed : state::done;
    if (task->parent) {
        keep(*task->parent, status);
        task->parent->children.erase(status.id);
        _tasks.erase(status.id);
    } else if (_ttl.count() == 0) {
        _tasks.erase(status.id);
    } else {
        _deadlines.emplace(now + _ttl, status.id);
    }
    task->done.notify_all();
}

status manager::get_status(const uuid& id) {
    std::lock_guard guard(_lock);
    return _tasks.at(id)->status;
}

std::vector<stats> manager::list() {
    std::lock_guard guard(_lock);
    std::vector<const status*> order;
    order.reserve(_tasks.size());
    for (const auto& [id, task] : _tasks) {
        order.push_back(&task->status);
    }
    // Pointers, not copies with five strings, are moved about.
    std::sort(order.begin(), order.end(), [](const status* a, const status* b) {
        return a->sequence_number < b->sequence_number;
    });
    std::vector<stats> listed;
    listed.reserve(order.size());
    for (const status* s : order) {
        listed.push_back({s->id, s->type, s->scope, s->keyspace, s->table, s->entity, s->state, s->shard,
                          s->sequence_number, s->start_time, s->end_time});
    }
    return listed;
}

void manager::abort(const task_ptr& root) {
    std::vector<std::function<void()>> callbacks;
    {
        std::lock_guard guard(_lock);
        std::vector<task*> reached{root.get()};
        while (!reached.empty()) {
            task* next = reached.back();
            reached.pop_back();
            next->aborted = true;
            std::move(next->on_abort.begin(), next->on_abort.end(), std::back_inserter(callbacks));
            next->on_abort.clear();
            for (const auto& [id, child] : next->children) {
                reached.push_back(child.get());
            }
        }
    }
    for (auto& callback : callbacks) {
        callback();
    }
}

size_t manager::expire(time_point now) {
    size_t count = 0;
    std::vector<task_ptr> gone;
    for (;;) {
        {
            std::lock_guard guard(_lock);
            // In batches, so that others get at the lock.
            while (!_deadlines.empty() && _deadlines.begin()->first <= now && gone.size() < 256) {
                auto found = _tasks.find(_deadlines.begin()->second);
                gone.push_back(std::move(found->second));
                _tasks.erase(found);
                _deadlines.erase(_deadlines.begin());
            }
        }
        if (gone.empty()) {
            return count;
        }
        count += gone.size();
        gone.clear();
    }
}

} // namespace classic
