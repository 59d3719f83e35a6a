#include "sdk/transport/curl_post.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <stdexcept>

namespace profile_relay::sdk {
namespace {

constexpr std::size_t kept_detail = 256;
// Of all such headers together: a server that sends more of them limits for what it said first.
constexpr std::size_t kept_limits = 16U << 10;

struct easy_deleter {
  void operator()(CURL* c) const { ::curl_easy_cleanup(c); }
};
struct multi_deleter {
  void operator()(CURLM* c) const { ::curl_multi_cleanup(c); }
};
struct list_deleter {
  void operator()(curl_slist* l) const { ::curl_slist_free_all(l); }
};

/// What has come of an answer so far.
struct incoming {
  http_answer answer;
  bool head_complete = false;

  void on_header(std::string_view line) {
    if (line.starts_with("HTTP/")) {
      *this = {};  // what came before was an interim answer
      return;
    }
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) {
      head_complete = true;
      return;
    }
    auto const colon = line.find(':');
    if (colon == std::string_view::npos) return;
    auto const value = line.substr(colon + 1);
    if (is(line.substr(0, colon), "x-sentry-rate-limits")) {
      if (answer.rate_limits.size() + value.size() > kept_limits) return;
      if (!answer.rate_limits.empty()) answer.rate_limits += ',';
      answer.rate_limits += value;
    } else if (is(line.substr(0, colon), "retry-after")) {
      answer.retry_after = std::string(value);
    }
  }
  void on_body(std::string_view bytes) {
    for (char const c : bytes.substr(0, kept_detail - std::min(kept_detail, answer.detail.size()))) {
      answer.detail += c >= ' ' && c <= '~' ? c : ' ';
    }
  }

 private:
  static bool is(std::string_view header, std::string_view name) {
    return std::ranges::equal(header, name,
                              [](char a, char b) { return (a >= 'A' && a <= 'Z' ? char(a + 32) : a) == b; });
  }
};

std::size_t header_arrived(char* bytes, std::size_t size, std::size_t count, void* to) {
  static_cast<incoming*>(to)->on_header({bytes, size * count});
  return size * count;
}
std::size_t body_arrived(char* bytes, std::size_t size, std::size_t count, void* to) {
  static_cast<incoming*>(to)->on_body({bytes, size * count});
  return size * count;
}

}  // namespace

struct curl_post::handles {
  curl_settings settings;
  std::unique_ptr<curl_slist, list_deleter> headers;
  // The connections belong to it, so it outlives the transfers.
  std::unique_ptr<CURLM, multi_deleter> multi;
  std::unique_ptr<CURL, easy_deleter> easy;
  std::array<char, CURL_ERROR_SIZE> error{};

  template <class Value>
  void set(CURLoption option, Value value) {
    auto const rc = ::curl_easy_setopt(easy.get(), option, value);
    if (rc != CURLE_OK) throw std::runtime_error(std::string("libcurl: ") + ::curl_easy_strerror(rc));
  }

  /// Bytes in both directions.
  [[nodiscard]] curl_off_t moved() const {
    curl_off_t up = 0;
    curl_off_t down = 0;
    ::curl_easy_getinfo(easy.get(), CURLINFO_SIZE_UPLOAD_T, &up);
    ::curl_easy_getinfo(easy.get(), CURLINFO_SIZE_DOWNLOAD_T, &down);
    return up + down;
  }

  void add_header(std::string const& line) {
    auto* const longer = ::curl_slist_append(headers.get(), line.c_str());
    if (longer == nullptr) throw std::runtime_error("libcurl: no memory for a header");
    static_cast<void>(headers.release());
    headers.reset(longer);
  }
};

