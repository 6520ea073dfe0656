"""Recurrence of tasks, as pure functions: no SQL, no HTTP.

- `rule`: the text of a rule, read strictly and written in its canonical form.
- `occurrences`: the dates of a rule, which python-dateutil computes.
- `successors`: id, due date and rule of the task that follows a completed one.
"""
