#include <zlib.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "envelope/build.hpp"
#include "envelope/dsn.hpp"
#include "server/io/cmd_files.hpp"
#include "server/io/http_client.hpp"

namespace profile_relay::server {

namespace {

std::string gzip(std::string_view in) {
  z_stream z{};
  if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  std::string out(deflateBound(&z, static_cast<uLong>(in.size())), '\0');
  z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(in.data()));
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

struct chunk_parts {
  std::string metadata, chunk_id, platform;
};

/// The metadata given, or made up; the platform of the item header is the metadata's unless the caller wants another.
std::optional<chunk_parts> parts_of(send_arguments const& a) {
  if (a.metadata.empty()) {
    auto const id = random_hex32();
    auto const platform = a.platform.empty() ? std::string("android") : a.platform;
    return chunk_parts{demo_metadata(id, platform), id, platform};
  }
  auto const text = read_input(a.metadata);
  if (!text) return std::nullopt;
  auto const json = nlohmann::json::parse(*text, nullptr, false);
  if (!json.is_object()) {
    fail(a.metadata + " is not a JSON object");
    return std::nullopt;
  }
  auto const field = [&](char const* key) {
    auto const it = json.find(key);
    return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  auto id = field("chunk_id");
  std::erase(id, '-');
  return chunk_parts{*text, id, a.platform.empty() ? field("platform") : a.platform};
}

}  // namespace

int cmd_send(send_arguments const& a) {
  auto const dsn = envelope::parse_dsn(a.dsn);
  if (!dsn) return fail("--dsn wants http://<32 hex digits>@host[:port]/<project id>");
  if (dsn->scheme != "http")
    return fail("only http is spoken here; put the proxy that ends TLS into the DSN");
  auto const trace = read_input(a.file);
  if (!trace) return 1;
  auto const parts = parts_of(a);
  if (!parts) return 1;
  envelope::compound_envelope e;
  e.event_id = parts->chunk_id;
  e.dsn = a.dsn;
  if (!parts->platform.empty()) e.platform = parts->platform;
  e.metadata = parts->metadata;
  e.trace = *trace;
  auto body = envelope::build_envelope(e);
  client_request request;
  request.host = dsn->host;
  request.port = dsn->port.value_or(80);
  request.method = "POST";
  request.target = "/api/" + std::to_string(dsn->project_id) + "/envelope/";
  request.headers = {
      {"content-type", "application/x-sentry-envelope"},
      {"x-sentry-auth", "Sentry sentry_version=7, sentry_client=profile-relay.send/" PROFILE_RELAY_VERSION
                        ", sentry_key=" +
                            dsn->public_key}};
  if (a.gzip) {
    body = gzip(body);
    request.headers.emplace_back("content-encoding", "gzip");
  }
  request.body = body;
  request.timeout = a.timeout;
  auto const reply = call(request);
  if (!reply) return fail(reply.error().what);
  std::cout << reply->status << ' ' << reply->body << '\n';
  return reply->status == 200 ? 0 : 1;
}

}  // namespace profile_relay::server
