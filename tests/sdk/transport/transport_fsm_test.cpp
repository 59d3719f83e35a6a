#include "sdk/transport/transport_fsm.hpp"

#include <catch2/catch.hpp>
#include <sstream>

using namespace profile_relay::sdk;
using namespace std::chrono_literals;

namespace {

char const* name(chunk_end how) {
  return how == chunk_end::sent ? "sent" : how == chunk_end::discarded ? "discarded" : "dropped";
}

std::string text_of(discard_counts const& counts) {
  std::string out;
  for (std::size_t i = 0; i < discard_names.size(); ++i) {
    if (counts.by_reason[i] > 0) {
      out += " " + std::string(discard_names[i]) + "=" + std::to_string(counts.by_reason[i]);
    }
  }
  return out;
}

/// The machine with a clock of its own; what it wants done comes back as one line of text, without warnings.
struct machine {
  send_settings settings;
  transport_fsm fsm;
  send_time start = send_time{} + 1000h;
  send_time now = start;
  std::vector<std::string> warnings;

  explicit machine(send_settings s = {}) : settings(s), fsm(s) {}

  std::string step(send_event_t e) {
    std::vector<send_action_t> actions;
    fsm.step(std::move(e), now, actions);
    std::string out;
    for (auto const& a : actions) {
      auto const line = text(a);
      if (!line.empty()) out += (out.empty() ? "" : ", ") + line;
    }
    return out;
  }
  std::string submit(std::string id, std::size_t size = 10) {
    auto chunk = std::make_shared<profile_chunk>();
    chunk->chunk_id = std::move(id);
    chunk->trace = std::string(size, 't');
    return step(send_event::submit{std::move(chunk)});
  }
  std::string answer(int status, std::string limits = "", std::optional<std::string> retry_after = {}) {
    return step(send_event::answered{{status, std::move(limits), std::move(retry_after), "", 0}});
  }
  std::string fail() { return step(send_event::failed{"no route"}); }
  std::string after(send_time::duration wait) {
    now += wait;
    return step(send_event::tick{});
  }
  std::string close(send_time::duration wait) { return step(send_event::close{now + wait}); }

 private:
  std::string text(send_action_t const& a) {
    if (auto const* p = std::get_if<send_action::post>(&a))
      return "post " + p->chunk->chunk_id + text_of(p->report);
    if (auto const* p = std::get_if<send_action::ended>(&a)) return p->chunk_id + " " + name(p->end);
    if (auto const* p = std::get_if<send_action::tell_limited>(&a)) {
      return "limited " + std::to_string(p->wait.count());
    }
    if (std::holds_alternative<send_action::tell_too_large>(a)) return "too large";
    if (auto const* p = std::get_if<send_action::wake_at>(&a)) {
      return "wake " + std::to_string((p->when - now) / 1ms);
    }
    warnings.push_back(std::get<send_action::warn>(a).text);
    return {};
  }
};

}  // namespace

TEST_CASE("chunks are sent one at a time, oldest first") {
  machine m;
  CHECK(m.submit("a") == "post a");
  CHECK(m.submit("b") == "");
  CHECK(m.submit("c") == "");
  CHECK(m.answer(200) == "a sent, post b");
  CHECK(m.answer(202) == "b sent, post c");
  CHECK(m.answer(204) == "c sent");
  CHECK(m.submit("d") == "post d");
  CHECK(m.fsm.counts().sent == 3);
  CHECK(m.warnings.empty());
}

