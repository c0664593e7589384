"""Stories of requests, as `stubserver explain` tells them."""

WHEN = "2026-11-23T12:00:00+00:00 by the clock of its world; it took 0.0 ms"
REFUSAL = f"""\
default-1  PATCH /api/v2/course/1/

  when      {WHEN}
  who       stub-stranger
  operation patch_course: Change some fields of a course
  open to   The course's creator or one of its managers (R003, R125, R223).
  sent      {{"name":"Mine"}}
  answered  403
  because   Only the creator or a manager of the course may do this. (permission_denied)
  R003      A logged-in caller who can see the object but lacks the required role is refused. (sure:
            high; source: ui: react-core course hook has a 403 branch; ui: client has a text for
            error code permission_denied; inferred)
  R125      Only the creator or a manager may update, patch or delete a course. (An older version of
            the update page says manager only, apparently from the time when the creator had the
            status manager.) (sure: certain; source: docs; history: docs history)"""