curl_post::curl_post(curl_settings s) : handles_(std::make_unique<handles>()) {
  // Counted and thread-safe in libcurl; never undone, because the host may use it too.
  static const CURLcode ready = ::curl_global_init(CURL_GLOBAL_DEFAULT);
  auto& h = *handles_;
  h.settings = std::move(s);
  h.multi.reset(::curl_multi_init());
  h.easy.reset(::curl_easy_init());
  if (ready != CURLE_OK || !h.multi || !h.easy) throw std::runtime_error("libcurl cannot start");
  for (auto const& line : h.settings.headers) h.add_header(line);
  h.add_header("Expect:");  // curl would wait for a 100 that not every server sends
  h.set(CURLOPT_URL, h.settings.url.c_str());
  h.set(CURLOPT_PROTOCOLS_STR, "http,https");
  h.set(CURLOPT_HTTPHEADER, h.headers.get());
  h.set(CURLOPT_USERAGENT, h.settings.user_agent.c_str());
  if (!h.settings.ca_file.empty()) h.set(CURLOPT_CAINFO, h.settings.ca_file.c_str());
  h.set(CURLOPT_POST, 1L);
  h.set(CURLOPT_NOSIGNAL, 1L);
  h.set(CURLOPT_QUICK_EXIT, 1L);  // else giving up would wait for a name server that does not answer
  h.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  h.set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(h.settings.connect_timeout.count()));
  h.set(CURLOPT_TIMEOUT_MS, static_cast<long>(h.settings.request_timeout.count()));
  h.set(CURLOPT_ERRORBUFFER, h.error.data());
  h.set(CURLOPT_HEADERFUNCTION, &header_arrived);
  h.set(CURLOPT_WRITEFUNCTION, &body_arrived);
}

curl_post::~curl_post() = default;

void curl_post::wake() { ::curl_multi_wakeup(handles_->multi.get()); }

post_result curl_post::post(std::string_view body, std::function<std::optional<send_time>()> const& give_up) {
  auto& h = *handles_;
  incoming in;
  h.error[0] = '\0';
  h.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  h.set(CURLOPT_POSTFIELDS, body.data());
  h.set(CURLOPT_HEADERDATA, &in);
  h.set(CURLOPT_WRITEDATA, &in);
  if (::curl_multi_add_handle(h.multi.get(), h.easy.get()) != CURLM_OK) {
    throw std::runtime_error("libcurl takes no transfer");
  }
  std::string error;
  // curl's own bound of speed is a mean over seconds, and lets a silent server go on for longer than it says.
  auto moved = h.moved();
  auto moved_at = std::chrono::steady_clock::now();
  for (int running = 1; running > 0;) {
    if (auto const rc = ::curl_multi_perform(h.multi.get(), &running); rc != CURLM_OK) {
      error = ::curl_multi_strerror(rc);
      break;
    }
    if (running == 0) break;
    auto const now = std::chrono::steady_clock::now();
    if (auto const bytes = h.moved(); bytes != moved) {
      moved = bytes;
      moved_at = now;
    }
    auto const stalled_at = moved_at + h.settings.stall_timeout;
    auto const until = give_up();
    if (until && now >= *until) {
      error = "given up at the deadline";
      break;
    }
    if (now >= stalled_at) {
      error = "nothing was sent or received for " + std::to_string(h.settings.stall_timeout.count()) + " ms";
      break;
    }
    auto const look_again = std::min(stalled_at, until.value_or(stalled_at));
    auto const wait = std::chrono::ceil<std::chrono::milliseconds>(look_again - now);
    ::curl_multi_poll(h.multi.get(), nullptr, 0, static_cast<int>(wait.count()), nullptr);
  }
  int left = 0;
  while (auto const* message = ::curl_multi_info_read(h.multi.get(), &left)) {
    if (message->msg != CURLMSG_DONE || message->data.result == CURLE_OK) continue;
    error = ::curl_easy_strerror(message->data.result);
    if (h.error[0] != '\0') error += std::string(": ") + h.error.data();
  }
  long status = 0;
  ::curl_easy_getinfo(h.easy.get(), CURLINFO_RESPONSE_CODE, &status);
  ::curl_multi_remove_handle(h.multi.get(), h.easy.get());
  post_result out;
  if (in.head_complete && status >= 200) {
    in.answer.status = static_cast<int>(status);
    in.answer.wall_s = std::time(nullptr);
    out.answer = std::move(in.answer);
  } else {
    out.error = error.empty() ? "the server sent no HTTP answer" : error;
  }
  return out;
}

}  // namespace profile_relay::sdk
