// The sketch as the benches drive it: one call for many operations.

#include "classic.hpp"

using classic::names;
using classic::stats;
using classic::task_ptr;
using classic::uuid;

namespace {

struct world {
    classic::manager manager;
    names given;
    task_ptr parent;
    std::vector<task_ptr> owned;
    std::vector<uuid> asked;
};

void finish_all(world& world, std::vector<task_ptr> tasks) {
    for (auto& task : tasks) {
        world.manager.finish(task);
        task.reset();
    }
}

} // namespace

extern "C" {

world* classic_new(const char* type, const char* scope, const char* keyspace, const char* table) {
    auto* made = new world{{}, {type, scope, keyspace, table}, nullptr, {}, {}};
    made->parent = made->manager.create(made->given, nullptr);
    made->manager.start(*made->parent);
    return made;
}

void classic_free(world* world) { delete world; }

void classic_life_cycles(world* world, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        task_ptr child = world->manager.create(world->given, world->parent);
        world->manager.start(*child);
        classic::manager::advance(*child, 1);
        world->manager.finish(child);
    }
}

void classic_make_room(world* world, size_t count) { world->owned.reserve(world->owned.size() + count); }

void classic_create(world* world, size_t count, bool as_roots) {
    const task_ptr parent = as_roots ? nullptr : world->parent;
    for (size_t i = 0; i < count; ++i) {
        world->owned.push_back(world->manager.create(world->given, parent));
        world->manager.start(*world->owned.back());
    }
}

// `order` names each owned task once; null for the order of creation.
void classic_end(world* world, const uint32_t* order) {
    size_t count = world->owned.size();
    for (size_t i = 0; i < count; ++i) {
        task_ptr task = std::move(world->owned[order ? order[i] : i]);
        classic::manager::advance(*task, 1);
        world->manager.finish(task);
    }
    world->owned.clear();
}

// Gives each owned task so many children that have ended.
void classic_finished_children(world* world, size_t children) {
    for (const task_ptr& parent : world->owned) {
        for (size_t i = 0; i < children; ++i) {
            task_ptr child = world->manager.create(world->given, parent);
            world->manager.start(*child);
            world->manager.finish(child);
        }
    }
}

std::vector<stats>* classic_list(world* world) { return new std::vector<stats>(world->manager.list()); }

size_t classic_list_free(std::vector<stats>* listed) {
    size_t count = listed->size();
    delete listed;
    return count;
}

// Aborts whatever runs below the parent.
void classic_abort(world* world) { world->manager.abort(world->parent); }

// Whose statuses will be asked for: owned tasks, in this order.
void classic_ask(world* world, const uint32_t* order, size_t count) {
    world->asked.clear();
    for (size_t i = 0; i < count; ++i) {
        world->asked.push_back(world->owned[order[i]]->status.id);
    }
}

uint64_t classic_statuses(world* world) {
    uint64_t sum = 0;
    for (const uuid& id : world->asked) {
        sum += world->manager.get_status(id).table.size();
    }
    return sum;
}

// Roots that have ended and are kept.
void classic_finished_roots(world* world, size_t count, uint64_t ttl_seconds) {
    world->manager.set_ttl(std::chrono::seconds(ttl_seconds));
    classic_create(world, count, true);
    finish_all(*world, std::move(world->owned));
    world->owned = {};
}

size_t classic_expire(world* world, uint64_t in_seconds) {
    return world->manager.expire(std::chrono::system_clock::now() + std::chrono::seconds(in_seconds));
}

} // extern "C"
