#include "jobs.hpp"

#include <cstdio>
#include <exception>
#include <utility>

namespace {

/// No exception may come to RocksDB. That a task was told to abort, or the manager is closed, is
/// no news here.
template <class Work>
void contained(const char* where, Work&& work) noexcept {
    try {
        work();
    } catch (const taskmgr::error& failed) {
        if (!failed.is_aborted() && !failed.is_closed()) {
            std::fprintf(stderr, "rocksdb_node: %s: %s\n", where, failed.what());
        }
    } catch (const std::exception& failed) {
        std::fprintf(stderr, "rocksdb_node: %s: %s\n", where, failed.what());
    }
}

const char* text(rocksdb::FlushReason reason) {
    switch (reason) {
        case rocksdb::FlushReason::kGetLiveFiles: return "checkpoint";
        case rocksdb::FlushReason::kShutDown: return "shutdown";
        case rocksdb::FlushReason::kManualCompaction: return "manual compaction";
        case rocksdb::FlushReason::kWriteBufferManager: return "memory of all memtables";
        case rocksdb::FlushReason::kWriteBufferFull: return "write buffer full";
        case rocksdb::FlushReason::kManualFlush: return "manual flush";
        case rocksdb::FlushReason::kErrorRecovery: return "recovery from an error";
        case rocksdb::FlushReason::kWalFull: return "write-ahead log full";
        default: return "another reason";
    }
}

const char* text(rocksdb::CompactionReason reason) {
    switch (reason) {
        case rocksdb::CompactionReason::kLevelL0FilesNum: return "files in L0";
        case rocksdb::CompactionReason::kLevelMaxLevelSize: return "size of the level";
        case rocksdb::CompactionReason::kManualCompaction: return "asked for";
        case rocksdb::CompactionReason::kFilesMarkedForCompaction: return "files marked";
        case rocksdb::CompactionReason::kBottommostFiles: return "old versions in the last level";
        case rocksdb::CompactionReason::kTtl: return "age of rows";
        case rocksdb::CompactionReason::kPeriodicCompaction: return "age of files";
        default: return "another reason";
    }
}

std::string levels(const rocksdb::CompactionJobInfo& job) {
    return "L" + std::to_string(job.base_input_level) + " → L" + std::to_string(job.output_level);
}

std::uint64_t records_in(const rocksdb::CompactionJobInfo& job) {
    std::uint64_t records = 0;
    for (const std::string& file : job.input_files) {
        const auto found = job.table_properties.find(file);
        records += found == job.table_properties.end() ? 0 : found->second->num_entries;
    }
    return records;
}

void end(const taskmgr::task& task, const rocksdb::Status& status) {
    if (status.ok()) {
        task.finish();
    } else {
        task.fail(status.ToString());
    }
}

}  // namespace

jobs::adoption jobs::adopt(const std::string& keyspace, const taskmgr::task& parent) {
    auto reporter = parent.reporter();
    const std::lock_guard lock(mutex_);
    parents_.insert_or_assign(keyspace, std::move(reporter));
    return {*this, keyspace};
}

jobs::adoption::~adoption() {
    const std::lock_guard lock(by_.mutex_);
    by_.parents_.erase(keyspace_);
}

void jobs::fail_the_rest(std::string_view why) {
    std::unique_lock lock(mutex_);
    const auto flushes = std::exchange(flushes_, {});
    const auto compactions = std::exchange(compactions_, {});
    lock.unlock();
    for (const auto& [id, flush] : flushes) {
        flush.task.fail(why);
    }
    for (const auto& [id, compaction] : compactions) {
        for (const auto& [number, part] : compaction.parts) {
            part.task.fail(why);
        }
        compaction.whole.task.fail(why);
    }
}

void jobs::OnMemTableSealed(const rocksdb::MemTableInfo& sealed) {
    contained("a sealed memtable", [&] {
        const std::lock_guard lock(mutex_);
        sealed_[sealed.cf_name] += sealed.num_entries;
    });
}

void jobs::OnFlushBegin(rocksdb::DB*, const rocksdb::FlushJobInfo& job) {
    contained("the begin of a flush", [&] {
        const std::lock_guard lock(mutex_);
        const std::string entity = std::to_string(job.job_id) + ": " + text(job.flush_reason);
        auto task = flush_.task("flush").scope("job").keyspace(job.cf_name).entity(entity);
        const std::uint64_t records = std::exchange(sealed_[job.cf_name], 0);
        flushes_.insert_or_assign(job.job_id, running{task.total(records, "records").start()});
    });
}

