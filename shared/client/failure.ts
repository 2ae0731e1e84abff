import * as z from 'zod/mini';
import { fieldError } from '../contract/errors.ts';

/** What can go wrong between a client and the server, beside the server's own closed list. */
export const TRANSPORT_FAILURES = {
  timeout: 'The server did not answer in time',
  network: 'The server can’t be reached',
  bad_answer: 'The answer is not one of a Heex Keys server',
} as const;
export type TransportFailureCode = keyof typeof TRANSPORT_FAILURES;

/** An error as people are shown it: what happened, what to do, then the raw code. `errors` belong to fields of the request. */
export const failure = z.object({
  code: z.string(),
  title: z.string(),
  detail: z.optional(z.string()),
  status: z.optional(z.number()),
  requestId: z.optional(z.string()),
  errors: z.optional(z.array(fieldError)),
  /** With `step_up_required`: the page on which the person confirms that it is them. */
  confirmAt: z.optional(z.string()),
});
export type Failure = z.infer<typeof failure>;
