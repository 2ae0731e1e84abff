import * as z from 'zod/mini';

/**
 * Every error code, its HTTP status and its title: a closed list, so that a client can switch on `code`.
 * Answers are `application/problem+json` (RFC 9457); `type` is `/docs#error-<code>` of the companion.
 */
export const PROBLEMS = {
  bad_request: [400, 'The request has an error'],
  unauthorized: [401, 'A valid credential is needed'],
  step_up_required: [403, 'This needs a recent sign-in'],
  upgrade_required: [402, 'The plan of this workspace has no API access'],
  forbidden: [403, 'This is not allowed'],
  not_found: [404, 'There is no such thing here'],
  method_not_allowed: [405, 'This path does not take that method'],
  request_timeout: [408, 'The request took too long to come'],
  conflict: [409, 'This does not fit the present state'],
  key_limit_reached: [409, 'All keys of this workspace are in use'],
  name_taken: [409, 'That name is taken'],
  last_owner: [409, 'A workspace needs an owner'],
  in_use: [409, 'It is still in use'],
  precondition_failed: [412, 'It has changed since you looked'],
  payload_too_large: [413, 'The body is larger than 256 kB'],
  unsupported_media_type: [415, 'The body is of a type that is not taken here'],
  wrong_host: [421, 'This server does not answer for that host'],
  websocket_required: [426, 'This path speaks WebSocket only'],
  idempotency_mismatch: [422, 'That Idempotency-Key was used with another body'],
  rate_limited: [429, 'Too many requests'],
  headers_too_large: [431, 'The headers are larger than 40 kB, or a thousand or more'],
  internal: [500, 'Something went wrong here'],
  unavailable: [503, 'Not ready'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof PROBLEMS;

export const fieldError = z.object({ path: z.string(), message: z.string() });
export type FieldError = z.infer<typeof fieldError>;

export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  code: z.string(),
  detail: z.optional(z.string()),
  requestId: z.string(),
  errors: z.optional(z.array(fieldError)),
  /** With `step_up_required`: the page on which the person confirms that it is them. */
  confirmAt: z.optional(z.string()),
});
export type Problem = z.infer<typeof problem>;
