import { randomBytes } from 'node:crypto';
import type { KeyFacts } from '../check.ts';
import { MOST_COUNTED, type UsageReport, type VerifyCode } from '../contract/verify.ts';

type Code = UsageReport['uses'][number]['code'];
type Use = UsageReport['uses'][number];
type Note = UsageReport['notes'][number];

export interface Reports {
  /** Counts one check that was decided here. */
  add(
    key: KeyFacts,
    code: VerifyCode,
    requestId: string,
    at: number,
    ip: string | null,
    userAgent: string | null,
  ): void;
  /** Hands in what is waiting, and tells whether all of it arrived. */
  flush(): Promise<boolean>;
  close(): Promise<void>;
}

const EVERY_MS = 500;
const AT_ONCE = 500;
/** The companion reads bodies of up to 256 KiB. */
const MOST_BYTES = 240_000;
/** Rows of the request log that may wait; counts have no bound but the number of keys. */
const MOST_NOTES = 10_000;
/** Rows for uses that were let through, of which there may be a million a second; refusals have theirs, all of them. */
const GOOD_NOTES_AT_ONCE = 100;

/** The same uses in lines that a report may have: one that is refused would keep back all after it. */
function split(use: Use): Use[] {
  const lines: Use[] = [];
  for (let left = use.count; left > 0; left -= MOST_COUNTED)
    lines.push({ ...use, count: Math.min(left, MOST_COUNTED) });
  return lines;
}

/** As many reports as it takes, each within what the companion reads at once. */
function pack(uses: readonly Use[], notes: readonly Note[]): UsageReport[] {
  const reports: UsageReport[] = [];
  let bytes = Number.POSITIVE_INFINITY;
  const roomFor = (item: Use | Note, list: 'uses' | 'notes'): UsageReport => {
    const size = Buffer.byteLength(JSON.stringify(item)) + 1;
    let last = reports.at(-1);
    if (!last || bytes + size > MOST_BYTES || last[list].length >= AT_ONCE) {
      last = { batch: randomBytes(16).toString('hex'), uses: [], notes: [] };
      reports.push(last);
      bytes = 0;
    }
    bytes += size;
    return last;
  };
  for (const use of uses) roomFor(use, 'uses').uses.push(use);
  for (const note of notes) roomFor(note, 'notes').notes.push(note);
  return reports;
}

/**
 * Gathers uses and hands them in, about twice a second. A batch is kept until the companion has it, and counted once however
 * often it arrives. Counts are in memory until then: a service that is killed loses half a second of them.
 */
export function createReports(send: (report: UsageReport) => Promise<boolean>): Reports {
  // By the key itself and then by code: a million times a second, no text is put together for it.
  let uses = new Map<KeyFacts, Map<VerifyCode, Use>>();
  let notes: Note[] = [];
  let goodNotes = 0;
  let unsent: UsageReport[] = [];
  let sending: Promise<boolean> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function schedule(): void {
    if (timer) return;
    timer = setTimeout(() => {
      timer = undefined;
      void flush().then(() => {
        if (uses.size || notes.length || unsent.length) schedule();
      });
    }, EVERY_MS);
    timer.unref();
  }

  function cut(): void {
    const all = [...uses.values()].flatMap((byCode) => [...byCode.values()]).flatMap(split);
    const rows = notes;
    uses = new Map();
    notes = [];
    goodNotes = 0;
    unsent.push(...pack(all, rows));
  }

  async function sendAll(): Promise<boolean> {
    // What could not be sent keeps its name; only when all of that is through, what gathered since is cut.
    for (let late = unsent.length > 0; ; late = false) {
      if (!late) cut();
      while (unsent[0]) {
        if (!(await send(unsent[0]).catch(() => false))) return false;
        unsent = unsent.slice(1);
      }
      if (!late) return true;
    }
  }

  async function flush(): Promise<boolean> {
    // What is under way may have begun before the last use was counted.
    while (sending) await sending;
    sending = sendAll().finally(() => {
      sending = undefined;
    });
    return sending;
  }

  return {
    add(key, code, requestId, at, ip, userAgent) {
      const { keyId, secretId } = key;
      let byCode = uses.get(key);
      if (!byCode) {
        byCode = new Map();
        uses.set(key, byCode);
      }
      const use = byCode.get(code);
      if (!use) {
        const last = { lastAt: at, lastIp: ip, lastUserAgent: userAgent };
        byCode.set(code, { keyId, secretId, code: code as Code, count: 1, ...last });
      } else {
        use.count++;
        use.lastAt = at;
        use.lastIp = ip;
        use.lastUserAgent = userAgent;
      }
      const noted = code === 'valid' ? goodNotes++ < GOOD_NOTES_AT_ONCE : true;
      if (noted && notes.length < MOST_NOTES)
        notes.push({ requestId, keyId, secretId, code: code as Code, at, ip, userAgent });
      if (!timer) schedule();
    },
    flush,
    async close() {
      clearTimeout(timer);
      // Twice: the first may be one that was under way.
      for (let i = 0; i < 3 && (uses.size || notes.length || unsent.length || sending); i++)
        if (!(await flush())) break;
    },
  };
}
