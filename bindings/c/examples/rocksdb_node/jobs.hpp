/// What RocksDB does in the background, as tasks.
///
/// | module | type | scope, entity | progress |
/// | --- | --- | --- | --- |
/// | `flush` | flush | job, "12: write buffer full" | records, of the sealed memtables |
/// | `compaction` | automatic compaction | job, "13: L0 → L1, files in L0" | records, of the input |
/// | | manual compaction | the same, a child of the range that asked for it | the same |
/// | | subcompaction | subcompaction, "13.0", a child of its compaction | records |
///
/// RocksDB tells when a job begins, each file that it has written, and when it ends; so `completed`
/// follows the records in the files written, and at the end is what was read. None of these can be
/// aborted by itself, as RocksDB cancels nothing but a manual compaction, for which see
/// compaction.cpp.

#ifndef ROCKSDB_NODE_JOBS_HPP
#define ROCKSDB_NODE_JOBS_HPP

#include <rocksdb/listener.h>

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <taskmgr.hpp>
#include <thread>
#include <vector>

/// RocksDB calls it on the threads of the jobs, with no lock held. A job's id is its own within the
/// database.
class jobs final : public rocksdb::EventListener {
public:
    jobs(taskmgr::module flush, taskmgr::module compaction)
        : flush_(std::move(flush)), compaction_(std::move(compaction)) {}

    /// While it lives, RocksDB's manual compactions in a keyspace are children of one task.
    class [[nodiscard]] adoption {
    public:
        adoption(jobs& by, std::string keyspace) : by_(by), keyspace_(std::move(keyspace)) {}
        adoption(const adoption&) = delete;
        adoption& operator=(const adoption&) = delete;
        ~adoption();

    private:
        jobs& by_;
        std::string keyspace_;
    };

    /// RocksDB does not say which call a manual compaction is for: so the host sees to it that
    /// there is one at a time in a keyspace.
    adoption adopt(const std::string& keyspace, const taskmgr::task& parent);

    /// Fails the tasks of jobs whose end RocksDB has not told, as it does not when it is closed.
    void fail_the_rest(std::string_view why);

    const char* Name() const override { return "rocksdb_node"; }
    void OnMemTableSealed(const rocksdb::MemTableInfo& sealed) override;
    void OnFlushBegin(rocksdb::DB*, const rocksdb::FlushJobInfo& job) override;
    void OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo& job) override;
    void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override;
    void OnCompactionBegin(rocksdb::DB*, const rocksdb::CompactionJobInfo& job) override;
    void OnCompactionCompleted(rocksdb::DB*, const rocksdb::CompactionJobInfo& job) override;
    void OnSubcompactionBegin(const rocksdb::SubcompactionJobInfo& job) override;
    void OnSubcompactionCompleted(const rocksdb::SubcompactionJobInfo& job) override;
    void OnTableFileCreated(const rocksdb::TableFileCreationInfo& file) override;

private:
    /// A job or a part of one, and the thread that does it.
    struct running {
        taskmgr::task task;
        std::thread::id thread = std::this_thread::get_id();
    };
    struct compaction {
        running whole;
        std::map<int, running> parts;
    };

    taskmgr::task start_compaction(const rocksdb::CompactionJobInfo& job);

    const taskmgr::module flush_;
    const taskmgr::module compaction_;
    /// Guards what is below. Tasks are ended outside of it, as that calls whoever waits for them.
    std::mutex mutex_;
    std::map<int, running> flushes_;
    std::map<int, compaction> compactions_;
    std::map<std::string, taskmgr::reporter> parents_;
    /// Records in memtables that wait for a flush.
    std::map<std::string, std::uint64_t> sealed_;
};

#endif
