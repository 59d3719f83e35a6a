#include "server/io/spool_rows.hpp"

#include <libdeflate.h>

namespace profile_relay::server {
namespace {

std::int64_t sum_of(std::string_view bytes) {
  return static_cast<std::int64_t>(libdeflate_crc32(0, bytes.data(), bytes.size()));
}

// Everything of the row that decides what is sent where. State and reason change, and are not covered.
std::int64_t sum_of(profile::kafka_record const& r, std::string_view headers) {
  std::string text;
  auto const add = [&text](std::string_view part) {
    text += std::to_string(part.size()) + ':';
    text += part;
  };
  add(to_text(r.topic));
  add(r.key ? "key" : "");
  add(r.key.value_or(""));
  add(headers);
  add(r.chunk_id);
  add(std::to_string(r.received_ms));
  add(std::to_string(r.raw_offset));
  return sum_of(text);
}

}  // namespace

std::int64_t sum_of_body(std::string_view value) { return sum_of(value); }

bool spool_rows::prepare(sqlite3* db) {
  db_ = db;
  put_record_ = {
      db,
      "INSERT INTO records(key,topic,kafka_key,headers,chunk_id,received_ms,stored_ms,raw_offset,size,state,"
      "told,why,sum) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)"};
  put_body_ = {db, "INSERT INTO bodies(key,sum,value) VALUES(?1,?2,?3)"};
  get_record_ = {
      db,
      "SELECT topic,kafka_key,headers,chunk_id,received_ms,raw_offset,sum,state,told,why,stored_ms,size"
      " FROM records WHERE key=?1"};
  get_sum_ = {db, "SELECT sum FROM bodies WHERE key=?1"};
  return put_record_ && put_body_ && get_record_ && get_sum_;
}

int spool_rows::insert(std::optional<std::int64_t> key, profile::kafka_record const& r,
                       row_facts const& facts, std::int64_t& key_out) {
  auto const headers = encode_headers(r);
  auto& s = put_record_;
  if (key)
    s.bind(1, *key);
  else
    s.bind_null(1);
  s.bind_text(2, to_text(r.topic));
  if (r.key)
    s.bind_blob(3, *r.key);
  else
    s.bind_null(3);
  s.bind_blob(4, headers).bind_text(5, r.chunk_id).bind(6, r.received_ms).bind(7, facts.stored_ms);
  s.bind(8, static_cast<std::int64_t>(r.raw_offset)).bind(9, static_cast<std::int64_t>(facts.size));
  s.bind(10, static_cast<std::int64_t>(facts.state)).bind(11, facts.told ? 1 : 0).bind_text(12, facts.why);
  s.bind(13, sum_of(r, headers));
  if (int const rc = s.run(); rc != SQLITE_OK) return rc;
  key_out = sqlite3_last_insert_rowid(db_);
  return put_body_.bind(1, key_out).bind(2, sum_of(r.value)).bind_blob(3, r.value).run();
}

row_result spool_rows::read_body(std::int64_t key, std::string& value) {
  int rc = get_sum_.bind(1, key).step();
  auto const sum = rc == SQLITE_ROW ? get_sum_.integer(0) : 0;
  get_sum_.reset();
  if (rc == SQLITE_DONE) return row_result::gone;
  if (rc == SQLITE_ROW) rc = sqlite_read_blob(db_, "bodies", "value", key, value);
  if (rc != SQLITE_OK) return is_damage(rc) || rc == SQLITE_ERROR ? row_result::damaged : row_result::failed;
  return sum == sum_of(value) ? row_result::found : row_result::damaged;
}

row_result spool_rows::read_row(std::int64_t key, profile::kafka_record& r, row_facts& facts) {
  auto& s = get_record_;
  int const rc = s.bind(1, key).step();
  if (rc != SQLITE_ROW) {
    s.reset();
    return rc == SQLITE_DONE ? row_result::gone : is_damage(rc) ? row_result::damaged : row_result::failed;
  }
  auto const topic = topic_from_text(s.text(0));
  r = {};
  r.topic = topic.value_or(profile::logical_topic::profiles);
  if (!s.is_null(1)) r.key = s.blob(1);
  bool good = topic && decode_headers(s.blob(2), r);
  r.chunk_id = s.text(3);
  r.received_ms = s.integer(4);
  r.raw_offset = static_cast<std::size_t>(s.integer(5));
  good = good && s.integer(6) == sum_of(r, s.blob(2));
  // The state is not proven by the sum: one that means nothing is no reason to keep a record back.
  auto const state = s.integer(7);
  bool const known = state >= 0 && state <= static_cast<std::int64_t>(record_state::dead);
  facts.state = known ? static_cast<record_state>(state) : record_state::waiting;
  facts.told = s.integer(8) != 0;
  facts.why = s.text(9);
  facts.stored_ms = s.integer(10);
  facts.size = static_cast<std::uint64_t>(s.integer(11));
  s.reset();
  return good ? row_result::found : row_result::damaged;
}

row_result spool_rows::read(std::int64_t key, profile::kafka_record& r, row_facts& facts) {
  auto const row = read_row(key, r, facts);
  if (row != row_result::found) return row;
  auto const body = read_body(key, r.value);
  if (body == row_result::failed) return body;
  return body == row_result::found && r.raw_offset <= r.value.size() ? row_result::found
                                                                     : row_result::damaged;
}

}  // namespace profile_relay::server
