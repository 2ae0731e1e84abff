/** Dates, durations and numbers in the words of the screens. Times are milliseconds since 1970, shown in local time. */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** An RFC 3339 text or a number of milliseconds, as milliseconds. */
export type Time = string | number;
export const ms = (time: Time) => (typeof time === 'number' ? time : Date.parse(time));

const pad = (n: number) => String(n).padStart(2, '0');
const midnight = (time: number) => new Date(time).setHours(0, 0, 0, 0);

/** Whole calendar days from one time to another: 0 is the same day, 1 the next. */
export function calendarDays(from: number, to: number): number {
  // Rounded, because a day with a change of the clock has 23 or 25 hours.
  return Math.round((midnight(to) - midnight(from)) / DAY);
}

/** `18 Feb 2027` */
export function fullDay(time: Time): string {
  const d = new Date(ms(time));
  return `${d.getDate()} ${MONTHS[d.getMonth()]} ${d.getFullYear()}`;
}

/** `18 Nov`, or `18 Feb 2027` in another year than now. */
export function day(time: Time, now: number): string {
  const d = new Date(ms(time));
  const sameYear = d.getFullYear() === new Date(now).getFullYear();
  return sameYear ? `${d.getDate()} ${MONTHS[d.getMonth()]}` : fullDay(time);
}

/** `Thu 18 Feb 2027` */
export function weekday(time: Time): string {
  return `${WEEKDAYS[new Date(ms(time)).getDay()]} ${fullDay(time)}`;
}

/** `14:05`, or `14:05:09` with seconds. */
export function clock(time: Time, seconds = false): string {
  const d = new Date(ms(time));
  return `${pad(d.getHours())}:${pad(d.getMinutes())}${seconds ? `:${pad(d.getSeconds())}` : ''}`;
}

/** `today 15:32`, `tomorrow 09:00`, `Sat 21 Nov, 14:32`, with the year when it is another one. */
export function moment(time: Time, now: number, seconds = false): string {
  const t = ms(time);
  const near = { '-1': 'yesterday', '0': 'today', '1': 'tomorrow' }[String(calendarDays(now, t))];
  if (near) return `${near} ${clock(t, seconds)}`;
  return `${WEEKDAYS[new Date(t).getDay()]} ${day(t, now)}, ${clock(t, seconds)}`;
}

/** `2026-11-20 14:30:07 UTC+1`: the exact time, for the title of a rough one. */
export function exact(time: Time): string {
  const d = new Date(ms(time));
  const offset = -d.getTimezoneOffset();
  const hours = `${offset < 0 ? '−' : '+'}${Math.floor(Math.abs(offset) / 60)}`;
  const minutes = Math.abs(offset) % 60 ? `:${pad(Math.abs(offset) % 60)}` : '';
  const zone = offset === 0 ? 'UTC' : `UTC${hours}${minutes}`;
  return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())} ${clock(d.getTime(), true)} ${zone}`;
}

/** `just now`, `2 min ago`, `3 h ago`, `yesterday`, `12 days ago`, then the day. A time ahead of a slow clock is now. */
export function ago(time: Time, now: number): string {
  const past = now - ms(time);
  if (past < 45 * SECOND) return 'just now';
  if (past < HOUR) return `${Math.max(1, Math.floor(past / MINUTE))} min ago`;
  if (past < DAY) return `${Math.floor(past / HOUR)} h ago`;
  const days = calendarDays(ms(time), now);
  if (days <= 1) return 'yesterday';
  return days <= 60 ? `${days} days ago` : day(time, now);
}

/** `in 5 min`, `in 3 h`, `tomorrow`, `in 90 days`; a time that has passed is `now`. */
export function until(time: Time, now: number): string {
  const left = ms(time) - now;
  if (left <= 0) return 'now';
  if (left < HOUR) return `in ${Math.max(1, Math.round(left / MINUTE))} min`;
  if (left < DAY) return `in ${Math.round(left / HOUR)} h`;
  const days = calendarDays(now, ms(time));
  return days <= 1 ? 'tomorrow' : `in ${days} days`;
}

/** `6 days left`, `23 h 48 min left`, `12 min left`, `ends now`. */
export function timeLeft(time: Time, now: number): string {
  const left = ms(time) - now;
  if (left <= 0) return 'ends now';
  // Begun days count, as where an invitation is accepted.
  if (left >= 2 * DAY) return `${Math.ceil(left / DAY)} days left`;
  const hours = Math.floor(left / HOUR);
  const minutes = Math.floor((left % HOUR) / MINUTE);
  return hours > 0 ? `${hours} h ${minutes} min left` : `${Math.max(1, minutes)} min left`;
}

/** `9:42`: minutes and seconds of a duration in milliseconds. */
export function countdown(duration: number): string {
  const seconds = Math.max(0, Math.ceil(duration / SECOND));
  return `${Math.floor(seconds / 60)}:${pad(seconds % 60)}`;
}

/** `1,147,208` */
export const number = (n: number) => n.toLocaleString('en-US');

/** `1 key`, `3 keys`. */
export const count = (n: number, one: string, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

/** `63k`, `2.4k`, `1.1M`: the ticks of a chart. */
export function compact(n: number): string {
  if (n < 1000) return String(n);
  const [value, unit] = n < 1_000_000 ? [n / 1000, 'k'] : [n / 1_000_000, 'M'];
  return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)}${unit}`;
}

/** Up to two capital letters that stand for a person or a workspace. */
export function initials(name: string, most = 2): string {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const picked = words.length > 1 ? [words[0], words.at(-1)] : words;
  return picked
    .slice(0, most)
    .map((word) => ([...(word ?? '')][0] ?? '').toUpperCase())
    .join('');
}
