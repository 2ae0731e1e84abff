import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { SETUP_TOKEN } from '../support/companion.ts';
import { scratchFolder, startProcess } from '../support/process.ts';
import { orphans, remains, rowsIn, type WrittenMember } from '../support/rows.ts';
import { scenario } from '../support/scenario.ts';

const WHOLE = { memberships: 1, sessions: 1, left: 0, audited: 0, keysAudited: 0 };
const GONE = (keys: number) => ({ memberships: 0, sessions: 0, live: 0, left: keys, audited: 1, keysAudited: keys });

/** Whether the member is wholly gone or wholly there; anything between fails. */
function stateOf(db: Database.Database, member: WrittenMember): 'gone' | 'there' {
  expect(orphans(db)).toEqual([]);
  const left = remains(db, member);
  if (left.memberships === 1) {
    expect(left).toEqual({ ...WHOLE, live: member.keys.length });
    return 'there';
  }
  expect(left).toEqual(GONE(member.keys.length));
  return 'gone';
}

let copy: string;
beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), 'heex-copy-'));
});
afterEach(() => rmSync(copy, { recursive: true, force: true }));

/** The state in which a crash would have left the files. */
function stateAfterCrash(database: Buffer, wal: Buffer, member: WrittenMember): 'gone' | 'there' {
  const file = join(copy, 'heex.sqlite');
  rmSync(`${file}-shm`, { force: true });
  writeFileSync(file, database);
  writeFileSync(`${file}-wal`, wal);
  const db = new Database(file);
  try {
    expect(db.pragma('quick_check(1)', { simple: true })).toBe('ok');
    return stateOf(db, member);
  } finally {
    db.close();
  }
}

const WAL_HEADER = 32;
const FRAME_HEADER = 24;
const PAGE = 4096;

/** A removal through the real interface, with the files as they were before and as they are right after its answer. */
async function removalOnFiles() {
  const s = await scenario();
  const rows = rowsIn(s.companion.folder);
  const [member] = rows.members(1, 4);
  if (!member) throw new Error('no member');
  const file = join(s.companion.folder, 'heex.sqlite');
  rows.db.pragma('wal_checkpoint(TRUNCATE)');
  const before = readFileSync(file);
  const answer = await s.as(s.owner, 'DELETE', `W/members/${member.membershipId}`);
  expect(answer.body).toEqual({ revokedKeys: 4, endedSessions: 1, unaffectedAgents: 0, knownSecrets: [] });
  const wal = readFileSync(`${file}-wal`);
  rows.db.pragma('wal_checkpoint(TRUNCATE)');
  const after = readFileSync(file);
  rows.close();
  await s.end();
  return { member, before, wal, after };
}

test('a crash at any write of a removal leaves it wholly done or wholly undone', async () => {
  const { member, before, wal } = await removalOnFiles();
  const cuts = [0, 12, WAL_HEADER];
  for (let frame = WAL_HEADER; frame + FRAME_HEADER + PAGE <= wal.length; frame += FRAME_HEADER + PAGE)
    cuts.push(frame + FRAME_HEADER, frame + FRAME_HEADER + PAGE / 2, frame + FRAME_HEADER + PAGE);
  const states = cuts.map((length) => stateAfterCrash(before, wal.subarray(0, length), member));
  expect(states[0]).toBe('there');
  expect(states.at(-1)).toBe('gone');
  // It changes once, at the frame that commits.
  expect(states.filter((state, i) => i > 0 && state !== states[i - 1])).toEqual(['gone']);
  expect(cuts.length).toBeGreaterThan(30);
});

test('a crash at any write of the checkpoint after it leaves it done', async () => {
  const { member, before, wal, after } = await removalOnFiles();
  const halfWay = Buffer.concat([before, Buffer.alloc(Math.max(0, after.length - before.length))]);
  let written = 0;
  for (let at = 0; at < after.length; at += PAGE) {
    if (after.subarray(at, at + PAGE).equals(halfWay.subarray(at, at + PAGE))) continue;
    // First a torn page, then the whole one.
    after.copy(halfWay, at, at, at + PAGE / 2);
    expect(stateAfterCrash(halfWay, wal, member)).toBe('gone');
    after.copy(halfWay, at, at, at + PAGE);
    expect(stateAfterCrash(halfWay, wal, member)).toBe('gone');
    written++;
  }
  expect(written).toBeGreaterThan(5);
});

