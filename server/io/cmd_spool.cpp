#include <algorithm>
#include <chrono>
#include <iostream>

#include "server/core/pipeline.hpp"
#include "server/io/cmd_files.hpp"
#include "server/io/spool_commands.hpp"
#include "server/io/spool_export.hpp"
#include "server/io/spool_reader.hpp"

namespace profile_relay::server {

namespace {

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

/// One document for tools that read the whole output, still one record a line for those that do not.
std::string as_array(std::string const& lines) {
  std::string out = "[";
  for (std::size_t at = 0; at < lines.size();) {
    auto const end = std::min(lines.find('\n', at), lines.size());
    out += (at == 0 ? "\n" : ",\n") + lines.substr(at, end - at);
    at = end + 1;
  }
  return out + "\n]\n";
}

start_result<spool_reader> open_spool(config_arguments const& a, bool& told) {
  auto const loaded = load_configuration(a);
  if (!loaded) {
    told = true;
    return start_error{};
  }
  return spool_reader::open(loaded->values.spool.path);
}

}  // namespace

int cmd_spool_ls(spool_arguments const& a) {
  bool told = false;
  auto const spool = open_spool(a.config, told);
  if (!spool) return told ? 1 : fail(spool.error().what);
  auto const rows = spool->list();
  if (!rows) return fail(rows.error().what);
  std::cout << (a.json ? as_array(spool_json(*rows)) : spool_table(*rows, now_ms()));
  return 0;
}

int cmd_spool_export(spool_arguments const& a) {
  bool told = false;
  auto const spool = open_spool(a.config, told);
  if (!spool) return told ? 1 : fail(spool.error().what);
  auto const counts = export_spool(*spool, a.out);
  if (!counts) return fail(counts.error().what);
  std::cout << counts->written << " exported to " << a.out.string() << ", " << counts->already_there
            << " there already, " << counts->gone << " delivered meanwhile\n";
  for (auto const& line : counts->unreadable) fail(line);
  return counts->unreadable.empty() ? 0 : 1;
}

int cmd_spool_rm(spool_arguments const& a) {
  auto const loaded = load_configuration(a.config);
  if (!loaded) return 1;
  auto const settings = make_pipeline_settings(loaded->values, pipeline_settings{}.message_max_bytes);
  auto const outcome = [&](profile::kafka_record const& r) {
    return outcome_of_dead(r, reason::internal, settings, random_bytes16());
  };
  int status = 0;
  for (auto const id : a.ids) {
    auto const done = remove_record(loaded->values.spool.path, id, outcome);
    if (!done)
      status = fail(done.error().what);
    else
      std::cout << "removed " << id
                << (done->outcome_stored ? ", its outcome (internal) is in the spool\n"
                                         : ", without an outcome\n");
  }
  return status;
}

int cmd_spool_retry(spool_arguments const& a) {
  auto const loaded = load_configuration(a.config);
  if (!loaded) return 1;
  int status = 0;
  for (auto const id : a.ids) {
    if (auto const e = retry_record(loaded->values.spool.path, id))
      status = fail(e->what);
    else
      std::cout << id << " waits again\n";
  }
  return status;
}

}  // namespace profile_relay::server
