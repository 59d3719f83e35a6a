#include "server/io/http_exchange.hpp"

#include <algorithm>
#include <utility>

#include "envelope/envelope.hpp"
#include "server/io/http_log.hpp"

namespace profile_relay::server {

namespace {

/// What a chunk takes whatever its size, for its outcome, its line in the log and its end. It also counts as work: thousands
/// of tiny chunks fit in a small body.
constexpr std::uint64_t bytes_per_chunk = 16u << 10;

/// A record on its way through delivery. The chunk goes first when all is dropped: it still speaks to its
/// exchange.
struct pending_chunk {
  std::shared_ptr<http_exchange> owner;
  tracked_chunk chunk;
};

std::string cause_of(envelope::error const& e) {
  std::string text = e.what + " at byte " + std::to_string(e.offset);
  if (e.item) text += " of item " + std::to_string(*e.item);
  return text;
}

}  // namespace

http_exchange::http_exchange(http_services& services, request_identity who, http_body body, byte_lease lease,
                             post_function post, std::function<void(http_reply)> done)
    : services_(services),
      who_(std::move(who)),
      body_(std::move(body)),
      lease_(std::move(lease)),
      post_(std::move(post)),
      done_(std::move(done)) {}

std::optional<http_reply> http_exchange::find_scope(envelope::envelope_header const& header) {
  if (!who_.scope) {
    // Source 6 of contract 5.2: only the envelope says whose it is.
    if (!header.dsn_) return error_reply(reason::auth_missing);
    who_.public_key = header.dsn_->public_key;
    if (header.dsn_->project_id != who_.project_id)
      return error_reply(reason::envelope_header_mismatch, "dsn");
    auto scope = authorize(*services_.projects(), who_.project_id, who_.public_key, who_.origin);
    if (!scope) return error_reply(scope.error());
    who_.scope = std::move(*scope);
  }
  auto const differs =
      contradiction({header.dsn_, header.origin}, who_.project_id, who_.public_key, who_.origin);
  if (differs) return error_reply(reason::envelope_header_mismatch, *differs);
  return std::nullopt;
}

std::optional<std::uint64_t> http_exchange::prepare() {
  auto const body = body_.view();
  // Before all else: a body from a stranger, also an empty one, is not judged.
  if (!who_.scope && !envelope::parse_header(body)) {
    return finish_early(error_reply(reason::auth_bad_envelope_header)), std::nullopt;
  }
  if (body.empty()) return finish_early(error_reply(reason::empty_body)), std::nullopt;
  auto env = envelope::parse(body);
  if (!env)
    return finish_early(error_reply(to_reason(env.error().code), cause_of(env.error()))), std::nullopt;
  if (auto refused = find_scope(env->header)) return finish_early(std::move(*refused)), std::nullopt;
  if (env->header.trace_malformed)
    log(log_level::debug, "the envelope's trace header is malformed and ignored");

  facts_ = {std::move(*who_.scope), who_.received_us, env->header.event_id.value_or(""), who_.remote_addr};
  event_id_ = env->header.event_id;
  auto set = envelope::take_chunks(*env, services_.pipeline.accept_pairs);
  if (env->items.empty()) services_.counted.envelope_empty();
  services_.counted.items(set.counts);
  log_not_served(services_.once_an_hour, set.counts, facts_);
  admitted_ =
      admit(*env, std::move(set), *facts_.scope.project, services_.pipeline, quotas(rate_limiter::act::look));

  chunks_.resize(admitted_.size());
  open_ = admitted_.size() + 1;
  tracked_.reserve(admitted_.size());
  std::uint64_t work = admitted_.size() * bytes_per_chunk;
  for (std::size_t i = 0; i < admitted_.size(); ++i) {
    tracked_.emplace_back(*this, i);
    if (!admitted_[i].refused) work += work_bytes(admitted_[i].raw, services_.pipeline);
  }
  // Whoever wants more than there is at all may run alone: the pipeline's own limits bound what it takes.
  return std::min(work, services_.budget.capacity() - lease_.bytes());
}

bool http_exchange::try_run(std::uint64_t want) {
  if (!lease_.grow(want)) return false;
  run_all();
  return true;
}

void http_exchange::run(byte_lease extra) {
  lease_.merge(std::move(extra));
  run_all();
}

void http_exchange::run_all() {
  try {
    for (auto& chunk : tracked_) run_chunk(std::move(chunk));
  } catch (std::exception const& e) {
    log(log_level::error, "a request failed inside the server", {{"cause", e.what()}});
    for (auto& chunk : tracked_)
      if (chunk.open()) std::move(chunk).end(disposition::rejected(reason::internal));
  }
  admitted_.clear();
  tracked_.clear();
  body_ = {};
  // From here on only the records are held. If they turned out larger than expected and the budget has no
  // more, the lease stays short of them: the memory is taken already, and the next request waits for it.
  (void)lease_.resize(record_bytes_);
  release_one();
}

void http_exchange::refuse(reason r) {
  for (auto& chunk : tracked_) std::move(chunk).end(disposition::rejected(r));
  tracked_.clear();
  finish(error_reply(r));
}

void http_exchange::run_chunk(tracked_chunk chunk) {
  auto const index = chunk.index();
  auto result = process(admitted_[index], facts_, services_.pipeline, quotas(rate_limiter::act::count));
  {
    std::scoped_lock lock(mutex_);
    chunks_[index].chunk_id = result.chunk_id;
    chunks_[index].category = result.category;
  }
  services_.counted.notes(result.notes);
  if (!result.raw_not_stored.empty()) services_.counted.raw_profile_not_stored(result.raw_not_stored);
  auto* record = std::get_if<profile::kafka_record>(&result.value);
  log_chunk(services_.once_an_hour, facts_, index, result);
  if (record == nullptr) return reject(std::move(chunk), std::get<rejection>(result.value));
  record_bytes_ += record->memory();
  auto pending = std::make_shared<pending_chunk>(pending_chunk{shared_from_this(), std::move(chunk)});
  services_.delivery.submit(std::move(*record), [pending](record_end e) {
    pending->owner->post_([pending, e] { pending->owner->record_ended(std::move(pending->chunk), e); });
  });
}

void http_exchange::reject(tracked_chunk chunk, rejection const& r) {
  if (r.why == reason::feature_disabled) services_.counted.chunk_feature_disabled(r.flag);
  auto const index = chunk.index();
  if (r.limits) {
    std::scoped_lock lock(mutex_);
    merge(limits_, *r.limits);
  }
  submit_outcome(index, r.why,
                 r.limits ? std::string_view(longest(*r.limits).reason_code) : std::string_view{});
  std::move(chunk).end(disposition::rejected(r.why));
}

void http_exchange::record_ended(tracked_chunk chunk, record_end e) {
  auto const index = chunk.index();
  auto const end = disposition::of(e);
  if (!end.accepted()) {
    chunk_state state;
    {
      std::scoped_lock lock(mutex_);
      chunks_[index].fate.unavailable = e == record_end::unavailable;
      state = chunks_[index];
    }
    log_not_kept(facts_, index, state.chunk_id, end.why());
    submit_outcome(index, end.why());
  }
  std::move(chunk).end(end);
}

quota_check http_exchange::quotas(rate_limiter::act what) const {
  return [this, what](envelope::data_category category) {
    return services_.limiter.check(facts_.scope, category, services_.unix_seconds(), what);
  };
}

void http_exchange::submit_outcome(std::size_t index, reason why, std::string_view quota_reason) {
  std::optional<profile::kafka_record> record;
  {
    std::scoped_lock lock(mutex_);
    auto const& c = chunks_[index];
    record = outcome_of(why, c.chunk_id, c.category, facts_, services_.pipeline, services_.random16(),
                        quota_reason);
    if (record) ++open_;
  }
  if (!record) return;
  services_.delivery.submit(std::move(*record), [self = shared_from_this(), index](record_end e) {
    self->post_([self, index, e] {
      self->services_.counted.outcome(e);
      {
        std::scoped_lock lock(self->mutex_);
        if (!disposition::of(e).accepted()) self->chunks_[index].fate.unavailable = true;
      }
      self->release_one();
    });
  });
}

void http_exchange::ended(std::size_t index, disposition d) {
  services_.counted.chunk(d);
  {
    std::scoped_lock lock(mutex_);
    if (!d.accepted()) chunks_[index].fate.rejected = d.why();
  }
  release_one();
}

bool http_exchange::forgotten(std::size_t index) noexcept {
  try {
    services_.counted.untracked_chunk();
    log(log_level::error, "a chunk was dropped without an end; this is a bug");
    ended(index, disposition::rejected(reason::internal));
  } catch (...) {
    // Counting failed for want of memory; the request then ends with its connection.
  }
  return true;
}

void http_exchange::release_one() {
  std::vector<chunk_fate> fates;
  rate_limits limits;
  {
    std::scoped_lock lock(mutex_);
    if (open_ == 0 || --open_ > 0) return;
    for (auto const& c : chunks_) fates.push_back(c.fate);
    limits = std::move(limits_);
  }
  finish(reply_to(fates, event_id_, limits));
}

void http_exchange::finish_early(http_reply reply) {
  body_ = {};
  finish(std::move(reply));
}

void http_exchange::finish(http_reply reply) {
  lease_.release();
  if (auto done = std::exchange(done_, nullptr)) done(std::move(reply));
}

}  // namespace profile_relay::server
