#include "sdk/sampler/slot_pool.hpp"

namespace profile_relay::sdk {

constinit std::array<sample_slot, slot_count> slot_pool{};

}  // namespace profile_relay::sdk
