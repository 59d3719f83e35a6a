#include "profile/write_json.hpp"

#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "profile/json_text.hpp"
#include "profile/write_frames.hpp"
#include "profile/write_samples.hpp"

namespace profile_relay::profile {

using sample_v2::chunk;
using sample_v2::optional_text;

namespace {

/// Writes the parts of a chunk. Each `bool` is false when the text has become too long.
class json_writer {
 public:
  json_writer(chunk const& c, std::size_t max_bytes, text_place place)
      : c_(c), max_bytes_(max_bytes + place.before.size()), out_(std::move(place.before)) {
    out_.reserve(out_.size() + std::min(estimate(), max_bytes) + place.room_behind);
  }

  bool write();
  std::string take() { return std::move(out_); }

 private:
  std::size_t estimate() const;
  bool fits() const { return out_.size() <= max_bytes_; }

  void key(std::string_view name);
  void text(std::string_view name, std::string_view v);
  void text(std::string_view name, optional_text const& v);
  void number(std::string_view name, double v);
  void integer(std::string_view name, std::uint64_t v);
  void address(std::string_view name, std::optional<std::uint64_t> const& v);
  void begin(char bracket) { out_ += bracket; }
  void end(char bracket);

  bool measurements();
  bool images();
  bool threads();

  chunk const& c_;
  std::size_t max_bytes_;  // of out_, what was in it before included
  std::string out_;
};

std::size_t json_writer::estimate() const {
  return 1024 + c_.samples.size() * 76 + c_.stacks.frame_count() * 5 + c_.stacks.size() * 3 +
         c_.frames.size() * 160 + c_.images.size() * 220 + c_.threads.size() * 40;
}

// Every pair and element leaves a comma behind, which the closing bracket takes back.
void json_writer::key(std::string_view name) {
  out_ += '"';
  out_ += name;
  out_ += "\":";
}

void json_writer::end(char bracket) {
  if (out_.back() == ',') out_.pop_back();
  out_ += bracket;
  out_ += ',';
}

void json_writer::text(std::string_view name, std::string_view v) {
  key(name);
  json_text::append_string(out_, v);
  out_ += ',';
}

void json_writer::text(std::string_view name, optional_text const& v) {
  if (v) text(name, *v);
}

void json_writer::number(std::string_view name, double v) {
  key(name);
  json_text::append_number(out_, v);
  out_ += ',';
}

void json_writer::integer(std::string_view name, std::uint64_t v) {
  key(name);
  json_text::append_uint(out_, v);
  out_ += ',';
}

void json_writer::address(std::string_view name, std::optional<std::uint64_t> const& v) {
  if (!v) return;
  key(name);
  json_text::append_address(out_, *v);
  out_ += ',';
}

bool json_writer::measurements() {
  if (c_.measurements.empty()) return true;
  key("measurements");
  begin('{');
  for (auto const& m : c_.measurements) {
    json_text::append_string(out_, m.name);
    out_ += ':';
    begin('{');
    text("unit", m.unit);
    key("values");
    begin('[');
    for (auto const& v : m.values) {
      begin('{');
      number("timestamp", v.timestamp);
      number("value", v.value);
      text("elapsed_since_start_ns", v.elapsed_text);
      if (v.elapsed_number) integer("elapsed_since_start_ns", *v.elapsed_number);
      end('}');
      if (!fits()) return false;
    }
    end(']');
    end('}');
  }
  end('}');
  return fits();
}

bool json_writer::images() {
  if (c_.images.empty()) return true;
  key("debug_meta");
  begin('{');
  key("images");
  begin('[');
  for (auto const& i : c_.images) {
    begin('{');
    text("code_file", i.code_file);
    text("debug_id", i.debug_id);
    text("type", i.type);
    address("image_addr", i.image_addr);
    address("image_vmaddr", i.image_vmaddr);
    if (i.image_size != 0) integer("image_size", i.image_size);
    text("uuid", i.uuid);
    end('}');
    if (!fits()) return false;
  }
  end(']');
  end('}');
  return true;
}

bool json_writer::threads() {
  key("thread_metadata");
  begin('{');
  for (auto const& t : c_.threads) {
    if (!t.has_metadata) continue;
    json_text::append_string(out_, t.id);
    out_ += ':';
    begin('{');
    text("name", t.name);
    if (t.priority) {
      key("priority");
      json_text::append_int(out_, *t.priority);
      out_ += ',';
    }
    end('}');
    if (!fits()) return false;
  }
  end('}');
  return true;
}

bool json_writer::write() {
  begin('{');
  if (!measurements()) return false;
  text("chunk_id", sample_v2::text_of(c_.chunk_id));
  text("profiler_id", sample_v2::text_of(c_.profiler_id));
  if (!images()) return false;
  text("environment", c_.environment);
  text("platform", c_.platform);
  text("content_type", c_.content_type);
  if (c_.release) {
    text("release", *c_.release);
  } else {
    out_ += "\"release\":null,";
  }
  if (c_.sdk) {
    key("client_sdk");
    begin('{');
    text("name", c_.sdk->name);
    text("version", c_.sdk->version);
    end('}');
  }
  text("version", std::string_view("2"));
  key("profile");
  begin('{');
  key("samples");
  begin('[');
  if (!append_samples(out_, c_, max_bytes_)) return false;
  end(']');
  key("stacks");
  begin('[');
  if (!append_stacks(out_, c_, max_bytes_)) return false;
  end(']');
  key("frames");
  begin('[');
  if (!append_frames(out_, c_, max_bytes_)) return false;
  end(']');
  if (!threads()) return false;
  end('}');
  end('}');
  out_.pop_back();  // the comma behind the root
  return fits();
}

}  // namespace

result<std::string> write_json(chunk const& c, std::size_t max_bytes, text_place place) {
  const auto begin = place.before.size();
  json_writer w(c, max_bytes, std::move(place));
  if (!w.write())
    return error{
        errc::exceed_size_limit, "payload_too_large",
        "the profile's JSON is larger than limits.max_profile_size, " + std::to_string(max_bytes) + " bytes",
        0};
  auto text = w.take();
  if (!simdjson::validate_utf8(std::string_view(text).substr(begin)))
    return error{errc::failed_serialization, "payload_not_utf8", "the profile's JSON is not UTF-8", 0};
  return text;
}

}  // namespace profile_relay::profile
