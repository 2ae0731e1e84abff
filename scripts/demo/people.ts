/** Who is in the demo workspace, and what their keys are for. Everything that follows is played through the real HTTP interface. */
export const PASSWORD = 'demo demo demo';

export interface DemoPerson {
  name: string;
  email: string;
  role: 'owner' | 'admin' | 'member';
  /** Days ago. */
  joined: number;
  /** Days ago; whoever has not left has none. */
  left?: number;
}

const at = (name: string, role: DemoPerson['role'], joined: number): DemoPerson => ({
  name,
  email: `${name.split(' ')[0]?.toLowerCase()}@acme.example`,
  role,
  joined,
});

export const LENA = at('Lena Fischer', 'owner', 45);
export const JONAS = at('Jonas Weber', 'member', 44);
export const AISHA = at('Aisha Khan', 'admin', 44);
export const TOM = at('Tom Okafor', 'member', 40);
export const MEI = at('Mei Tanaka', 'member', 38);
const RAVI: DemoPerson = { ...at('Ravi Menon', 'member', 43), left: 5 };
export const PEOPLE = [LENA, JONAS, AISHA, TOM, MEI, RAVI];

export const GROUPS = [
  { name: 'Read customers', description: 'Dashboards and exports', permissions: ['customers:read', 'orders:read'] },
  {
    name: 'Operate robots',
    description: 'Everything a line needs',
    permissions: ['robots:read', 'robots:write', 'telemetry:write'],
  },
  {
    name: 'Enrol agents',
    description: 'Install agents on trucks and rigs',
    permissions: ['agents:enroll', 'telemetry:write'],
  },
];

type Fate = 'rotated' | 'disabled' | 'leaked' | 'expires' | 'expires_soon' | undefined;

export interface DemoKey {
  owner: DemoPerson;
  name: string;
  environment: 'production' | 'staging' | 'development';
  group?: string;
  /** Days ago. */
  made: number;
  /** Uses on a working day; none at the weekend below ten. */
  uses: number;
  program: string;
  ip: string;
  fate?: Fate;
  ipAllowlist?: string[];
  rateLimit?: { limit: number; windowSeconds: number };
}

export const KEYS: readonly DemoKey[] = [
  {
    owner: LENA,
    name: 'prod-main-app',
    environment: 'production',
    group: 'Read customers',
    made: 44,
    uses: 24,
    program: 'acme-web/4.2',
    ip: '203.0.113.8',
    rateLimit: { limit: 600, windowSeconds: 60 },
  },
  {
    owner: LENA,
    name: 'cli-laptop',
    environment: 'development',
    made: 20,
    uses: 3,
    program: 'curl/8.5.0',
    ip: '198.51.100.23',
    fate: 'expires_soon',
  },
  {
    owner: LENA,
    name: 'staging-api',
    environment: 'staging',
    group: 'Operate robots',
    made: 36,
    uses: 9,
    program: 'python-requests/2.32',
    ip: '10.0.4.12',
    fate: 'expires',
  },
  {
    owner: LENA,
    name: 'docker-edge-ci',
    environment: 'production',
    group: 'Operate robots',
    made: 40,
    uses: 6,
    program: 'heex-ci/1.8',
    ip: '192.0.2.77',
    fate: 'leaked',
  },
  {
    owner: LENA,
    name: 'telemetry-ingest',
    environment: 'production',
    group: 'Operate robots',
    made: 30,
    uses: 18,
    program: 'go-http-client/2.0',
    ip: '10.0.0.4',
    fate: 'rotated',
  },
  {
    owner: JONAS,
    name: 'nightly-export',
    environment: 'production',
    group: 'Read customers',
    made: 41,
    uses: 4,
    program: 'python-requests/2.32',
    ip: '203.0.113.8',
    ipAllowlist: ['203.0.113.0/24'],
  },
  {
    owner: JONAS,
    name: 'docker-trials',
    environment: 'staging',
    group: 'Operate robots',
    made: 33,
    uses: 14,
    program: 'heex-agent-launcher/1.8',
    ip: '10.0.4.12',
  },
  {
    owner: JONAS,
    name: 'fleet-install',
    environment: 'production',
    group: 'Enrol agents',
    made: 25,
    uses: 0,
    program: 'heex-agent/1.0',
    ip: '10.0.7.2',
  },
  {
    owner: AISHA,
    name: 'metrics-board',
    environment: 'production',
    group: 'Read customers',
    made: 28,
    uses: 12,
    program: 'grafana/11',
    ip: '10.0.0.9',
  },
  {
    owner: AISHA,
    name: 'old-board',
    environment: 'staging',
    group: 'Read customers',
    made: 39,
    uses: 0,
    program: '',
    ip: '',
    fate: 'disabled',
  },
  {
    owner: TOM,
    name: 'robot-arm-tests',
    environment: 'development',
    group: 'Operate robots',
    made: 18,
    uses: 11,
    program: 'node',
    ip: '198.51.100.40',
  },
  {
    owner: MEI,
    name: 'simulation',
    environment: 'staging',
    group: 'Operate robots',
    made: 12,
    uses: 8,
    program: 'java-http-client/21',
    ip: '10.0.5.31',
  },
  {
    owner: RAVI,
    name: 'map-import',
    environment: 'production',
    group: 'Read customers',
    made: 35,
    uses: 5,
    program: 'okhttp/4.12',
    ip: '203.0.113.41',
  },
];
