#include "server/core/reply.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace profile_relay::server {

namespace {

/// Which of several refusals answers for the request: our own failure, then the one that asks the client to
/// wait.
int weight(int status) {
  switch (status) {
    case 500:
      return 3;
    case 429:
      return 2;
    default:
      return 1;
  }
}

http_reply accepted(std::optional<std::string_view> event_id) {
  http_reply r;
  r.body = event_id ? R"({"id":")" + std::string(*event_id) + R"("})" : "{}";
  return r;
}

/// The answer that follows from the chunks' ends alone.
http_reply reply_to_ends(std::span<const chunk_fate> fates, std::optional<std::string_view> event_id) {
  if (std::ranges::any_of(fates, &chunk_fate::unavailable)) return error_reply(reason::unavailable);
  std::optional<reason> worst;
  for (auto const& f : fates) {
    if (!f.rejected || row_of(*f.rejected).status == 200) return accepted(event_id);
    if (!worst || weight(row_of(*f.rejected).status) > weight(row_of(*worst).status)) worst = f.rejected;
  }
  if (!worst) return accepted(event_id);
  return error_reply(*worst, fates.size() == 1 ? "profile_chunk" : "every profile_chunk of the envelope");
}

}  // namespace

http_reply error_reply(reason r, std::string_view cause) {
  auto const& row = row_of(r);
  nlohmann::ordered_json body{{"detail", row.detail}};
  if (!cause.empty()) body["causes"] = {row.detail, cause};
  http_reply out;
  out.status = row.status;
  // The replacement handler: a cause is our own text, but a type name in it may come from the request.
  out.body = body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  out.retry_after = row.retry_after;
  out.refused_by = r;
  return out;
}

http_reply reply_to(std::span<const chunk_fate> fates, std::optional<std::string_view> event_id,
                    rate_limits const& limits) {
  auto out = reply_to_ends(fates, event_id);
  if (limits.empty()) return out;
  out.rate_limits = header_text(limits);
  if (out.status == 429) out.retry_after = longest(limits).retry_s;
  return out;
}

}  // namespace profile_relay::server
