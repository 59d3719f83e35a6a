#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace profile_relay::server {

/// Reads a chunked body (RFC 9112, 7.1), fed by hand. Knows no sockets. Stricter than Beast, which joins folded trailers,
/// takes a bare line feed in them, and waits for more where no more could help: here everything that is not the grammar
/// ends the request as soon as its line is there. Extensions and trailers are checked and dropped; a body of little else
/// than framing is refused.
class chunk_reader {
 public:
  enum class state : std::uint8_t {
    need_more,  ///< not enough input; call again with more behind the unconsumed rest
    piece,      ///< `bytes` belong to the body
    done,       ///< the body is complete; what follows is the next request
    malformed,
  };
  struct step {
    state now = state::need_more;
    std::size_t consumed = 0;
    std::span<const std::byte> bytes;  ///< part of the input given
  };

  /// The longest line, and all trailers together: nobody needs them, so they get no room.
  static constexpr std::size_t max_line = 4u << 10, max_trailers = 16u << 10;
  /// Framing may take `free_framing` bytes a chunk and twice the chunk's data (a byte in a chunk of its own takes 5);
  /// what goes beyond that adds up to at most `max_excess`. Go's net/http has the same rule.
  static constexpr std::size_t free_framing = 16, max_excess = 16u << 10;

  step read(std::span<const std::byte> in);

 private:
  enum class part : std::uint8_t { size, data, data_end, trailers, end };
  state on_line(std::string_view line);
  bool excessive(std::size_t line);

  part part_ = part::size;
  std::uint64_t left_ = 0;         // of the chunk
  std::size_t trailer_bytes_ = 0;  // so far
  std::size_t excess_ = 0;         // of framing over data
};

}  // namespace profile_relay::server
