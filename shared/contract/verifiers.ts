import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { author, environment, listOf, name, page, timestamp } from './fields.ts';
import { W } from './path.ts';

export const verifierCredential = z.object({
  id: z.string(),
  name: z.string(),
  environment,
  prefix: z.string(),
  createdAt: timestamp,
  createdBy: author,
  lastUsedAt: z.nullable(timestamp),
});
export type VerifierCredential = z.infer<typeof verifierCredential>;

export const verifiers = {
  listVerifiers: endpoint({
    id: 'listVerifiers',
    method: 'GET',
    path: `${W}/verifiers`,
    summary: 'Credentials of the services that check keys',
    credential: 'session',
    action: 'verifier.manage',
    query: page,
    answers: { 200: listOf(verifierCredential) },
  }),
  createVerifier: endpoint({
    id: 'createVerifier',
    method: 'POST',
    path: `${W}/verifiers`,
    summary: 'Make a verifier credential for one environment; its secret is shown once',
    credential: 'session',
    action: 'verifier.manage',
    body: z.strictObject({ name, environment }),
    answers: {
      201: z.object({
        verifier: verifierCredential,
        /** There once: a repeat of the same Idempotency-Key answers `replayed: true` and no secret. */
        secret: z.optional(z.string()),
        replayed: z.optional(z.boolean()),
      }),
    },
    idempotent: true,
    secret: true,
  }),
  removeVerifier: endpoint({
    id: 'removeVerifier',
    method: 'DELETE',
    path: `${W}/verifiers/:verifierId`,
    summary: 'Remove a verifier credential: it is refused at once',
    credential: 'session',
    action: 'verifier.manage',
    answers: { 204: undefined },
  }),
} as const;
