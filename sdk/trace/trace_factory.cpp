#include "sdk/trace/image_table.hpp"
#include "sdk/trace/process_facts.hpp"
#include "sdk/trace/symbolizer.hpp"
#include "sdk/trace/trace_writer.hpp"

namespace profile_relay::sdk {
namespace {

class process_trace_factory final : public trace_builder_factory {
 public:
  std::unique_ptr<trace_builder> begin(clock_reading const& start) override {
    return std::make_unique<trace_writer>(start, read_process_facts(), symbols_, names_);
  }

 private:
  image_table images_;
  symbolizer symbols_{images_};
  proc_names names_;
};

}  // namespace

std::unique_ptr<trace_builder_factory> make_trace_builder_factory() {
  return std::make_unique<process_trace_factory>();
}

}  // namespace profile_relay::sdk
