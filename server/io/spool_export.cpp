#include "server/io/spool_export.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>

#include "server/io/spool_format.hpp"

namespace profile_relay::server {
namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

// Headers and keys may be any bytes; JSON may not.
std::string as_utf8_or_hex(std::string const& s, char const* prefix) {
  bool const plain = std::all_of(s.begin(), s.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  if (plain) return s;
  static constexpr char digits[] = "0123456789abcdef";
  std::string out = prefix;
  for (char c : s) {
    auto const b = static_cast<unsigned char>(c);
    out += digits[b >> 4U];
    out += digits[b & 15U];
  }
  return out;
}

json describe(spool_row const& row, profile::kafka_record const& r) {
  json j;
  j["id"] = row.key;
  j["topic"] = row.topic;
  j["chunk_id"] = r.chunk_id;
  j["received_ms"] = r.received_ms;
  j["size"] = r.value.size();
  j["state"] = to_text(row.state);
  if (row.dead()) j["why"] = row.why;
  if (r.key)
    j["kafka_key"] = as_utf8_or_hex(*r.key, "0x");
  else
    j["kafka_key"] = nullptr;
  j["headers"] = json::object();
  for (auto const& [name, value] : r.headers)
    j["headers"][as_utf8_or_hex(name, "0x")] = as_utf8_or_hex(value, "0x");
  if (row.topic == "profiles") {
    if (auto const m = profile::decode_profile_message(r.value)) {
      j["organization_id"] = m->organization_id;
      j["project_id"] = m->project_id;
      j["received"] = m->received;
      if (!m->raw_profile.empty()) j["raw_profile_content_type"] = m->raw_profile_content_type;
    }
  }
  return j;
}

std::optional<start_error> write_file(fs::path const& path, std::string_view content) {
  errno = 0;
  std::ofstream f(path, std::ios::binary);
  f.write(content.data(), static_cast<std::streamsize>(content.size()));
  f.close();
  if (f) return std::nullopt;
  return start_error{"spool export: cannot write " + path.string() + ": " + std::strerror(errno)};
}

std::optional<start_error> write_record(fs::path const& dir, spool_row const& row,
                                        profile::kafka_record const& r) {
  std::optional<start_error> e;
  if (r.topic == profile::logical_topic::outcomes) {
    e = write_file(dir / "outcome.json", r.value);
  } else {
    e = write_file(dir / "message.msgpack", r.value);
    auto const m = profile::decode_profile_message(r.value);
    if (!e && m) e = write_file(dir / "payload.json", m->payload);
    if (!e && m && !m->raw_profile.empty()) e = write_file(dir / "profile.pftrace", m->raw_profile);
  }
  return e ? e
           : write_file(dir / "record.json",
                        describe(row, r).dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

// By record.json, not by the folder's name: a spool that was started afresh counts its keys from 1 again.
bool holds(fs::path const& dir, spool_row const& row) {
  std::ifstream f(dir / "record.json", std::ios::binary);
  auto const j = json::parse(f, nullptr, false);
  return j.is_object() && j.value("id", json()) == row.key && j.value("chunk_id", json()) == row.chunk_id &&
         j.value("received_ms", json()) == row.received_ms && j.value("size", json()) == row.size;
}

// What lies in the file is not trusted to be a name.
std::string folder_name(spool_row const& row) {
  auto const is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  bool const id = !row.chunk_id.empty() && row.chunk_id.size() <= 64 &&
                  std::all_of(row.chunk_id.begin(), row.chunk_id.end(), is_hex);
  bool const topic = topic_from_text(row.topic).has_value();
  return std::to_string(row.key) + "-" + (id ? row.chunk_id : topic ? row.topic : "record");
}

start_error cannot(char const* what, fs::path const& path, std::error_code const& ec) {
  return {std::string("spool export: cannot ") + what + " " + path.string() + ": " + ec.message()};
}

}  // namespace

start_result<export_counts> export_spool(spool_reader const& spool, fs::path const& out) {
  auto const rows = spool.list();
  if (!rows) return rows.error();
  std::error_code ec;
  fs::create_directories(out, ec);
  if (ec) return cannot("make the folder", out, ec);

  export_counts counts;
  for (auto const& row : *rows) {
    auto const name = folder_name(row);
    auto const target = out / name;
    if (fs::exists(fs::symlink_status(target, ec))) {
      if (!holds(target, row))
        return start_error{"spool export: " + target.string() +
                           " exists and is not this record; choose another --out, nothing was overwritten"};
      ++counts.already_there;
      continue;
    }
    auto record = spool.read(row.key);
    if (!record) {
      counts.unreadable.push_back(record.error().what);
      continue;
    }
    if (!*record) {
      ++counts.gone;
      continue;
    }
    auto const unfinished = out / (".unfinished-" + name);
    fs::remove_all(unfinished, ec);
    fs::create_directory(unfinished, ec);
    if (ec) return cannot("make the folder", unfinished, ec);
    if (auto const e = write_record(unfinished, row, **record)) return *e;
    fs::rename(unfinished, target, ec);
    if (ec) return cannot("make the folder", target, ec);
    ++counts.written;
  }
  return counts;
}

}  // namespace profile_relay::server
