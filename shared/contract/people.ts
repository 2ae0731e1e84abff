import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { email, listOf, page, password, personName, role, timestamp } from './fields.ts';

export const user = z.object({ id: z.string(), name: z.string(), email: z.string() });

/** A session token, in the one answer that ever shows it. */
export const issuedSession = z.object({ token: z.string(), expiresAt: timestamp });

export const CLIENT_KINDS = ['web', 'extension', 'cli', 'api'] as const;
export const session = z.object({
  id: z.string(),
  current: z.boolean(),
  client: z.enum(CLIENT_KINDS),
  label: z.string(),
  ip: z.nullable(z.string()),
  userAgent: z.nullable(z.string()),
  createdAt: timestamp,
  lastUsedAt: timestamp,
  expiresAt: timestamp,
});
export type Session = z.infer<typeof session>;

export const memberStatus = z.enum(['active', 'suspended']);
export const membership = z.object({
  id: z.string(),
  workspaceId: z.string(),
  workspaceName: z.string(),
  role,
  status: memberStatus,
});
export type Membership = z.infer<typeof membership>;

const token = z.string().check(z.minLength(1), z.maxLength(200));
/** The first person and their workspace, whatever they sign in with. */
export const newWorkspace = { token, workspace: personName, name: personName, email };
const setupWorkspace = z.object({ id: z.string(), name: z.string() });

export const people = {
  setup: endpoint({
    id: 'setup',
    method: 'POST',
    path: '/v1/setup',
    summary: 'Make the workspace and its first owner, with the token of the setup link',
    credential: 'none',
    body: z.strictObject({ ...newWorkspace, password }),
    answers: { 201: z.object({ session: issuedSession, user, workspace: setupWorkspace }) },
    problems: ['unauthorized', 'conflict', 'rate_limited'],
    secret: true,
  }),
  createSession: endpoint({
    id: 'createSession',
    method: 'POST',
    path: '/v1/sessions',
    summary: 'Sign in with e-mail address and password',
    credential: 'none',
    body: z.strictObject({ email, password: z.string().check(z.minLength(1), z.maxLength(256)) }),
    answers: { 201: z.object({ session: issuedSession, user }) },
    problems: ['unauthorized', 'rate_limited'],
    secret: true,
  }),
  listSessions: endpoint({
    id: 'listSessions',
    method: 'GET',
    path: '/v1/sessions',
    summary: 'Your own sessions: browsers, extensions and command lines that are signed in',
    credential: 'session',
    query: page,
    answers: { 200: listOf(session) },
  }),
  endSession: endpoint({
    id: 'endSession',
    method: 'DELETE',
    path: '/v1/sessions/:sessionId',
    summary: 'End one of your sessions, or `current`',
    credential: 'session',
    answers: { 204: undefined },
    problems: ['not_found'],
  }),
  me: endpoint({
    id: 'me',
    method: 'GET',
    path: '/v1/me',
    summary: 'Who you are and where you are a member',
    credential: 'session',
    answers: { 200: z.object({ user, memberships: z.array(membership) }) },
  }),
  acceptInvitation: endpoint({
    id: 'acceptInvitation',
    method: 'POST',
    path: '/v1/invitations/accept',
    summary: 'Join a workspace: as a new person with name and password, or with your session',
    credential: 'optional_session',
    body: z.strictObject({ token, name: z.optional(personName), password: z.optional(password) }),
    answers: { 201: z.object({ session: z.optional(issuedSession), membership }) },
    problems: ['not_found', 'conflict', 'rate_limited'],
    secret: true,
  }),
  connectToken: endpoint({
    id: 'connectToken',
    method: 'POST',
    path: '/v1/connect/token',
    summary: 'Exchange the code of an approved connection for a session (RFC 7636, S256)',
    credential: 'none',
    body: z.strictObject({
      code: token,
      codeVerifier: z
        .string()
        .check(z.regex(/^[A-Za-z0-9._~-]{43,128}$/, 'must be 43 to 128 unreserved characters (RFC 7636)')),
    }),
    answers: { 201: z.object({ session: issuedSession, user }) },
    problems: ['unauthorized', 'rate_limited'],
    secret: true,
  }),
} as const;
