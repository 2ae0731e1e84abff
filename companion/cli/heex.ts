#!/usr/bin/env node
import { randomUUID } from 'node:crypto';
import { hostname, type as systemName } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { askAt, EXIT } from './io.ts';
import { run } from './run.ts';

/** The command line of a member: signs in to a companion and manages one's own keys. */
const ask = async (question: string) =>
  process.stdin.isTTY ? askAt(question, process.stdin, process.stderr) : undefined;

// A full disk, or a reader that has gone: what was printed may be lost, a secret with it.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  process.stderr.write(`heex: The output can't be written (${code}).\n`, () => process.exit(EXIT.refused));
});

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
