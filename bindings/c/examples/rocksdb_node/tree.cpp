#include "tree.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <map>
#include <numeric>
#include <vector>

namespace {

using row = std::array<std::string, 5>;
using family = std::map<taskmgr::id, std::vector<taskmgr::status>>;

std::string format(const char* how, double value) {
    char text[64];
    std::snprintf(text, sizeof text, how, value);
    return text;
}

double milliseconds(taskmgr::time_point from, taskmgr::time_point to) {
    return std::chrono::duration<double, std::milli>(to - from).count();
}

/// What the task does, where its parent does something else, and on what.
std::string name(const taskmgr::status& task, std::string_view parents_type) {
    std::string text(task.type() == parents_type ? "" : task.type());
    const std::string_view on = !task.entity().empty() ? task.entity() : task.keyspace();
    text += text.empty() || on.empty() ? "" : " ";
    return text.append(on);
}

std::string state(const taskmgr::status& task) {
    const bool told = task.abort() && !task.is_terminal();
    return std::string(to_string(task.state())) + (told ? ", told to abort" : "");
}

std::string figures(const taskmgr::progress& progress) {
    if (progress.completed == 0 && !progress.total_known) {
        return "";
    }
    const bool bytes = progress.units == "bytes";
    const auto amount = [&](std::uint64_t of) {
        return bytes ? format("%.1f", static_cast<double>(of) / 1e6) : std::to_string(of);
    };
    std::string text = amount(progress.completed);
    if (progress.total_known) {
        text += " of " + amount(progress.total);
    }
    text += " " + (bytes ? "MB" : progress.units);
    return progress.total_known && progress.total > 0
               ? text + format(", %3.0f %%", 100 * progress.fraction())
               : text;
}

std::string time(const taskmgr::status& task) {
    const auto start = task.start_time(), end = task.end_time();
    return start && end ? format("%.2f s", milliseconds(*start, *end) / 1e3) : "";
}

std::string error(const taskmgr::status& task) {
    std::string text(task.error());
    const auto abort = task.abort();
    if (abort && abort->requested_at && task.end_time()) {
        text += format(" (%.1f ms later)", milliseconds(*abort->requested_at, *task.end_time()));
    }
    return text;
}

void add(const taskmgr::status& task, std::string_view parents_type, const std::string& branch,
         const std::string& indent, const family& children, std::vector<row>& rows) {
    rows.push_back({branch + name(task, parents_type), state(task), figures(task.progress()),
                    time(task), error(task)});
    const auto below = children.find(task.id());
    if (below == children.end()) {
        return;
    }
    for (const taskmgr::status& child : below->second) {
        const bool last = child.id() == below->second.back().id();
        add(child, task.type(), indent + (last ? "└─ " : "├─ "),
            indent + (last ? "   " : "│  "), children, rows);
    }
}

/// The columns that a text takes, not its bytes.
std::size_t width(const std::string& text) {
    return std::accumulate(text.begin(), text.end(), std::size_t{0}, [](std::size_t sum, char c) {
        return sum + ((static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0);
    });
}

}  // namespace

std::string draw(const taskmgr::status_list& tree) {
    family children;
    for (const taskmgr::status& task : tree) {
        if (const auto parent = task.parent_id()) {
            children[*parent].push_back(task);
        }
    }
    std::vector<row> rows;
    if (!tree.empty()) {
        add(tree[0], "", "", "", children, rows);
    }
    std::array<std::size_t, 5> widths{};
    for (const row& cells : rows) {
        for (std::size_t at = 0; at < cells.size(); ++at) {
            widths[at] = std::max(widths[at], width(cells[at]));
        }
    }
    std::string text;
    for (const row& cells : rows) {
        std::string line;
        for (std::size_t at = 0; at < cells.size(); ++at) {
            const std::string padding(widths[at] - width(cells[at]), ' ');
            // Figures and times are easier to compare when they end at the same place.
            line += at == 2 || at == 3 ? padding + cells[at] : cells[at] + padding;
            line += "  ";
        }
        text += line.erase(line.find_last_not_of(' ') + 1) + "\n";
    }
    return text;
}

void print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}
