#include "sdk/trace/process_facts.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "sdk/trace/text.hpp"

namespace profile_relay::sdk {
namespace {

std::string first_line(std::string const& path) {
  int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  char text[64];
  auto const n = ::read(fd, text, sizeof text);
  ::close(fd);
  std::string_view line(text, n > 0 ? static_cast<std::size_t>(n) : 0);
  return readable_text(line.substr(0, line.find('\n')));
}

}  // namespace

process_facts read_process_facts() { return {::getpid(), first_line("/proc/self/comm")}; }

std::string proc_names::thread_name(std::int32_t tid) {
  return first_line("/proc/self/task/" + std::to_string(tid) + "/comm");
}

}  // namespace profile_relay::sdk
