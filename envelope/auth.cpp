#include "envelope/auth.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>

#include "envelope/auth_text.hpp"
#include "envelope/dsn.hpp"
#include "envelope/wire_text.hpp"

namespace profile_relay::envelope {

namespace {

/// What the header and query forms may say, before it is judged.
struct auth_fields {
  std::optional<std::string> key;
  std::optional<std::string> version;
  std::optional<std::string> client;

  void set(std::string_view name, std::string value) {
    if (name == "sentry_key") {
      key = std::move(value);
    } else if (name == "sentry_version") {
      version = std::move(value);
    } else if (name == "sentry_client") {
      client = std::move(value);
    }
  }
};

/// Calls `use(name, value)` for each `name=value` between separators; a piece without "=" says nothing.
template <class Use>
void for_each_pair(std::string_view text, char separator, Use use) {
  while (!text.empty()) {
    auto const end = std::min(text.find(separator), text.size());
    auto const piece = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (auto const equals = piece.find('='); equals != std::string_view::npos) {
      use(piece.substr(0, equals), piece.substr(equals + 1));
    }
  }
}

/// The text after `scheme` and a blank; absent when it is another scheme.
std::optional<std::string_view> after_scheme(std::string_view header, std::string_view scheme) {
  header = detail::trim(header);
  if (header.size() <= scheme.size() || !iequals(header.substr(0, scheme.size()), scheme))
    return std::nullopt;
  if (header[scheme.size()] != ' ') return std::nullopt;
  return detail::trim(header.substr(scheme.size()));
}

auth_fields fields_of_header(std::string_view pairs) {
  auth_fields out;
  for_each_pair(pairs, ',', [&](std::string_view name, std::string_view value) {
    value = detail::trim(value);
    if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"'))
      value = value.substr(1, value.size() - 2);
    out.set(detail::trim(name), std::string(value));
  });
  return out;
}

auth_fields fields_of_query(std::string_view query) {
  auth_fields out;
  for_each_pair(query, '&', [&](std::string_view name, std::string_view value) {
    out.set(detail::decode_form(name), detail::decode_form(value));
  });
  return out;
}

/// `base64(key:anything)`.
std::optional<auth_fields> fields_of_basic(std::string_view encoded) {
  auto const text = detail::decode_base64(encoded);
  if (!text) return std::nullopt;
  auto const colon = text->find(':');
  if (colon == std::string::npos) return std::nullopt;
  auth_fields out;
  out.key = text->substr(0, colon);
  return out;
}

/// Some clients send "7.0": the integer in front counts.
std::optional<auth_errc> check_version(std::string_view text) {
  std::uint64_t number = 0;
  auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (ec == std::errc::result_out_of_range) return auth_errc::bad_version;
  if (ec != std::errc{}) return auth_errc::malformed;
  std::string_view const rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (!rest.empty() && (rest.front() != '.' || !std::ranges::all_of(rest.substr(1), is_digit))) {
    return auth_errc::malformed;
  }
  if (number > protocol_version) return auth_errc::bad_version;
  return std::nullopt;
}

std::optional<std::string> fit_for_logs(std::optional<std::string> client) {
  constexpr std::size_t longest = 256;
  if (!client || client->empty() || client->size() > longest) return std::nullopt;
  auto const is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(*client, is_control)) return std::nullopt;
  if (!simdjson::validate_utf8(client->data(), client->size())) return std::nullopt;
  return client;
}

auth_result<std::optional<credentials>> judge(auth_fields fields) {
  if (!fields.key) return auth_errc::malformed;
  if (fields.version) {
    if (auto const wrong = check_version(detail::trim(*fields.version))) return *wrong;
  }
  credentials out;
  if (!parse_public_key(*fields.key, out.public_key)) return auth_errc::bad_public_key;
  out.client = fit_for_logs(std::move(fields.client));
  return std::optional<credentials>(std::move(out));
}

}  // namespace

auth_result<std::optional<credentials>> parse_auth(auth_sources const& sources) {
  std::optional<std::string_view> sentry_scheme;
  std::optional<auth_fields> basic;
  if (sources.authorization) {
    sentry_scheme = after_scheme(*sources.authorization, "Sentry");
    if (auto const encoded = after_scheme(*sources.authorization, "Basic")) basic = fields_of_basic(*encoded);
  }
  bool const query = sources.query.find("sentry_") != std::string_view::npos;

  int const present = int{sources.x_sentry_auth.has_value()} + int{sentry_scheme.has_value()} +
                      int{basic.has_value()} + int{query};
  if (present > 1) return auth_errc::multiple;

  if (sources.x_sentry_auth) {
    auto const pairs = after_scheme(*sources.x_sentry_auth, "Sentry");
    if (!pairs) return auth_errc::malformed;
    return judge(fields_of_header(*pairs));
  }
  if (sentry_scheme) return judge(fields_of_header(*sentry_scheme));
  if (basic) return judge(std::move(*basic));
  if (query) return judge(fields_of_query(sources.query));
  return std::optional<credentials>();
}

auth_result<credentials> envelope_credentials(result<envelope_header> const& first_line) {
  if (first_line.has_error()) return auth_errc::bad_envelope_header;
  auto const& header = first_line.value();
  if (!header.dsn_) return auth_errc::missing;
  return credentials{header.dsn_->public_key, fit_for_logs(header.client)};
}

}  // namespace profile_relay::envelope
