import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askAt } from '../../companion/cli/io.ts';
import { type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
let home: string;
beforeAll(async () => {
  s = await scenario();
  home = mkdtempSync(join(tmpdir(), 'heex-cli-'));
});
afterAll(async () => {
  await s.end();
  rmSync(home, { recursive: true, force: true });
});

/** As a sign-in leaves it. */
function keep(token: string): void {
  const { url: origin, owner } = s;
  const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
  mkdirSync(join(home, 'heex'), { recursive: true });
  const text = JSON.stringify({ origin, token, expiresAt, email: owner.email });
  writeFileSync(join(home, 'heex', 'session.json'), text, { mode: 0o600 });
}

/** The program itself; `deaf` closes the other end of its output at once. */
function heex(args: string[], deaf = false): Promise<{ code: number; err: string }> {
  const program = join(import.meta.dirname, '../../companion/cli/heex.ts');
  const env = { PATH: process.env.PATH ?? '', XDG_CONFIG_HOME: home, HEEX_URL: s.url };
  return new Promise((done) => {
    const child = execFile(process.execPath, [program, ...args], { env }, (error, _, err) =>
      done({ code: Number(error?.code ?? 0), err }),
    );
    if (deaf) child.stdout?.destroy();
  });
}

test('Ctrl-C and Ctrl-D at a question confirm nothing', async () => {
  const answerTo = async (typed: string, isTTY = true) => {
    const [input, output] = [new PassThrough(), Object.assign(new PassThrough(), { isTTY })];
    const asked = askAt('Really? ', input, output);
    if (typed) input.write(typed);
    else input.end();
    return asked;
  };
  expect([await answerTo('\u0003'), await answerTo('\u0004'), await answerTo('yes\r')]).toEqual(['', '', 'yes']);
  // Where what is said goes into a file, the terminal itself turns Ctrl-D into the end.
  expect([await answerTo('', false), await answerTo('yes\n', false)]).toEqual(['', 'yes']);
});

test('output that can’t be written is said in one line, without the secret', async () => {
  keep(s.owner.token);
  const made = await heex(['keys', 'create', '--env', 'dev', '--name', 'to-nobody', '--quiet'], true);
  expect(made).toEqual({ code: 1, err: "heex: The output can't be written (EPIPE).\n" });
});

test('a session that was spoiled is none, and is in no message', async () => {
  keep(`${s.owner.token.slice(0, 30)}\n${s.owner.token.slice(30)}`);
  expect(await heex(['keys', 'list'])).toEqual({ code: 3, err: 'heex: You are not signed in. Run: heex login\n' });
});
