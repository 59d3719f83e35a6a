#include "server/io/http_parser.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <optional>

#include "server/io/http_syntax.hpp"

namespace profile_relay::server {

namespace {

namespace http = boost::beast::http;

std::string_view std_view(boost::beast::string_view v) { return {v.data(), v.size()}; }

/// The characters of host and port (RFC 3986, 3.2.2): enough to refuse what another reader would take for a path or a
/// user. Empty is legal.
bool is_host(std::string_view host) {
  return std::ranges::all_of(host, [](char c) {
    return is_alphanumeric(c) || std::string_view("-._~%!$&'()*+,;=:[]").find(c) != std::string_view::npos;
  });
}

/// Whether the target has the form that its method may have (RFC 9112, 3.2).
bool is_target(std::string_view method, std::string_view target) {
  if (target.starts_with('/') || method == "CONNECT") return true;
  if (target == "*") return method == "OPTIONS";
  auto const scheme_end = target.find("://");
  if (scheme_end == std::string_view::npos) return false;
  auto const scheme = target.substr(0, scheme_end);
  auto const host = target.substr(scheme_end + 3);
  return (boost::beast::iequals({scheme.data(), scheme.size()}, "http") ||
          boost::beast::iequals({scheme.data(), scheme.size()}, "https")) &&
         !host.empty() && std::string_view("/?#").find(host[0]) == std::string_view::npos;
}

enum class head_end { missing, found, refused };

/// Looks for the empty line that ends a head, from `at` on. Refuses a line feed without its carriage return,
/// and a line that continues the one before it: Beast would join those, others on the way may not.
head_end find_head_end(std::string_view in, std::size_t& at) {
  for (auto lf = in.find('\n', at); lf != std::string_view::npos; lf = in.find('\n', at)) {
    if (lf == 0 || in[lf - 1] != '\r') return head_end::refused;
    if (lf >= 3 && in[lf - 2] == '\n') return head_end::found;
    if (lf + 1 == in.size()) break;  // what follows decides: stay before this line feed
    if (in[lf + 1] == ' ' || in[lf + 1] == '\t') return head_end::refused;
    at = lf + 1;
  }
  return head_end::missing;
}

}  // namespace

struct http_parser::impl {
  using parser_type = http::request_parser<http::empty_body>;
  std::optional<parser_type> parser;
  http_head head;
  std::size_t scanned = 0;  // of the head that is not complete yet

  void start() {
    parser.emplace();
    head = {};  // a request that is refused before its head is read must not be answered as the one before
    scanned = 0;
    // The body is not Beast's to read or to limit.
    parser->body_limit(boost::none);
    parser->header_limit(max_head);
    parser->eager(false);
  }

  std::optional<std::string_view> find(http::field name) const {
    auto const& fields = parser->get();
    auto const it = fields.find(name);
    if (it == fields.end()) return std::nullopt;
    return std_view(it->value());
  }
  std::optional<std::string_view> find(std::string_view name) const {
    auto const& fields = parser->get();
    auto const it = fields.find(boost::beast::string_view(name.data(), name.size()));
    if (it == fields.end()) return std::nullopt;
    return std_view(it->value());
  }

  /// False when the head says something that is refused.
  bool read_head() {
    auto const& m = parser->get();
    head = {};
    head.method = std_view(m.method_string());
    head.target = std_view(m.target());
    head.http10 = m.version() == 10;
    if (m.version() != 10 && m.version() != 11) return false;
    head.keep_alive = m.keep_alive();
    head.chunked = parser->chunked();
    if (auto const length = parser->content_length()) head.content_length = *length;
    if (m.count(http::field::transfer_encoding) > 0 &&
        (m.count(http::field::transfer_encoding) > 1 || head.http10 || !head.chunked ||
         !boost::beast::iequals(m[http::field::transfer_encoding], "chunked"))) {
      return false;
    }
    // Beast takes a length that is said twice, if it is the same; a reader in front of us may see one of them only.
    if (m.count(http::field::content_length) > 1 ||
        !std::ranges::all_of(std_view(m[http::field::content_length]), is_digit))
      return false;
    auto const hosts = m.count(http::field::host);
    if (hosts > 1 || (hosts == 0 && !head.http10) || !is_host(std_view(m[http::field::host]))) return false;
    if (!is_target(head.method, head.target)) return false;
    head.expect_continue = !head.http10 && boost::beast::iequals(m[http::field::expect], "100-continue");
    head.x_sentry_auth = find("x-sentry-auth");
    head.authorization = find(http::field::authorization);
    head.several_auths = m.count("x-sentry-auth") > 1 || m.count(http::field::authorization) > 1;
    head.origin = find(http::field::origin);
    head.referer = find(http::field::referer);
    head.forwarded_for = find("x-forwarded-for");
    head.content_encoding = find(http::field::content_encoding).value_or(std::string_view{});
    head.several_encodings = m.count(http::field::content_encoding) > 1;
    return true;
  }
};

http_parser::http_parser() : impl_(std::make_unique<impl>()) { impl_->start(); }
http_parser::~http_parser() = default;
void http_parser::reset() { impl_->start(); }
http_head const& http_parser::head() const { return impl_->head; }

http_parser::step http_parser::parse_head(std::span<const std::byte> in) {
  // Empty lines before a request are left over from the one before (RFC 9112, 2.2).
  std::size_t skipped = 0;
  while (in.size() >= 2 && in[0] == std::byte{'\r'} && in[1] == std::byte{'\n'}) {
    in = in.subspan(2);
    skipped += 2;
  }
  auto const text = std::string_view(reinterpret_cast<const char*>(in.data()), in.size());
  auto const end = find_head_end(text.substr(0, max_head), impl_->scanned);
  if (end == head_end::refused || (end == head_end::missing && in.size() >= max_head)) {
    return {state::malformed, skipped};
  }
  if (end == head_end::missing) return {state::need_more, skipped};
  boost::beast::error_code ec;
  auto const consumed = impl_->parser->put(boost::asio::buffer(in.data(), in.size()), ec);
  if (ec || !impl_->parser->is_header_done() || !impl_->read_head()) return {state::malformed, skipped};
  return {state::head, skipped + consumed};
}

}  // namespace profile_relay::server
