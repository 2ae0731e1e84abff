import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { listOf, name, page, permissions, remark, timestamp } from './fields.ts';
import { W } from './path.ts';

export const group = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  permissions: z.array(z.string()),
  keys: z.number(),
  createdAt: timestamp,
});
export type Group = z.infer<typeof group>;

const groupFields = { name, description: z.optional(remark), permissions };
export const groups = {
  listGroups: endpoint({
    id: 'listGroups',
    method: 'GET',
    path: `${W}/groups`,
    summary: 'Authorization groups and what they allow',
    credential: 'session',
    action: 'group.read',
    query: page,
    answers: { 200: listOf(group) },
  }),
  createGroup: endpoint({
    id: 'createGroup',
    method: 'POST',
    path: `${W}/groups`,
    summary: 'Make an authorization group',
    credential: 'session',
    action: 'group.manage',
    body: z.strictObject(groupFields),
    answers: { 201: group },
    problems: ['name_taken'],
    idempotent: true,
  }),
  editGroup: endpoint({
    id: 'editGroup',
    method: 'PATCH',
    path: `${W}/groups/:groupId`,
    summary: 'Change a group; every key in it follows at once',
    credential: 'session',
    action: 'group.manage',
    body: z.partial(z.strictObject(groupFields)),
    answers: { 200: group },
    problems: ['name_taken'],
  }),
  deleteGroup: endpoint({
    id: 'deleteGroup',
    method: 'DELETE',
    path: `${W}/groups/:groupId`,
    summary: 'Delete a group that no live key uses',
    credential: 'session',
    action: 'group.manage',
    answers: { 204: undefined },
    problems: ['in_use'],
  }),
} as const;
