#include "perfetto_decode/trace_decoder.hpp"

namespace profile_relay::perfetto_decode {

trace_decoder::trace_decoder(limits const& lim)
    : limits_(lim),
      storage_(std::make_shared<decoded_storage>(lim)),
      working_(lim.working_bytes),
      strings_(storage_->result, storage_->keep),
      stacks_(out_, strings_, working_, storage_->result, limits_),
      clocks_(working_),
      names_(working_, storage_->keep) {
  refs_.push_back(stack_ref::void_of(counter::stackprofile_invalid_callstack_id));
  recent_ids_.fill(none);
}

bool trace_decoder::fail(errc code, std::string what) {
  if (!failed_) error_ = {code, packet_offset_, std::move(what)};
  failed_ = true;
  return false;
}

bool trace_decoder::on_packet(packet_view const& packet, packet_place const& place) {
  packet_offset_ = place.offset;
  copy_ = place.transient;
  if (!process(packet)) return false;
  return !working_.exceeded() || out_of_working();
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
  return trace_decoder(lim).run(trace);
}

}  // namespace profile_relay::perfetto_decode