test('a companion that is killed in the middle of removals has done each wholly or not, and every acknowledged one', async () => {
  const folder = scratchFolder();
  let owner: string | undefined;
  let workspaceId = '';
  let [acknowledged, undone] = [0, 0];
  for (let i = 0; i < 8; i++) {
    const companion = await startProcess(folder);
    if (owner === undefined) {
      const body = {
        token: SETUP_TOKEN,
        workspace: 'A',
        name: 'O',
        email: 'o@a.example',
        password: 'correct horse battery',
      };
      const made = (await call(companion.url, 'POST', '/v1/setup', { body })).body;
      [owner, workspaceId] = [made.session.token, made.workspace.id];
    }
    const rows = rowsIn(folder);
    const members = rows.members(40, 3);
    const done = new Set<WrittenMember>();
    const wanted = i * 3;
    let reached: () => void = () => {};
    const enough = new Promise<void>((go) => {
      reached = go;
    });
    const removals = members.map((member) =>
      call(companion.url, 'DELETE', `/v1/workspaces/${workspaceId}/members/${member.membershipId}`, { token: owner })
        .then((answer) => {
          if (answer.status === 200) done.add(member);
          if (done.size >= wanted) reached();
        })
        .catch(() => undefined),
    );
    // At once in the first round, then after more and more were acknowledged: never by the clock of a slow machine.
    if (wanted) await Promise.race([enough, Promise.all(removals)]);
    await companion.end('SIGKILL');
    await Promise.all(removals);
    for (const member of members) {
      const state = stateOf(rows.db, member);
      if (done.has(member)) expect(state).toBe('gone');
      if (state === 'there') undone++;
    }
    acknowledged += done.size;
    rows.close();
  }
  // Each kill came in the middle.
  expect(acknowledged).toBeGreaterThan(50);
  expect(undone).toBeGreaterThan(50);
  const last = await startProcess(folder);
  const chain = await call(last.url, 'GET', `/v1/workspaces/${workspaceId}/audit/verify`, { token: owner });
  expect(chain.body.valid).toBe(true);
  await last.end();
});

/** Says whether a system call of a process can be made its last here. */
const canInject = spawnSync('strace', ['-e', 'trace=none', 'true']).status === 0;
const said = (child: ChildProcess, word: string) =>
  new Promise<boolean>((done) => {
    let text = '';
    child.stdout?.on('data', (chunk) => {
      text += chunk;
      if (text.includes(word)) done(true);
    });
    // Later than `exit`: all that it said has arrived.
    child.once('close', () => done(text.includes(word)));
  });

/**
 * Makes the `nth` system call of that name the last thing that a removing process does.
 * @returns what is in the files then, and whether the removal was acknowledged: there was no such call any more
 */
async function killAt(name: string, nth: number, folder: string, rows: ReturnType<typeof rowsIn>, who: WrittenMember) {
  const own = mkdtempSync(join(copy, 'n'));
  for (const file of ['heex.sqlite', 'activity.sqlite', 'hash.key']) copyFileSync(join(folder, file), join(own, file));
  const script = join(import.meta.dirname, '../support/remove-once.ts');
  const child = spawn(process.execPath, [script, own, rows.workspaceId, who.membershipId]);
  await said(child, 'ready');
  const inject = ['-e', `trace=${name}`, '-e', `inject=${name}:signal=KILL:when=${nth}`];
  const tracer = spawn('strace', ['-f', '-p', String(child.pid), ...inject]);
  await new Promise<void>((attached) => tracer.stderr.once('data', () => attached()));
  const acknowledged = said(child, 'done');
  child.stdin.write('x');
  const finished = await acknowledged;
  await new Promise<void>((gone) => (tracer.exitCode === null ? tracer.once('exit', () => gone()) : gone()));
  const db = new Database(join(own, 'heex.sqlite'));
  const state = stateOf(db, who);
  db.close();
  rmSync(own, { recursive: true });
  return { finished, state };
}

test.skipIf(!canInject)(
  'killed at each single write and sync of its removal, a process has done it wholly or not',
  {
    timeout: 600_000,
  },
  async () => {
    const s = await scenario();
    const rows = rowsIn(s.companion.folder);
    await s.companion.stop();
    const [member] = rows.members(1, 3);
    if (!member) throw new Error('no member');
    rows.db.pragma('wal_checkpoint(TRUNCATE)');
    // Counted for each name by itself: a kill at “the third of any” would never come to a sync.
    const killed: Record<string, string[]> = { pwrite64: [], fsync: [], fdatasync: [], ftruncate: [] };
    for (const [name, states] of Object.entries(killed)) {
      for (let finished = false; !finished; ) {
        const end = await killAt(name, states.length + 1, s.companion.folder, rows, member);
        finished = end.finished;
        if (finished) expect(end.state).toBe('gone');
        else states.push(end.state);
        expect(states.length).toBeLessThan(400);
      }
    }
    const syncs = [...(killed.fsync ?? []), ...(killed.fdatasync ?? [])];
    // The last sync comes when the commit is written; before it nothing is.
    expect(syncs.length).toBeGreaterThan(1);
    expect(syncs.filter((state) => state === 'gone')).toHaveLength(1);
    expect(killed.pwrite64?.length).toBeGreaterThan(30);
    expect(new Set(killed.pwrite64)).toEqual(new Set(['there']));
    rows.close();
    rmSync(s.companion.folder, { recursive: true, force: true });
  },
);
