import { expect, test } from "vitest";

import { canonicalRule } from "../src/sync/index.js";

test.each([
  ["freq=weekly", "FREQ=WEEKLY"],
  ["COUNT=010;INTERVAL=01;FREQ=DAILY", "FREQ=DAILY;COUNT=10"],
  [
    "UNTIL=20271231;WKST=SU;FREQ=WEEKLY;INTERVAL=2",
    "FREQ=WEEKLY;INTERVAL=2;WKST=SU;UNTIL=20271231",
  ],
  ["FREQ=WEEKLY;WKST=MO;BYDAY=su,FR,MO,FR", "FREQ=WEEKLY;BYDAY=MO,FR,SU"],
  ["FREQ=MONTHLY;BYDAY=+1TU,-1FR,1MO,-2SU", "FREQ=MONTHLY;BYDAY=-2SU,-1FR,1MO,1TU"],
  ["FREQ=MONTHLY;BYMONTHDAY=+31,1,-1,01", "FREQ=MONTHLY;BYMONTHDAY=-1,1,31"],
  [
    "BYSETPOS=-1;BYDAY=MO,TU,WE,TH,FR;BYMONTH=12,03;FREQ=YEARLY",
    "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR;BYMONTH=3,12;BYSETPOS=-1",
  ],
])("%s is spelled as the server does", (rule, canonical) => {
  expect(canonicalRule(rule)).toBe(canonical);
  expect(canonicalRule(canonical)).toBe(canonical);
});

test.each([
  "",
  "weekly",
  "FREQ=HOURLY",
  "FREQ=DAILY;FREQ=DAILY",
  "FREQ=DAILY;",
  "FREQ=DAILY;BYMONTH=+1",
  "FREQ=MONTHLY;BYDAY=0MO",
  "FREQ=MONTHLY;BYDAY=MO,",
  "FREQ=DAILY;INTERVAL=1000",
  "FREQ=DAILY;UNTIL=2027-12-31",
  "FREQ=DAILY;BYHOUR=9",
  "FREQ=DAILY; COUNT=2",
  "FREQ=DA\u0131LY",
  "RRULE:FREQ=DAILY",
])("%j stays for the server to refuse", (rule) => {
  expect(canonicalRule(rule)).toBe(rule);
});
