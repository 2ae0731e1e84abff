#!/usr/bin/env node
import { randomUUID } from 'node:crypto';
import { hostname, type as systemName } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from './run.ts';

/** The command line of a member: signs in to a companion and manages one's own keys. */
async function ask(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined;
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await prompt.question(question);
  } finally {
    prompt.close();
  }
}

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  out: (text) => process.stdout.write(text),
  say: (text) => process.stderr.write(text),
  ask,
  fetch,
  now: Date.now,
  sleep: async (ms) => {
    await sleep(ms);
  },
  newId: randomUUID,
  machine: `${hostname().slice(0, 100)} · ${systemName()}`,
});
