#include "config/data_category.hpp"

#include <algorithm>
#include <array>

namespace profile_relay::config {
namespace {

struct category_row {
  std::string_view name;
  category_unit unit;
};

constexpr std::array rows{
    category_row{"default", category_unit::count},
    category_row{"error", category_unit::count},
    category_row{"transaction", category_unit::count},
    category_row{"transaction_processed", category_unit::count},
    category_row{"transaction_indexed", category_unit::count},
    category_row{"security", category_unit::count},
    category_row{"attachment", category_unit::bytes},
    category_row{"attachment_item", category_unit::count},
    category_row{"session", category_unit::count},
    category_row{"profile", category_unit::count},
    category_row{"profile_indexed", category_unit::count},
    category_row{"profile_chunk", category_unit::count},
    category_row{"profile_chunk_ui", category_unit::count},
    category_row{"profile_duration", category_unit::milliseconds},
    category_row{"profile_duration_ui", category_unit::milliseconds},
    category_row{"replay", category_unit::count},
    category_row{"replay_video", category_unit::count},
    category_row{"monitor", category_unit::count},
    category_row{"monitor_seat", category_unit::count},
    category_row{"uptime", category_unit::count},
    category_row{"span", category_unit::count},
    category_row{"span_indexed", category_unit::count},
    category_row{"user_report_v2", category_unit::count},
    category_row{"feedback", category_unit::count},
    category_row{"metric_bucket", category_unit::count},
    category_row{"metric_second", category_unit::count},
    category_row{"log_item", category_unit::count},
    category_row{"log_byte", category_unit::bytes},
    category_row{"trace_metric", category_unit::count},
    category_row{"trace_metric_byte", category_unit::bytes},
    category_row{"seer_autofix", category_unit::count},
    category_row{"seer_scanner", category_unit::count},
    category_row{"seer_user", category_unit::count},
    category_row{"prevent_user", category_unit::count},
    category_row{"prevent_review", category_unit::count},
    category_row{"size_analysis", category_unit::count},
    category_row{"installable_build", category_unit::count},
};

}  // namespace

std::optional<category_unit> unit_of_category(std::string_view name) {
  auto const it =
      std::find_if(rows.begin(), rows.end(), [&](category_row const& row) { return row.name == name; });
  if (it == rows.end()) return std::nullopt;
  return it->unit;
}

}  // namespace profile_relay::config
