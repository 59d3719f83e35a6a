// What /proc says of this process and its threads.
#pragma once

#include <cstdint>
#include <string>

#include "sdk/trace/address_source.hpp"

namespace profile_relay::sdk {

struct process_facts {
  std::int32_t pid = 0;
  std::string name;  ///< readable
};

/// This process, named as the kernel names its main thread.
process_facts read_process_facts();

/// Names of this process's threads, read anew at each call.
class proc_names final : public name_source {
 public:
  std::string thread_name(std::int32_t tid) override;
};

}  // namespace profile_relay::sdk
