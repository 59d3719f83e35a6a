#include <algorithm>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include "server/io/chunk_reader.hpp"
#include "server/io/http_wire.hpp"
#include "server/io/session.hpp"

namespace profile_relay::server {

namespace asio = boost::asio;

namespace {

constexpr std::size_t first_room = 64u << 10;
/// A body of an announced length up to this is a small one, and gets its whole room once the first part of it is there.
/// If it grew in steps, hundreds would each hold a part while they wait for more, and none would ever be whole.
constexpr std::size_t small_body = 2u << 20;
/// An envelope header without its newline in so many bytes is none: nobody gets to send more without a key.
constexpr std::size_t longest_first_line = 1u << 20;
/// Decoding yields to other connections of this thread after so many bytes.
constexpr std::size_t decode_slice = 1u << 20;

std::int64_t unix_microseconds() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace

session::awaitable<http_reply> session::take_envelope(http_route const& route) {
  request_identity who;
  who_ = &who;
  if (auto refused = identify(route, who)) co_return *refused;
  if (auto refused = co_await read_body(who)) co_return *refused;
  co_return co_await exchange(std::move(who));
}

/// The checks of contract 5.5 that need only the head, in order.
std::optional<http_reply> session::identify(http_route const& route, request_identity& who) {
  auto const& head = parser_.head();
  if (loop_.services.memory_over_mark()) return error_reply(reason::memory_watermark);
  if (!route.project_id) return error_reply(reason::bad_project_id);
  if (head.several_auths) return error_reply(reason::auth_multiple);
  auto const auth = envelope::parse_auth({head.x_sentry_auth, head.authorization, route.query});
  if (!auth) return error_reply(to_reason(auth.error()));
  who.project_id = *route.project_id;
  who.received_us = unix_microseconds();
  who.remote_addr = client_address(peer_, head.forwarded_for, loop_.options.proxies);
  if (auto const o = request_origin(head.origin, head.referer)) who.origin = std::string(*o);
  if (*auth) {
    who.public_key = (*auth)->public_key;
    auto scope = authorize(*loop_.services.projects(), who.project_id, who.public_key, who.origin);
    if (!scope) return error_reply(scope.error());
    who.scope = std::move(*scope);
    known_ = true;
  }
  if (head.content_length > loop_.options.max_envelope_size) return error_reply(reason::body_too_large);
  auto const coding = head.several_encodings ? std::nullopt : find_coding(head.content_encoding);
  if (!coding) return error_reply(reason::unsupported_encoding);
  decoder_ = make_decoder(*coding);
  return std::nullopt;
}

session::awaitable<std::optional<http_reply>> session::read_body(request_identity& who) {
  body_.clear();
  decoded_all_ = decoder_ == nullptr;
  first_line_seen_ = who.scope.has_value();
  if (rest_.asked && pending_input().empty()) {
    if (!co_await write(continue_line)) co_return error_reply(reason::bad_request);
  }
  rest_.asked = false;
  // Nobody works without a lease, also in memory that is left from the request before.
  auto const length = parser_.head().content_length;
  auto const first = length > 0 ? std::min<std::uint64_t>(length, http_body::own_pages) : first_room;
  if (auto const none = co_await make_room(static_cast<std::size_t>(first))) co_return error_reply(*none);
  pace_ = body_pace(loop_.options.min_body_rate, loop_.options.body_rate_window);
  coded_bytes_ = 0;
  std::optional<reason> failed;
  if (parser_.head().chunked)
    failed = co_await read_chunked();
  else
    failed = co_await read_sized();
  if (!failed && !decoded_all_ && body_.size() + length > 0) failed = reason::bad_encoding;
  if (failed) co_return error_reply(*failed);
  co_return std::nullopt;
}

session::awaitable<std::optional<reason>> session::read_sized() {
  while (rest_.remaining > 0) {
    auto const left = static_cast<std::size_t>(rest_.remaining);
    auto const here = pending_input().first(std::min(left, pending_input().size()));
    if (!here.empty()) {
      auto const failed = co_await feed(here);
      consume(here.size());
      rest_.remaining -= here.size();
      if (failed) co_return failed;
      continue;
    }
    std::size_t n = 0;
    if (decoder_) {
      if (auto const failed = co_await more_body({}, n)) co_return failed;
      continue;
    }
    // Straight into the body: no copy of what the client sends.
    if (body_.room().empty()) {
      if (auto const failed = co_await make_room(next_room(body_.size() + 1, body_.size() + left)))
        co_return failed;
    }
    auto const room = body_.room();
    if (auto const failed = co_await more_body(room.first(std::min(room.size(), left)), n)) co_return failed;
    body_.commit(n);
    rest_.remaining -= n;
    pace_.received(n);
    if (auto const failed = look_at_first_line(*who_)) co_return failed;
  }
  rest_.complete = true;
  co_return std::nullopt;
}

session::awaitable<std::optional<reason>> session::read_chunked() {
  chunk_reader reader;
  for (;;) {
    auto const step = reader.read(pending_input());
    if (step.now == chunk_reader::state::malformed) co_return reason::bad_request;
    if (step.now == chunk_reader::state::piece) {
      if (auto const failed = co_await feed(step.bytes)) co_return failed;
    }
    consume(step.consumed);
    if (step.now == chunk_reader::state::done) {
      rest_.complete = true;
      co_return std::nullopt;
    }
    if (step.now != chunk_reader::state::need_more) continue;
    std::size_t n = 0;
    if (auto const failed = co_await more_body({}, n)) co_return failed;
  }
}

/// Reads into `room`, or into the input buffer if there is none, for as long as the client may still take.
session::awaitable<std::optional<reason>> session::more_body(std::span<std::byte> room, std::size_t& n) {
  // Also here: bytes that always come just before the sweep would never be ended by it.
  if (pace_.too_slow()) co_return reason::timeout_body;
  allow(std::min<clock::duration>(loop_.options.body_timeout, pace_.patience()));
  auto const since = clock::now();
  auto result = read_result::ok;
  if (room.empty())
    result = co_await read_more();
  else
    result = co_await read_into(room, n, true);
  pace_.waited(clock::now() - since);
  if (result == read_result::expired) co_return reason::timeout_body;
  if (result == read_result::closed) co_return reason::bad_request;
  co_return std::nullopt;
}

/// Takes over a piece of the body as it came over the wire.
session::awaitable<std::optional<reason>> session::feed(std::span<const std::byte> bytes) {
  pace_.received(bytes.size());
  if (decoder_) co_return co_await feed_coded(bytes);
  auto const size = body_.size() + bytes.size();
  if (size > loop_.options.max_envelope_size) co_return reason::body_too_large;
  if (body_.capacity() < size) {
    if (auto const failed = co_await make_room(next_room(size, loop_.options.max_envelope_size)))
      co_return failed;
  }
  body_.append(bytes);
  co_return look_at_first_line(*who_);
}

session::awaitable<std::optional<reason>> session::feed_coded(std::span<const std::byte> bytes) {
  std::size_t since_yield = 0;
  auto const limit = loop_.options.max_envelope_size;
  // Every coding has parts that decode to nothing and may be repeated for ever.
  coded_bytes_ += bytes.size();
  if (coded_bytes_ > limit) co_return reason::body_too_large;
  for (;;) {
    if (body_.room().empty()) {
      // One byte more than the limit tells a body that just fits from one that does not.
      if (auto const failed = co_await make_room(next_room(body_.size() + 1, limit + 1))) co_return failed;
    }
    auto const step = decoder_->decode(bytes, body_.room());
    bytes = bytes.subspan(step.consumed);
    body_.commit(step.produced);
    if (body_.size() > limit) co_return reason::body_too_large;
    if (auto const failed = look_at_first_line(*who_)) co_return failed;
    if (step.now == content_decoder::state::damaged) co_return reason::bad_encoding;
    if (step.now == content_decoder::state::finished) decoded_all_ = true;
    if (step.now != content_decoder::state::output_full) co_return std::nullopt;
    since_yield += step.produced;
    if (since_yield >= decode_slice) {
      since_yield = 0;
      co_await asio::post(loop_.context, asio::use_awaitable);
    }
  }
}

/// Without a key in the head, the DSN in the first line decides as soon as it is there: nobody makes us
/// buffer an envelope for a project that is not theirs.
std::optional<reason> session::look_at_first_line(request_identity& who) {
  if (first_line_seen_) return std::nullopt;
  auto const text = body_.view().text();
  auto const end = text.find('\n');
  if (end == std::string_view::npos)
    return text.size() > longest_first_line ? std::optional(reason::auth_bad_envelope_header) : std::nullopt;
  first_line_seen_ = true;
  auto const header = envelope::parse_header(body_.view().subview(0, end + 1));
  if (!header) return reason::auth_bad_envelope_header;
  if (!header->dsn_) return reason::auth_missing;
  if (header->dsn_->project_id != who.project_id) return reason::envelope_header_mismatch;
  auto scope = authorize(*loop_.services.projects(), who.project_id, header->dsn_->public_key, who.origin);
  if (!scope) return scope.error();
  who.public_key = header->dsn_->public_key;
  who.scope = std::move(*scope);
  known_ = true;
  return std::nullopt;
}

lease_for session::input_kind(std::size_t capacity) const {
  // Otherwise a body of nearly half the budget might never arrive. There are at most two of more than a third.
  if (capacity > loop_.services.budget.capacity() / 3) return lease_for::work;
  auto const announced = parser_.head().content_length;
  bool const small = announced > 0 && announced <= small_body && capacity <= small_body;
  return small ? lease_for::small_input : lease_for::large_input;
}

/// How much room the body gets next: all of it when it is small, else twice what it has, so that no client holds much more
/// than it has sent.
std::size_t session::next_room(std::size_t at_least, std::size_t at_most) const {
  bool const all = at_most <= small_body;
  return std::clamp(all ? at_most : std::max(first_room, 2 * body_.capacity()), at_least, at_most);
}

/// Room for `capacity` bytes in all, leased before it is taken. With the budget used up, reading pauses here.
session::awaitable<std::optional<reason>> session::make_room(std::size_t capacity) {
  if (capacity > lease_.bytes()) {
    auto& budget = loop_.services.budget;
    auto const more = capacity - lease_.bytes();
    auto const what = input_kind(capacity);
    if (auto fresh = lease_ ? std::nullopt : budget.try_acquire(more, what))
      lease_ = std::move(*fresh);
    else if (!lease_.grow(more, what)) {
      // What this request holds already will not come free while it waits.
      if (capacity > budget.capacity()) co_return reason::byte_budget;
      // Not inside a conditional expression: g++ 12 destroys the result of such a co_await twice.
      auto granted = co_await wait_for_bytes(budget, more, what, loop_.options.budget_timeout);
      if (!granted) co_return reason::byte_budget;
      lease_.merge(std::move(*granted));
    }
  }
  body_.reserve(capacity);
  co_return std::nullopt;
}

namespace {

/// Where the worker puts what it has for the session.
struct exchange_slot {
  explicit exchange_slot(asio::any_io_executor ex) : signal(std::move(ex)) {}
  session_signal signal;
  std::optional<std::uint64_t> want;  // bytes to wait for before the chunks can be expanded
  std::optional<http_reply> reply;
};

/// Expands the chunks if the budget has room for it now; otherwise the session is asked to wait for it.
void try_run(std::shared_ptr<http_exchange> const& e, std::shared_ptr<exchange_slot> const& slot,
             std::uint64_t want) {
  if (e->try_run(want)) return;
  asio::post(slot->signal.executor(), [slot, want] {
    slot->want = want;
    slot->signal.notify();
  });
}

}  // namespace

session::awaitable<http_reply> session::exchange(request_identity who) {
  auto const slot = std::make_shared<exchange_slot>(socket_.get_executor());
  auto const post = [ex = slot->signal.executor()](std::function<void()> f) { asio::post(ex, std::move(f)); };
  auto const done = [slot](http_reply reply) {
    // At once if this is the session's thread already.
    asio::dispatch(slot->signal.executor(), [slot, r = std::move(reply)]() mutable {
      slot->reply = std::move(r);
      slot->signal.notify();
    });
  };
  bool const large = body_.size() > loop_.options.inline_body;
  auto const e = std::make_shared<http_exchange>(loop_.services, std::move(who), std::exchange(body_, {}),
                                                 std::exchange(lease_, {}), post, done);
  deadline_ = clock::time_point::max();  // delivery bounds how long this takes
  auto const guarded = [e](std::function<void()> const& work) {
    try {
      work();
    } catch (std::exception const& x) {
      log(log_level::error, "a request failed inside the server", {{"cause", x.what()}});
      e->refuse(reason::internal);
    }
  };
  auto const to_worker = [this, guarded](std::function<void()> work) {
    asio::post(loop_.workers, [guarded, w = std::move(work)] { guarded(w); });
  };
  if (large) {
    to_worker([e, slot] {
      if (auto const want = e->prepare()) try_run(e, slot, *want);
    });
  } else {
    guarded([&] {
      auto const want = e->prepare();
      if (!want) return;
      if (*want <= loop_.options.inline_work)
        try_run(e, slot, *want);
      else
        to_worker([e, slot, n = *want] { try_run(e, slot, n); });
    });
  }
  while (!slot->reply) {
    if (slot->want) {
      auto const want = *std::exchange(slot->want, std::nullopt);
      auto granted =
          co_await wait_for_bytes(loop_.services.budget, want, lease_for::work, loop_.options.budget_timeout);
      if (!granted) {
        e->refuse(reason::byte_budget);
        continue;
      }
      auto const lease = std::make_shared<byte_lease>(std::move(*granted));
      to_worker([e, lease] { e->run(std::move(*lease)); });
    }
    if (!slot->reply) co_await slot->signal.wait(asio::steady_timer::time_point::max());
  }
  co_return std::move(*slot->reply);
}

}  // namespace profile_relay::server
