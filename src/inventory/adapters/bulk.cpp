#include "inventory/adapters/bulk.hpp"

#include <utility>
#include <vector>

#include "inventory/adapters/read_requests.hpp"
#include "inventory/app/write_items.hpp"
#include "platform/http/message.hpp"
#include "platform/http/problem.hpp"
#include "platform/json/writer.hpp"

namespace trackops::inventory::adapters {

namespace {

struct Outcome {
    std::int64_t line = 0;
    std::string sku;
    Result<app::WriteResult> answer;
};

Result<ItemRequest> read_line(std::string_view text, std::string& sku) {
    if (text.size() > bulk_line_bytes_max) {
        return fail(Errc::too_large, "a line may have 65536 bytes at most");
    }
    return read_bulk_line(text, sku);
}

void write_fault(json::Writer& out, const Error& error) {
    out.member("status", http::status_of(error.code))
        .member("code", http::code_of(error.code))
        .member("detail", error.detail);
    if (error.fields.empty()) return;
    out.name("errors").begin_array();
    for (const FieldError& fault : error.fields) {
        out.begin_object()
            .member("pointer", fault.pointer)
            .member("detail", fault.detail)
            .member("code", fault.code)
            .end_object();
    }
    out.end_array();
}

void write_outcome(std::string& text, const Outcome& outcome) {
    json::Writer out(text);
    out.begin_object().member("line", outcome.line);
    if (!outcome.sku.empty()) out.member("sku", outcome.sku);
    if (outcome.answer) {
        out.member("status", outcome.answer->is_new ? 201 : 200)
            .member("version", outcome.answer->item->version);
    } else {
        write_fault(out, outcome.answer.error());
    }
    out.end_object();
    text += '\n';
}

// The lines that wait for their transaction, in order with the lines that were refused.
class BulkUpsert {
public:
    BulkUpsert(app::ItemStore& store, const Clock& clock, Ids& ids)
        : store_(store), clock_(clock), ids_(ids) {}

    void take(std::int64_t line, std::string_view text) {
        outcomes_.push_back({line, {}, {}});
        Outcome& outcome = outcomes_.back();
        auto request = read_line(text, outcome.sku);
        if (request) {
            writes_.push_back({ids_.next(), std::move(request->sku), std::move(request->command)});
            places_.push_back(outcomes_.size() - 1);
        } else {
            outcome.answer = std::unexpected(std::move(request).error());
        }
        if (outcomes_.size() == bulk_lines_max) flush();
    }

    std::string finish() {
        flush();
        return std::move(text_);
    }

private:
    void flush() {
        if (!writes_.empty()) {
            auto answers = app::write_items(writes_, store_, clock_);
            for (std::size_t i = 0; i < places_.size(); ++i) {
                outcomes_[places_[i]].answer = std::move(answers[i]);
            }
        }
        for (const Outcome& outcome : outcomes_) write_outcome(text_, outcome);
        outcomes_.clear();
        writes_.clear();
        places_.clear();
    }

    app::ItemStore& store_;
    const Clock& clock_;
    Ids& ids_;
    std::vector<Outcome> outcomes_;
    std::vector<app::ItemWrite> writes_;
    std::vector<std::size_t> places_;  // the index in outcomes_ of each element of writes_
    std::string text_;
};

}  // namespace

std::string upsert_items(std::string_view ndjson, app::ItemStore& store, const Clock& clock,
                         Ids& ids) {
    BulkUpsert bulk(store, clock, ids);
    std::int64_t number = 0;
    while (!ndjson.empty()) {
        const std::size_t end = std::min(ndjson.find('\n'), ndjson.size());
        const std::string_view line = ndjson.substr(0, end);
        ndjson.remove_prefix(std::min(end + 1, ndjson.size()));
        ++number;
        if (line.find_first_not_of(" \t\r") != std::string_view::npos) bulk.take(number, line);
    }
    return bulk.finish();
}

}  // namespace trackops::inventory::adapters
