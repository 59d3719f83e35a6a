#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace profile_relay::server {

/// The head of a request, as far as it means something here. Views into the parser, valid until its next
/// `reset`.
struct http_head {
  std::string_view method, target;
  bool http10 = false;
  bool keep_alive = true;
  bool chunked = false;
  std::uint64_t content_length =
      0;  ///< 0 also when there is neither length nor chunked: then there is no body
  bool expect_continue = false;
  std::optional<std::string_view> x_sentry_auth, authorization, origin, referer, forwarded_for;
  bool several_auths = false;  ///< X-Sentry-Auth or Authorization comes twice
  std::string_view content_encoding;
  bool several_encodings = false;

  bool has_body() const { return chunked || content_length > 0; }
};

/// Beast's parser for the heads of requests behind a plain interface, fed by hand. Knows no sockets. Refuses what lets
/// two readers of one connection disagree where a request ends: both lengths, two lengths, obs-fold, a bare line feed,
/// codings other than chunked; and what names no target or no host, or two.
class http_parser {
 public:
  enum class state : std::uint8_t {
    need_more,  ///< not enough input; call again with more behind the unconsumed rest
    head,       ///< the head is complete
    malformed,
  };
  struct step {
    state now = state::need_more;
    std::size_t consumed = 0;
  };

  /// The longest head that is read.
  static constexpr std::uint32_t max_head = 32u << 10;

  http_parser();
  ~http_parser();
  void reset();

  step parse_head(std::span<const std::byte> in);
  http_head const& head() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace profile_relay::server
