#include <algorithm>

#include "config/project.hpp"
#include "config/scalar_text.hpp"

namespace profile_relay::config {

project_snapshot project_snapshot::build(
    std::vector<std::pair<std::string, std::shared_ptr<const project>>> files,
    std::vector<std::string>& warnings) {
  // stable: two entries of one name keep the caller's order
  std::stable_sort(files.begin(), files.end(),
                   [](auto const& a, auto const& b) { return a.first < b.first; });
  project_snapshot out;
  std::map<std::uint64_t, std::string> id_owner;
  std::map<std::string, std::string> key_owner;
  for (auto const& [name, p] : files) {
    auto const [by_id, new_id] = id_owner.emplace(p->id, name);
    if (!new_id) {
      warnings.push_back(name + ": project id " + std::to_string(p->id) + " is already defined by " +
                         by_id->second + ", which stays in force; this file is left out");
      continue;
    }
    out.projects_.emplace(p->id, p);
    for (auto const& key : p->keys) {
      auto const [by_key, new_key] = key_owner.emplace(key.key, name);
      if (new_key)
        out.keys_.emplace(key.key, key_ref{p, &key});
      else
        warnings.push_back(name + ": public key " + key.key + " already belongs to " + by_key->second +
                           ", which stays in force");
    }
  }
  return out;
}

std::optional<project_snapshot::key_ref> project_snapshot::find_key(std::string_view public_key_hex) const {
  auto const it = keys_.find(public_key_hex);
  if (it == keys_.end()) return std::nullopt;
  return it->second;
}

std::shared_ptr<const project> project_snapshot::find_project(std::uint64_t id) const {
  auto const it = projects_.find(id);
  return it == projects_.end() ? nullptr : it->second;
}

}  // namespace profile_relay::config
