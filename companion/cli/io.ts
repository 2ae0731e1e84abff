import { createInterface } from 'node:readline/promises';

/** What the command line needs of the outside. */
export interface Io {
  env: Readonly<Record<string, string | undefined>>;
  /** What a script reads: data, and nothing else. */
  out(text: string): void;
  /** What a person reads. */
  say(text: string): void;
  /** The answer to a question, or undefined where nobody is there to answer. */
  ask(question: string): Promise<string | undefined>;
  fetch: typeof fetch;
  now(): number;
  sleep(ms: number): Promise<void>;
  newId(): string;
  /** The name of this machine and its system, for the list of sessions. */
  machine: string;
}

/** Exit codes. A script can tell a refusal from a lost connection. */
export const EXIT = { done: 0, refused: 1, usage: 2, signedOut: 3, unreachable: 4 } as const;

/** The command line itself is wrong. */
export class BadUsage extends Error {}
/** There is no session for this server, or it has ended. */
export class SignedOut extends Error {}
/** It was understood and can't be done; the message says why. */
export class Refused extends Error {}

/** Asks at a terminal. Ctrl-C, Ctrl-D and the end of the input are an empty answer: nothing is confirmed by them. */
export async function askAt(
  question: string,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): Promise<string> {
  const prompt = createInterface({ input, output });
  const ended = new Promise<undefined>((done) => prompt.once('close', () => done(undefined)));
  const aborted = (error: Error) => {
    if (error.name !== 'AbortError') throw error;
    return undefined;
  };
  const answer = await Promise.race([prompt.question(question).catch(aborted), ended]);
  prompt.close();
  if (answer === undefined) output.write('\n');
  return answer ?? '';
}

// Text of a server in a terminal: nothing that moves the cursor, sets colours or hides.
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
export const plain = (text: string): string => text.replace(UNSAFE, '\ufffd');

/** Columns, as wide as their widest cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map(plain));
  const widths = head.map((_, i) => Math.max(...cells.map((row) => [...(row[i] ?? '')].length)));
  const pad = (text: string, width: number) => text + ' '.repeat(Math.max(0, width - [...text].length));
  return cells
    .map(
      (row) =>
        `${row
          .map((cell, i) => pad(cell, widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
