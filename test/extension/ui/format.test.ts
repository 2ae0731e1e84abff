import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ago,
  calendarDays,
  clock,
  compact,
  count,
  countdown,
  DAY,
  day,
  exact,
  fullDay,
  initials,
  moment,
  number,
  timeLeft,
  until,
  weekday,
} from '../../../extension/ui/format.ts';

// Local times throughout: what is shown is the reader's own clock, wherever the test runs.
const at = (...parts: [number, number, number, number?, number?, number?]) =>
  new Date(parts[0], parts[1] - 1, ...(parts.slice(2) as [number])).getTime();
const now = at(2026, 11, 20, 14, 32, 0);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

test('a past time is told in the roughest unit that still helps', () => {
  expect(ago(now - 10_000, now)).toBe('just now');
  expect(ago(now - 50_000, now)).toBe('1 min ago');
  expect(ago(now - 2 * MINUTE, now)).toBe('2 min ago');
  expect(ago(now - 3 * HOUR, now)).toBe('3 h ago');
  expect(ago(now - 25 * HOUR, now)).toBe('yesterday');
  expect(ago(at(2026, 11, 18, 23, 59), now)).toBe('2 days ago');
  expect(ago(now - 41 * DAY, now)).toBe('41 days ago');
  expect(ago(at(2026, 8, 22), now)).toBe('22 Aug');
  expect(ago(at(2025, 8, 22), now)).toBe('22 Aug 2025');
});

test('a time ahead of a slow clock is now, not in the past of the future', () => {
  expect(ago(now + 5000, now)).toBe('just now');
  expect(until(now - 5000, now)).toBe('now');
});

test('a coming time is told in whole units', () => {
  expect(until(now + 5 * MINUTE, now)).toBe('in 5 min');
  expect(until(now + 3 * HOUR, now)).toBe('in 3 h');
  expect(until(at(2026, 11, 21, 20), now)).toBe('tomorrow');
  expect(until(now + 6 * DAY, now)).toBe('in 6 days');
  expect(until(now + 90 * DAY, now)).toBe('in 90 days');
});

test('what is left is told with minutes on the last day', () => {
  expect(timeLeft(now + 7 * DAY - 5000, now)).toBe('7 days left');
  expect(timeLeft(now + 6 * DAY, now)).toBe('6 days left');
  expect(timeLeft(now + 2 * DAY, now)).toBe('2 days left');
  expect(timeLeft(now + 23 * HOUR + 48 * MINUTE, now)).toBe('23 h 48 min left');
  expect(timeLeft(now + 12 * MINUTE, now)).toBe('12 min left');
  expect(timeLeft(now + 5000, now)).toBe('1 min left');
  expect(timeLeft(now - 1, now)).toBe('ends now');
});

test('days name the year only when it is another one', () => {
  expect(day(at(2026, 11, 8), now)).toBe('8 Nov');
  expect(day(at(2027, 2, 18), now)).toBe('18 Feb 2027');
  expect(fullDay(at(2026, 9, 1))).toBe('1 Sep 2026');
  expect(weekday(at(2027, 2, 18))).toBe('Thu 18 Feb 2027');
});

test('a moment near now is named by its day', () => {
  expect(moment(at(2026, 11, 20, 15, 32), now)).toBe('today 15:32');
  expect(moment(at(2026, 11, 21, 9, 5), now)).toBe('tomorrow 09:05');
  expect(moment(at(2026, 11, 19, 2, 0), now)).toBe('yesterday 02:00');
  expect(moment(at(2026, 11, 28, 14, 32), now)).toBe('Sat 28 Nov, 14:32');
  expect(moment(at(2026, 11, 20, 14, 30, 7), now, true)).toBe('today 14:30:07');
});

test('the exact time names seconds and the zone', () => {
  expect(exact(at(2026, 11, 20, 14, 30, 7))).toMatch(/^2026-11-20 14:30:07 UTC([+−]\d{1,2}(:\d\d)?)?$/);
});

test('calendar days are whole, also across a change of the clock', () => {
  expect(calendarDays(at(2026, 3, 28, 23, 59), at(2026, 3, 29, 0, 1))).toBe(1);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 800 }), fc.integer({ min: 0, max: 1439 }), (days, minute) => {
      const start = at(2025, 1, 1, 0, minute);
      const end = new Date(2025, 0, 1 + days, 0, 1439 - minute).getTime();
      expect(calendarDays(start, end)).toBe(days);
    }),
  );
});

test('times before and after never read as the other', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 400 * DAY }), (distance) => {
      expect(ago(now - distance, now)).not.toMatch(/^in |left/);
      expect(until(now + distance, now)).toMatch(/^(in |tomorrow)/);
    }),
  );
});

test('numbers are grouped, counted and shortened', () => {
  expect(number(1_147_208)).toBe('1,147,208');
  expect([count(1, 'key'), count(0, 'key'), count(2, 'address', 'addresses')]).toEqual([
    '1 key',
    '0 keys',
    '2 addresses',
  ]);
  expect([0, 999, 2400, 35_000, 1_100_000].map(compact)).toEqual(['0', '999', '2.4k', '35k', '1.1M']);
  expect([countdown(582_000), countdown(9000), countdown(-1)]).toEqual(['9:42', '0:09', '0:00']);
  expect(clock(at(2026, 1, 1, 7, 5))).toBe('07:05');
});

test('initials are taken from the first and last word, whole characters at a time', () => {
  expect(initials('Lena Fischer')).toBe('LF');
  expect(initials('Maria del Carmen Ruiz')).toBe('MR');
  expect(initials('Acme Robotics', 1)).toBe('A');
  expect(initials('  ')).toBe('');
  expect(initials('𝔸da')).toBe('𝔸');
});
