import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { remark, timestamp } from './fields.ts';
import { issuedSession, user } from './people.ts';

/** `grant_type` of a device's token request (RFC 8628, 3.4). */
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/** What the token endpoint answers while there is no token (RFC 8628, 3.5; RFC 6749, 5.2). */
export const DEVICE_ERRORS = [
  'authorization_pending',
  'slow_down',
  'access_denied',
  'expired_token',
  'invalid_grant',
  'invalid_request',
  'unsupported_grant_type',
] as const;
export type DeviceError = (typeof DEVICE_ERRORS)[number];

const clientId = z
  .string()
  .check(z.regex(/^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,63}$/, 'must be 1 to 64 letters, digits and . _ / -'));
/** What is wrong with another grant; it may come without the other fields of this one. */
export const GRANT_PROBLEM = `must be ${DEVICE_GRANT}`;
const grantType = z.string().check(z.refine((grant) => grant === DEVICE_GRANT, GRANT_PROBLEM));
const FORM_OR_JSON = ['application/x-www-form-urlencoded', 'application/json'] as const;

// Unlike elsewhere an unknown parameter is ignored, as OAuth asks for (RFC 6749, 3.2).
export const device = {
  deviceCode: endpoint({
    id: 'deviceCode',
    method: 'POST',
    path: '/v1/device/code',
    summary: 'Begin the sign-in of a command line: a code to type on the page /device (RFC 8628)',
    credential: 'none',
    accepts: FORM_OR_JSON,
    errors: 'oauth',
    body: z.object({
      client_id: clientId,
      /** How the list of sessions will name the machine. */
      device_name: z.optional(remark),
    }),
    answers: {
      200: z.object({
        device_code: z.string(),
        user_code: z.string(),
        verification_uri: z.string(),
        /** Seconds. */
        expires_in: z.number(),
        /** Seconds to wait between two polls. */
        interval: z.number(),
      }),
    },
    problems: ['rate_limited'],
    secret: true,
  }),
  deviceToken: endpoint({
    id: 'deviceToken',
    method: 'POST',
    path: '/v1/device/token',
    summary: 'Ask whether the code was approved; errors have the form of RFC 6749',
    credential: 'none',
    accepts: FORM_OR_JSON,
    errors: 'oauth',
    body: z.object({ grant_type: grantType, device_code: z.string(), client_id: clientId }),
    answers: {
      200: z.object({
        access_token: z.string(),
        token_type: z.literal('Bearer'),
        /** Seconds. */
        expires_in: z.number(),
        session: issuedSession,
        user,
      }),
    },
    secret: true,
  }),
} as const;

/** What the page /device shows of a code before the person decides. */
export const deviceRequest = z.object({
  clientId: z.string(),
  deviceName: z.string(),
  ip: z.nullable(z.string()),
  startedAt: timestamp,
  expiresAt: timestamp,
});
export type DeviceRequest = z.infer<typeof deviceRequest>;
