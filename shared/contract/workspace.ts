import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { personName, timestamp } from './fields.ts';
import { W } from './path.ts';

export const PLANS = ['starter', 'team'] as const;
export const plan = z.enum(PLANS, `must be one of ${PLANS.join(', ')}`);

export const policies = z.object({ maxKeyLifetimeDays: z.nullable(z.number()) });
export const workspace = z.object({
  id: z.string(),
  name: z.string(),
  plan,
  keyLimit: z.number(),
  keysUsed: z.number(),
  policies,
  createdAt: timestamp,
});
export type Workspace = z.infer<typeof workspace>;

const lifetimeDays = z
  .number('must be a number of days, or null')
  .check(
    z.int('must be a whole number of days'),
    z.gte(1, 'must be 1 day or more'),
    z.lte(3650, 'must be 3,650 days or less'),
  );

export const workspaces = {
  readWorkspace: endpoint({
    id: 'readWorkspace',
    method: 'GET',
    path: W,
    summary: 'Name, plan, limit and policies',
    credential: 'session',
    action: 'workspace.read',
    answers: { 200: workspace },
  }),
  editWorkspace: endpoint({
    id: 'editWorkspace',
    method: 'PATCH',
    path: W,
    summary: 'Change the name or the policies',
    credential: 'session',
    action: 'workspace.edit',
    body: z.strictObject({
      name: z.optional(personName),
      policies: z.optional(z.strictObject({ maxKeyLifetimeDays: z.optional(z.nullable(lifetimeDays)) })),
    }),
    answers: { 200: workspace },
  }),
} as const;
