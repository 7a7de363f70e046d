#include "routes.hpp"

#include "host.hpp"

namespace {

using taskmgr::http::reply;
using taskmgr::http::request;

std::uint64_t amount(const request& asked, std::string_view name, std::uint64_t by_default,
                     std::uint64_t most) {
    const std::string_view text = asked.query(name);
    return text.empty() ? by_default : number(name, text, 1, most);
}

taskmgr::observer start(host& of, std::string_view operation, const request& asked) {
    const std::string_view keyspace = asked.query("keyspace");
    if (operation == "load") {
        return of.load(keyspace, amount(asked, "megabytes", of.wanted().sample_size, 100'000));
    }
    if (operation == "compaction") {
        return of.compact(keyspace, amount(asked, "ranges", of.wanted().ranges, 1'000));
    }
    if (!keyspace.empty()) {
        throw usage_error("a backup has all keyspaces: leave out the keyspace");
    }
    return of.back_up();
}

bool is_operation(std::string_view name) {
    return name == "load" || name == "compaction" || name == "backup";
}

bool answer(host& of, const request& asked, reply& answer) {
    constexpr std::string_view prefix = "/node/";
    if (asked.path().substr(0, prefix.size()) != prefix) {
        return false;
    }
    const std::string_view operation = asked.path().substr(prefix.size());
    if (!is_operation(operation)) {
        answer.error(404, "unknown operation \"" + std::string(operation) +
                              "\"; there are load, compaction, backup");
    } else if (asked.method() != "POST") {
        answer.error(405, "an operation is started by POST");
    } else {
        try {
            answer.json(200, '"' + start(of, operation, asked).id().to_string() + '"');
        } catch (const usage_error& wrong) {
            answer.error(400, wrong.what());
        }
    }
    return true;
}

}  // namespace

taskmgr::http::routes routes_of(host& of) {
    return [&of](const request& asked, reply& to) { return answer(of, asked, to); };
}
