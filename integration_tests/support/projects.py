"""The projects of the tests, and the configuration folder that holds them.

Also a command, for the container: `python -m support.projects FOLDER` writes config.yml and projects/ there.
"""
from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONTINUOUS = "organizations:continuous-profiling"
PERFETTO = "organizations:continuous-profiling-perfetto"


@dataclass(frozen=True)
class Project:
    id: int
    key: str
    features: tuple[str, ...] = (CONTINUOUS, PERFETTO)
    numeric_id: int | None = 1054
    enabled_key: bool = True
    disabled: bool = False
    retention: int = 90
    domains: tuple[str, ...] = ("*",)
    organization: int = 1
    quotas: tuple[dict[str, Any], ...] = ()
    blocked: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        key = {"publicKey": self.key, "isEnabled": self.enabled_key}
        if self.numeric_id is not None:
            key["numericId"] = self.numeric_id
        return {"publicKeys": [key], "organizationId": self.organization, "slug": f"project-{self.id}",
                "disabled": self.disabled,
                "config": {"allowedDomains": list(self.domains), "eventRetention": self.retention,
                           "features": list(self.features), "quotas": list(self.quotas),
                           "filterSettings": {"clientIps": {"blacklistedIps": list(self.blocked)}}}}

    def write(self, folder: Path) -> Path:
        path = folder / "projects" / f"{self.id}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        # In one step, so that a running server never reads half a file.
        part = path.with_suffix(".part")
        part.write_text(json.dumps(self.document(), indent=2))
        part.rename(path)
        return path


PROJECT = Project(42, "a94ae32be2584e0bbd7a4cbb95971fee")
NO_FLAGS = Project(43, "b" * 31 + "1", features=())
NO_PERFETTO = Project(44, "b" * 31 + "2", features=(CONTINUOUS,))
DISABLED_PROJECT = Project(45, "b" * 31 + "3", disabled=True)
NO_NUMERIC_ID = Project(46, "b" * 31 + "4", numeric_id=None, retention=30, organization=70_000)
DISABLED_KEY = Project(47, "b" * 31 + "5", enabled_key=False)
ONE_DOMAIN = Project(48, "b" * 31 + "6", domains=("https://shop.example",))
PERFETTO_ONLY = Project(49, "b" * 31 + "7", features=(PERFETTO,))
# Limit 0: what a row sends is refused the same way however often the matrix has run before.
LIMITED = Project(50, "b" * 31 + "8", quotas=(
    {"limit": 0, "categories": ["profile_chunk"], "scope": "project", "reasonCode": "backend_off"},))
BOTH = ["profile_chunk", "profile_chunk_ui"]
# Each entry is in the header of a refused chunk, or is not, by one rule of contract 6; its reason says by which.
MANY_LIMITS = Project(51, "b" * 31 + "9", quotas=(
    {"limit": 0},
    {"limit": 0, "categories": BOTH, "scope": "project", "reasonCode": "both"},
    {"limit": 0, "categories": [], "scope": "key", "scopeId": "1054", "reasonCode": "this key"},
    {"limit": 0, "scope": "key", "scopeId": "1055", "reasonCode": "another_key"},
    {"limit": 0, "scope": "project", "scopeId": "51", "reasonCode": "a:b;c,d"},
    {"limit": 0, "scope": "project", "scopeId": "52", "reasonCode": "another_project"},
    {"limit": 0, "scope": "organization", "scopeId": "1", "categories": ["profile_chunk"],
     "reasonCode": "this_organization"},
    {"limit": 0, "scope": "organization", "scopeId": "acme", "reasonCode": "not_a_number"},
    {"limit": 0, "categories": ["error", "transaction"], "reasonCode": "other_categories"},
    {"limit": 0, "categories": ["from_the_future"], "reasonCode": "unknown_category"},
    {"limit": 0, "categories": ["from_the_future", "profile_chunk"], "scope": "planet", "reasonCode": "unknown_scope"}))
# None of these may refuse anything.
NO_LIMITS = Project(52, "b" * 30 + "10", quotas=(
    {"id": "only counts", "limit": None, "window": 60, "categories": BOTH},
    {"id": "two units", "limit": 1, "window": 60, "categories": ["profile_chunk", "attachment"]},
    {"limit": 1, "window": 60, "categories": BOTH, "reasonCode": "no_id"},
    {"id": "no window", "limit": 1, "categories": BOTH},
    {"id": "no categories", "limit": 1, "window": 60},
    {"id": "unknown category", "limit": 0, "categories": ["from_the_future"]},
    {"id": "another project", "limit": 0, "scope": "project", "scopeId": "51"},
    {"id": "scopeId is not a number", "limit": 0, "scope": "project", "scopeId": "shop"}))
NO_DOMAIN = Project(53, "b" * 30 + "11", domains=())
PATTERNS = Project(54, "b" * 30 + "12", domains=("*.wide.example", "*:8443", "http://exact.example:8080"))
# Chunks of every fate in one request: Perfetto lacks its flag, and one category its quota.
MIXED = Project(55, "b" * 30 + "13", features=(CONTINUOUS,), quotas=(
    {"limit": 0, "categories": ["profile_chunk_ui"], "scope": "project", "reasonCode": "ui_off"},))
FLAGLESS_AND_LIMITED = Project(56, "b" * 30 + "14", features=(), quotas=LIMITED.quotas)
# Networks of everyone, since the container sees its clients under addresses that nobody here knows; and of no one.
BLOCKED = Project(57, "b" * 30 + "15", blocked=("0.0.0.0/0", "::/0"))
NOT_BLOCKED = Project(58, "b" * 30 + "16", blocked=("198.51.100.7", "203.0.113.0/24", "2001:db8::/32"))
ALL = (PROJECT, NO_FLAGS, NO_PERFETTO, DISABLED_PROJECT, NO_NUMERIC_ID, DISABLED_KEY, ONE_DOMAIN, PERFETTO_ONLY,
       LIMITED, MANY_LIMITS, NO_LIMITS, NO_DOMAIN, PATTERNS, MIXED, FLAGLESS_AND_LIMITED, BLOCKED,
       NOT_BLOCKED)

# Small, so that the oversize cases of the matrix stay small too.
MATRIX_LIMITS = {"max_envelope_size": 4 << 20, "max_profile_size": 2 << 20, "max_profile_chunk_count": 8}


def deep_merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        merged[key] = deep_merge(merged[key], value) if isinstance(value, dict) and key in merged else value
    return merged


def write_configuration(folder: Path, changes: dict[str, Any] | None = None,
                        projects: tuple[Project, ...] = ALL) -> None:
    """config.yml (JSON is YAML) and one file per project. Port 0: the server takes a free one and says which."""
    folder.mkdir(parents=True, exist_ok=True)
    configuration = deep_merge({"relay": {"host": "127.0.0.1", "port": 0}, "cache": {"file_interval": 1}}, changes or {})
    (folder / "config.yml").write_text(json.dumps(configuration, indent=2))
    (folder / "projects").mkdir(exist_ok=True)
    for project in projects:
        project.write(folder)


if __name__ == "__main__":
    write_configuration(Path(sys.argv[1]), {"relay": {"port": 3000}, "limits": MATRIX_LIMITS,
                                            "spool": {"envelopes": {"path": "/var/lib/profile-relay/spool"}}})
