#include "perfetto_decode/trace_decoder.hpp"

#include <utility>

namespace profile_relay::perfetto_decode {

decoded_trace& decoded_trace::operator=(decoded_trace&& other) noexcept {
  storage.swap(other.storage);
  mappings.swap(other.mappings);
  lines.swap(other.lines);
  frames.swap(other.frames);
  stacks.swap(other.stacks);
  samples.swap(other.samples);
  tasks.swap(other.tasks);
  std::swap(stack_frames, other.stack_frames);
  std::swap(counts, other.counts);
  std::swap(packets, other.packets);
  std::swap(sample_records, other.sample_records);
  std::swap(held_bytes, other.held_bytes);
  std::swap(has_clock_snapshot, other.has_clock_snapshot);
  return *this;
}

namespace {

decoded_trace empty_trace(memory_budget& result) {
  decoded_trace t;
  t.mappings = budget_vector<mapping>(result);
  t.lines = budget_vector<symbol_line>(result);
  t.frames = budget_vector<frame>(result);
  t.stacks = budget_vector<stack>(result);
  t.samples = budget_vector<sample>(result);
  t.tasks = budget_vector<task>(result);
  return t;
}

}  // namespace

trace_decoder::trace_decoder(limits const& lim, std::size_t& packet_offset)
    : limits_(lim),
      storage_(std::make_shared<decoded_storage>(lim)),
      working_(lim.working_bytes),
      out_(empty_trace(storage_->result)),
      strings_(storage_->result, storage_->keep),
      stacks_(out_, strings_, storage_->keep, working_, storage_->result, limits_),
      clocks_(working_),
      names_(working_, storage_->keep),
      sequences_(working_),
      task_index_(storage_->result),
      task_seed_(seed_of(this)),
      records_(storage_->result),
      refs_(working_),
      bases_(working_),
      marks_(working_),
      greatest_(working_),
      greatest_of_records_(working_),
      greatest_of_marks_(working_),
      readings_(working_),
      module_symbols_(working_),
      streams_(working_),
      machines_(working_),
      packet_offset_(packet_offset) {
  refs_.push_back(stack_ref::void_of(counter::stackprofile_invalid_callstack_id));
  recent_ids_.fill(none);
}

bool trace_decoder::fail(errc code, std::string what) {
  if (!failed_) error_ = {code, packet_offset_, std::move(what)};
  failed_ = true;
  return false;
}

bool trace_decoder::on_packet(packet_view const& packet, packet_place const& place) {
  if (place.bytes.empty()) return true;  // a packet of no length is nothing, not even one of the host
  packet_offset_ = place.offset;
  copy_ = place.transient;
  return process(packet);
}

result<decoded_trace> trace_decoder::run(byte_span trace) {
  trace_reader reader(limits_, working_, out_.counts, *this);
  bool const whole = reader.run(trace);
  if (reader.failed()) return reader.failure();
  packet_offset_ = reader.offset();
  out_.packets = reader.packets();
  if (!whole || !finish()) return error_;
  out_.storage = storage_;
  return std::move(out_);
}

result<decoded_trace> decode(std::span<const std::byte> trace, limits const& lim) {
  std::size_t offset = 0;
  try {
    auto decoded = trace_decoder(lim, offset).run(trace);
    // Only now: what the decoder needed for itself has been given back.
    if (decoded)
      decoded->held_bytes = static_cast<decoded_storage const*>(decoded->storage.get())->result.used();
    return decoded;
  } catch (budget_refused const& refused) {
    return error{refused.code, offset,
                 refused.code == errc::working_memory
                     ? trace_reader::working_exceeded
                     : "frames, stacks and samples exceed profiling.max_result_memory"};
  }
}

}  // namespace profile_relay::perfetto_decode
