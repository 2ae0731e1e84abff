import { browser } from 'wxt/browser';
import { createClient } from '../../shared/client/client.ts';
import { createReceiver } from '../messages/receive.ts';
import { EXPIRY_ALARM } from './approval.ts';
import { createBadgeService } from './badge-service.ts';
import { createConnectionService } from './connection-service.ts';
import { createDataService } from './data-service.ts';
import { RESUME_ALARM } from './intents.ts';
import { createInvitationService, WITHDRAW_ALARM } from './invitation-service.ts';
import { createKeyService } from './key-service.ts';
import { browserLabel } from './label.ts';
import { createReminderService } from './reminder-service.ts';
import { createSecretService } from './secret-service.ts';
import { createSession } from './session.ts';
import { closeStorage, createStore } from './store.ts';
import { createTeamService } from './team-service.ts';
import { createWorkspaceService } from './workspace-service.ts';

const REFRESH_ALARM = 'refresh';
const REFRESH_MINUTES = 30;

export interface BackgroundDeps {
  fetch: typeof fetch;
  now(): number;
  sleep(ms: number): Promise<void>;
  randomBytes(n: number): Uint8Array;
  randomId(): string;
  userAgent: string;
  /** Of the extension's own pages: nobody else may send messages. */
  origin: string;
}

/** Makes the services and says which event goes to which. */
export function createBackground(deps: BackgroundDeps) {
  const { now, sleep, randomBytes, randomId } = deps;
  const store = createStore();
  const client = createClient(deps);
  const session = createSession({ store, client });
  const reminders = createReminderService({ store, now });
  const badge = createBadgeService({ store });
  const data = createDataService({
    store,
    session,
    now,
    onRefreshed: async (snapshot) => {
      await secrets.settle(snapshot);
      await reminders.check(snapshot);
    },
  });
  const secrets = createSecretService({ store, session, data, now, sleep });
  const team = createTeamService({ store, session, data, now });
  const invitations = createInvitationService({ store, session, refreshTeam: team.refresh, now, sleep, randomId });
  const workspace = createWorkspaceService({ session, data, randomId });
  const connection = createConnectionService({
    store,
    client,
    now,
    randomBytes,
    label: async () => browserLabel(deps.userAgent, (await browser.runtime.getPlatformInfo()).os),
    onConnected: data.refresh,
  });
  const receiver = createReceiver(deps.origin);
  for (const service of [
    connection,
    data,
    createKeyService({ session, data }),
    secrets,
    team,
    invitations,
    workspace,
  ]) {
    receiver.handle(service.handlers);
  }

  const onAlarm: Record<string, () => Promise<void>> = {
    [REFRESH_ALARM]: async () => {
      if ((await store.read('connection'))?.status === 'connected') await data.refresh();
    },
    [EXPIRY_ALARM]: connection.onExpiryAlarm,
    [RESUME_ALARM]: secrets.resume,
    [WITHDRAW_ALARM]: invitations.withdrawDue,
  };

  async function prepare(): Promise<void> {
    await closeStorage();
    await connection.onWorkerStart();
  }

  async function openKey(keyId: string): Promise<void> {
    await browser.tabs.create({ url: `${deps.origin}/workspace.html#/key/${encodeURIComponent(keyId)}` });
  }

  return {
    /** Has to run in the first turn of the worker: the event that woke it is delivered right after. */
    start(): Promise<void> {
      const ready = prepare();
      receiver.listen(ready);
      browser.tabs.onUpdated.addListener((_tabId, change, tab) => {
        const url = change.url ?? (change.status === 'complete' ? tab.url : undefined);
        if (url) void ready.then(() => connection.onTabUrl(url));
      });
      browser.alarms.onAlarm.addListener((alarm) => void ready.then(() => onAlarm[alarm.name]?.()));
      browser.storage.onChanged.addListener((changes) => void badge.onStorageChanged(changes));
      browser.permissions.onAdded.addListener(() => void ready.then(connection.onPermissionsChanged));
      browser.permissions.onRemoved.addListener(() => void ready.then(connection.onPermissionsChanged));
      browser.notifications.onClicked.addListener((id) => {
        const keyId = reminders.keyOf(id);
        if (keyId) void openKey(keyId);
      });
      return ready.then(async () => {
        await badge.show();
        if (!(await browser.alarms.get(REFRESH_ALARM))) {
          await browser.alarms.create(REFRESH_ALARM, { periodInMinutes: REFRESH_MINUTES });
        }
        await Promise.all([secrets.resume(), invitations.withdrawDue()]);
      });
    },
  };
}
