#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace profile_relay::server {

/// Content codings that are decoded (contract 5.3).
enum class content_coding : std::uint8_t { identity, gzip, deflate, br, zstd };

/// The coding a `Content-Encoding` value names; "", "identity" and "utf-8" mean none. Absent = unknown, or
/// several.
std::optional<content_coding> find_coding(std::string_view header_value);

/// Decodes one body, piece by piece into the caller's memory: the caller sees every byte before the next is
/// made, so a bomb costs no more than the limit it breaks.
class content_decoder {
 public:
  enum class state : std::uint8_t {
    need_input,   ///< all input used; give more, or the stream is cut off
    output_full,  ///< give more room with the rest of the input
    finished,     ///< the stream ended together with the input given
    damaged,      ///< not such a stream, or data after its end
  };
  struct step {
    std::size_t consumed = 0, produced = 0;
    state now = state::need_input;
  };

  virtual ~content_decoder() = default;
  virtual step decode(std::span<const std::byte> in, std::span<std::byte> out) = 0;
};

/// Null for identity.
std::unique_ptr<content_decoder> make_decoder(content_coding coding);

}  // namespace profile_relay::server
