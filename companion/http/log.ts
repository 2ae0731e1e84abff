import { redact } from '../../shared/key-format.ts';

export type Log = (level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>) => void;

/** One JSON object a line. Keys and tokens are cut to their prefix, wherever they would turn up. */
export function createLog(write: (line: string) => void): Log {
  return (level, message, fields = {}) =>
    write(redact(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })));
}

/** What may be said of an error: its class, message and stack. */
export function describeError(error: unknown): Record<string, unknown> {
  return error instanceof Error
    ? { error: error.name, detail: error.message, stack: error.stack }
    : { error: String(error) };
}
