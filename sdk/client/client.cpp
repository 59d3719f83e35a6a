#include "sdk/client/client.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "sdk/client/launch_file.hpp"

namespace profile_relay::sdk {
namespace {

lifecycle_settings settings_of(profiler_options const& o, bool forked) {
  return {.session_rate = o.profile_session_sample_rate,
          .lifecycle = o.lifecycle,
          .start_on_app_start = o.start_profiler_on_app_start && !forked,
          .has_state_dir = !o.state_dir.empty(),
          .tracing = o.traces_sample_rate.has_value() || o.traces_sampler,
          .transaction_profiling = o.profiles_sample_rate.has_value() || o.profiles_sampler,
          .debug = o.debug};
}

/// "; missed by thread 4100: 8, 4101: 2", the worst first; "" when nobody was missed.
std::string missed_by_thread(open_chunk const& c) {
  constexpr std::size_t most_named = 32;
  std::vector<std::pair<std::uint64_t, std::int32_t>> worst;
  for (auto const& [tid, count] : c.missed)
    if (tid != 0) worst.emplace_back(count, tid);
  std::ranges::sort(worst, std::greater{});
  if (worst.size() > most_named) worst.resize(most_named);
  std::string text;
  for (auto const& [count, tid] : worst)
    text +=
        (text.empty() ? "; missed by thread " : ", ") + std::to_string(tid) + ": " + std::to_string(count);
  return text;
}

std::string chunk_line(open_chunk const& c) {
  auto const ms = (c.end.boottime_ns - c.start.boottime_ns) / 1'000'000;
  return "chunk " + c.chunk_id + ": " + std::to_string(ms) + " ms, " + std::to_string(c.samples) +
         " samples, " + std::to_string(c.counts.missed) + " missed, " + std::to_string(c.counts.truncated) +
         " truncated, " + std::to_string(c.dropped) + " dropped" + missed_by_thread(c);
}

}  // namespace

client::client(profiler_options const& options, client_parts parts, bool forked)
    : pid_(::getpid()),
      options_(options),
      parts_(std::move(parts)),
      lifecycle_(settings_of(options, forked), *parts_.random) {
  event::init init;
  if (!forked && !options_.state_dir.empty()) {
    if (options_.start_profiler_on_app_start) {
      init.stored = read_launch(options_.state_dir);
      if (options_.lifecycle == profile_lifecycle::trace)
        init.app_start_rate = trace_rate({.name = "app.start", .op = "app.start"});
    } else {
      // A decision of long ago must not start anything when the option is switched on again.
      forget_launch(options_.state_dir);
    }
  }
  tell(init);
}

client::~client() { close(std::chrono::milliseconds(0)); }

start_result client::start_profiler() {
  return tell(event::start{}).started.value_or(start_result::sampler_unavailable);
}

stop_result client::stop_profiler() { return tell(event::stop{}).stopped.value_or(stop_result::not_running); }

std::uint64_t client::begin_root_span(root_span_info const& info) {
  {
    std::lock_guard const lock(control_);
    if (!lifecycle_.asks_trace_sampler()) return 0;
  }
  auto const rate = trace_rate(info);
  outcome out;
  std::uint64_t id = 0;
  {
    std::lock_guard const lock(control_);
    // A new session or the end may have come while the application's sampler was asked.
    if (lifecycle_.asks_trace_sampler() && parts_.random->uniform() < rate) {
      id = next_span_++;
      apply(event::root_span_begun{id}, out);
    }
  }
  settle(out);
  return id;
}

void client::end_root_span(std::uint64_t id) { tell(event::root_span_ended{id}); }
void client::begin_user_session() { tell(event::user_session{}); }
void client::finish_app_start() { tell(event::app_start_finished{}); }

bool client::is_running() const {
  std::lock_guard const lock(control_);
  return lifecycle_.running();
}

std::string client::profiler_id() const {
  std::lock_guard const lock(control_);
  return lifecycle_.profiler_id();
}

void client::close(std::chrono::milliseconds deadline) {
  auto const until = std::chrono::steady_clock::now() + deadline;
  std::lock_guard const one(close_);
  tell(event::close{});
  parts_.worker->stop();
  work();  // what came after the worker's last run, or all of it if it never ran
  if (!transport_) return;
  auto const left = until - std::chrono::steady_clock::now();
  transport_->close(
      std::max(std::chrono::duration_cast<std::chrono::milliseconds>(left), std::chrono::milliseconds(0)));
}

bool client::of_this_process() const noexcept { return pid_ == ::getpid(); }

std::size_t client::waiting_bytes() const {
  std::lock_guard const lock(gate_);
  return waiting_bytes_;
}

client::outcome client::tell(lifecycle_event const& e) {
  outcome out;
  {
    std::lock_guard const lock(control_);
    apply(e, out);
  }
  settle(out);
  return out;
}

void client::apply(lifecycle_event const& e, outcome& out) {
  std::vector<lifecycle_action> actions;
  lifecycle_.step(e, now(), actions);
  for (auto const& a : actions) {
    if (auto const* s = std::get_if<action::start_sampler>(&a)) {
      apply(event::sampler_answer{start_sampler(s->profiler_id, out)}, out);
    } else if (std::holds_alternative<action::stop_sampler>(a)) {
      seal(out);
      std::lock_guard const lock(gate_);
      stop_wanted_ = true;
    } else if (std::holds_alternative<action::next_chunk>(a)) {
      // Made before the old one is sealed: without memory for it, the old one goes on and the next tick tries again.
      auto fresh = make_chunk(lifecycle_.profiler_id());
      seal(out);
      open(std::move(fresh));
    } else if (auto const* l = std::get_if<action::set_limits>(&a)) {
      std::lock_guard const lock(gate_);
      limits_ = l->limits;
    } else if (auto const* d = std::get_if<action::store_launch>(&a)) {
      auto const error = store_launch(options_.state_dir, d->decision);
      if (!error.empty()) out.lines.push_back("the decision for the next launch is not stored: " + error);
    } else if (auto const* w = std::get_if<action::warn>(&a)) {
      out.lines.emplace_back(text_of(w->what));
    } else if (auto const* r = std::get_if<action::answer_start>(&a)) {
      out.started = r->result;
    } else if (auto const* t = std::get_if<action::answer_stop>(&a)) {
      out.stopped = t->result;
    }
  }
}

void client::settle(outcome& out) {
  for (auto const& line : out.lines) say(line);
  if (out.wake) parts_.worker->wake();
}

bool client::start_sampler(std::string const& profiler_id, outcome& out) {
  try {
    ensure_transport();
    open(make_chunk(profiler_id));
    std::lock_guard const lock(sampler_);
    {
      std::lock_guard const gate(gate_);
      stop_wanted_ = false;
    }
    if (!sampling_) sampling_ = parts_.stacks->start(*this) == sampler_status::running;
    if (sampling_) return true;
  } catch (std::exception const& e) {
    out.lines.push_back(std::string("the profiler cannot start: ") + e.what());
  } catch (...) {
    out.lines.emplace_back("the profiler cannot start");
  }
  std::lock_guard const gate(gate_);
  chunk_.reset();
  return false;
}

void client::ensure_transport() {
  if (!transport_)
    transport_ = parts_.make_transport(
        {.rate_limited = [this](std::chrono::milliseconds d) { tell(event::rate_limited{d}); },
         .too_large = [this] { tell(event::too_large{}); },
         .warn = [this](std::string const& line) { say(line); }});
  if (working_) return;
  parts_.worker->start([this] {
    try {
      work();
    } catch (...) {
      // No memory: what waits goes with the next wake.
    }
  });
  working_ = true;
}

client::chunk_ptr client::make_chunk(std::string profiler_id) const {
  return std::make_shared<open_chunk>(std::move(profiler_id), parts_.random->new_id(), parts_.clock());
}

void client::open(chunk_ptr fresh) {
  std::lock_guard const lock(gate_);
  chunk_ = std::move(fresh);
}

void client::seal(outcome& out) {
  out.wake = true;
  std::vector<chunk_ptr> dropped;  // freed after the lock
  std::lock_guard const lock(gate_);
  if (!chunk_) return;
  chunk_->end = parts_.clock();
  chunk_->charged = chunk_->weight();
  waiting_bytes_ += chunk_->charged;
  waiting_.push_back(std::move(chunk_));
  chunk_.reset();
  while (waiting_bytes_ > max_waiting_bytes && waiting_.size() > 1) {
    auto& oldest = waiting_.front();
    dropped_ += oldest->samples;
    waiting_bytes_ -= oldest->charged;
    out.lines.push_back("chunk " + oldest->chunk_id + " is dropped: too many chunks wait to be finished");
    dropped.push_back(std::move(oldest));
    waiting_.pop_front();
  }
}

void client::on_missed(std::span<const std::int32_t> tids) noexcept {
  try {
    std::lock_guard const lock(trace_);
    missed_.assign(tids.begin(), tids.end());
  } catch (...) {
    // Without memory they are only counted.
  }
}

void client::on_tick(std::span<const stack_sample> samples, tick_counts const& counts) noexcept {
  try {
    cut_if_due(samples.size());
    // Looked up under the lock: what is open now cannot be finished before this tick is in it.
    std::lock_guard const lock(trace_);
    auto const missed = std::exchange(missed_, {});
    auto const chunk = current();
    if (!chunk) return;
    try {
      add(*chunk, samples, counts, missed);
    } catch (...) {
      chunk->broken = true;
      chunk->dropped += samples.size();
      dropped_ += samples.size();
    }
  } catch (...) {
    // No memory even to cut: this tick is lost, and the sampler's thread must not end for it.
    dropped_ += samples.size();
  }
}

void client::cut_if_due(std::size_t coming) {
  auto const chunk = current();
  if (!chunk) return;
  chunk_limits limits;
  {
    std::lock_guard const lock(gate_);
    limits = limits_;
  }
  auto const age = now() - lifecycle_time(chunk->start.boottime_ns);
  {
    std::lock_guard const lock(trace_);
    if (!chunk->broken && !chunk->full && age < limits.duration &&
        chunk->samples + coming <= limits.samples && chunk->bytes < limits.bytes)
      return;
  }
  outcome out;
  {
    std::unique_lock const lock(control_, std::try_to_lock);
    if (!lock || current() != chunk) return;  // the next tick tries again
    apply(event::chunk_due{}, out);
  }
  if (!out.lines.empty()) {
    // Said by the worker: a log that calls start_profiler() from here could wait for the end of this very tick.
    std::lock_guard const lock(gate_);
    std::ranges::move(out.lines, std::back_inserter(late_lines_));
    out.lines.clear();
  }
  settle(out);
}

void client::add(open_chunk& chunk, std::span<const stack_sample> samples, tick_counts const& counts,
                 std::vector<std::int32_t> const& missed) {
  auto const age = now() - lifecycle_time(chunk.start.boottime_ns);
  chunk.counts += counts;
  for (auto const tid : missed)
    ++chunk.missed[chunk.missed.size() < open_chunk::most_threads || chunk.missed.contains(tid) ? tid : 0];
  auto const room = chunk.samples + samples.size() <= hard_max_samples && chunk.bytes < hard_max_bytes;
  if (chunk.broken || age >= chunk_hard_stop || !room) {
    chunk.dropped += samples.size();
    dropped_ += samples.size();
    return;
  }
  if (samples.empty()) return;
  if (!chunk.trace) chunk.trace = parts_.traces->begin(chunk.start);
  for (auto const& s : samples) chunk.trace->append(s);
  chunk.samples += samples.size();
  chunk.bytes = chunk.trace->size();
  chunk.full = chunk.trace->full();
}

void client::work() {
  {
    std::lock_guard const lock(sampler_);
    bool stop = false;
    {
      std::lock_guard const gate(gate_);
      std::swap(stop, stop_wanted_);
    }
    if (stop && sampling_) {
      parts_.stacks->stop();
      sampling_ = false;
    }
  }
  std::vector<std::string> lines;
  {
    std::lock_guard const lock(gate_);
    lines.swap(late_lines_);
  }
  for (auto const& line : lines) say(line);
  for (;;) {
    chunk_ptr chunk;
    {
      std::lock_guard const lock(gate_);
      if (waiting_.empty()) return;
      chunk = std::move(waiting_.front());
      waiting_.pop_front();
      waiting_bytes_ -= chunk->charged;
    }
    try {
      hand_over(*chunk);
    } catch (std::exception const& e) {
      dropped_ += chunk->samples;
      say("chunk " + chunk->chunk_id + " is lost: " + e.what());
    }
  }
}

void client::hand_over(open_chunk& chunk) {
  profile_chunk out{chunk.profiler_id, chunk.chunk_id, options_.release, options_.environment, {}};
  std::string line;
  {
    std::lock_guard const lock(trace_);
    auto const trace = std::move(chunk.trace);
    if (chunk.broken) throw std::runtime_error("its trace could not be written");
    if (options_.debug || chunk.dropped != 0) line = chunk_line(chunk);
    if (trace) out.trace = trace->finish(chunk.end);
  }
  if (!line.empty()) say(line);
  if (!out.trace.empty()) transport_->send(std::move(out));
}

void client::say(std::string const& line) const noexcept {
  try {
    if (options_.log)
      options_.log(line);
    else
      std::fprintf(stderr, "profile-relay: %s\n", line.c_str());
  } catch (...) {
    // A log that fails must not end a thread of the application or of ours.
  }
}

double client::trace_rate(root_span_info const& info) const {
  if (!options_.traces_sampler) return options_.traces_sample_rate.value_or(0);
  std::string why = "it threw";
  try {
    auto const rate = options_.traces_sampler(info);
    if (rate >= 0 && rate <= 1) return rate;
    why = "it returned " + std::to_string(rate);
  } catch (...) {
    // Named below: what an application throws there is not ours to let through.
  }
  if (options_.debug) say("traces_sampler counts as 0 for this root span: " + why);
  return 0;
}

lifecycle_time client::now() const { return lifecycle_time(parts_.clock().boottime_ns); }

client::chunk_ptr client::current() const {
  std::lock_guard const lock(gate_);
  return chunk_;
}

}  // namespace profile_relay::sdk
