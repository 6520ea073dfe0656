"""Every statement there is, each built once.

A write is one statement, so one transaction and one round trip. Its parts stand in the order that matters: lock the
owner, look at the task, raise the counter, write, leave a tombstone. Whoever writes for an owner waits at that lock;
what has waited still sees other rows as they were before, so it decides only by rows that it locks or changes, or
watches whether anybody else has written for the owner meanwhile (`owners`).
"""
