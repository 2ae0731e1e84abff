import { TRANSPORT_FAILURES, type Failure as WireFailure } from '../../shared/client/failure.ts';
import type { ProblemCode } from '../../shared/contract/errors.ts';

export { failure } from '../../shared/client/failure.ts';

/** What can go wrong before the server has said anything, beside the server's own closed list. */
export const LOCAL_FAILURES = {
  bad_address: 'That is not an address that can be used',
  ...TRANSPORT_FAILURES,
  permission_needed: 'Your browser has not allowed this address yet',
  not_connected: 'This browser is not connected to a server',
  signed_out: 'Your session has ended',
  outcome_unknown: 'The server did not answer, so it is not certain whether this was done',
  no_workspace: 'You are not a member of a workspace on this server',
  internal_error: 'Something went wrong in the extension',
} as const;
export type LocalFailureCode = keyof typeof LOCAL_FAILURES;

/** An error as views show it. */
export interface Failure extends WireFailure {
  code: ProblemCode | LocalFailureCode | (string & {});
}

/** Actions never throw: they answer with what they got or with what went wrong. */
export type Result<T> = { ok: true; value: T } | { ok: false; failure: Failure };

export function localFailure(code: LocalFailureCode, detail?: string): Failure {
  return { code, title: LOCAL_FAILURES[code], ...(detail === undefined ? {} : { detail }) };
}