void jobs::OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo& job) {
    contained("the end of a flush", [&] {
        std::unique_lock lock(mutex_);
        const auto ended = flushes_.extract(job.job_id);
        lock.unlock();
        if (ended) {
            const taskmgr::task& task = ended.mapped().task;
            // Fewer than the memtables held, where rows were written more than once.
            task.set_total(job.table_properties.num_entries);
            task.set_completed(job.table_properties.num_entries);
            task.finish();
        }
    });
}

void jobs::OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) {
    // A flush that failed is told in this way alone, on its thread.
    if (reason != rocksdb::BackgroundErrorReason::kFlush &&
        reason != rocksdb::BackgroundErrorReason::kFlushNoWAL) {
        return;
    }
    contained("an error", [&] {
        std::unique_lock lock(mutex_);
        for (auto at = flushes_.begin(); at != flushes_.end(); ++at) {
            if (at->second.thread == std::this_thread::get_id()) {
                const auto ended = flushes_.extract(at);
                lock.unlock();
                ended.mapped().task.fail(error->ToString());
                return;
            }
        }
    });
}

taskmgr::task jobs::start_compaction(const rocksdb::CompactionJobInfo& job) {
    const auto parent = parents_.find(job.cf_name);
    const bool manual = job.compaction_reason == rocksdb::CompactionReason::kManualCompaction;
    auto task = manual && parent != parents_.end() ? parent->second.child("manual compaction")
                : manual                           ? compaction_.task("manual compaction")
                                                   : compaction_.task("automatic compaction");
    return task.scope("job")
        .keyspace(job.cf_name)
        .entity(std::to_string(job.job_id) + ": " + levels(job) + ", " +
                text(job.compaction_reason))
        .total(records_in(job), "records")
        .start();
}

void jobs::OnCompactionBegin(rocksdb::DB*, const rocksdb::CompactionJobInfo& job) {
    contained("the begin of a compaction", [&] {
        const std::lock_guard lock(mutex_);
        compactions_.insert_or_assign(job.job_id, compaction{{start_compaction(job)}, {}});
    });
}

void jobs::OnCompactionCompleted(rocksdb::DB*, const rocksdb::CompactionJobInfo& job) {
    contained("the end of a compaction", [&] {
        std::unique_lock lock(mutex_);
        const auto ended = compactions_.extract(job.job_id);
        lock.unlock();
        if (ended) {
            const taskmgr::task& task = ended.mapped().whole.task;
            if (job.status.ok()) {
                // Files that were moved to another level have not been read.
                task.set_completed(records_in(job));
            }
            end(task, job.status);
        }
    });
}

void jobs::OnSubcompactionBegin(const rocksdb::SubcompactionJobInfo& job) {
    contained("the begin of a subcompaction", [&] {
        const std::lock_guard lock(mutex_);
        const auto of = compactions_.find(job.job_id);
        if (of == compactions_.end()) {
            return;
        }
        const std::string entity =
            std::to_string(job.job_id) + "." + std::to_string(job.subcompaction_job_id);
        auto task = of->second.whole.task.child("subcompaction").scope("subcompaction");
        task.keyspace(job.cf_name).entity(entity).units("records");
        of->second.parts.insert_or_assign(job.subcompaction_job_id, running{task.start()});
    });
}

void jobs::OnSubcompactionCompleted(const rocksdb::SubcompactionJobInfo& job) {
    contained("the end of a subcompaction", [&] {
        std::unique_lock lock(mutex_);
        const auto of = compactions_.find(job.job_id);
        if (of == compactions_.end()) {
            return;
        }
        const auto ended = of->second.parts.extract(job.subcompaction_job_id);
        lock.unlock();
        if (ended) {
            const taskmgr::task& task = ended.mapped().task;
            task.set_completed(job.stats.num_input_records);
            end(task, job.status);
        }
    });
}

void jobs::OnTableFileCreated(const rocksdb::TableFileCreationInfo& file) {
    contained("a new file", [&] {
        const std::lock_guard lock(mutex_);
        const auto of = compactions_.find(file.job_id);
        if (of == compactions_.end()) {
            return;
        }
        for (const auto& [number, part] : of->second.parts) {
            if (part.thread == std::this_thread::get_id()) {
                part.task.advance(file.table_properties.num_entries);
            }
        }
    });
}
