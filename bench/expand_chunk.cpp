#include "bench/subjects.hpp"
#include "envelope/padded_view.hpp"
#include "envelope/raw_chunk.hpp"
#include "profile/expand.hpp"

namespace profile_relay::bench {

expanded_chunk expand_chunk(std::string_view metadata, std::string_view trace) {
  // The server's buffers are padded already, so this copy is no part of what it does: the caller passes bytes
  // that are followed by envelope::read_ahead readable ones.
  auto const padded = [](std::string_view bytes) {
    return envelope::padded_view::assume_padded(std::as_bytes(std::span(bytes)));
  };
  envelope::raw_chunk chunk;
  chunk.shape = envelope::chunk_shape::perfetto;
  chunk.platform = "android";
  chunk.metadata = padded(metadata);
  chunk.trace = padded(trace);
  auto outcome = profile::expand(chunk, {});
  expanded_chunk out;
  out.samples = outcome.notes.emitted_samples;
  if (outcome.value.has_error()) {
    out.problem = outcome.value.error().what;
    return out;
  }
  out.ok = true;
  out.json = std::move(outcome.value.value().text);
  return out;
}

}  // namespace profile_relay::bench
