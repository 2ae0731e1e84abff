import * as z from 'zod/mini';
import { fieldError, type ProblemCode } from '../../shared/contract/errors.ts';

/** What can go wrong before the server has said anything, beside the server's own closed list. */
export const LOCAL_FAILURES = {
  bad_address: 'That is not an address that can be used',
  timeout: 'The server did not answer in time',
  network: 'The server can’t be reached',
  bad_answer: 'The answer is not one of a Heex Keys server',
  permission_needed: 'Your browser has not allowed this address yet',
  not_connected: 'This browser is not connected to a server',
  signed_out: 'Your session has ended',
  outcome_unknown: 'The server did not answer, so it is not certain whether this was done',
  no_workspace: 'You are not a member of a workspace on this server',
  internal_error: 'Something went wrong in the extension',
} as const;
export type LocalFailureCode = keyof typeof LOCAL_FAILURES;

/** An error as views show it: what happened, what to do, then the raw code. `errors` belong to fields of the request. */
export const failure = z.object({
  code: z.string(),
  title: z.string(),
  detail: z.optional(z.string()),
  status: z.optional(z.number()),
  requestId: z.optional(z.string()),
  errors: z.optional(z.array(fieldError)),
});
export interface Failure extends z.infer<typeof failure> {
  code: ProblemCode | LocalFailureCode | (string & {});
}

/** Actions never throw: they answer with what they got or with what went wrong. */
export type Result<T> = { ok: true; value: T } | { ok: false; failure: Failure };

export function localFailure(code: LocalFailureCode, detail?: string): Failure {
  return { code, title: LOCAL_FAILURES[code], ...(detail === undefined ? {} : { detail }) };
}
