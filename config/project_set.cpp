#include "config/project.hpp"

namespace profile_relay::config {
namespace {

constexpr char last_good_note[] = " (the last good version stays in force)";
constexpr char absent_note[] = " (the project is not served)";

}  // namespace

bool project_set::read(entry& e, project_file& file, reload_report& report) {
  e.text = std::move(file.text);
  e.problem = std::move(file.problem);
  e.broken = false;
  auto parsed = parse_project(file.name, e.text ? *e.text : "");
  // A name that is no project's comes first: what such a file holds, or whether it can be read, is nobody's
  // concern.
  if (!parsed && parsed.error().code == errc::not_a_project_file) {
    report.warnings.push_back(parsed.error().to_string());
    return false;
  }
  if (!e.text)
    parsed = error{errc::unreadable, file.name, 0, "",
                   "cannot be read" + (e.problem.empty() ? "" : ": " + e.problem)};
  if (!parsed) {
    e.broken = true;
    report.errors.push_back(parsed.error().to_string() + (e.good ? last_good_note : absent_note));
    return false;
  }
  report.warnings.insert(report.warnings.end(), parsed->warnings.begin(), parsed->warnings.end());
  e.good = std::make_shared<const project>(std::move(parsed->value));
  return true;
}

project_set::reload_report project_set::reload(std::vector<project_file> files) {
  reload_report report;
  std::map<std::string, entry> next;
  for (auto& file : files) {
    auto const known = entries_.find(file.name);
    entry e = known == entries_.end() ? entry{} : std::move(known->second);
    bool const fresh = known == entries_.end();
    if (fresh || e.text != file.text || e.problem != file.problem) report.changed |= read(e, file, report);
    next.insert_or_assign(std::move(file.name), std::move(e));
  }
  for (auto const& [name, e] : entries_)
    if (next.find(name) == next.end() && e.good) report.changed = true;
  entries_ = std::move(next);
  for (auto const& [name, e] : entries_) report.broken_files += e.broken ? 1u : 0u;

  if (report.changed) {
    std::vector<std::pair<std::string, std::shared_ptr<const project>>> good;
    for (auto const& [name, e] : entries_)
      if (e.good) good.emplace_back(name, e.good);
    snapshot_ =
        std::make_shared<const project_snapshot>(project_snapshot::build(std::move(good), report.errors));
  }
  return report;
}

}  // namespace profile_relay::config
