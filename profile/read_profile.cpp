#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <utility>

#include "profile/read_json.hpp"

namespace profile_relay::profile {

namespace dom = simdjson::dom;
using sample_v2::chunk;
using sample_v2::frame;

namespace {

class profile_reader {
 public:
  profile_reader(read_limits const& lim, chunk& to) : lim_(lim), to_(to) {}

  bool read(dom::object root);
  error fault() const { return fault_.to_error(); }

 private:
  bool read_parts(dom::element profile);
  bool read_samples(dom::array samples);
  bool read_sample(dom::element e, sample_v2::sample& to);
  bool read_time(dom::element e, std::int64_t& to);
  bool read_thread_id(dom::element e, std::uint32_t& to);
  bool read_stacks(dom::array stacks);
  bool read_frames(dom::array frames);
  bool read_frame(dom::element e, frame& to);
  bool read_threads(dom::element e);
  bool read_thread(dom::element e, sample_v2::thread& to);

  read_limits const& lim_;
  chunk& to_;
  json_fault fault_;
  boost::unordered_flat_map<std::string_view, std::uint32_t> thread_index_;
};

bool profile_reader::read(dom::object root) {
  seen_keys seen;
  for (const auto& [name, value] : root) {
    if (name != "profile") continue;
    if (!seen.once(0, fault_) || !read_parts(value)) return fault_.in("profile");
  }
  return seen.has(0) || fault_.set("missing_key", "is required") || fault_.in("profile");
}

bool profile_reader::read_parts(dom::element profile) {
  dom::object object;
  if (!read_value(profile, object, fault_)) return false;
  enum key : unsigned { samples_key, stacks_key, frames_key, threads_key };
  dom::array samples, stacks, frames;
  dom::element threads;
  seen_keys seen;
  for (const auto& [name, value] : object) {
    bool ok = true;
    if (name == "samples") {
      ok = seen.once(samples_key, fault_) && read_value(value, samples, fault_);
    } else if (name == "stacks") {
      ok = seen.once(stacks_key, fault_) && read_value(value, stacks, fault_);
    } else if (name == "frames") {
      ok = seen.once(frames_key, fault_) && read_value(value, frames, fault_);
    } else if (name == "thread_metadata") {
      ok = seen.once(threads_key, fault_);
      threads = value;
    }
    if (!ok) return fault_.in(name);
  }
  constexpr std::string_view required[] = {"samples", "stacks", "frames"};
  for (unsigned bit = samples_key; bit <= frames_key; ++bit)
    if (!seen.has(bit)) return fault_.set("missing_key", "is required") || fault_.in(required[bit]);

  if (!read_samples(samples)) return fault_.in("samples");
  if (!read_stacks(stacks)) return fault_.in("stacks");
  if (!read_frames(frames)) return fault_.in("frames");
  // After the samples, which say what threads there are.
  if (seen.has(threads_key) && !read_threads(threads)) return fault_.in("thread_metadata");
  return true;
}

bool profile_reader::read_samples(dom::array samples) {
  to_.times = sample_v2::time_form::seconds;
  to_.samples.reserve(samples.size());
  for (const dom::element e : samples)
    if (!read_sample(e, to_.samples.emplace_back())) return fault_.in(to_.samples.size() - 1);
  return true;
}

bool profile_reader::read_sample(dom::element e, sample_v2::sample& to) {
  dom::object object;
  if (!read_value(e, object, fault_)) return false;
  seen_keys seen;
  for (const auto& [name, value] : object) {
    bool ok = true;
    if (name == "timestamp") {
      ok = seen.once(0, fault_) && read_time(value, to.time);
    } else if (name == "stack_id") {
      ok = seen.once(1, fault_) && read_index(value, to.stack, fault_);
    } else if (name == "thread_id") {
      ok = seen.once(2, fault_) && read_thread_id(value, to.thread);
    }
    if (!ok) return fault_.in(name);
  }
  return (seen.has(0) && seen.has(1) && seen.has(2)) ||
         fault_.set("missing_key", "must have timestamp, stack_id and thread_id");
}

bool profile_reader::read_time(dom::element e, std::int64_t& to) {
  constexpr double too_large = 1e11;  // seconds of the year 5138; only ms or ns sent by mistake get there
  double seconds = 0;
  if (!read_value(e, seconds, fault_)) return false;
  if (!(seconds > 0 && seconds < too_large))
    return fault_.set("bad_timestamp", "must be Unix seconds, above 0 and below 1e11");
  to = sample_v2::time_of_seconds(seconds);
  return true;
}

bool profile_reader::read_thread_id(dom::element e, std::uint32_t& to) {
  std::string_view id;
  if (!read_value(e, id, fault_)) return false;
  if (id.empty()) return fault_.set("bad_id", "must not be empty");
  const auto [at, is_new] = thread_index_.try_emplace(id, static_cast<std::uint32_t>(to_.threads.size()));
  if (is_new) to_.threads.emplace_back().id = id;
  to = at->second;
  return true;
}

bool profile_reader::read_stacks(dom::array stacks) {
  for (const dom::element e : stacks) {
    dom::array indices;
    bool ok = read_value(e, indices, fault_);
    if (ok)
      for (const dom::element i : indices) {
        std::uint32_t index = 0;
        ok = read_index(i, index, fault_);
        if (!ok) break;
        to_.stacks.push(index);
      }
    if (!ok) return fault_.in(to_.stacks.size());
    to_.stacks.close();
  }
  return true;
}

bool profile_reader::read_frames(dom::array frames) {
  to_.frames.reserve(std::min<std::size_t>(frames.size(), lim_.max_frames));
  for (const dom::element e : frames) {
    if (to_.frames.size() == lim_.max_frames)
      return fault_.set(errc::exceed_size_limit, "too_many_frames",
                        "there are more than profiling limits allow");
    if (!read_frame(e, to_.frames.emplace_back())) return fault_.in(to_.frames.size() - 1);
  }
  return true;
}

bool profile_reader::read_frame(dom::element e, frame& to) {
  dom::object object;
  if (!read_value(e, object, fault_)) return false;
  enum key : unsigned {
    abs_path,
    colno,
    filename,
    function,
    in_app,
    instruction_addr,
    lineno,
    module,
    package,
    platform
  };
  seen_keys seen;
  for (const auto& [name, value] : object) {
    bool ok = true;
    if (name == "function" || name == "name") {
      ok = seen.once(function, fault_) && read_value(value, to.function, fault_);
    } else if (name == "module") {
      ok = seen.once(module, fault_) && read_value(value, to.module, fault_);
    } else if (name == "package") {
      ok = seen.once(package, fault_) && read_value(value, to.package, fault_);
    } else if (name == "filename" || name == "file") {
      ok = seen.once(filename, fault_) && read_value(value, to.filename, fault_);
    } else if (name == "abs_path") {
      ok = seen.once(abs_path, fault_) && read_value(value, to.abs_path, fault_);
    } else if (name == "lineno" || name == "line") {
      ok = seen.once(lineno, fault_) && read_value(value, to.lineno, fault_);
    } else if (name == "colno" || name == "column") {
      ok = seen.once(colno, fault_) && read_value(value, to.colno, fault_);
    } else if (name == "in_app") {
      ok = seen.once(in_app, fault_) && read_value(value, to.in_app, fault_);
    } else if (name == "instruction_addr") {
      ok = seen.once(instruction_addr, fault_) && read_address(value, to.instruction_addr, fault_);
    } else if (name == "platform") {
      ok = seen.once(platform, fault_) && read_value(value, to.platform, fault_);
    }
    if (!ok) return fault_.in(name);
  }
  return true;
}

bool profile_reader::read_threads(dom::element e) {
  dom::object object;
  if (!read_value(e, object, fault_)) return false;
  std::size_t n = 0;
  for (const auto& [id, value] : object) {
    sample_v2::thread without_sample;
    const auto at = thread_index_.find(id);
    auto& thread = at == thread_index_.end() ? without_sample : to_.threads[at->second];
    if (thread.has_metadata)
      return fault_.set("duplicate_key", "has the id of an earlier one") || fault_.in(n);
    if (!read_thread(value, thread)) return fault_.in(n);
    ++n;
  }
  return true;
}

bool profile_reader::read_thread(dom::element e, sample_v2::thread& to) {
  dom::object object;
  if (!read_value(e, object, fault_)) return false;
  to.has_metadata = true;
  seen_keys seen;
  for (const auto& [name, value] : object) {
    bool ok = true;
    if (name == "name") {
      ok = seen.once(0, fault_) && read_value(value, to.name, fault_);
    } else if (name == "priority") {
      ok = seen.once(1, fault_) && read_value(value, to.priority, fault_);
    }
    if (!ok) return fault_.in(name);
  }
  return true;
}

}  // namespace

bool holds_profile(json_document const& doc) {
  dom::element profile;
  if (doc.root().at_key("profile").get(profile) || profile.is_null()) return false;
  dom::object object;
  if (profile.get(object)) return true;
  for (const std::string_view name : {"samples", "stacks", "frames"}) {
    dom::element part;
    dom::array list;
    if (object.at_key(name).get(part) || part.is_null()) continue;
    if (part.get(list) || list.size() != 0) return true;
  }
  return false;
}

boost::system::result<void, error> read_profile(json_document const& doc, read_limits const& lim, chunk& to) {
  profile_reader reader(lim, to);
  if (!reader.read(doc.root())) return reader.fault();
  return {};
}

result<chunk> read_json(json_document const& doc, read_limits const& lim) {
  auto header = read_header(doc);
  if (!header) return header;
  if (auto done = read_profile(doc, lim, *header); !done) return std::move(done).error();
  return header;
}

result<chunk> read_json(envelope::padded_view text, read_limits const& lim) {
  auto doc = json_document::parse(text, lim.max_depth);
  if (!doc) return std::move(doc).error();
  return read_json(*doc, lim);
}

}  // namespace profile_relay::profile
