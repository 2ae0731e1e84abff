import { agents } from './agents.ts';
import { audit } from './audit.ts';
import { device } from './device.ts';
import type { Endpoint } from './endpoint.ts';
import { groups } from './groups.ts';
import { passkeys, passwords, sso } from './identity.ts';
import { invitations } from './invitations.ts';
import { keys } from './keys.ts';
import { members } from './members.ts';
import { activity } from './overview.ts';
import { people } from './people.ts';
import { scim, scimAdmin } from './scim.ts';
import { verifiers } from './verifiers.ts';
import { verification } from './verify.ts';
import { workspaces } from './workspace.ts';

/** Every operation of the HTTP interface, by the heading it stands under in the reference. */
export const contract = {
  People: people,
  'Command-line sign-in': device,
  Passwords: passwords,
  Passkeys: passkeys,
  'Single sign-on': sso,
  Workspace: workspaces,
  Members: members,
  Invitations: invitations,
  Keys: keys,
  'Authorization groups': groups,
  Verifiers: verifiers,
  Verification: verification,
  Agents: agents,
  Activity: activity,
  'Audit log': audit,
  Provisioning: scimAdmin,
  'SCIM 2.0': scim,
} as const satisfies Record<string, Record<string, Endpoint>>;

/** The same in one list. */
export const endpoints: readonly Endpoint[] = Object.values(contract).flatMap((group) =>
  Object.values<Endpoint>(group),
);
