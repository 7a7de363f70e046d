#include "backup.hpp"

#include <rocksdb/env.h>
#include <rocksdb/utilities/checkpoint.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

#include "parts.hpp"

namespace {

namespace fs = std::filesystem;

constexpr std::size_t bytes_per_step = 256 << 10;

/// A directory for the time of an operation.
class scratch {
public:
    explicit scratch(fs::path path) : path_(std::move(path)) { remove(); }
    scratch(const scratch&) = delete;
    scratch& operator=(const scratch&) = delete;
    ~scratch() { remove(); }

    const fs::path& path() const { return path_; }

private:
    void remove() noexcept {
        std::error_code failed;
        fs::remove_all(path_, failed);
        if (failed) {
            std::fprintf(stderr, "rocksdb_node: cannot remove %s: %s\n", path_.c_str(),
                         failed.message().c_str());
        }
    }

    fs::path path_;
};

void take_checkpoint(const store& from, const fs::path& into) {
    rocksdb::Checkpoint* made = nullptr;
    check(rocksdb::Checkpoint::Create(&from.db(), &made), "cannot prepare a checkpoint");
    const std::unique_ptr<rocksdb::Checkpoint> owned(made);
    check(owned->CreateCheckpoint(into), "cannot take a checkpoint");
}

void copy_file(const taskmgr::task& task, const fs::path& from, const fs::path& to) {
    rocksdb::Env* const env = rocksdb::Env::Default();
    std::unique_ptr<rocksdb::SequentialFile> source;
    std::unique_ptr<rocksdb::WritableFile> target;
    check(env->NewSequentialFile(from, &source, {}), "cannot open " + from.string());
    check(env->NewWritableFile(to, &target, {}), "cannot make " + to.string());
    std::vector<char> buffer(bytes_per_step);
    for (;;) {
        task.check_abort();
        rocksdb::Slice read;
        check(source->Read(buffer.size(), &read, buffer.data()), "cannot read " + from.string());
        if (read.empty()) {
            break;
        }
        check(target->Append(read), "cannot write " + to.string());
        task.advance(read.size());
    }
    check(target->Sync(), "cannot sync " + to.string());
    check(target->Close(), "cannot close " + to.string());
}

void copy_files(const taskmgr::task& task, const fs::path& from, const fs::path& to) {
    fs::create_directories(to);
    std::vector<fs::path> files;
    std::uint64_t bytes = 0;
    for (const fs::directory_entry& file : fs::directory_iterator(from)) {
        files.push_back(file.path());
        bytes += file.file_size();
    }
    task.set_total(bytes);
    for (const fs::path& file : files) {
        copy_file(task, file, to / file.filename());
    }
}

}  // namespace

void back_up(const taskmgr::task& whole, const store& from, const fs::path& target) {
    fs::create_directories(target.parent_path());
    const scratch checkpoint(target.string() + ".checkpoint");
    const scratch copy(target.string() + ".partial");
    std::vector<part> parts;
    parts.push_back({whole.child("checkpoint").units("bytes").create(),
                     [&](taskmgr::task&) { take_checkpoint(from, checkpoint.path()); }});
    parts.push_back({whole.child("copy").units("bytes").create(), [&](taskmgr::task& task) {
                         copy_files(task, checkpoint.path(), copy.path());
                     }});
    run_in_turn(whole, "steps", std::move(parts));
    fs::rename(copy.path(), target);
}
