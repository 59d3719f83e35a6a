#include "sdk/trace/trace_writer.hpp"

#include <algorithm>
#include <protozero/pbf_writer.hpp>

#include "proto/fields.hpp"
#include "sdk/trace/text.hpp"
#include "sdk/trace/trace_packets.hpp"

namespace profile_relay::sdk {
namespace {

namespace f = proto::fields;
using protozero::pbf_writer;

constexpr std::int64_t images_every = 5'000'000, names_every = 1'000'000'000;
// Estimated bytes of one entry of a table.
constexpr std::size_t entry_bytes = 64;
// What a reader keeps, rounded up from our decoder's: a sample, a frame, an entry of a stack.
constexpr std::size_t sample_result = 64, frame_result = 96, entry_result = 4;
// Limit of readers; the last parts say more than the first.
constexpr std::size_t most_path_parts = 100;

std::vector<std::string_view> path_parts(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    auto const end = std::min(path.find('/'), path.size());
    if (end > 0) parts.push_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  if (parts.size() > most_path_parts) parts.erase(parts.begin(), parts.end() - most_path_parts);
  return parts;
}

}  // namespace

trace_writer::trace_writer(clock_reading const& start, process_facts process, address_source& addresses,
                           name_source& names, trace_writer_limits limits)
    : process_(std::move(process)),
      addresses_(addresses),
      names_(names),
      limits_(limits),
      start_(start),
      last_time_(start.boottime_ns) {
  add_clock_snapshot(out_, start);
  begin_interval(start.boottime_ns);
  add_process_track(out_, start.boottime_ns, process_.pid, process_.name);
}

void trace_writer::begin_interval(std::int64_t boottime_ns) {
  functions_.clear(), paths_.clear(), build_ids_.clear(), mappings_.clear();
  addresses_seen_.clear(), frames_.clear(), stacks_.clear(), stack_bytes_.clear();
  for (auto& r : recent_) r.id = 0;
  held_ = 0;
  add_defaults(out_, boottime_ns);
}

void trace_writer::append(stack_sample const& sample) {
  last_time_ = std::max(last_time_, sample.boottime_ns);
  if (sample.boottime_ns >= next_look_) {
    next_look_ = sample.boottime_ns + images_every;
    if (addresses_.refresh()) {
      addresses_seen_.clear();
      for (auto& r : recent_) r.id = 0;
    }
  }
  if (held_ > limits_.interned) begin_interval(sample.boottime_ns);
  describe_thread(sample);
  interned_.clear();
  auto const id = callstack_of(sample);
  add_sample(out_, sample.boottime_ns, process_.pid, sample.tid, id, interned_);
  ++samples_;
  result_ += sample_result;
}

std::size_t trace_writer::size() const {
  auto const passed = last_time_ - start_.boottime_ns;
  std::string end;
  add_clock_snapshot(end, {last_time_, start_.realtime_ns + passed, start_.monotonic_ns + passed});
  return out_.size() + end.size();
}

std::string trace_writer::finish(clock_reading const& end) {
  add_clock_snapshot(out_, end);
  return std::move(out_);
}

void trace_writer::describe_thread(stack_sample const& sample) {
  auto at = threads_.find(sample.tid);
  bool const appears = at == threads_.end();
  if (descriptors_ == limits_.descriptors && appears) return;
  if (appears) at = threads_.emplace(sample.tid, known_thread{}).first;
  auto& thread = at->second;
  if (!appears && sample.boottime_ns < thread.next_look) return;
  thread.next_look = sample.boottime_ns + names_every;
  auto name = names_.thread_name(sample.tid);
  // Gone between its sample and now: what was known of it still holds.
  bool const changed = !name.empty() && name != thread.name;
  if (!appears && !changed) return;
  if (descriptors_ == limits_.descriptors) return;
  if (changed) thread.name = std::move(name);
  ++descriptors_;
  add_thread_track(out_, sample.boottime_ns, process_.pid, sample.tid, thread.name);
}

trace_writer::iid trace_writer::callstack_of(stack_sample const& sample) {
  auto const pcs = sample.frames();
  auto& recent = recent_[static_cast<std::uint32_t>(sample.tid) % recent_.size()];
  if (recent.id != 0 && recent.tid == sample.tid &&
      std::equal(pcs.begin(), pcs.end(), recent.pcs.begin(), recent.pcs.end()))
    return recent.id;
  frame_bytes_.clear();
  frame_ids_.clear();
  pbf_writer ids(frame_ids_);
  // Root first. A return address lies behind its call, which may be the end of the function.
  for (std::size_t i = pcs.size(); i-- > 0;)
    ids.add_uint64(f::callstack::frame_ids, frame_at(i == 0 ? pcs[i] : pcs[i] - 1));
  auto const known = stacks_.size();
  recent.id = callstack_of_frames();
  if (stacks_.size() != known) result_ += entry_result * pcs.size();
  recent.tid = sample.tid;
  recent.pcs.assign(pcs.begin(), pcs.end());
  return recent.id;
}

trace_writer::iid trace_writer::callstack_of_frames() {
  auto const hash = text_hash()(frame_ids_);
  for (auto [at, end] = stacks_.equal_range(hash); at != end; ++at) {
    auto const& known = at->second;
    if (std::string_view(stack_bytes_).substr(known.offset, known.size) == frame_ids_) return known.id;
  }
  auto const id = iid{stacks_.size() + 1};
  stacks_.emplace(hash, known_stack{stack_bytes_.size(), frame_ids_.size(), id});
  stack_bytes_ += frame_ids_;
  held_ += entry_bytes + frame_ids_.size();
  interned_ += frame_bytes_;
  pbf_writer data(interned_);
  pbf_writer stack(data, f::interned_data::callstacks);
  stack.add_uint64(f::callstack::iid, id);
  interned_ += frame_ids_;
  return id;
}

trace_writer::iid trace_writer::frame_at(std::uintptr_t address) {
  auto const [at, fresh] = addresses_seen_.try_emplace(address, iid{0});
  if (!fresh) return at->second;
  held_ += entry_bytes;
  auto const where = addresses_.locate(address);
  auto const rel_pc = where.image_id == 0 ? 0 : address - where.image->start;
  return at->second = frame_of(where, rel_pc);
}

trace_writer::iid trace_writer::frame_of(located_address const& where, std::uint64_t rel_pc) {
  auto const [at, fresh] = frames_.try_emplace({where.image_id, rel_pc}, iid{0});
  if (!fresh) return at->second;
  held_ += entry_bytes;
  auto const id = at->second = frames_.size();
  result_ += frame_result + where.function.size();
  // Without an image an address says nothing to a reader, so all such frames are one.
  auto const text = where.image_id == 0 ? std::string_view("[unknown]") : where.function;
  auto const function = text.empty() ? 0 : string_of(functions_, f::interned_data::function_names, text);
  auto const mapping = where.image_id == 0 ? 0 : mapping_of(where);
  pbf_writer data(frame_bytes_);
  pbf_writer frame(data, f::interned_data::frames);
  frame.add_uint64(f::frame::iid, id);
  if (function != 0) frame.add_uint64(f::frame::function_name_id, function);
  if (mapping != 0) {
    frame.add_uint64(f::frame::mapping_id, mapping);
    frame.add_uint64(f::frame::rel_pc, rel_pc);
  }
  return id;
}

trace_writer::iid trace_writer::mapping_of(located_address const& where) {
  auto const [at, fresh] = mappings_.try_emplace(where.image_id, iid{0});
  if (!fresh) return at->second;
  held_ += entry_bytes;
  auto const id = at->second = mappings_.size();
  auto const& image = *where.image;
  iid const build_id =
      image.build_id.empty() ? 0 : string_of(build_ids_, f::interned_data::build_ids, image.build_id);
  std::vector<iid> parts;
  for (auto const part : path_parts(image.path))
    parts.push_back(string_of(paths_, f::interned_data::mapping_paths, readable_text(part)));
  pbf_writer data(interned_);
  pbf_writer mapping(data, f::interned_data::mappings);
  mapping.add_uint64(f::mapping::iid, id);
  if (build_id != 0) mapping.add_uint64(f::mapping::build_id, build_id);
  // With these four every reader's formula gives pc = rel_pc + start.
  mapping.add_uint64(f::mapping::exact_offset, 0);
  mapping.add_uint64(f::mapping::start_offset, 0);
  mapping.add_uint64(f::mapping::start, image.start);
  mapping.add_uint64(f::mapping::end, image.end);
  mapping.add_uint64(f::mapping::load_bias, 0);
  for (auto const part : parts) mapping.add_uint64(f::mapping::path_string_ids, part);
  return id;
}

trace_writer::iid trace_writer::string_of(string_ids& ids, std::uint32_t field, std::string_view text) {
  if (auto const known = ids.find(text); known != ids.end()) return known->second;
  auto const id = iid{ids.size() + 1};
  ids.emplace(text, id);
  held_ += entry_bytes + text.size();
  pbf_writer data(interned_);
  pbf_writer entry(data, field);
  entry.add_uint64(f::interned_string::iid, id);
  entry.add_bytes(f::interned_string::str, text.data(), text.size());
  return id;
}

}  // namespace profile_relay::sdk
