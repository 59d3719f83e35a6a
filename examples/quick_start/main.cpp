#include <cmath>
#include <cstdio>
#include <profile_relay/profiler.hpp>

int main() {
  profile_relay::init({.dsn = "http://key@127.0.0.1:9/1", .profile_session_sample_rate = 1.0});
  auto const result = profile_relay::start_profiler();
  double sum = 0;
  for (int i = 1; i < 10'000'000; ++i) sum += std::sin(i);
  profile_relay::close(std::chrono::milliseconds(100));
  std::printf("%s %.3f\n", profile_relay::to_string(result), sum);
}
