// One row or more for each row of ingestion contract 5.2 that concerns sources 1 to 4 and 6.

#include "envelope/auth.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "envelope/auth_text.hpp"

using namespace profile_relay::envelope;

namespace {

std::string const key = "a94ae32be2584e0bbd7a4cbb95971fee";
std::string const key_and_anything_in_base64 = "YTk0YWUzMmJlMjU4NGUwYmJkN2E0Y2JiOTU5NzFmZWU6YW55dGhpbmc=";
std::string const key_and_colon_in_base64 = "YTk0YWUzMmJlMjU4NGUwYmJkN2E0Y2JiOTU5NzFmZWU6";
std::string const key_alone_in_base64 = "YTk0YWUzMmJlMjU4NGUwYmJkN2E0Y2JiOTU5NzFmZWU=";

/// "none", "key", "key client=...", or the error's name.
template <class T>
std::string told(auth_result<T> const& answer) {
  if (answer.has_error()) {
    switch (answer.error()) {
      case auth_errc::missing:
        return "missing";
      case auth_errc::multiple:
        return "multiple";
      case auth_errc::malformed:
        return "malformed";
      case auth_errc::bad_envelope_header:
        return "bad_envelope_header";
      case auth_errc::bad_public_key:
        return "bad_public_key";
      case auth_errc::bad_version:
        return "bad_version";
    }
  }
  std::optional<credentials> const found = answer.value();
  if (!found) return "none";
  return (found->public_key == key ? "key" : "another key") +
         (found->client ? " client=" + *found->client : "");
}

using text = std::optional<std::string>;

struct row {
  char const* name;
  text x_sentry_auth;
  text authorization;
  std::string query;
  std::string expected;
};

void check(std::vector<row> const& rows) {
  for (auto const& r : rows) {
    INFO(r.name);
    CHECK(told(parse_auth({r.x_sentry_auth, r.authorization, r.query})) == r.expected);
  }
}

text const none;

}  // namespace

TEST_CASE("source 1: X-Sentry-Auth") {
  check({
      {"all keys", "Sentry sentry_key=" + key + ", sentry_version=7, sentry_client=sentry.java/8.51.0", none,
       "", "key client=sentry.java/8.51.0"},
      {"key alone", "Sentry sentry_key=" + key, none, "", "key"},
      {"prefix in another case, more blanks", "sENTRY   sentry_key = " + key + " ,sentry_version= 7 ", none,
       "", "key"},
      {"upper case key", "Sentry sentry_key=A94AE32BE2584E0BBD7A4CBB95971FEE", none, "", "key"},
      {"ignored keys", "Sentry sentry_timestamp=x,sentry_secret=y,whatever=z,=,word,,sentry_key=" + key, none,
       "", "key"},
      {"quoted values", "Sentry sentry_key=\"" + key + "\", sentry_version=\"7\"", none, "", "key"},
      {"client with an equals sign", "Sentry sentry_client=a=b,sentry_key=" + key, none, "",
       "key client=a=b"},
      {"the last of two keys counts", "Sentry sentry_key=x,sentry_key=" + key, none, "", "key"},
      {"no prefix", "sentry_key=" + key, none, "", "malformed"},
      {"another prefix", "Bearer sentry_key=" + key, none, "", "malformed"},
      {"prefix without a blank", "Sentrysentry_key=" + key, none, "", "malformed"},
      {"prefix alone", "Sentry", none, "", "malformed"},
      {"empty", "", none, "", "malformed"},
      {"no key", "Sentry sentry_version=7", none, "", "malformed"},
  });
}

TEST_CASE("source 2: Authorization with the Sentry scheme") {
  check({
      {"same grammar", none, "Sentry sentry_key=" + key + ",sentry_client=a/1", "", "key client=a/1"},
      {"scheme in another case", none, "SENTRY sentry_key=" + key, "", "key"},
      {"no key", none, "Sentry sentry_client=a/1", "", "malformed"},
  });
}

TEST_CASE("source 3: Basic, other schemes are not Sentry auth") {
  check({
      {"key and anything", none, "Basic " + key_and_anything_in_base64, "", "key"},
      {"scheme in another case, no padding", none, "basic " + key_and_anything_in_base64.substr(0, 55), "",
       "key"},
      {"empty password", none, "Basic " + key_and_colon_in_base64, "", "key"},
      {"decodable, but no key", none, "Basic dXNlcjpwYXNz", "", "bad_public_key"},
      {"undecodable counts as absent", none, "Basic !!!", "", "none"},
      {"of an impossible length", none, "Basic YTk0Y", "", "none"},
      {"without a colon counts as absent", none, "Basic " + key_alone_in_base64, "", "none"},
      {"nothing after the scheme", none, "Basic ", "", "none"},
      {"undecodable beside the query", none, "Basic !!!", "sentry_key=" + key, "key"},
      {"bearer", none, "Bearer " + key, "", "none"},
      {"bearer beside X-Sentry-Auth", "Sentry sentry_key=" + key, "Bearer " + key, "", "key"},
      {"no scheme", none, key, "", "none"},
  });
}