TEST_CASE("what an answer does to its chunk, to the next one and to the client report") {
  struct row {
    int status;
    char const* limits;
    char const* retry_after;
    char const* actions;      // the next chunk waits
    char const* next_report;  // what is told with the next chunk that is sent
    std::int64_t limited_ms;
  };
  std::vector<row> const rows{
      {200, "", "", "a sent, post b", "", 0},
      {299, "", "", "a sent, post b", "", 0},
      {301, "", "", "a discarded, post b send_error=1", " send_error=1", 0},
      {400, "", "", "a discarded, post b send_error=1", " send_error=1", 0},
      {401, "", "", "a discarded, post b send_error=1", " send_error=1", 0},
      {413, "", "", "a discarded, too large, post b send_error=1", " send_error=1", 0},
      {500, "", "", "a discarded, post b send_error=1", " send_error=1", 0},
      {503, "", "", "a discarded, post b send_error=1", " send_error=1", 0},
      {503, "", "20", "a discarded, wake 20000", " send_error=1", 0},
      {503, "", "0", "a discarded, post b send_error=1", " send_error=1", 0},
      {503, "", "soon", "a discarded, post b send_error=1", " send_error=1", 0},
      {503, "", "3600", "a discarded, wake 900000", " send_error=1", 0},
      {500, "", "20", "a discarded, post b send_error=1", " send_error=1", 0},
      {429, "", "", "a discarded, limited 60000, b discarded", " ratelimit_backoff=1", 60'000},
      {429, "", "7", "a discarded, limited 7000, b discarded", " ratelimit_backoff=1", 7'000},
      {429, "", "Thu, 01 Jan 1970 00:00:09 GMT", "a discarded, limited 9000, b discarded",
       " ratelimit_backoff=1", 9'000},
      {429, "", "soon", "a discarded, limited 60000, b discarded", " ratelimit_backoff=1", 60'000},
      {429, "", "0", "a discarded, post b", "", 0},
      {429, "30::key", "7", "a discarded, limited 30000, b discarded", " ratelimit_backoff=1", 30'000},
      {429, "30:error:key", "7", "a discarded, post b", "", 0},
      {429, "damaged", "7", "a discarded, limited 7000, b discarded", " ratelimit_backoff=1", 7'000},
      {200, "30:profile_chunk:key", "", "a sent, limited 30000, b discarded", " ratelimit_backoff=1", 30'000},
      {200, "30:error:key", "", "a sent, post b", "", 0},
      {200, "", "7", "a sent, post b", "", 0},
      {500, "1.5:all:key", "", "a discarded, limited 2000, b discarded", " send_error=1 ratelimit_backoff=1",
       2'000},
  };
  for (auto const& r : rows) {
    INFO(r.status << " limits '" << r.limits << "' retry after '" << r.retry_after << "'");
    machine m;
    m.submit("a");
    m.submit("b");
    auto const retry_after = *r.retry_after ? std::optional<std::string>(r.retry_after) : std::nullopt;
    CHECK(m.answer(r.status, r.limits, retry_after) == r.actions);
    CHECK(m.fsm.limited_for(m.now).count() == r.limited_ms);
    CHECK(m.warnings.empty() == (r.status < 300 && r.limited_ms == 0));
    // An answer that takes nothing of the report, so that the next chunk shows all of it.
    m.after(2h);
    m.submit("c");
    m.fail();
    m.after(2h);
    CHECK(text_of(m.fsm.untold()).empty());
    m.fail();
    CHECK(text_of(m.fsm.untold()) == r.next_report);
  }
}

TEST_CASE("a report is told once, and again after an answer that is not 2xx") {
  machine m;
  m.submit("a");
  m.answer(500);
  CHECK(m.submit("b") == "post b send_error=1");
  CHECK(m.answer(400) == "b discarded");
  CHECK(m.submit("c") == "post c send_error=2");
  CHECK(m.fail() == "wake 100");
  CHECK(m.after(100ms) == "post c send_error=2");
  CHECK(m.answer(200) == "c sent");
  CHECK(m.submit("d") == "post d");
}

TEST_CASE("pauses after network errors double over chunks until something answers") {
  machine m;
  m.submit("a");
  m.submit("b");
  for (auto const pause : {100ms, 200ms, 400ms, 800ms, 1600ms}) {
    CHECK(m.fail() == "wake " + std::to_string(pause.count()));
    CHECK(m.after(pause - 1ms) == "wake 1");
    CHECK(m.after(1ms) == "post a");
  }
  CHECK(m.fail() == "a dropped, wake 3200");
  CHECK(m.after(3200ms) == "post b network_error=1");
  for (auto const* wake : {"wake 6400", "wake 12800", "wake 25600", "wake 51200", "wake 102400"}) {
    CHECK(m.fail() == wake);
    m.after(2min);
  }
  CHECK(m.fail() == "b dropped");
  CHECK(m.fsm.counts().dropped == 2);
  CHECK(m.fsm.counts().retries == 10);
  CHECK(m.submit("c") == "wake 204800");
  CHECK(m.after(204800ms) == "post c network_error=2");
  for (auto const* wake : {"wake 409600", "wake 819200", "wake 900000", "wake 900000"}) {
    CHECK(m.fail() == wake);
    m.after(15min);
  }
  CHECK(m.answer(200) == "c sent");
  CHECK(m.submit("d") == "post d");
  CHECK(m.fail() == "wake 100");
}

TEST_CASE("what an hour without a server costs") {
  machine m;
  int attempts = 0;
  auto const away = [&](std::string const& actions) {
    if (actions.find("post") == std::string::npos) return;
    ++attempts;
    m.fail();
  };
  for (int second = 0; second < 3600; ++second) {
    if (second % 60 == 0) away(m.submit(std::to_string(second / 60)));
    for (int tenth = 0; tenth < 10; ++tenth) away(m.after(100ms));
  }
  CHECK(attempts == 17);
  CHECK(m.fsm.counts().dropped == 2);
  CHECK(m.fsm.queued_bytes() > 0);
}

TEST_CASE("one warning for a server that is away, and one for each chunk that is lost") {
  machine m;
  m.submit("a");
  for (int i = 0; i < 5; ++i) {
    m.fail();
    m.after(1h);
  }
  CHECK(m.warnings == std::vector<std::string>{"sending a profile chunk failed: no route"});
  m.fail();
  CHECK(m.warnings.back() == "dropped a profile chunk after 6 attempts: no route");
}

TEST_CASE("the queue is bounded in bytes, and the oldest that waits goes first") {
  profile_chunk ten;
  ten.trace = std::string(10'000, 't');
  auto const cost = transport_fsm::cost(ten);
  send_settings s;
  s.max_queue_bytes = 3 * cost;
  machine m(s);
  m.submit("a", 10'000);
  CHECK(m.submit("b", 10'000) == "");
  CHECK(m.submit("c", 10'000) == "");
  CHECK(m.fsm.queued_bytes() == 3 * cost);
  SECTION("a is on its way, b is not") {
    CHECK(m.submit("d", 10'000) == "b dropped");
    CHECK(m.submit("e", 12'000) == "c dropped, d dropped");
    CHECK(m.answer(200) == "a sent, post e queue_overflow=3");
    CHECK(m.fsm.counts().dropped == 3);
    CHECK(m.warnings.size() == 2);
  }
  SECTION("between two attempts a waits like the others") {
    m.fail();
    CHECK(m.submit("d", 10'000) == "a dropped, wake 100");
    CHECK(m.after(100ms) == "post b queue_overflow=1");
  }
  SECTION("what cannot fit beside the one on its way is dropped alone") {
    CHECK(m.submit("d", 30'000) == "d dropped");
    CHECK(m.answer(200) == "a sent, post b queue_overflow=1");
  }
  SECTION("what cannot fit at all drops nothing else") {
    m.fail();
    CHECK(m.submit("d", 40'000) == "d dropped, wake 100");
  }
}

TEST_CASE("while a limit holds nothing is sent, and afterwards it goes on") {
  machine m;
  m.submit("a");
  m.answer(429, "10::key");
  CHECK(m.submit("b") == "b discarded");
  m.now += 9999ms;
  CHECK(m.fsm.limited_for(m.now) == 1ms);
  CHECK(m.submit("c") == "c discarded");
  m.now += 1ms;
  CHECK(m.fsm.limited_for(m.now) == 0ms);
  CHECK(m.submit("d") == "post d ratelimit_backoff=2");
  CHECK(m.fsm.counts().discarded == 3);
}

TEST_CASE("close sends what is pending until its deadline") {
  machine m;
  m.submit("a");
  m.submit("b");
  SECTION("in time") {
    CHECK(m.close(1s) == "");
    CHECK_FALSE(m.fsm.finished());
    CHECK(m.answer(200) == "a sent, post b");
    CHECK(m.answer(200) == "b sent");
    CHECK(m.fsm.finished());
    CHECK(m.submit("c") == "c dropped");
  }
  SECTION("a pause after a network error ends") {
    m.fail();
    CHECK(m.close(1s) == "post a");
    CHECK(m.fail() == "wake 200");
    CHECK(m.after(200ms) == "post a");
    CHECK(m.fail() == "wake 400");
    CHECK(m.after(400ms) == "post a");
    CHECK(m.fail() == "wake 400");
    CHECK(m.after(400ms) == "a dropped, b dropped");
    CHECK(m.fsm.finished());
  }
  SECTION("a pause that the server asked for does not") {
    m.answer(503, "", "20");
    CHECK(m.close(5s) == "wake 5000");
    CHECK(m.after(5s) == "b dropped");
    CHECK(m.fsm.finished());
  }
  SECTION("what is on its way at the deadline ends with its event") {
    m.close(1s);
    CHECK(m.after(1s) == "");
    CHECK_FALSE(m.fsm.finished());
    SECTION("failed") { CHECK(m.fail() == "a dropped, b dropped"); }
    SECTION("answered") { CHECK(m.answer(200) == "a sent, b dropped"); }
    CHECK(m.fsm.finished());
  }
  SECTION("with nothing pending") {
    m.answer(200);
    m.answer(200);
    CHECK(m.close(0s) == "");
    CHECK(m.fsm.finished());
  }
}
