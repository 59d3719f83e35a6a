// For programs whose malloc is not ours to replace: see capped_heap.hpp.
#include "capped_heap.hpp"

namespace attack {

bool heap_is_watched() { return false; }
void start_cap(std::size_t) {}
heap_use stop_cap() { return {}; }

}  // namespace attack