TEST_CASE("source 4: the query string") {
  check({
      {"as the Node SDK sends it", none, none,
       "sentry_version=7&sentry_key=" + key + "&sentry_client=sentry.javascript.node%2F9.1.0",
       "key client=sentry.javascript.node/9.1.0"},
      {"encoded name, plus for a blank", none, none, "sentry_%6Bey=" + key + "&sentry_client=a+b",
       "key client=a b"},
      {"broken escapes stand for themselves", none, none, "sentry_client=%2&sentry_key=" + key,
       "key client=%2"},
      {"other parameters", none, none, "a=1&&b&sentry_key=" + key + "&", "key"},
      {"without sentry_ it is no source", none, none, "key=" + key, "none"},
      {"no key", none, none, "sentry_version=7", "malformed"},
      {"sentry_ in a value", none, none, "x=sentry_", "malformed"},
  });
}

TEST_CASE("no source, and more than one") {
  auto const header = "Sentry sentry_key=" + key;
  auto const query = "sentry_key=" + key;
  check({
      {"nothing at all", none, none, "", "none"},
      {"1 and 2", header, header, "", "multiple"},
      {"1 and 3", header, "Basic " + key_and_anything_in_base64, "", "multiple"},
      {"1 and 4", header, none, query, "multiple"},
      {"2 and 4", none, header, query, "multiple"},
      {"3 and 4", none, "Basic " + key_and_anything_in_base64, query, "multiple"},
      {"two unusable ones", "", none, "sentry_", "multiple"},
  });
}

TEST_CASE("keys and versions that are refused") {
  auto const header = [](std::string const& k, std::string const& version) {
    return "Sentry sentry_key=" + k + ",sentry_version=" + version;
  };
  check({
      {"short key", header(key.substr(1), "7"), none, "", "bad_public_key"},
      {"empty key", header("", "7"), none, "", "bad_public_key"},
      {"flag suffix", header(key + ":no-cache", "7"), none, "", "key"},
      {"version 8", header(key, "8"), none, "", "bad_version"},
      {"version 8 in the query", none, none, "sentry_version=8&sentry_key=" + key, "bad_version"},
      {"version 7.0", header(key, "7.0"), none, "", "key"},
      {"version 8.0", header(key, "8.0"), none, "", "bad_version"},
      {"version 2.0", header(key, "2.0"), none, "", "key"},
      {"version above 2^64", header(key, "99999999999999999999"), none, "", "bad_version"},
      {"version a word", header(key, "seven"), none, "", "malformed"},
      {"version with a letter", header(key, "7a"), none, "", "malformed"},
      {"version negative", header(key, "-1"), none, "", "malformed"},
      {"version empty", header(key, ""), none, "", "malformed"},
  });
}

TEST_CASE("a client that is not fit for logs is left out") {
  auto const query = "sentry_key=" + key + "&sentry_client=";
  check({
      {"line feed", none, none, query + "a%0Ab", "key"},
      {"not UTF-8", none, none, query + "%ff", "key"},
      {"empty", none, none, query, "key"},
      {"longest", none, none, query + std::string(256, 'a'), "key client=" + std::string(256, 'a')},
      {"too long", none, none, query + std::string(257, 'a'), "key"},
  });
}

TEST_CASE("source 6: the DSN in the envelope header") {
  struct dsn_row {
    char const* name;
    std::string body;
    std::string expected;
  };
  std::vector<dsn_row> const rows{
      {"DSN", "{\"dsn\":\"https://" + key + "@host/1\"}\n", "key"},
      {"DSN and client", "{\"dsn\":\"https://" + key + "@host/1\",\"client\":\"a/1\"}", "key client=a/1"},
      {"no DSN", "{}\n", "missing"},
      {"DSN without a key", "{\"dsn\":\"https://host/1\"}\n", "bad_envelope_header"},
      {"DSN of a wrong type", "{\"dsn\":1}\n", "bad_envelope_header"},
      {"no JSON", "hello\n", "bad_envelope_header"},
      {"empty body", "", "bad_envelope_header"},
  };
  for (auto const& r : rows) {
    INFO(r.name);
    padded_copy const body(r.body);
    CHECK(told(envelope_credentials(parse_header(body.view()))) == r.expected);
  }
}

TEST_CASE("base64") {
  using detail::decode_base64;
  CHECK(decode_base64("") == "");
  CHECK(decode_base64("Zg==") == "f");
  CHECK(decode_base64("Zm8=") == "fo");
  CHECK(decode_base64("Zm9v") == "foo");
  CHECK(decode_base64("Zm9vYg") == "foob");
  CHECK(decode_base64("//79") == "\xff\xfe\xfd");
  for (auto const* bad : {"Z", "Zm9vY", "Zm 9v", "Zm9=v", "Zm9v===", "-_79"}) {
    INFO(bad);
    CHECK_FALSE(decode_base64(bad).has_value());
  }
}
