"""Datasette: a canned query over the SQLite file, answered as JSON; the ladder is in SQL."""

from __future__ import annotations

import json
from pathlib import Path

from .eligibility import FOREVER, TECHNIQUE

QUERY = f"""
WITH known AS (
    SELECT r.id AS registered, p.name,
           s.standing, s.also, s.conditions, s.last_day,
           coalesce(rules.may_needle, 1) AS may_needle,
           coalesce(rules.last_day, '{FOREVER}') AS rules_last_day,
           a.id AS authorization_id,
           held.standing AS held, held.also AS held_also,
           coalesce(held.last_day, '{FOREVER}') AS held_last_day
    FROM (SELECT :body AS body, :number AS number, :on AS day) asked
    LEFT JOIN registrations r ON r.body = asked.body AND r.number = asked.number
    LEFT JOIN practitioners p ON p.id = r.practitioner_id
    LEFT JOIN registration_spans s ON s.registration_id = r.id
         AND asked.day BETWEEN s.first_day AND s.last_day
    LEFT JOIN rules ON rules.body = r.body AND rules.register_class = s.register_class
         AND asked.day BETWEEN rules.first_day AND rules.last_day
    LEFT JOIN authorizations a ON a.registration_id = r.id AND a.technique = '{TECHNIQUE}'
    LEFT JOIN authorization_spans held ON held.authorization_id = a.id
         AND asked.day BETWEEN held.first_day AND held.last_day
), judged AS (
    SELECT *,
        CASE
            WHEN registered IS NULL THEN 'not_found'
            WHEN standing = 'unknown' THEN 'unknown'
            WHEN standing NOT IN ('in_force', 'in_grace') THEN 'registration_not_in_force'
            WHEN NOT may_needle THEN 'class_not_eligible'
            WHEN authorization_id IS NULL THEN 'technique_not_covered'
            WHEN held = 'unknown' THEN 'unknown'
            WHEN held NOT IN ('in_force', 'in_grace') THEN 'authorization_not_in_force'
            WHEN conditions IS NOT NULL THEN 'authorized_with_conditions'
            ELSE 'authorized'
        END AS outcome
    FROM known
)
SELECT :body AS body, :number AS number, name, :on AS "on",
    outcome IN ('authorized', 'authorized_with_conditions') AS authorized,
    outcome,
    (SELECT json_group_array(reason) FROM (
        SELECT 'never_registered' AS reason WHERE registered IS NULL
        UNION ALL SELECT 'registration_' || standing WHERE standing <> 'in_force'
        UNION ALL SELECT 'registration_' || also WHERE also IS NOT NULL
        UNION ALL SELECT 'class_not_eligible' WHERE NOT may_needle AND standing <> 'not_yet'
        UNION ALL SELECT 'technique_not_covered' WHERE authorization_id IS NULL AND registered IS NOT NULL
        UNION ALL SELECT 'authorization_' || held WHERE held <> 'in_force'
        UNION ALL SELECT 'authorization_' || held_also WHERE held_also IS NOT NULL
        UNION ALL SELECT 'registration_conditions' WHERE conditions IS NOT NULL
    )) AS reasons,
    nullif(min(last_day, held_last_day, rules_last_day), '{FOREVER}') AS valid_through
FROM judged
"""  # noqa: S608 - of constants
NAME = "verification"


def write_metadata(path: Path, database: str) -> None:
    """Write what Datasette is told of a database: its one canned query.

    :param database: the name that Datasette gives it, its file's without the suffix.
    """
    path.write_text(json.dumps({"databases": {database: {"queries": {NAME: {"sql": QUERY}}}}}))
